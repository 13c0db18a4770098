// SPDX-License-Identifier: GPL-2.0
/* Change points by binary segmentation. See changes.h. */
#include <math.h>
#include <stdbool.h>

#include "changes.h"

#define MIN_LEVEL	2
#define CONFIDENCE	0.999

static struct fl_change compare_at(const double *values, size_t nr, size_t split)
{
	struct fl_sample before = fl_sample_of(values, split);
	struct fl_sample after = fl_sample_of(values + split, nr - split);

	return fl_compare(&before, &after, CONFIDENCE);
}

/* Of two splits that are as unlikely, e.g. impossible, the larger step is better. */
static bool is_better(const struct fl_change *change, const struct fl_change *best)
{
	if (change->p != best->p)
		return change->p < best->p;
	return fabs(change->change) > fabs(best->change);
}

/* The best split of @values. False if there was no change. */
static bool find_one(const double *values, size_t nr, double least, struct change_point *point)
{
	struct change_point best = { .change.p = 1 };
	size_t split;

	for (split = MIN_LEVEL; split + MIN_LEVEL <= nr; split++) {
		struct fl_change change = compare_at(values, nr, split);

		if (!best.index || is_better(&change, &best.change))
			best = (struct change_point){ split, change };
	}
	*point = best;
	return best.index && best.change.p * nr < 1 - CONFIDENCE &&
	       fabs(best.change.change) > least * fabs(best.change.a);
}

size_t changes_find(const double *values, size_t nr, double least, struct change_point *points)
{
	struct change_point point;
	size_t found, i;

	if (!find_one(values, nr, least, &point))
		return 0;
	found = changes_find(values, point.index, least, points);
	points[found++] = point;
	i = found;
	found += changes_find(values + point.index, nr - point.index, least, points + found);
	for (; i < found; i++)
		points[i].index += point.index;
	return found;
}
