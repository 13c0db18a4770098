// SPDX-License-Identifier: GPL-2.0
/* The faultline command: finds the subcommand and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "run.h"
#include "version.h"

static int cmd_help(int argc, char **argv);

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;	/* NULL: --help prints it */
	const char *summary;
} subcommands[] = {
	{ "check", fl_cmd_check, fl_check_help, "tell what can be measured on this host" },
	{ "stat", fl_cmd_stat, fl_stat_help, "count virtual machines' exits, by cause, and per guest fault" },
	{ "top", fl_cmd_top, fl_top_help, "show what happens now, a row a virtual machine" },
	{ "trace", fl_cmd_trace, fl_trace_help, "print each guest fault, with the exits that it cost" },
	{ "record", fl_cmd_record, fl_record_help, "count them into a run file" },
	{ "export", fl_cmd_export, NULL, "serve the counts to Prometheus" },
	{ "report", fl_cmd_report, fl_report_help, "print recorded runs again" },
	{ "diff", fl_cmd_diff, fl_diff_help, "compare runs, and tell whether they differ" },
	{ "help", cmd_help, NULL, "print the help of a COMMAND" },
};

#define NR_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

/* What the list of all says above some of them. */
static const struct {
	const char *name, *text;
} headings[] = {
	{ "check", "Begin" },
	{ "stat", "Measure" },
	{ "report", "Look at results" },
	{ "help", "More" },
};

/* What an option can be where there is no command. */
static const char *const options[] = { "--help", "--version" };

static const char usage[] =
"usage: faultline COMMAND [ARGUMENT]...\n"
"       faultline help COMMAND\n"
"       faultline --version\n"
"\n"
"How many VM exits a guest page fault costs, which ones, and why.\n";

static const char examples[] =
"\n"
"Examples:\n"
"  faultline check                       can it be measured here, and if not, why\n"
"  faultline stat -a -d 10               all virtual machines, for ten seconds\n"
"  faultline stat --vm NAME -i 1         one of them, each second, until Ctrl-C\n";

static int unknown(const char *kind, const char *name, const char *nearest)
{
	if (nearest)
		fl_fail("unknown %s '%s'; did you mean '%s'? See 'faultline --help'", kind, name, nearest);
	else
		fl_fail("unknown %s '%s'; see 'faultline --help'", kind, name);
	return FL_USAGE;
}

static const struct subcommand *find(const char *name)
{
	size_t i;

	for (i = 0; i < NR_SUBCOMMANDS; i++) {
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	return unknown("command", name, fl_nearest_word(name, subcommands, NR_SUBCOMMANDS,
							sizeof(subcommands[0])));
}

static void print_heading(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
		if (!strcmp(headings[i].name, name))
			printf("\n%s:\n", headings[i].text);
	}
}

static int list_commands(void)
{
	size_t i;

	fputs(usage, stdout);
	for (i = 0; i < NR_SUBCOMMANDS; i++) {
		print_heading(subcommands[i].name);
		printf("  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
	}
	fputs(examples, stdout);
	return FL_DONE;
}

static int cmd_help(int argc, char **argv)
{
	const struct subcommand *subcommand;

	if (argc < 2 || !strcmp(argv[1], "help") || *argv[1] == '-')
		return list_commands();
	subcommand = find(argv[1]);
	if (!subcommand)
		return unknown_command(argv[1]);
	if (!subcommand->help)
		return subcommand->run(2, (char *[]){ argv[1], "--help", NULL });
	fputs(subcommand->help, stdout);
	return FL_DONE;
}

static int take_option(const char *option)
{
	if (!strcmp(option, "--help") || !strcmp(option, "-h"))
		return list_commands();
	if (strcmp(option, "--version"))
		return unknown("option", option, fl_nearest_word(option, options, 2, sizeof(options[0])));
	printf("faultline %s\n", fl_version);
	return FL_DONE;
}

static int run(int argc, char **argv)
{
	const struct subcommand *subcommand;

	if (argc < 2) {
		fl_fail("no command given; see 'faultline --help'");
		return FL_USAGE;
	}
	if (*argv[1] == '-')
		return take_option(argv[1]);
	subcommand = find(argv[1]);
	return subcommand ? subcommand->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	/* A closed pipe is an error of write(), to be reported like any other. */
	signal(SIGPIPE, SIG_IGN);
	status = run(argc, argv);
	return status == FL_DONE && fl_run_flush(stdout) ? FL_FAILED : status;
}
