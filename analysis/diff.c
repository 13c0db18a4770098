// SPDX-License-Identifier: GPL-2.0
/* faultline diff: compare runs, and tell whether they differ. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "diff.h"
#include "error.h"
#include "options.h"
#include "printer.h"

#define MAX_GATES 16

struct side {
	struct fl_where where;
	bool chosen;		/* by --a or --b */
	char **paths;
	size_t nr;
};

struct options {
	struct side a, b;
	struct fl_gate gates[MAX_GATES];
	size_t nr_gates;
	double confidence;
	bool json;
	const char *output;
};

const char fl_diff_help[] =
"usage: faultline diff [OPTION]... A B\n"
"       faultline diff [OPTION]... A... -- B...\n"
"       faultline diff [OPTION]... --a LABEL=VALUE --b LABEL=VALUE RUNS\n"
"\n"
"Compare runs: what has changed from side A to side B, with a confidence interval,\n"
"and which classes of exits explain it; or that no difference can be shown. A, B and\n"
"RUNS are run files or JSON, as for 'faultline report'. Runs with the same vendor,\n"
"line, policy, workload and paging are compared with each other.\n"
"\n"
"  -a, --a LABEL=VALUE[,...]      side A are runs with these labels, ...\n"
"  -b, --b LABEL=VALUE[,...]      ... and side B are runs with those\n"
"  -w, --where LABEL=VALUE[,...]  only runs with these labels, on both sides\n"
"      --confidence PERCENT       of intervals (95)\n"
"      --fail-if 'QUANTITY>LIMIT', 'QUANTITY<LIMIT'  exit with status 1 if the change\n"
"                     of QUANTITY is a difference, and beyond LIMIT: a number, or a\n"
"                     part of A's value, e.g. 'exits_per_guest_fault>+2%'\n"
"\n"
"Output:\n"
"      --json         one JSON object (schema faultline.diff/1)\n"
"  -o, --output FILE  write to FILE, which appears when all is printed and takes\n"
"                     the place of one that exists\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 compared, 1 not compared or beyond a LIMIT, 2 usage.\n";

/* ---- Options ---- */

static int add_gate(struct options *options, const char *text)
{
	if (options->nr_gates == MAX_GATES)
		return fl_usage_error("diff", "more than %d --fail-if", MAX_GATES);
	return fl_gate_parse(&options->gates[options->nr_gates++], text) ? FL_USAGE : FL_DONE;
}

static int set_confidence(struct options *options, const char *text)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || *end || !(percent >= 50 && percent <= 99.99))
		return fl_usage_error("diff", "--confidence %s is not a number from 50 to 99.99", text);
	options->confidence = percent / 100;
	return FL_DONE;
}

static int choose_side(struct side *side, char *conditions)
{
	side->chosen = true;
	return fl_where_add(&side->where, conditions) ? FL_USAGE : FL_DONE;
}

static int restrict_both(struct options *options, char *conditions)
{
	struct fl_where both = { .nr = 0 };
	size_t i;

	if (fl_where_add(&both, conditions))
		return FL_USAGE;
	for (i = 0; i < both.nr; i++) {
		if (fl_where_push(&options->a.where, both.conditions[i]) ||
		    fl_where_push(&options->b.where, both.conditions[i]))
			return FL_USAGE;
	}
	return FL_DONE;
}

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options)
{
	switch (option) {
	case 'a':
		return choose_side(&options->a, optarg);
	case 'b':
		return choose_side(&options->b, optarg);
	case 'w':
		return restrict_both(options, optarg);
	case 'c':
		return set_confidence(options, optarg);
	case 'f':
		return add_gate(options, optarg);
	case 'j':
		options->json = true;
		return FL_DONE;
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 'h':
		fputs(fl_diff_help, stdout);
		return -1;
	default:
		return fl_bad_option("diff", option, argv);
	}
}

/* Where the sides are parted by "--", what is behind it is side B. */
static int part(int argc, char **argv, struct options *options)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i == argc)
		return argc;
	options->b.paths = argv + i + 1;
	options->b.nr = argc - i - 1;
	argv[i] = NULL;
	return i;
}

/* What is left of the arguments are files. */
static int take_paths(struct options *options, size_t nr, char **paths)
{
	options->a.paths = paths;
	options->a.nr = nr;
	if (options->b.paths) {
		if (!nr || !options->b.nr)
			return fl_usage_error("diff", "there is nothing on one side of --");
	} else if (nr == 2) {
		options->a.nr = options->b.nr = 1;
		options->b.paths = paths + 1;
	} else if (nr == 1 && options->a.chosen && options->b.chosen) {
		options->b.paths = paths;
		options->b.nr = 1;
	} else if (nr == 1) {
		return fl_usage_error("diff", "one file is compared with itself, by --a and --b, or with a second");
	} else {
		return fl_usage_error("diff", nr ? "sides of several files are parted by --" : "no files to compare");
	}
	return FL_DONE;
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "a", required_argument, NULL, 'a' },
		{ "b", required_argument, NULL, 'b' },
		{ "where", required_argument, NULL, 'w' },
		{ "confidence", required_argument, NULL, 'c' },
		{ "fail-if", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	argc = part(argc, argv, options);
	while (!ret && (option = fl_next_option(argc, argv, ":a:b:w:o:h", long_options)) != -1)
		ret = parse_option(option, argv, options);
	return ret ? ret : take_paths(options, argc - optind, argv + optind);
}

/* ---- Comparing ---- */

static int load(const struct side *side, struct fl_collection *runs)
{
	size_t i;

	for (i = 0; i < side->nr; i++) {
		if (fl_collection_load(runs, side->paths[i], &side->where))
			return -1;
	}
	return runs->nr ? 0 : fl_fail("no run of %s is selected; 'faultline report --list' shows what there is",
				      side->paths[0]);
}

static int check_cells(const struct fl_cells *cells)
{
	size_t i;

	for (i = 0; i < cells->nr; i++) {
		if (cells->cells[i].nr_a && cells->cells[i].nr_b)
			return 0;
	}
	return fl_fail("no runs of the two sides have the same labels; choose what is to be compared by --a, --b and --where");
}

static int check_gate(const struct fl_gate *gate, const struct fl_cell *cell, double confidence)
{
	struct fl_change change;
	enum fl_unit unit;
	char title[256];

	if (!cell->nr_a || !cell->nr_b)
		return 0;
	fl_diff_title(cell, title, sizeof(title));
	if (!fl_quantity_compare(&gate->quantity, cell->a, cell->nr_a, cell->b, cell->nr_b, confidence,
				 &change, &unit))
		return fl_fail("%s: a side lacks what --fail-if '%s' asks for", title, gate->text);
	if (change.verdict == FL_UNTESTED)
		return fl_fail("%s: --fail-if '%s' can't be judged by one run a side; measure several", title,
			       gate->text);
	if (fl_gate_is_exceeded(gate, &change))
		return fl_fail("%s: --fail-if '%s': it changed by %+.6g, from %.6g to %.6g", title, gate->text,
			       change.change, change.a, change.b);
	return 0;
}

static int check_gates(const struct options *options, const struct fl_diff *diff)
{
	size_t i, j;

	for (i = 0; i < options->nr_gates; i++) {
		for (j = 0; j < diff->cells.nr; j++) {
			if (check_gate(&options->gates[i], &diff->cells.cells[j], diff->confidence))
				return -1;
		}
	}
	return 0;
}

static int print(const struct options *options, const struct fl_diff *diff)
{
	struct fl_output output;
	int ret;

	if (fl_output_open(&output, options->output))
		return -1;
	ret = options->json ? fl_diff_print_json(diff, output.file) :
			      fl_diff_print_table(diff, output.file);
	if (!ret)
		ret = fl_output_commit(&output);
	fl_output_close(&output);
	return ret;
}

int fl_cmd_diff(int argc, char **argv)
{
	struct options options = { .confidence = 0.95 };
	struct fl_collection a = { 0 }, b = { 0 };
	struct fl_diff diff = { 0 };
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? FL_DONE : ret;
	diff.confidence = options.confidence;
	if (load(&options.a, &a) || load(&options.b, &b) ||
	    fl_cells_sort(&diff.cells, &a, &options.a.where, &b, &options.b.where) || check_cells(&diff.cells) ||
	    print(&options, &diff) || check_gates(&options, &diff))
		ret = FL_FAILED;
	fl_cells_free(&diff.cells);
	fl_collection_free(&a);
	fl_collection_free(&b);
	return ret;
}
