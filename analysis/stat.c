// SPDX-License-Identifier: GPL-2.0
/* faultline stat: count the exits of a command's virtual machine. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "collector.h"
#include "command.h"
#include "commands.h"
#include "error.h"
#include "output.h"
#include "run.h"

struct options {
	bool json, window;
	const char *output;
	char **command;
};

const char fl_stat_help[] =
"usage: faultline stat [OPTION]... -- COMMAND [ARGUMENT]...\n"
"\n"
"Run COMMAND, count the VM exits of the virtual machines that it and its\n"
"children run, and print how many a guest page fault cost, by cause.\n"
"\n"
"  --json             print one JSON object (schema faultline.run/1)\n"
"  -o, --output FILE  write the result to FILE instead of standard output\n"
"  --window           count only what the guest executes between its marks:\n"
"                     CPUID with EAX=0x4fa17000, ECX=1 starts, ECX=2 stops\n"
"  --set KEY=VALUE    label the result: line, policy, workload, paging, clock\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 measured, 1 not measured or COMMAND failed, 2 usage.\n";

static int usage_error(const char *message)
{
	fl_fail("%s; see 'faultline stat --help'", message);
	return FL_USAGE;
}

/* FL_DONE to go on, or -1 after --help, or FL_USAGE. */
static int parse(int argc, char **argv, struct options *options, struct fl_run *run)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "window", no_argument, NULL, 'w' },
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:o:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'j':
			options->json = true;
			break;
		case 'o':
			options->output = optarg;
			break;
		case 'w':
			options->window = true;
			break;
		case 's':
			if (fl_run_set_label(run, optarg))
				return FL_USAGE;
			break;
		case 'h':
			fputs(fl_stat_help, stdout);
			return -1;
		case ':':
			fl_fail("%s needs a value; see 'faultline stat --help'",
				argv[optind - 1]);
			return FL_USAGE;
		default:
			fl_fail("unknown option %s; see 'faultline stat --help'",
				argv[optind - 1]);
			return FL_USAGE;
		}
	}
	options->command = argv + optind;
	return *options->command ? FL_DONE : usage_error("no COMMAND to measure");
}

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* The command's exit status, or -1. */
static int run_command(struct fl_collector *collector, struct fl_command *command,
		       const struct options *options, struct fl_run *run)
{
	__u64 start = now_ns();
	int status;

	if (fl_command_start(command, options->command[0]))
		return -1;
	status = fl_command_wait(command);
	run->duration_ns = now_ns() - start;
	if (fl_collector_read(collector, &run->snapshot))
		return -1;
	if (options->window)
		run->duration_ns = run->snapshot.window_ns;
	return status;
}

static int print(const struct fl_run *run, const struct options *options,
		 struct fl_output *output)
{
	int failed = options->json ? fl_run_print_json(run, output->file) :
				     fl_run_print_table(run, output->file);

	return failed ? -1 : fl_output_commit(output);
}

/* Whether what was counted is a measurement. 0 or -1. */
static int judge(const struct fl_run *run, const struct options *options, int status)
{
	if (status)
		return fl_fail("%s failed with status %d; its counts are not a measurement",
			       options->command[0], status);
	if (!run->snapshot.counts.exits)
		return fl_fail(options->window ?
			       "no exit was seen in a window; does the guest mark one?" :
			       "no VM exit was seen; does COMMAND run a virtual machine?");
	if (run->snapshot.lost_events)
		return fl_fail("%llu events were lost; the counts are too low",
			       run->snapshot.lost_events);
	return 0;
}

static int measure(struct fl_command *command, const struct options *options,
		   struct fl_output *output, struct fl_run *run)
{
	struct fl_collector *collector = fl_collector_open(options->window);
	int status;

	if (!collector || fl_collector_add_target(collector, command->pid)) {
		fl_command_kill(command);
		fl_collector_close(collector);
		return -1;
	}
	status = run_command(collector, command, options, run);
	fl_collector_close(collector);
	if (status < 0 || print(run, options, output))
		return -1;
	return judge(run, options, status);
}

int fl_cmd_stat(int argc, char **argv)
{
	struct options options = { 0 };
	struct fl_command command;
	struct fl_output output;
	struct fl_run run;
	int ret;

	fl_run_init(&run);
	ret = parse(argc, argv, &options, &run);
	if (ret)
		return ret < 0 ? FL_DONE : ret;
	if (fl_command_fork(&command, options.command))
		return FL_FAILED;
	if (fl_output_open(&output, options.output)) {
		fl_command_kill(&command);
		return FL_FAILED;
	}
	ret = measure(&command, &options, &output, &run);
	fl_output_close(&output);
	return ret ? FL_FAILED : FL_DONE;
}
