// SPDX-License-Identifier: GPL-2.0
/* faultline stat: count virtual machines' exits, by cause, and per guest fault. */
#include <getopt.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "measure.h"
#include "options.h"
#include "printer.h"

struct options {
	struct fl_selection selection;
	struct fl_printer printer;
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
FL_PRINTER_HELP
"  -o, --output FILE  write to FILE, which appears when all is measured and\n"
"                     takes the place of one that exists\n"
"      --set KEY=VALUE  label the result: line, policy, workload, paging, clock\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 measured, 1 not measured or COMMAND failed, 2 usage.\n";

/* ---- Options ---- */

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options, struct fl_run *run)
{
	switch (option) {
	case 'i':
		return fl_parse_seconds("-i", optarg, &options->interval_ns);
	case 'j':
		return fl_printer_choose(&options->printer, FL_JSON, "stat");
	case 'c':
		return fl_printer_choose(&options->printer, FL_CSV, "stat");
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

	while (!ret && (option = fl_next_option(argc, argv, "+:" FL_SELECTION_SHORT "i:o:h", long_options)) != -1)
		ret = parse_option(option, argv, options, run);
	return ret ? ret : fl_selection_end(&options->selection, "stat", argc, argv);
}

/* ---- Printing ---- */

/* The file appears when the whole has been printed. */
static int print_and_commit(const struct fl_run *run, void *data)
{
	struct fl_printer *printer = data;

	return fl_printer_print(run, printer) || (!run->interval && fl_output_commit(&printer->output)) ?
	       -1 : 0;
}

int fl_cmd_stat(int argc, char **argv)
{
	struct options options = { .selection = FL_SELECTION_DEFAULTS };
	struct fl_measurement measurement = {
		.selection = &options.selection,
		.handle = print_and_commit,
		.data = &options.printer,
	};
	struct fl_run run;
	int ret;

	fl_run_init(&run);
	fl_run_set_command(&run, argc, argv);
	ret = parse(argc, argv, &options, &run);
	if (ret)
		return ret < 0 ? FL_DONE : ret;
	fl_interrupt_catch();
	if (fl_output_open(&options.printer.output, options.output))
		return FL_FAILED;
	measurement.interval_ns = options.interval_ns;
	ret = fl_measure(&measurement, &run);
	fl_output_close(&options.printer.output);
	fl_snapshot_free(&run.snapshot);
	return ret ? FL_FAILED : FL_DONE;
}
