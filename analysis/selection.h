/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is to be measured, and how long: the options that every subcommand has
 * that measures. session.h does it.
 */
#ifndef FAULTLINE_SELECTION_H
#define FAULTLINE_SELECTION_H

#include <getopt.h>
#include <stdbool.h>
#include <sys/types.h>

#include "faultline.h"

struct fl_selection {
	bool all, window;
	pid_t pid;		/* 0: none */
	const char *vm;		/* NULL: none */
	int vcpu_id;
	__u64 duration_ns;	/* 0: no limit */
	char **command;		/* NULL: none */
	struct fl_filter filter; /* which episodes, of what has records of them */
};

#define FL_SELECTION_DEFAULTS { .vcpu_id = FL_ANY_VCPU, .filter = FL_NO_FILTER }

/* The options, for getopt_long(). */
#define FL_SELECTION_SHORT "ap:v:d:"
#define FL_SELECTION_LONG						\
	{ "all", no_argument, NULL, 'a' },				\
	{ "pid", required_argument, NULL, 'p' },			\
	{ "vm", required_argument, NULL, 'N' },				\
	{ "vcpu", required_argument, NULL, 'v' },			\
	{ "duration", required_argument, NULL, 'd' },			\
	{ "window", no_argument, NULL, 'w' }

/* Their help. */
#define FL_SELECTION_HELP \
"What is measured:\n" \
"  -- COMMAND         the virtual machines that COMMAND and its children run\n" \
"  -p, --pid PID      those of process PID\n" \
"      --vm NAME      those of the process whose VM is called NAME (-name of QEMU\n" \
"                     and libvirt), or that is called NAME itself\n" \
"  -a, --all          all of this host\n" \
"  -v, --vcpu NUMBER  only the vCPU of that number\n" \
"      --window       only what the guest executes between its marks: CPUID with\n" \
"                     EAX=0x4fa17000, ECX=1 starts, ECX=2 stops\n" \
"\n" \
"How long: until COMMAND ends, or PID if there is no COMMAND, or a signal (Ctrl-C);\n" \
"  -d, --duration SECONDS  no longer than that; not with COMMAND\n"

/*
 * Take @option, as getopt_long() returned it. FL_DONE, FL_USAGE, or -1 if it is
 * none of these.
 */
int fl_selection_take(struct fl_selection *selection, const char *subcommand, int option);

/*
 * After the last option: what is left of the arguments is COMMAND. FL_DONE, or
 * FL_USAGE if the options don't go together or select nothing.
 */
int fl_selection_end(struct fl_selection *selection, const char *subcommand,
		     int argc, char **argv);

#endif /* FAULTLINE_SELECTION_H */
