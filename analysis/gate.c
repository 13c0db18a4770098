// SPDX-License-Identifier: GPL-2.0
/* Limits on how much a quantity may change. See gate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "gate.h"

int fl_gate_parse(struct fl_gate *gate, const char *text)
{
	size_t length = strcspn(text, "<>");
	char name[sizeof(gate->quantity.name)], *end;

	gate->text = text;
	gate->is_upper = text[length] == '>';
	if (!text[length])
		return fl_fail("--fail-if %s has no > or <; try 'exits_per_guest_fault>+2%%'", text);
	snprintf(name, sizeof(name), "%.*s", (int)length, text);
	if (length >= sizeof(name) || !fl_quantity_find(name, &gate->quantity))
		return fl_fail("--fail-if %s: there is no such quantity; 'faultline diff' prints their names", text);
	gate->limit = strtod(text + length + 1, &end);
	gate->is_relative = *end == '%';
	if (gate->is_relative)
		gate->limit /= 100;
	if (end == text + length + 1 || end[gate->is_relative] || !isfinite(gate->limit))
		return fl_fail("--fail-if %s: the limit is no number, nor one and %%; try 'exits_per_guest_fault>+2%%'",
			       text);
	return 0;
}

bool fl_gate_is_exceeded(const struct fl_gate *gate, const struct fl_change *change)
{
	double limit = gate->is_relative ? gate->limit * change->a : gate->limit;

	if (change->verdict != FL_DIFFERENT)
		return false;
	return gate->is_upper ? change->change > limit : change->change < limit;
}
