// SPDX-License-Identifier: GPL-2.0
/*
 * gate-verdict: decides whether a kernel is a regression against another, from
 * runs of the same work on either. Used by ci/gate.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "error.h"
#include "verdict.h"

#define EXIT_UNMEASURED	3

static const char help[] =
"usage: gate-verdict [OPTION]... -o DIR BASE... -- CANDIDATE...\n"
"\n"
"Compare runs of one workload under two kernels: the results files BASE with the\n"
"results files CANDIDATE, as lab/run writes them. Writes verdict.json, junit.xml and\n"
"summary.md into DIR.\n"
"\n"
RULES_HELP
"  -o, --output DIR              where to write\n"
"  -h, --help                    print this help\n"
"\n"
"Exit status: 0 no regression, 1 regression, 2 usage, 3 not comparable.\n";

struct options {
	struct rules rules;
	const char *directory;
};

static int decide(struct fl_collection *base, struct fl_collection *candidate,
		  const struct options *options)
{
	struct verdict verdict;

	if (verdict_check(base, candidate))
		return EXIT_UNMEASURED;
	verdict = verdict_of(base, candidate, &options->rules);
	if (verdict_write(&verdict, options->directory))
		return EXIT_UNMEASURED;
	verdict_print(&verdict);
	return verdict.regressed;
}

static int process(const struct options *options, char *const *base_paths,
		   char *const *candidate_paths)
{
	struct fl_collection base = { 0 }, candidate = { 0 };
	int ret = EXIT_UNMEASURED;

	if (!runs_load(&base, base_paths) && !runs_load(&candidate, candidate_paths))
		ret = decide(&base, &candidate, options);
	fl_collection_free(&base);
	fl_collection_free(&candidate);
	return ret;
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		RULES_OPTIONS,
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
			ret = rules_set(&options->rules, option, optarg);
		}
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = { .rules = rules_default };
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
