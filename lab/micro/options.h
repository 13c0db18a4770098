/* SPDX-License-Identifier: GPL-2.0 */
/* What the command lines and outputs of micro, torture and linuxvm have in common. */
#ifndef MICRO_OPTIONS_H
#define MICRO_OPTIONS_H

#include <stdint.h>
#include <stdio.h>

#include "paging.h"

extern const char *const paging_names[NR_PAGING_MODES];

/* Say in one line what is wrong about @word. Returns FL_USAGE. */
int option_error(const char *format, const char *word);

/* The index of @word among @nr @words, or -1. */
int option_word(const char *const *words, int nr, const char *word);

/* A program's command line: options with one letter each, 'h' being --help, and no more. */
struct command_line {
	const char *program, *help;
	const struct option *options;	/* as getopt_long() takes them */
	/* Take an option. 0, or FL_USAGE, having said why. */
	int (*set)(void *context, int option, const char *value);
};

/* Hand all options to @line->set, with @context. 0, FL_USAGE, or -1 after --help. */
int parse_command_line(const struct command_line *line, int argc, char **argv, void *context);

/* A number from 1 to @max, or 0. */
uint64_t option_number(const char *text, uint64_t max);

/* Have @print write a file, whole or not at all. 0 or -1. */
int write_whole(const char *path, void (*print)(FILE *file, const void *context),
		const void *context);

#endif /* MICRO_OPTIONS_H */
