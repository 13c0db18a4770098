// SPDX-License-Identifier: GPL-2.0
/* faultline stat: count virtual machines' exits, by cause, and per guest fault. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collector.h"
#include "command.h"
#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "output.h"
#include "run.h"
#include "vmm.h"

#define SECOND 1000000000ULL

/* How often the policy is looked at: a change that is undone sooner is missed. */
#define POLICY_PERIOD_NS (SECOND / 2)

enum format { TABLE, JSON, CSV };

struct options {
	enum format format;
	bool all, window;
	pid_t pid;
	const char *vm, *output;
	int vcpu_id;
	__u64 duration_ns, interval_ns;	/* 0: none */
	char **command;			/* NULL: none */
};

const char fl_stat_help[] =
"usage: faultline stat [OPTION]... -- COMMAND [ARGUMENT]...\n"
"       faultline stat [OPTION]... -p PID | --vm NAME | -a [-- COMMAND [ARGUMENT]...]\n"
"\n"
"Count the VM exits of virtual machines, and print how many a guest page fault\n"
"cost, by cause, and how long they took from exit to entry.\n"
"\n"
"What is measured:\n"
"  -- COMMAND         the virtual machines that COMMAND and its children run\n"
"  -p, --pid PID      those of process PID\n"
"      --vm NAME      those of the process whose VM is called NAME (-name of QEMU\n"
"                     and libvirt), or that is called NAME itself\n"
"  -a, --all          all of this host\n"
"  -v, --vcpu NUMBER  only the vCPU of that number\n"
"      --window       only what the guest executes between its marks: CPUID with\n"
"                     EAX=0x4fa17000, ECX=1 starts, ECX=2 stops\n"
"\n"
"How long: until COMMAND or PID ends, or a signal (Ctrl-C), and\n"
"  -d, --duration SECONDS  no longer than that; not with COMMAND\n"
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

static int usage_error(const char *message)
{
	fl_fail("%s; see 'faultline stat --help'", message);
	return FL_USAGE;
}

/* Seconds, as nanoseconds. FL_DONE or FL_USAGE. */
static int parse_seconds(const char *option, const char *text, __u64 *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.001 && seconds <= 1e9)) {
		fl_fail("%s %s is not a number of seconds from 0.001 to 1e9; try '%s 10'",
			option, text, option);
		return FL_USAGE;
	}
	*ns = seconds * SECOND;
	return FL_DONE;
}

static int parse_number(const char *option, const char *text, int min, int *number)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < min || value > 0x7fffffff) {
		fl_fail("%s %s is not a number from %d on; see 'faultline stat --help'",
			option, text, min);
		return FL_USAGE;
	}
	*number = value;
	return FL_DONE;
}

static int set_format(struct options *options, enum format format)
{
	if (options->format != TABLE && options->format != format)
		return usage_error("--json and --csv exclude each other");
	options->format = format;
	return FL_DONE;
}

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options, struct fl_run *run)
{
	switch (option) {
	case 'a':
		options->all = true;
		return FL_DONE;
	case 'p':
		return parse_number("-p", optarg, 1, &options->pid);
	case 'n':
		options->vm = optarg;
		return FL_DONE;
	case 'v':
		return parse_number("-v", optarg, 0, &options->vcpu_id);
	case 'd':
		return parse_seconds("-d", optarg, &options->duration_ns);
	case 'i':
		return parse_seconds("-i", optarg, &options->interval_ns);
	case 'j':
		return set_format(options, JSON);
	case 'c':
		return set_format(options, CSV);
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 'w':
		options->window = true;
		return FL_DONE;
	case 's':
		return fl_run_set_label(run, optarg) ? FL_USAGE : FL_DONE;
	case 'h':
		fputs(fl_stat_help, stdout);
		return -1;
	case ':':
		fl_fail("%s needs a value; see 'faultline stat --help'", argv[optind - 1]);
		return FL_USAGE;
	default:
		fl_fail("unknown option %s; see 'faultline stat --help'", argv[optind - 1]);
		return FL_USAGE;
	}
}

static int check_options(const struct options *options)
{
	if (options->all + !!options->pid + !!options->vm > 1)
		return usage_error("-p, --vm and -a exclude each other");
	if (!options->command && !options->all && !options->pid && !options->vm)
		return usage_error("no COMMAND to measure, and no -p, --vm or -a");
	if (options->command && options->duration_ns)
		return usage_error("-d and COMMAND exclude each other: a command is measured to its end");
	return FL_DONE;
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options, struct fl_run *run)
{
	static const struct option long_options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "pid", required_argument, NULL, 'p' },
		{ "vm", required_argument, NULL, 'n' },
		{ "vcpu", required_argument, NULL, 'v' },
		{ "duration", required_argument, NULL, 'd' },
		{ "interval", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "csv", no_argument, NULL, 'c' },
		{ "output", required_argument, NULL, 'o' },
		{ "window", no_argument, NULL, 'w' },
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	opterr = 0;
	while (!ret && (option = getopt_long(argc, argv, "+:ap:v:d:i:o:h", long_options, NULL)) != -1)
		ret = parse_option(option, argv, options, run);
	if (ret)
		return ret;
	options->command = optind < argc ? argv + optind : NULL;
	return check_options(options);
}

/* ---- Measuring ---- */

struct measurement {
	const struct options *options;
	struct fl_collector *collector;
	struct fl_command command;
	struct fl_output output;
	struct fl_run run;		/* the whole */
	struct fl_run part;		/* the interval that is going on */
	struct fl_snapshot before;	/* when it began */
	__u64 start_ns;
	int pidfd;			/* of the process measured, or -1 */
	bool printed;
};

static int print(struct measurement *m, const struct fl_run *run)
{
	bool first = !m->printed;

	m->printed = true;
	switch (m->options->format) {
	case JSON:
		return fl_run_print_json(run, m->output.file);
	case CSV:
		return fl_run_print_csv(run, m->output.file, first);
	default:
		return fl_run_print_table(run, m->output.file);
	}
}

static void begin_interval(struct measurement *m, const struct fl_snapshot *now)
{
	m->part.interval++;
	m->part.start_ns = now->time_ns - m->start_ns;
	fl_run_begin_policy(&m->part);
	fl_snapshot_free(&m->before);
	m->before = *now;
}

static int end_interval(struct measurement *m)
{
	struct fl_snapshot now;
	int ret;

	if (fl_collector_read(m->collector, false, &now))
		return -1;
	if (fl_snapshot_since(&now, &m->before, &m->part.snapshot)) {
		fl_snapshot_free(&now);
		return -1;
	}
	m->part.duration_ns = now.time_ns - m->before.time_ns;
	ret = print(m, &m->part);
	fl_snapshot_free(&m->part.snapshot);
	begin_interval(m, &now);
	return ret;
}

/* Whether what is measured, or the time for it, has come to its end. */
static bool is_over(struct measurement *m, __u64 elapsed, bool pid_ended)
{
	if (m->options->command)
		return fl_command_ended(&m->command);
	return fl_interrupted() || pid_ended ||
	       (m->options->duration_ns && elapsed >= m->options->duration_ns);
}

static __u64 min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* How long nothing needs to be done. */
static __u64 time_to_wait(const struct options *options, __u64 elapsed, __u64 next)
{
	__u64 ns = POLICY_PERIOD_NS;

	if (options->interval_ns)
		ns = min(ns, next > elapsed ? next - elapsed : 0);
	if (options->duration_ns)
		ns = min(ns, options->duration_ns > elapsed ? options->duration_ns - elapsed : 0);
	return ns;
}

static int observe(struct measurement *m)
{
	const struct options *options = m->options;
	__u64 elapsed = 0, next = options->interval_ns;
	bool pid_ended = false;

	while (!is_over(m, elapsed, pid_ended)) {
		pid_ended = fl_interrupt_wait(time_to_wait(options, elapsed, next), m->pidfd);
		elapsed = fl_now_ns() - m->start_ns;
		fl_run_observe_policy(&m->run);
		fl_run_observe_policy(&m->part);
		if (fl_collector_tidy(m->collector))
			return -1;
		if (!options->interval_ns || elapsed < next)
			continue;
		if (end_interval(m))
			return -1;
		next += options->interval_ns * ((elapsed - next) / options->interval_ns + 1);
	}
	return 0;
}

static int finish(struct measurement *m)
{
	/* The last interval is cut short, so that they add up to the whole. */
	if (m->options->interval_ns && end_interval(m))
		return -1;
	if (fl_collector_read(m->collector, true, &m->run.snapshot))
		return -1;
	m->run.duration_ns = m->options->window ? m->run.snapshot.total.window_ns :
						  m->run.snapshot.time_ns - m->start_ns;
	return print(m, &m->run) || fl_output_commit(&m->output) ? -1 : 0;
}

/* Whether what was counted is a measurement. 0 or -1. */
static int judge(const struct measurement *m)
{
	const struct options *options = m->options;
	const struct fl_tally *total = &m->run.snapshot.total;

	if (options->command && m->command.status)
		return fl_fail("%s failed with status %d; its counts are not a measurement",
			       options->command[0], m->command.status);
	if (m->run.snapshot.lost_events)
		return fl_fail("%llu events were lost; the counts are too low, measure fewer VMs at once",
			       m->run.snapshot.lost_events);
	if (total->counts.exits || fl_tally_lacks_exits(total))
		return 0;
	if (options->window)
		return fl_fail("no exit was seen in a window; does the guest mark one?");
	if (fl_collector_may_lack_exits(m->collector))
		return fl_fail("no VM exit and no guest fault was seen; this KVM (PVM) may tell of neither, 'faultline check' says more");
	return fl_fail("no VM exit was seen; does %s run a virtual machine?",
		       options->pid || options->vm ? "the process" :
		       options->all ? "this host" : "COMMAND");
}

/* ---- All of it ---- */

static int open_target(struct measurement *m, const struct options *options)
{
	pid_t pid = options->pid;

	m->pidfd = -1;
	if (options->vm) {
		pid = fl_vm_find(options->vm);
		if (pid < 0)
			return -1;
	} else if (pid && fl_vm_check(pid)) {
		return -1;
	}
	if (!pid)
		return 0;
	m->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (m->pidfd < 0)
		return fl_fail("cannot watch process %d: %s; is it a thread, or has it ended?",
			       pid, strerror(errno));
	return fl_collector_add_target(m->collector, pid, false);
}

static int open_collector(struct measurement *m, const struct options *options)
{
	const struct fl_collector_options collector_options = {
		.all = options->all,
		.use_window = options->window,
		.vcpu_id = options->vcpu_id,
	};

	m->collector = fl_collector_open(&collector_options);
	if (!m->collector || open_target(m, options))
		return -1;
	if (!options->command || options->all || m->pidfd >= 0)
		return 0;
	return fl_collector_add_target(m->collector, m->command.pid, true);
}

static int start(struct measurement *m, const struct options *options)
{
	struct fl_snapshot now;

	if (options->command && fl_command_start(&m->command, options->command[0]))
		return -1;
	if (fl_collector_read(m->collector, false, &now))
		return -1;
	m->start_ns = now.time_ns;
	begin_interval(m, &now);
	return 0;
}

static int measure(struct measurement *m, const struct options *options)
{
	if (open_collector(m, options)) {
		if (options->command)
			fl_command_kill(&m->command);
		return -1;
	}
	if (start(m, options) || observe(m) || finish(m))
		return -1;
	return judge(m);
}

static void clean_up(struct measurement *m)
{
	fl_collector_close(m->collector);
	fl_output_close(&m->output);
	fl_snapshot_free(&m->before);
	fl_snapshot_free(&m->run.snapshot);
	if (m->pidfd >= 0)
		close(m->pidfd);
}

int fl_cmd_stat(int argc, char **argv)
{
	struct options options = { .vcpu_id = FL_ANY_VCPU };
	static struct measurement m;
	int ret;

	fl_run_init(&m.run);
	ret = parse(argc, argv, &options, &m.run);
	if (ret)
		return ret < 0 ? FL_DONE : ret;
	m.options = &options;
	m.part = m.run;
	m.pidfd = -1;
	fl_interrupt_catch();
	if (fl_output_open(&m.output, options.output))
		return FL_FAILED;
	if (options.command && fl_command_fork(&m.command, options.command)) {
		fl_output_close(&m.output);
		return FL_FAILED;
	}
	ret = measure(&m, &options);
	clean_up(&m);
	return ret ? FL_FAILED : FL_DONE;
}
