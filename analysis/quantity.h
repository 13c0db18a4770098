/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Quantities by which runs are compared: exits per guest fault, the part of each
 * class, times. docs/METHOD.md says how they are compared.
 */
#ifndef FAULTLINE_QUANTITY_H
#define FAULTLINE_QUANTITY_H

#include "run.h"
#include "statistics.h"

struct fl_quantity {
	size_t kind;
	enum fl_class class;	/* if it is of a class */
	char name[48];		/* as users write it: "refault_per_guest_fault" */
};

/* There are no more of them. */
#define FL_MAX_QUANTITIES (5 + 2 * FL_NR_CLASSES)

/* What the observations are that a comparison rests on. */
enum fl_unit {
	FL_BY_RUN,		/* several runs a side */
	FL_BY_EPISODE,		/* the guest faults of one */
};

/* The quantity of number @index, from 0 on. False if there are no more. */
bool fl_quantity_at(size_t index, struct fl_quantity *quantity);

/* The quantity called @name. False if there is none. */
bool fl_quantity_find(const char *name, struct fl_quantity *quantity);

/*
 * Whether it tells what part of the exits per guest fault is of a class; these parts
 * add up to the whole.
 */
bool fl_quantity_is_part(const struct fl_quantity *quantity);

/* How many decimals it is shown with: none for what is a number of something. */
int fl_quantity_decimals(const struct fl_quantity *quantity);

/* Its value in @run; NAN if it has none. */
double fl_quantity_of(const struct fl_quantity *quantity, const struct fl_run *run);

/*
 * Compare it in runs @a and @b, @nr_a and @nr_b of them: by run if there are several
 * on both sides, else by the guest faults of all. False if a run lacks it.
 */
bool fl_quantity_compare(const struct fl_quantity *quantity, const struct fl_run *const *a,
			 size_t nr_a, const struct fl_run *const *b, size_t nr_b,
			 double confidence, struct fl_change *change, enum fl_unit *unit);

#endif /* FAULTLINE_QUANTITY_H */
