/* SPDX-License-Identifier: GPL-2.0 */
/* Limits on how much a quantity may change, by which `diff` fails a comparison. */
#ifndef FAULTLINE_GATE_H
#define FAULTLINE_GATE_H

#include "quantity.h"

struct fl_gate {
	const char *text;	/* as the user wrote it */
	struct fl_quantity quantity;
	bool is_upper;		/* fail above the limit, else below */
	bool is_relative;
	double limit;		/* of the change; if relative, in parts of side A's value */
};

/*
 * From "QUANTITY>LIMIT" or "QUANTITY<LIMIT", LIMIT a number, or one and "%". 0, or
 * -1 and has told the user why not.
 */
int fl_gate_parse(struct fl_gate *gate, const char *text);

/* Whether @change, a difference that can be shown, is beyond the limit. */
bool fl_gate_is_exceeded(const struct fl_gate *gate, const struct fl_change *change);

#endif /* FAULTLINE_GATE_H */
