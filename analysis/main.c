// SPDX-License-Identifier: GPL-2.0
/* The faultline command: finds the subcommand and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "error.h"
#include "run.h"

static const struct subcommand {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;	/* NULL: it is another program's */
	const char *summary;
} subcommands[] = {
	{ "check", fl_cmd_check, fl_check_help, "tell what can be measured on this host" },
	{ "export", fl_cmd_export, NULL, "serve the counts to Prometheus" },
	{ "stat", fl_cmd_stat, fl_stat_help, "count virtual machines' exits, by cause, and per guest fault" },
	{ "record", fl_cmd_record, fl_record_help, "count them into a run file" },
	{ "report", fl_cmd_report, fl_report_help, "print recorded runs again" },
	{ "diff", fl_cmd_diff, fl_diff_help, "compare runs, and tell whether they differ" },
};

#define NR_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

/* The nearest name of a subcommand, or NULL if none is near. */
static const char *suggest(const char *name)
{
	const char *nearest = NULL;
	size_t best = 3, i;

	for (i = 0; i < NR_SUBCOMMANDS; i++) {
		size_t distance = fl_word_distance(name, subcommands[i].name);

		if (distance < best) {
			best = distance;
			nearest = subcommands[i].name;
		}
	}
	return nearest;
}

static const struct subcommand *find(const char *name)
{
	const char *nearest;
	size_t i;

	for (i = 0; i < NR_SUBCOMMANDS; i++) {
		if (!strcmp(subcommands[i].name, name))
			return &subcommands[i];
	}
	nearest = suggest(name);
	if (nearest)
		fl_fail("unknown command '%s'; did you mean '%s'? See 'faultline --help'", name, nearest);
	else
		fl_fail("unknown command '%s'; see 'faultline --help'", name);
	return NULL;
}

static int help(const char *name)
{
	const struct subcommand *subcommand;
	size_t i;

	if (name) {
		subcommand = find(name);
		if (!subcommand)
			return FL_USAGE;
		if (!subcommand->help)
			return subcommand->run(2, (char *[]){ "", "--help", NULL });
		fputs(subcommand->help, stdout);
		return FL_DONE;
	}
	puts("usage: faultline COMMAND [ARGUMENT]...\n\n"
	     "How many VM exits a guest page fault costs, which ones, and why.\n");
	for (i = 0; i < NR_SUBCOMMANDS; i++)
		printf("  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
	puts("  help     print the help of a COMMAND");
	return FL_DONE;
}

static int run(int argc, char **argv)
{
	const struct subcommand *subcommand;

	if (argc < 2) {
		fl_fail("no command given; see 'faultline --help'");
		return FL_USAGE;
	}
	if (!strcmp(argv[1], "help"))
		return help(argv[2]);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help(NULL);
	subcommand = find(argv[1]);
	return subcommand ? subcommand->run(argc - 1, argv + 1) : FL_USAGE;
}

int main(int argc, char **argv)
{
	int status;

	/* A closed pipe is an error of write(), to be reported like any other. */
	signal(SIGPIPE, SIG_IGN);
	status = run(argc, argv);
	return status == FL_DONE && fl_run_flush(stdout) ? FL_FAILED : status;
}
