// SPDX-License-Identifier: GPL-2.0
/*
 * gate-verdict: decides whether a kernel is a regression against another, from
 * runs of the same work on either. Used by ci/gate.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "verdict.h"

#define EXIT_UNMEASURED	3

/* Of things that don't differ, one in a thousand is said to. */
#define CONFIDENCE	0.999

/* More, and the two sides can't have done the same work. */
#define MAX_FAULTS_APART	0.05

static const char help[] =
"usage: gate-verdict [OPTION]... -o DIR BASE... -- CANDIDATE...\n"
"\n"
"Compare runs of one workload under two kernels: the results files BASE with the\n"
"results files CANDIDATE, as lab/run writes them. Writes verdict.json, junit.xml and\n"
"summary.md into DIR.\n"
"\n"
"  --limit-instructions PERCENT  that the candidate may be worse by (0.5)\n"
"  --limit-exits PERCENT         the same, of exits per guest fault (1)\n"
"  --limit-cycles PERCENT        the same, of estimated cycles (0.5)\n"
"  --exit-cycles N               cycles to add for each exit (1500)\n"
"  -o, --output DIR              where to write\n"
"  -h, --help                    print this help\n"
"\n"
"Exit status: 0 no regression, 1 regression, 2 usage, 3 not comparable.\n";

struct options {
	double limits[NR_MEASURES];	/* per cent */
	double exit_cycles;
	const char *directory;
};

/* ---- what is compared ---- */

/* The emulators' clocks count instructions, so much time each. */
static double ns_per_instruction(const struct fl_run *run)
{
	return fl_run_isa(run) == FL_ISA_VMX ? 20 : 2;
}

static double value_of(enum measure measure, const struct fl_run *run, double exit_cycles)
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

static struct fl_sample sample(enum measure measure, const struct fl_collection *runs,
			       double exit_cycles)
{
	double *values = calloc(runs->nr, sizeof(*values));
	struct fl_sample sample = { 0 };
	size_t i;

	if (!values)
		return sample;
	for (i = 0; i < runs->nr; i++)
		values[i] = value_of(measure, &runs->runs[i], exit_cycles);
	sample = fl_sample_of(values, runs->nr);
	free(values);
	return sample;
}

double finding_percent(const struct finding *finding)
{
	return finding->change.a ? 100 * finding->change.change / finding->change.a : 0;
}

static void judge(struct verdict *verdict, const struct fl_collection *base,
		  const struct fl_collection *candidate, const struct options *options)
{
	static const struct finding measures[NR_MEASURES] = {
		[MEASURE_INSTRUCTIONS] = { .name = "instructions", .unit = "" },
		[MEASURE_EXITS_PER_FAULT] = { .name = "exits per guest fault", .unit = "" },
		[MEASURE_CYCLES] = { .name = "cycles", .unit = " (estimate)" },
	};
	int i;

	for (i = 0; i < NR_MEASURES; i++) {
		struct finding *finding = &verdict->findings[i];
		struct fl_sample a = sample(i, base, options->exit_cycles);
		struct fl_sample b = sample(i, candidate, options->exit_cycles);

		*finding = measures[i];
		finding->limit = options->limits[i] / 100;
		finding->change = fl_compare(&a, &b, CONFIDENCE);
		finding->regressed = finding->change.verdict == FL_DIFFERENT &&
				     finding->change.change > finding->limit * finding->change.a;
		verdict->regressed |= finding->regressed;
	}
}

/* ---- whether it can be ---- */

static int unmeasured(const char *why)
{
	fl_fail("not comparable: %s", why);
	return EXIT_UNMEASURED;
}

static int check_run(const struct fl_run *run, const struct fl_run *first)
{
	double faults = fl_tally_guest_faults(&run->snapshot.total);
	double wanted = fl_tally_guest_faults(&first->snapshot.total);

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
	int ret;

	if (runs->nr < 2)
		return unmeasured("two runs of each kernel are needed to see how much they vary");
	for (i = 0; i < runs->nr; i++) {
		ret = check_run(&runs->runs[i], first);
		if (ret)
			return ret;
		if (strcmp(runs->runs[i].policy, runs->runs[0].policy))
			return unmeasured("a kernel's runs are under several policies; choose one");
	}
	return 0;
}

/* ---- main ---- */

static int load(struct fl_collection *runs, char *const *paths)
{
	for (; *paths; paths++) {
		if (fl_collection_load(runs, *paths, NULL))
			return EXIT_UNMEASURED;
	}
	return runs->nr ? 0 : unmeasured("there are no runs in the files of one side");
}

static int decide(struct fl_collection *base, struct fl_collection *candidate,
		  const struct options *options)
{
	struct verdict verdict = { .exit_cycles = options->exit_cycles };
	int ret = check_side(base, base->runs);

	if (!ret)
		ret = check_side(candidate, base->runs);
	if (ret)
		return ret;
	verdict.base = base->runs;
	verdict.candidate = candidate->runs;
	verdict.nr_base = base->nr;
	verdict.nr_candidate = candidate->nr;
	judge(&verdict, base, candidate, options);
	if (verdict_write(&verdict, options->directory))
		return EXIT_UNMEASURED;
	verdict_print(&verdict);
	return verdict.regressed;
}

static int process(const struct options *options, char *const *base_paths,
		   char *const *candidate_paths)
{
	struct fl_collection base = { 0 }, candidate = { 0 };
	int ret = load(&base, base_paths);

	if (!ret)
		ret = load(&candidate, candidate_paths);
	if (!ret)
		ret = decide(&base, &candidate, options);
	fl_collection_free(&base);
	fl_collection_free(&candidate);
	return ret;
}

static int set_number(double *number, const char *value)
{
	char *end;

	*number = strtod(value, &end);
	if (end == value || *end || !isfinite(*number) || *number < 0) {
		fl_fail("'%s' is not a number from 0 on", value);
		return FL_USAGE;
	}
	return 0;
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "limit-instructions", required_argument, NULL, MEASURE_INSTRUCTIONS },
		{ "limit-exits", required_argument, NULL, MEASURE_EXITS_PER_FAULT },
		{ "limit-cycles", required_argument, NULL, MEASURE_CYCLES },
		{ "exit-cycles", required_argument, NULL, 'c' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = 0;

	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return -1;
		} else if (option == '?') {
			fl_fail("%s is no option, or lacks its value; see 'gate-verdict --help'",
				argv[optind - 1]);
			return FL_USAGE;
		} else if (option == 'o') {
			options->directory = optarg;
		} else {
			ret = set_number(option == 'c' ? &options->exit_cycles :
					 &options->limits[option], optarg);
		}
	}
	return ret;
}

/* Where the "--" between the two sides is, or NULL. */
static char **find_separator(char **words)
{
	while (*words && strcmp(*words, "--"))
		words++;
	return *words ? words : NULL;
}

int main(int argc, char **argv)
{
	struct options options = { .limits = { 0.5, 1, 0.5 }, .exit_cycles = 1500 };
	int ret = parse(argc, argv, &options);
	char **separator;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	separator = find_separator(argv + optind);
	if (!options.directory || !separator || separator == argv + optind || !separator[1]) {
		fl_fail("needed are -o DIR, files, --, and files; see 'gate-verdict --help'");
		return FL_USAGE;
	}
	*separator = NULL;
	return process(&options, argv + optind, separator + 1);
}
