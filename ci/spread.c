// SPDX-License-Identifier: GPL-2.0
/*
 * gate-spread: how much runs of one kernel differ from each other, and how often the
 * gate would find a regression: of a candidate, and of the base against itself. The
 * gate's tries are resampled from the runs there are. Used by ci/gate.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "verdict.h"

static const char help[] =
"usage: gate-spread [OPTION]... BASE... [-- CANDIDATE...]\n"
"\n"
"Print how much the runs in the results files BASE differ, and, if there are any,\n"
"those in CANDIDATE. Then, how often the gate calls it a regression: the candidate\n"
"against the base, and the base against itself. Each try draws its runs, with\n"
"replacement, from those of the files; the same seed draws the same.\n"
"\n"
"  --tries N                     of the candidate (20)\n"
"  --self-tries N                of the base against itself (100)\n"
"  --runs N                      that a try draws for each side (3)\n"
"  --seed N                      (1)\n"
RULES_HELP
"  -h, --help                    print this help\n"
"\n"
"Exit status: 0 done, 1 not done, 2 usage.\n";

enum { OPTION_TRIES = NR_MEASURES + 1, OPTION_SELF, OPTION_RUNS, OPTION_SEED };

struct options {
	struct rules rules;
	unsigned long tries, self_tries, runs, seed;
};

/* ---- spread ---- */

static double figure_of(int row, const struct fl_run *run)
{
	return row ? count_of(row - 1, run) : measure_of(MEASURE_INSTRUCTIONS, run, 0);
}

static void print_row(int row, const struct fl_collection *runs)
{
	double least = figure_of(row, runs->runs), most = least, sum = 0;
	size_t i;

	for (i = 0; i < runs->nr; i++) {
		double value = figure_of(row, &runs->runs[i]);

		least = value < least ? value : least;
		most = value > most ? value : most;
		sum += value;
	}
	printf("  %-14s %16.1f %16.0f %16.0f %9.4f%%\n", row ? count_name(row - 1) : "instructions",
	       sum / runs->nr, least, most, 100 * (most - least) * runs->nr / sum);
}

static void print_spread(const char *side, const struct fl_collection *runs)
{
	int row;

	printf("%s: %zu runs of %s, %s paging, on Linux %s (%s)\n\n  %-14s %16s %16s %16s %10s\n", side, runs->nr,
	       runs->runs->workload, runs->runs->paging, runs->runs->host.kernel, runs->runs->policy,
	       "", "mean", "least", "most", "spread");
	for (row = 0; row <= NR_COUNTS; row++)
		print_row(row, runs);
	putchar('\n');
}

/* ---- tries ---- */

/* Fill @drawn, which has room for @nr runs. */
static void draw(struct fl_collection *drawn, size_t nr, const struct fl_collection *runs,
		 unsigned short *state)
{
	for (drawn->nr = 0; drawn->nr < nr; drawn->nr++)
		drawn->runs[drawn->nr] = runs->runs[nrand48(state) % runs->nr];
}

/* How many of @tries are a regression of @candidate against @base. */
static unsigned long try_often(const struct fl_collection *base, const struct fl_collection *candidate,
			       unsigned long tries, const struct options *options)
{
	unsigned short state[3] = { options->seed, options->seed >> 16, options->seed >> 32 };
	struct fl_collection a = { calloc(options->runs, sizeof(*a.runs)), 0 };
	struct fl_collection b = { calloc(options->runs, sizeof(*b.runs)), 0 };
	unsigned long found = 0, i;

	for (i = 0; a.runs && b.runs && i < tries; i++) {
		draw(&a, options->runs, base, state);
		draw(&b, options->runs, candidate, state);
		found += verdict_of(&a, &b, &options->rules).regressed;
	}
	fl_collection_free(&a);
	fl_collection_free(&b);
	return found;
}

static void print_tries(const struct fl_collection *base, const struct fl_collection *candidate,
			const struct options *options)
{
	printf("the gate, %lu runs a side, resampled (seed %lu):\n", options->runs, options->seed);
	if (candidate->nr)
		printf("  the candidate against the base: a regression in %lu of %lu tries\n",
		       try_often(base, candidate, options->tries, options), options->tries);
	printf("  the base against itself: a regression in %lu of %lu tries\n",
	       try_often(base, base, options->self_tries, options), options->self_tries);
}

/* ---- main ---- */

static int show(const struct fl_collection *base, const struct fl_collection *candidate,
		const struct options *options)
{
	if (verdict_check(base, candidate->nr ? candidate : base))
		return -1;
	print_spread("base", base);
	if (candidate->nr)
		print_spread("candidate", candidate);
	print_tries(base, candidate, options);
	return 0;
}

static int process(const struct options *options, char *const *base_paths,
		   char *const *candidate_paths)
{
	struct fl_collection base = { 0 }, candidate = { 0 };
	int ret = runs_load(&base, base_paths);

	if (!ret && candidate_paths)
		ret = runs_load(&candidate, candidate_paths);
	if (!ret)
		ret = show(&base, &candidate, options);
	fl_collection_free(&base);
	fl_collection_free(&candidate);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int set_count(unsigned long *count, unsigned long least, const char *text)
{
	char *end;

	*count = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && *count >= least && *count <= 1000000)
		return 0;
	fl_fail("'%s' is not a number from %lu to 1000000", text, least);
	return FL_USAGE;
}

static int set_option(struct options *options, int option, char **argv)
{
	switch (option) {
	case OPTION_TRIES:
		return set_count(&options->tries, 1, optarg);
	case OPTION_SELF:
		return set_count(&options->self_tries, 1, optarg);
	case OPTION_RUNS:
		return set_count(&options->runs, 2, optarg);
	case OPTION_SEED:
		return set_count(&options->seed, 0, optarg);
	case '?':
		fl_fail("%s is no option, or lacks its value; see 'gate-spread --help'", argv[optind - 1]);
		return FL_USAGE;
	default:
		return rules_set(&options->rules, option, optarg);
	}
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		RULES_OPTIONS,
		{ "tries", required_argument, NULL, OPTION_TRIES },
		{ "self-tries", required_argument, NULL, OPTION_SELF },
		{ "runs", required_argument, NULL, OPTION_RUNS },
		{ "seed", required_argument, NULL, OPTION_SEED },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = 0;

	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return -1;
		}
		ret = set_option(options, option, argv);
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.rules = rules_default, .tries = 20, .self_tries = 100, .runs = 3, .seed = 1,
	};
	int ret = parse(argc, argv, &options);
	char **separator;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	separator = find_separator(argv + optind);
	if (separator)
		*separator++ = NULL;
	if (!argv[optind] || (separator && !*separator)) {
		fl_fail("needed are files, and, after --, files of a candidate; see 'gate-spread --help'");
		return FL_USAGE;
	}
	return process(&options, argv + optind, separator);
}
