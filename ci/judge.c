// SPDX-License-Identifier: GPL-2.0
/* How runs of two kernels are judged. See verdict.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "verdict.h"

/* More, and the two sides can't have done the same work. */
#define MAX_FAULTS_APART	0.05

const struct rules rules_default = { .limits = { 0.5, 1, 0.5 }, .exit_cycles = 1500 };

int rules_set(struct rules *rules, int option, const char *value)
{
	double number;
	char *end;

	number = strtod(value, &end);
	if (end == value || *end || !isfinite(number) || number < 0) {
		fl_fail("'%s' is not a number from 0 on", value);
		return FL_USAGE;
	}
	if (option == NR_MEASURES)
		rules->exit_cycles = number;
	else
		rules->limits[option] = number;
	return 0;
}

/* ---- figures of a run ---- */

/* The emulators' clocks count instructions, so much time each. */
static double ns_per_instruction(const struct fl_run *run)
{
	return fl_run_isa(run) == FL_ISA_VMX ? 20 : 2;
}

double measure_of(enum measure measure, const struct fl_run *run, double exit_cycles)
{
	const struct fl_tally *total = &run->snapshot.total;
	double instructions = run->duration_ns / ns_per_instruction(run);

	switch (measure) {
	case MEASURE_INSTRUCTIONS:
		return instructions;
	case MEASURE_EXITS_PER_FAULT:
		return fl_tally_exits_per_guest_fault(total);
	default:
		return instructions + exit_cycles * total->counts.exits;
	}
}

double count_of(enum count count, const struct fl_run *run)
{
	const struct fl_tally *total = &run->snapshot.total;

	return count == COUNT_EXITS ? total->counts.exits : fl_tally_guest_faults(total);
}

const char *count_name(enum count count)
{
	return count == COUNT_EXITS ? "exits" : "guest faults";
}

/* ---- both sides ---- */

/* A figure that runs have, by a number of its own. */
typedef double figure(int number, const struct fl_run *run, double exit_cycles);

static double measure_figure(int number, const struct fl_run *run, double exit_cycles)
{
	return measure_of(number, run, exit_cycles);
}

static double count_figure(int number, const struct fl_run *run, double exit_cycles)
{
	(void)exit_cycles;
	return count_of(number, run);
}

static double class_figure(int number, const struct fl_run *run, double exit_cycles)
{
	(void)exit_cycles;
	return run->snapshot.total.counts.classes[number];
}

static struct fl_sample sample(figure *value, int number, const struct fl_collection *runs,
			       double exit_cycles)
{
	double *values = calloc(runs->nr, sizeof(*values));
	struct fl_sample sample = { 0 };
	size_t i;

	if (!values)
		return sample;
	for (i = 0; i < runs->nr; i++)
		values[i] = value(number, &runs->runs[i], exit_cycles);
	sample = fl_sample_of(values, runs->nr);
	free(values);
	return sample;
}

/* What is compared with what. */
struct sides {
	const struct fl_collection *base, *candidate;
	double exit_cycles;
};

static struct fl_change compare(const struct sides *sides, figure *value, int number)
{
	struct fl_sample a = sample(value, number, sides->base, sides->exit_cycles);
	struct fl_sample b = sample(value, number, sides->candidate, sides->exit_cycles);

	return fl_compare(&a, &b, VERDICT_CONFIDENCE);
}

double change_percent(const struct fl_change *change)
{
	return change->a ? 100 * change->change / change->a : 0;
}

static struct finding find(const struct sides *sides, enum measure measure, double percent)
{
	static const struct finding measures[NR_MEASURES] = {
		[MEASURE_INSTRUCTIONS] = { .name = "instructions", .unit = "" },
		[MEASURE_EXITS_PER_FAULT] = { .name = "exits per guest fault", .unit = "" },
		[MEASURE_CYCLES] = { .name = "cycles", .unit = " (estimate)" },
	};
	struct finding finding = measures[measure];

	finding.limit = percent / 100;
	finding.change = compare(sides, measure_figure, measure);
	finding.regressed = finding.change.verdict == FL_DIFFERENT &&
			    finding.change.change > finding.limit * finding.change.a;
	return finding;
}

struct verdict verdict_of(const struct fl_collection *base, const struct fl_collection *candidate,
			  const struct rules *rules)
{
	struct sides sides = { base, candidate, rules->exit_cycles };
	struct verdict verdict = {
		.base = base->runs, .candidate = candidate->runs,
		.nr_base = base->nr, .nr_candidate = candidate->nr,
		.exit_cycles = rules->exit_cycles,
	};
	int i;

	for (i = 0; i < NR_MEASURES; i++) {
		verdict.findings[i] = find(&sides, i, rules->limits[i]);
		verdict.regressed |= verdict.findings[i].regressed;
	}
	for (i = 0; i < NR_COUNTS; i++)
		verdict.counts[i] = compare(&sides, count_figure, i);
	for (i = 0; i < FL_NR_CLASSES; i++)
		verdict.classes[i] = compare(&sides, class_figure, i);
	return verdict;
}

/* ---- whether they can be ---- */

static int unmeasured(const char *why)
{
	return fl_fail("not comparable: %s", why);
}

static int check_run(const struct fl_run *run, const struct fl_run *first)
{
	double faults = count_of(COUNT_GUEST_FAULTS, run), wanted = count_of(COUNT_GUEST_FAULTS, first);

	if (strcmp(run->workload, first->workload) || strcmp(run->paging, first->paging))
		return unmeasured("the runs are of several workloads; measure all with the same");
	if (fl_run_isa(run) != fl_run_isa(first))
		return unmeasured("the runs are from hosts of several vendors; measure all on one");
	if (strcmp(run->clock, "virtual") || !run->duration_ns)
		return unmeasured("a run is not from the lab, whose clock counts instructions");
	if (run->snapshot.lost_events || !faults)
		return unmeasured("a run has lost events, or no guest faults");
	if (fabs(faults - wanted) > MAX_FAULTS_APART * wanted)
		return unmeasured("the guests' faults are more than 5 % apart: not the same amount of work");
	return 0;
}

static int check_side(const struct fl_collection *runs, const struct fl_run *first)
{
	size_t i;

	if (runs->nr < 2)
		return unmeasured("two runs of each kernel are needed to see how much they vary");
	for (i = 0; i < runs->nr; i++) {
		if (check_run(&runs->runs[i], first))
			return -1;
		if (strcmp(runs->runs[i].policy, runs->runs[0].policy))
			return unmeasured("a kernel's runs are under several policies; choose one");
	}
	return 0;
}

int verdict_check(const struct fl_collection *base, const struct fl_collection *candidate)
{
	return check_side(base, base->runs) || check_side(candidate, base->runs) ? -1 : 0;
}

/* ---- files ---- */

int runs_load(struct fl_collection *runs, char *const *paths)
{
	for (; *paths; paths++) {
		if (fl_collection_load(runs, *paths, NULL))
			return -1;
	}
	return runs->nr ? 0 : unmeasured("there are no runs in the files of one side");
}

char **find_separator(char **words)
{
	while (*words && strcmp(*words, "--"))
		words++;
	return *words ? words : NULL;
}
