/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which episodes are wanted: the options of subcommands that have records of
 * them. bpf/filter.h does the filtering.
 */
#ifndef FAULTLINE_FILTER_OPTIONS_H
#define FAULTLINE_FILTER_OPTIONS_H

#include "filter.h"

/* What getopt_long() returns for them: no letters. */
enum fl_filter_option {
	FL_OPTION_CLASS = 256,
	FL_OPTION_WITHOUT,
	FL_OPTION_OUTCOME,
	FL_OPTION_FAULT,
	FL_OPTION_ADDRESS,
	FL_OPTION_MIN_EXITS,
	FL_OPTION_MIN_US,
};

/* The options, for getopt_long(). */
#define FL_FILTER_LONG							\
	{ "class", required_argument, NULL, FL_OPTION_CLASS },		\
	{ "without", required_argument, NULL, FL_OPTION_WITHOUT },	\
	{ "outcome", required_argument, NULL, FL_OPTION_OUTCOME },	\
	{ "fault", required_argument, NULL, FL_OPTION_FAULT },		\
	{ "address", required_argument, NULL, FL_OPTION_ADDRESS },	\
	{ "min-exits", required_argument, NULL, FL_OPTION_MIN_EXITS },	\
	{ "min-us", required_argument, NULL, FL_OPTION_MIN_US }

/* Their help. */
#define FL_FILTER_HELP \
"Which episodes (the kernel filters; all that is asked for must be so):\n" \
"      --class LIST      with an exit of at least one of these classes: inject,\n" \
"                        pte-write, unsync, invlpg, refault, reflect\n" \
"      --without LIST    with no exit of these classes\n" \
"      --outcome LIST    that ended by one of: refault, update, outer, next, depth;\n" \
"                        open: that hadn't at the end; unknown: KVM doesn't tell\n" \
"      --fault LIST      by all of the fault's error code: user or kernel; read,\n" \
"                        write or fetch; absent or protection; reserved\n" \
"      --address FIRST[-LAST]  at these guest virtual addresses; 0x for hexadecimal\n" \
"      --min-exits N     of so many exits at least\n" \
"      --min-us NUMBER   that took so many microseconds at least\n"

/*
 * Take @option, as getopt_long() returned it. FL_DONE, FL_USAGE, or -1 if it is
 * none of these.
 */
int fl_filter_take(struct fl_filter *filter, const char *subcommand, int option);

#endif /* FAULTLINE_FILTER_OPTIONS_H */
