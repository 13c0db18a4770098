/* SPDX-License-Identifier: GPL-2.0 */
/* What gate-verdict finds: each measure on both sides, and whether it regressed. */
#ifndef CI_VERDICT_H
#define CI_VERDICT_H

#include <stdbool.h>

#include "collection.h"
#include "statistics.h"

enum measure {
	MEASURE_INSTRUCTIONS,		/* retired by the whole machine in the window */
	MEASURE_EXITS_PER_FAULT,
	MEASURE_CYCLES,			/* estimated: see docs/METHOD.md */
	NR_MEASURES,
};

struct finding {
	const char *name;	/* "instructions" */
	const char *unit;	/* for people: "" or "(estimate)" */
	double limit;		/* in parts of the base's value */
	struct fl_change change;
	bool regressed;		/* a difference that can be shown, and beyond the limit */
};

struct verdict {
	struct finding findings[NR_MEASURES];
	const struct fl_run *base, *candidate;	/* the first run of each side */
	size_t nr_base, nr_candidate;
	double exit_cycles;
	bool regressed;
};

/*
 * Write @verdict into @directory: verdict.json (schema faultline.verdict/1),
 * junit.xml, and summary.md for a merge request. 0 or -1.
 */
int verdict_write(const struct verdict *verdict, const char *directory);

/* Print it for people. */
void verdict_print(const struct verdict *verdict);

/* The change, in per cent of the base's value. */
double finding_percent(const struct finding *finding);

#endif /* CI_VERDICT_H */
