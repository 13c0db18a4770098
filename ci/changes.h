/* SPDX-License-Identifier: GPL-2.0 */
/* Where a series of values changed its level. */
#ifndef CI_CHANGES_H
#define CI_CHANGES_H

#include <stddef.h>

#include "statistics.h"

struct change_point {
	size_t index;		/* of the first value of the new level */
	struct fl_change change;
};

/*
 * Find the changes of level in @values, in their order: the split that is the least
 * likely without a change (Welch's t-test, Bonferroni's correction for the number of
 * splits), and so on in both parts. A level has two values at least, and a change is
 * of @least parts of the value. Fills @points, which has room for @nr; returns how
 * many there are.
 */
size_t changes_find(const double *values, size_t nr, double least, struct change_point *points);

#endif /* CI_CHANGES_H */
