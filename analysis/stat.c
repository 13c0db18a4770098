// SPDX-License-Identifier: GPL-2.0
/* faultline stat: count virtual machines' exits, by cause, and per guest fault. */
#include <getopt.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "measure.h"
#include "options.h"
#include "output.h"

enum format { TABLE, JSON, CSV };

struct options {
	struct fl_selection selection;
	enum format format;
	const char *output;
	__u64 interval_ns;	/* 0: none */
};

const char fl_stat_help[] =
"usage: faultline stat [OPTION]... -- COMMAND [ARGUMENT]...\n"
"       faultline stat [OPTION]... -p PID | --vm NAME | -a [-- COMMAND [ARGUMENT]...]\n"
"\n"
"Count the VM exits of virtual machines, and print how many a guest page fault\n"
"cost, by cause, and how long they took from exit to entry.\n"
"\n"
FL_SELECTION_HELP
"  -i, --interval SECONDS  print what happened in each interval, too\n"
"\n"
"Output:\n"
"      --json         one JSON object a line (schema faultline.run/1)\n"
"      --csv          comma-separated values: a line for each VM, one for all\n"
"  -o, --output FILE  write to FILE, which appears when all is measured and\n"
"                     takes the place of one that exists\n"
"      --set KEY=VALUE  label the result: line, policy, workload, paging, clock\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 measured, 1 not measured or COMMAND failed, 2 usage.\n";

/* ---- Options ---- */

static int set_format(struct options *options, enum format format)
{
	if (options->format != TABLE && options->format != format)
		return fl_usage_error("stat", "--json and --csv exclude each other");
	options->format = format;
	return FL_DONE;
}

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options, struct fl_run *run)
{
	switch (option) {
	case 'i':
		return fl_parse_seconds("-i", optarg, &options->interval_ns);
	case 'j':
		return set_format(options, JSON);
	case 'c':
		return set_format(options, CSV);
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 's':
		return fl_run_set_label(run, optarg) ? FL_USAGE : FL_DONE;
	case 'h':
		fputs(fl_stat_help, stdout);
		return -1;
	case ':':
	case '?':
		return fl_bad_option("stat", option, argv);
	default:
		return fl_selection_take(&options->selection, "stat", option);
	}
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options, struct fl_run *run)
{
	static const struct option long_options[] = {
		FL_SELECTION_LONG,
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "csv", no_argument, NULL, 'c' },
		{ "output", required_argument, NULL, 'o' },
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "+:" FL_SELECTION_SHORT "i:o:h",
					     long_options, NULL)) != -1)
		ret = parse_option(option, argv, options, run);
	return ret ? ret : fl_selection_end(&options->selection, "stat", argc, argv);
}

/* ---- Printing ---- */

struct printer {
	const struct options *options;
	struct fl_output output;
	bool printed;
};

static int print(const struct fl_run *run, void *data)
{
	struct printer *printer = data;
	bool first = !printer->printed;

	printer->printed = true;
	switch (printer->options->format) {
	case JSON:
		return fl_run_print_json(run, printer->output.file);
	case CSV:
		return fl_run_print_csv(run, printer->output.file, first);
	default:
		return fl_run_print_table(run, printer->output.file);
	}
}

/* The file appears when the whole has been printed. */
static int print_and_commit(const struct fl_run *run, void *data)
{
	struct printer *printer = data;

	return print(run, data) || (!run->interval && fl_output_commit(&printer->output)) ? -1 : 0;
}

int fl_cmd_stat(int argc, char **argv)
{
	struct options options = { .selection = FL_SELECTION_DEFAULTS };
	struct printer printer = { .options = &options };
	struct fl_run run;
	int ret;

	fl_run_init(&run);
	ret = parse(argc, argv, &options, &run);
	if (ret)
		return ret < 0 ? FL_DONE : ret;
	fl_interrupt_catch();
	if (fl_output_open(&printer.output, options.output))
		return FL_FAILED;
	ret = fl_measure(&options.selection, options.interval_ns, &run, print_and_commit, &printer);
	fl_output_close(&printer.output);
	fl_snapshot_free(&run.snapshot);
	return ret ? FL_FAILED : FL_DONE;
}
