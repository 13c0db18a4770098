/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs as charts for a terminal of 80 columns. All are drawn to one scale, so they
 * have to be gone through twice: first for the scale, then to draw them.
 */
#ifndef FAULTLINE_TEXT_H
#define FAULTLINE_TEXT_H

#include "run.h"

/* The longest that is drawn; all 0 to begin with. */
struct fl_text_scale {
	double exits;		/* per guest fault */
	double ns;		/* the same in time */
};

/* Make room for @run. */
void fl_text_see(struct fl_text_scale *scale, const struct fl_run *run);

/* Draw @run; before the @first, tell what the letters mean. 0 or -1. */
int fl_text_add(const struct fl_text_scale *scale, const struct fl_run *run, bool first,
		FILE *out);

#endif /* FAULTLINE_TEXT_H */
