// SPDX-License-Identifier: GPL-2.0
/* faultline top: a live view of virtual machines' exits and guest faults. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "options.h"
#include "run.h"
#include "session.h"
#include "top-screen.h"

/* Lines are cut there in batch mode, unless COLUMNS says where. */
#define BATCH_WIDTH 512

struct options {
	struct fl_selection selection;
	bool batch;
	int iterations;		/* 0: no limit */
};

const char fl_top_help[] =
"usage: faultline top [OPTION]... [-p PID | --vm NAME | -a]\n"
"\n"
"Show what virtual machines' exits are for, and how many their page faults cost,\n"
"and go on showing it; h lists the keys.\n"
"\n"
"What is shown:\n"
"  -a, --all          all virtual machines of this host (default)\n"
"  -p, --pid PID      those of process PID, until it ends\n"
"      --vm NAME      those of the process whose VM is called NAME (-name of QEMU\n"
"                     and libvirt), or that is called NAME itself\n"
"  -v, --vcpu NUMBER  only the vCPU of that number\n"
"      --window       only what the guest executes between its marks; see\n"
"                     'faultline stat --help'\n"
"\n"
"How:\n"
"  -i, --interval SECONDS  the time between updates (2)\n"
"  -d, --duration SECONDS  end after that time\n"
"  -n, --iterations N      end after N updates\n"
"  -V, --vcpus        a row for each vCPU\n"
"  -s, --sort COLUMN  sort by that column, called as in the view, e.g. FAULTS/s\n"
"  -b, --batch        print lines of text, without a terminal\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 done, 1 failed, or events were lost; 2 usage.\n";

/* ---- Options ---- */

static int set_sort(struct fl_top_view *view, const char *name)
{
	int column = fl_top_find_column(name);

	if (column < 0)
		return fl_usage_error("top", "no column is called '%s'; e.g. PID, EXITS/s, FAULTS/s, EX/FT", name);
	view->sort = column;
	return FL_DONE;
}

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options, struct fl_top_view *view)
{
	switch (option) {
	case 'i':
		return fl_parse_seconds("-i", optarg, &view->delay_ns);
	case 'n':
		return fl_parse_number("top", "-n", optarg, 1, &options->iterations);
	case 'V':
		view->vcpus = true;
		return FL_DONE;
	case 's':
		return set_sort(view, optarg);
	case 'b':
		options->batch = true;
		return FL_DONE;
	case 'h':
		fputs(fl_top_help, stdout);
		return -1;
	case ':':
	case '?':
		return fl_bad_option("top", option, argv);
	default:
		return fl_selection_take(&options->selection, "top", option);
	}
}

static int check_options(struct options *options, int argc, char **argv)
{
	struct fl_selection *selection = &options->selection;

	if (optind < argc)
		return fl_usage_error("top", "top shows what runs already; use 'faultline stat -i 1 -- %s'",
				      argv[optind]);
	if (!selection->pid && !selection->vm)
		selection->all = true;
	return fl_selection_end(selection, "top", argc, argv);
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options, struct fl_top_view *view)
{
	static const struct option long_options[] = {
		FL_SELECTION_LONG,
		{ "interval", required_argument, NULL, 'i' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "vcpus", no_argument, NULL, 'V' },
		{ "sort", required_argument, NULL, 's' },
		{ "batch", no_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	while (!ret && (option = fl_next_option(argc, argv, "+:" FL_SELECTION_SHORT "i:n:Vs:bh", long_options)) != -1)
		ret = parse_option(option, argv, options, view);
	return ret ? ret : check_options(options, argc, argv);
}

/* ---- The view ---- */

struct top {
	const struct options *options;
	struct fl_top_view view;
	struct fl_session session;
	struct fl_snapshot before;	/* the last one read, ... */
	struct fl_snapshot delta;	/* ... and what happened up to it */
	double seconds;
	__u64 read_ns;			/* when, since the beginning */
	int updates;
	__u64 lost_events;
};

/* Read what has happened since the last time. */
static int update(struct top *top)
{
	struct fl_collector *collector = top->session.collector;
	struct fl_snapshot now;

	if (fl_collector_read(collector, false, &now))
		return -1;
	fl_collector_forget(collector);
	fl_snapshot_free(&top->delta);
	if (fl_snapshot_since(&now, &top->before, &top->delta)) {
		fl_snapshot_free(&now);
		return -1;
	}
	top->seconds = (now.time_ns - top->before.time_ns) / 1e9;
	top->lost_events = now.lost_events;
	fl_snapshot_free(&top->before);
	top->before = now;
	top->read_ns = fl_session_elapsed(&top->session);
	top->view.refresh = false;
	top->updates++;
	return 0;
}

static void put_line(int y, enum fl_top_style style, const char *line, void *data)
{
	(void)y;
	(void)style;
	(void)data;
	puts(line);
}

static int batch_width(void)
{
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;

	return width > 0 && width < BATCH_WIDTH ? width : BATCH_WIDTH;
}

static int draw(struct top *top)
{
	struct fl_top_frame frame;
	int ret = 0;

	if (fl_top_frame_make(&frame, &top->view, &top->delta, top->seconds))
		return -1;
	if (top->options->batch) {
		fl_top_draw(&top->view, &frame, batch_width(), frame.nr_rows + 4, put_line, NULL);
		putchar('\n');
		ret = fl_run_flush(stdout);
	} else {
		fl_screen_draw(&top->view, &frame);
	}
	fl_top_frame_free(&frame);
	return ret;
}

static bool is_over(struct top *top)
{
	int iterations = top->options->iterations;

	return top->view.quit || (iterations && top->updates >= iterations) ||
	       fl_session_is_over(&top->session);
}

/* How long it is until the next update. */
static __u64 time_left(const struct top *top)
{
	__u64 elapsed = fl_session_elapsed(&top->session) - top->read_ns;

	return elapsed < top->view.delay_ns ? top->view.delay_ns - elapsed : 0;
}

/* Wait until it is time for an update, or a key is pressed. */
static int wait_for_something(struct top *top)
{
	__u64 left = time_left(top), second = 1000000000; /* the collector wants to be tidied */

	if (fl_session_wait_fd(&top->session, left < second ? left : second,
			       top->options->batch ? -1 : STDIN_FILENO))
		return -1;
	if (!top->options->batch && !fl_screen_read_keys(&top->view))
		top->view.quit = true;
	return 0;
}

static int show(struct top *top)
{
	if (fl_collector_read(top->session.collector, false, &top->before))
		return -1;
	top->read_ns = fl_session_elapsed(&top->session);
	top->seconds = top->view.delay_ns / 1e9;
	if (!top->options->batch)
		snprintf(top->view.message, sizeof(top->view.message), "measuring; h for help");
	while (!is_over(top)) {
		bool due = top->view.refresh || !time_left(top);

		if (due && update(top))
			return -1;
		/* In a terminal, a key may have changed the view. */
		if ((due || !top->options->batch) && draw(top))
			return -1;
		if (!is_over(top) && wait_for_something(top))
			return -1;
	}
	return 0;
}

static int top_session(struct top *top)
{
	int ret;

	if (!top->options->batch && fl_screen_open())
		return -1;
	if (fl_session_open(&top->session, &top->options->selection, 0))
		return -1;
	ret = show(top);
	fl_screen_close();
	if (!ret && top->session.pid_ended)
		puts("the process has ended");
	if (!ret && top->lost_events)
		ret = fl_fail("%llu events were lost; the counts were too low, watch fewer VMs at once",
			      top->lost_events);
	fl_session_close(&top->session);
	fl_snapshot_free(&top->before);
	fl_snapshot_free(&top->delta);
	return ret;
}

int fl_cmd_top(int argc, char **argv)
{
	struct options options = { .selection = FL_SELECTION_DEFAULTS };
	struct top top = { .options = &options, .view = FL_TOP_DEFAULTS };
	int ret = parse(argc, argv, &options, &top.view);

	if (ret)
		return ret < 0 ? FL_DONE : ret;
	setlocale(LC_CTYPE, "");
	fl_interrupt_catch();
	return top_session(&top) ? FL_FAILED : FL_DONE;
}
