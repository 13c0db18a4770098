// SPDX-License-Identifier: GPL-2.0
/* Limits on how much a quantity may change. See gate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "gate.h"

/* Says so, and which quantity may have been meant. Returns -1. */
static int unknown_quantity(const char *text, const char *name)
{
	struct fl_quantity known[FL_MAX_QUANTITIES];
	const char *names[FL_MAX_QUANTITIES], *nearest;
	size_t nr = 0;

	while (nr < FL_MAX_QUANTITIES && fl_quantity_at(nr, &known[nr])) {
		names[nr] = known[nr].name;
		nr++;
	}
	nearest = fl_nearest_word(name, names, nr, sizeof(*names));
	if (nearest)
		return fl_fail("--fail-if %s: there is no such quantity; did you mean %s?", text, nearest);
	return fl_fail("--fail-if %s: there is no such quantity; 'faultline diff' prints their names", text);
}

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
		return unknown_quantity(text, name);
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
