// SPDX-License-Identifier: GPL-2.0
/* faultline report: print recorded runs as `stat` printed them. */
#include <getopt.h>

#include "commands.h"
#include "error.h"
#include "html.h"
#include "load.h"
#include "options.h"
#include "printer.h"
#include "runfile.h"
#include "text.h"

struct options {
	struct fl_printer printer;
	struct fl_where where;
	const char *output;
	const char *html;	/* where to; NULL: none */
	bool intervals, list, text;
	char **paths;		/* NULL at the end */
};

const char fl_report_help[] =
"usage: faultline report [OPTION]... [RUN]...\n"
"\n"
"Print runs again, as 'faultline stat' prints them, or draw them. RUN is a run file that\n"
"'faultline record' wrote (" FL_DEFAULT_RUNFILE "), or JSON of 'faultline stat' or of\n"
"the lab, e.g. build/demo/results.json.\n"
"\n"
"  -l, --list         list the runs, a line for each\n"
"  -w, --where LABEL=VALUE[,LABEL=VALUE]...  only runs with all of these labels:\n"
"                     line, kernel, vendor, mmu, policy, workload, paging, clock\n"
"  -i, --intervals    what happened in each interval, too\n"
"\n"
"Output:\n"
FL_PRINTER_HELP
"      --text         charts in the terminal\n"
"      --html FILE    a page with charts and tables, in one file that needs no other\n"
"  -o, --output FILE  write to FILE, which appears when all is printed and takes\n"
"                     the place of one that exists\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 printed, 1 a RUN can't be read or nothing is selected, 2 usage.\n";

/* ---- Options ---- */

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options)
{
	switch (option) {
	case 'l':
		options->list = true;
		return FL_DONE;
	case 'w':
		return fl_where_add(&options->where, optarg) ? FL_USAGE : FL_DONE;
	case 'i':
		options->intervals = true;
		return FL_DONE;
	case 'j':
		return fl_printer_choose(&options->printer, FL_JSON, "report");
	case 'c':
		return fl_printer_choose(&options->printer, FL_CSV, "report");
	case 't':
		options->text = true;
		return FL_DONE;
	case 'H':
		options->html = optarg;
		return FL_DONE;
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 'h':
		fputs(fl_report_help, stdout);
		return -1;
	default:
		return fl_bad_option("report", option, argv);
	}
}

/* Whether the options go together. FL_DONE or FL_USAGE. */
static int check(const struct options *options)
{
	int nr = options->list + options->text + !!options->html + (options->printer.format != FL_TABLE);

	if (nr > 1)
		return fl_usage_error("report", "--list, --text, --html, and --json or --csv exclude each other");
	if (options->html && options->output)
		return fl_usage_error("report", "--html names the file; -o is for other formats");
	if (options->intervals && (options->html || options->text || options->list))
		return fl_usage_error("report", "-i is for tables, --json and --csv");
	return FL_DONE;
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "list", no_argument, NULL, 'l' },
		{ "where", required_argument, NULL, 'w' },
		{ "intervals", no_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "csv", no_argument, NULL, 'c' },
		{ "text", no_argument, NULL, 't' },
		{ "html", required_argument, NULL, 'H' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static char default_path[] = FL_DEFAULT_RUNFILE, *default_paths[] = { default_path, NULL };
	int option, ret = FL_DONE;

	while (!ret && (option = fl_next_option(argc, argv, ":lw:io:h", long_options)) != -1)
		ret = parse_option(option, argv, options);
	if (ret)
		return ret;
	options->paths = optind < argc ? argv + optind : default_paths;
	return check(options);
}

/* ---- Printing ---- */

struct report {
	struct options *options;
	const char *path;	/* of the file that is being read */
	size_t nr;		/* of runs that are selected, intervals aside */
	size_t nr_printed;
	struct fl_text_scale scale;
};

/* Nothing is printed before all has been read: a broken file is an error and no more. */
static int count(const struct fl_run *run, void *data)
{
	struct report *report = data;

	report->nr += !run->interval;
	fl_text_see(&report->scale, run);
	return 0;
}

static int list(const struct fl_run *run, FILE *out, bool first)
{
	const struct fl_tally *total = &run->snapshot.total;

	if (first)
		fprintf(out, "%-8s %-6s %-8s %-9s %-7s %12s %12s %12s %12s\n", "vendor", "line", "policy",
			"workload", "paging", "seconds", "exits", "guest faults", "exits/fault");
	fprintf(out, "%-8s %-6s %-8s %-9s %-7s %12.3f %12llu %12llu", fl_run_label(run, "vendor"),
		run->line, run->policy, *run->workload ? run->workload : "-",
		*run->paging ? run->paging : "-", run->duration_ns / 1e9, total->counts.exits,
		fl_tally_guest_faults(total));
	if (fl_tally_lacks_ratio(total))
		fprintf(out, " %12s\n", "-");
	else
		fprintf(out, " %12.3f\n", fl_tally_exits_per_guest_fault(total));
	return fl_run_flush(out);
}

/* Where there are several, say which of them it is: a table doesn't show all labels. */
static void print_heading(const struct report *report, const struct fl_run *run, FILE *out)
{
	if (report->nr > 1 && !run->interval)
		fprintf(out, "\nRun %zu of %zu: workload %s, paging %s\n", report->nr_printed + 1, report->nr,
			*run->workload ? run->workload : "-", *run->paging ? run->paging : "-");
}

static int print_run(struct report *report, const struct fl_run *run)
{
	struct fl_printer *printer = &report->options->printer;
	FILE *out = printer->output.file;
	bool first = !report->nr_printed;

	if (report->options->html)
		return fl_html_add(run, report->path, first, out);
	if (report->options->text)
		return fl_text_add(&report->scale, run, first, out);
	if (report->options->list)
		return list(run, out, first);
	if (printer->format == FL_TABLE)
		print_heading(report, run, out);
	return fl_printer_print(run, printer);
}

static int print(const struct fl_run *run, void *data)
{
	struct report *report = data;
	int ret = print_run(report, run);

	report->nr_printed += !run->interval;
	return ret;
}

static int load_all(struct report *report, fl_run_handler *handle)
{
	const struct options *options = report->options;
	char **path;

	for (path = options->paths; *path; path++) {
		report->path = *path;
		if (fl_load(*path, &options->where, options->intervals, handle, report))
			return -1;
	}
	return 0;
}

static int print_runs(struct report *report)
{
	FILE *out = report->options->printer.output.file;

	if (report->options->html)
		fl_html_begin(out);
	if (load_all(report, print))
		return -1;
	return report->options->html ? fl_html_end(out) : 0;
}

static int print_all(struct report *report)
{
	struct fl_output *output = &report->options->printer.output;
	const char *html = report->options->html;
	int ret;

	if (load_all(report, count))
		return -1;
	if (!report->nr)
		return fl_fail("no run is selected; 'faultline report --list' shows what there is");
	if (fl_output_open(output, html ? html : report->options->output))
		return -1;
	ret = print_runs(report) || fl_output_commit(output) ? -1 : 0;
	fl_output_close(output);
	return ret;
}

int fl_cmd_report(int argc, char **argv)
{
	struct options options = { 0 };
	struct report report = { .options = &options };
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? FL_DONE : ret;
	return print_all(&report) ? FL_FAILED : FL_DONE;
}
