/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two kernels' runs of the same work, and what the gate says of them: each measure
 * on both sides, whether it regressed, and the exits that explain it.
 */
#ifndef CI_VERDICT_H
#define CI_VERDICT_H

#include <stdbool.h>

#include "collection.h"
#include "statistics.h"

/* Of things that don't differ, one in a thousand is said to. */
#define VERDICT_CONFIDENCE	0.999

enum measure {
	MEASURE_INSTRUCTIONS,		/* retired by the whole machine in the window */
	MEASURE_EXITS_PER_FAULT,
	MEASURE_CYCLES,			/* estimated: see ci/README.md */
	NR_MEASURES,
};

/* What the measures don't tell: how much work it was, and exits in all. */
enum count {
	COUNT_GUEST_FAULTS,
	COUNT_EXITS,
	NR_COUNTS,
};

/* When a measure has regressed. */
struct rules {
	double limits[NR_MEASURES];	/* that it may be worse by, in per cent of the base's */
	double exit_cycles;		/* that an exit is taken to cost, besides its instructions */
};

extern const struct rules rules_default;

/* For getopt_long(): options whose values rules_set() takes. */
#define RULES_OPTIONS \
	{ "limit-instructions", required_argument, NULL, MEASURE_INSTRUCTIONS }, \
	{ "limit-exits", required_argument, NULL, MEASURE_EXITS_PER_FAULT }, \
	{ "limit-cycles", required_argument, NULL, MEASURE_CYCLES }, \
	{ "exit-cycles", required_argument, NULL, NR_MEASURES }

#define RULES_HELP \
"  --limit-instructions PERCENT  that the candidate may be worse by (0.5)\n" \
"  --limit-exits PERCENT         the same, of exits per guest fault (1)\n" \
"  --limit-cycles PERCENT        the same, of estimated cycles (0.5)\n" \
"  --exit-cycles N               cycles to add for each exit (1500)\n"

struct finding {
	const char *name;	/* "instructions" */
	const char *unit;	/* for people: "" or " (estimate)" */
	double limit;		/* in parts of the base's value */
	struct fl_change change;
	bool regressed;		/* a difference that can be shown, and beyond the limit */
};

struct verdict {
	struct finding findings[NR_MEASURES];
	struct fl_change counts[NR_COUNTS];
	struct fl_change classes[FL_NR_CLASSES];	/* exits */
	const struct fl_run *base, *candidate;		/* the first run of each side */
	size_t nr_base, nr_candidate;
	double exit_cycles;
	bool regressed;
};

/* Set the rule that @option of RULES_OPTIONS is. 0, or FL_USAGE after saying why. */
int rules_set(struct rules *rules, int option, const char *value);

/*
 * Whether the runs are of the same work, and sound. 0, or -1 after saying why
 * nothing can be said of them.
 */
int verdict_check(const struct fl_collection *base, const struct fl_collection *candidate);

/* Compare the runs of both sides, of which there are one each at least. */
struct verdict verdict_of(const struct fl_collection *base, const struct fl_collection *candidate,
			  const struct rules *rules);

/* A run's figures. */
double measure_of(enum measure measure, const struct fl_run *run, double exit_cycles);
double count_of(enum count count, const struct fl_run *run);
const char *count_name(enum count count);

/*
 * Write @verdict into @directory: verdict.json (schema faultline.verdict/1),
 * junit.xml, and summary.md for a merge request. 0 or -1.
 */
int verdict_write(const struct verdict *verdict, const char *directory);

/* Print it for people. */
void verdict_print(const struct verdict *verdict);

/* A change, in per cent of the base's value. */
double change_percent(const struct fl_change *change);

/* Add the runs of the files that end with NULL. 0, or -1 after saying why not. */
int runs_load(struct fl_collection *runs, char *const *paths);

/* Where the "--" between the two sides is, or NULL. */
char **find_separator(char **words);

#endif /* CI_VERDICT_H */
