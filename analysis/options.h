/* SPDX-License-Identifier: GPL-2.0 */
/* What the subcommands' options have in common: values, and errors with a hint. */
#ifndef FAULTLINE_OPTIONS_H
#define FAULTLINE_OPTIONS_H

#include <getopt.h>
#include <stddef.h>

#include <linux/types.h>

/* Say what is wrong, and where the help of @subcommand is. Returns FL_USAGE. */
__attribute__((format(printf, 2, 3)))
int fl_usage_error(const char *subcommand, const char *format, ...);

/*
 * Say that @what, "unknown option --lisen", is so, and which of @words may have been
 * meant, if one is near to @word: @nr structs of @size bytes that begin with a name,
 * which is to be shown after @prefix, or just names. Returns FL_USAGE.
 */
int fl_unknown_word(const char *subcommand, const char *what, const char *prefix, const char *word,
		    const void *words, size_t nr, size_t size);

/*
 * As getopt_long(), without its messages: fl_bad_option() says what is wrong, and
 * which of @long_options may have been meant.
 */
int fl_next_option(int argc, char **argv, const char *short_options,
		   const struct option *long_options);

/*
 * What fl_next_option() returned for an option that @subcommand doesn't have, or
 * whose value is missing. Says so. Returns FL_USAGE.
 */
int fl_bad_option(const char *subcommand, int option, char **argv);

/* Seconds, from 0.001 on, as nanoseconds. FL_DONE or FL_USAGE. */
int fl_parse_seconds(const char *option, const char *text, __u64 *ns);

/* A number from @min on. FL_DONE or FL_USAGE. */
int fl_parse_number(const char *subcommand, const char *option, const char *text,
		    int min, int *number);

/*
 * The size of a buffer: bytes, or with K, M or G at the end, from 4K to 2G;
 * rounded up to a power of two. FL_DONE or FL_USAGE.
 */
int fl_parse_size(const char *subcommand, const char *option, const char *text, size_t *size);

#endif /* FAULTLINE_OPTIONS_H */
