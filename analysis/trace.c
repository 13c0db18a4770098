// SPDX-License-Identifier: GPL-2.0
/* faultline trace: print each guest fault's episode, with its exits. */
#include <string.h>

#include "commands.h"
#include "error.h"
#include "filter-options.h"
#include "host.h"
#include "interrupt.h"
#include "options.h"
#include "output.h"
#include "run.h"
#include "session.h"
#include "trace-format.h"

/* How long a record waits at most; if there are many, they are read sooner. */
#define POLL_NS 100000000ULL

#define DEFAULT_BUFFER (32UL << 20)

struct options {
	struct fl_selection selection;
	const struct fl_trace_format *format;
	const char *output;
	size_t buffer;
};

const char fl_trace_help[] =
"usage: faultline trace [OPTION]... -- COMMAND [ARGUMENT]...\n"
"       faultline trace [OPTION]... -p PID | --vm NAME | -a [-- COMMAND [ARGUMENT]...]\n"
"\n"
"Print each page fault of virtual machines: when and where it was, and which VM\n"
"exits it cost, with how long each took and what ended it.\n"
"\n"
FL_SELECTION_HELP
"\n"
FL_FILTER_HELP
"\n"
"Output:\n"
"      --format FORMAT  text (default); json: one object a line (schema\n"
"                     faultline.episode/1); chrome: trace events, to be opened\n"
"                     in Perfetto or a Chromium's developer tools\n"
"  -o, --output FILE  write to FILE, which appears when all is measured and\n"
"                     takes the place of one that exists\n"
"      --buffer SIZE  for episodes that wait to be printed, e.g. 256M (default 32M);\n"
"                     for what finds no room in it, see below\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 traced, 1 not traced, COMMAND failed, or episodes were lost; 2 usage.\n";

/* ---- Options ---- */

static int set_format(struct options *options, const char *name)
{
	static const struct fl_trace_format *const formats[] = {
		&fl_trace_text, &fl_trace_json, &fl_trace_chrome,
	};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i]->name, name))
			continue;
		options->format = formats[i];
		return FL_DONE;
	}
	return fl_usage_error("trace", "unknown --format '%s'; known: text, json, chrome", name);
}

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options)
{
	int ret;

	switch (option) {
	case 'f':
		return set_format(options, optarg);
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 'b':
		return fl_parse_size("trace", "--buffer", optarg, &options->buffer);
	case 'h':
		fputs(fl_trace_help, stdout);
		return -1;
	case ':':
	case '?':
		return fl_bad_option("trace", option, argv);
	default:
		ret = fl_filter_take(&options->selection.filter, "trace", option);
		return ret < 0 ? fl_selection_take(&options->selection, "trace", option) : ret;
	}
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		FL_SELECTION_LONG,
		FL_FILTER_LONG,
		{ "format", required_argument, NULL, 'f' },
		{ "output", required_argument, NULL, 'o' },
		{ "buffer", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	while (!ret && (option = fl_next_option(argc, argv, "+:" FL_SELECTION_SHORT "o:h", long_options)) != -1)
		ret = parse_option(option, argv, options);
	return ret ? ret : fl_selection_end(&options->selection, "trace", argc, argv);
}

/* ---- Tracing ---- */

struct tracer {
	const struct options *options;
	struct fl_session session;
	struct fl_output output;
	struct fl_trace trace;
	struct fl_snapshot last;
	bool failed;
};

static void take_record(const struct fl_episode_record *record, void *data)
{
	struct tracer *tracer = data;

	if (!tracer->failed)
		tracer->failed = fl_trace_print(&tracer->trace, tracer->options->format, record);
}

/* Print what has come in. 0, 1 if there is more, or -1. */
static int poll_records(struct tracer *tracer)
{
	int ret = fl_collector_poll_records(tracer->session.collector, take_record, tracer);

	return ret < 0 || tracer->failed || fl_run_flush(tracer->trace.out) ? -1 : ret;
}

static int observe(struct tracer *tracer)
{
	struct fl_session *session = &tracer->session;
	int fd = fl_collector_records_fd(session->collector), more = 0;

	if (fd < 0)
		return -1;
	while (!fl_session_is_over(session)) {
		if (fl_session_wait_fd(session, more ? 0 : POLL_NS, fd))
			return -1;
		more = poll_records(tracer);
		if (more < 0)
			return -1;
	}
	return 0;
}

/* What is left, and what is still open. */
static int finish(struct tracer *tracer)
{
	struct fl_collector *collector = tracer->session.collector;

	fl_collector_stop(collector);
	if (poll_records(tracer) ||
	    fl_collector_settle_records(collector, take_record, tracer) ||
	    tracer->failed || fl_collector_read(collector, true, &tracer->last))
		return -1;
	tracer->options->format->end(&tracer->trace, &tracer->last);
	return fl_run_flush(tracer->trace.out) || fl_output_commit(&tracer->output) ? -1 : 0;
}

/* Whether it is what was asked for. */
static int judge(struct tracer *tracer)
{
	const struct fl_snapshot *last = &tracer->last;

	if (last->lost_records)
		return fl_fail("%llu of %llu episodes were lost; give a larger --buffer, or filter more",
			       last->lost_records, fl_tally_guest_faults(&last->total));
	if (fl_session_judge(&tracer->session, last))
		return -1;
	if (!fl_tally_guest_faults(&last->total) && !strcmp(fl_mmu_name(last->total.isa), "tdp"))
		return fl_fail("no guest fault was seen: with EPT or NPT, KVM doesn't; 'faultline check' says more");
	return 0;
}

static int trace(struct tracer *tracer)
{
	const struct options *options = tracer->options;
	int ret = -1;

	tracer->trace.start_ns = fl_now_ns();
	if (fl_session_open(&tracer->session, &options->selection, options->buffer))
		return -1;
	tracer->trace.out = tracer->output.file;
	options->format->begin(&tracer->trace);
	if (!observe(tracer) && !finish(tracer))
		ret = judge(tracer);
	fl_session_close(&tracer->session);
	return ret;
}

int fl_cmd_trace(int argc, char **argv)
{
	struct options options = {
		.selection = FL_SELECTION_DEFAULTS,
		.format = &fl_trace_text,
		.buffer = DEFAULT_BUFFER,
	};
	struct tracer tracer = { .options = &options };
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? FL_DONE : ret;
	fl_interrupt_catch();
	if (fl_output_open(&tracer.output, options.output))
		return FL_FAILED;
	ret = trace(&tracer);
	fl_output_close(&tracer.output);
	fl_snapshot_free(&tracer.last);
	fl_tracks_free(&tracer.trace.tracks);
	return ret ? FL_FAILED : FL_DONE;
}
