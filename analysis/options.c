// SPDX-License-Identifier: GPL-2.0
/* What the subcommands' options have in common. See options.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "options.h"

int fl_usage_error(const char *subcommand, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fl_fail("%s; see 'faultline %s --help'", message, subcommand);
	return FL_USAGE;
}

int fl_unknown_word(const char *subcommand, const char *what, const char *prefix, const char *word,
		    const void *words, size_t nr, size_t size)
{
	const char *nearest = fl_nearest_word(word, words, nr, size);

	if (!nearest)
		return fl_usage_error(subcommand, "%s", what);
	fl_fail("%s; did you mean %s%s? See 'faultline %s --help'", what, prefix, nearest, subcommand);
	return FL_USAGE;
}

/* ---- Options ---- */

static const struct option *known;	/* those of the subcommand */

int fl_next_option(int argc, char **argv, const char *short_options,
		   const struct option *long_options)
{
	opterr = 0;
	known = long_options;
	return getopt_long(argc, argv, short_options, long_options, NULL);
}

static int unknown_option(const char *subcommand, const char *word)
{
	char name[64], what[512];
	size_t nr = 0;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	snprintf(what, sizeof(what), "unknown option %s", word);
	while (known && known[nr].name)
		nr++;
	return fl_unknown_word(subcommand, what, "--", name, known, nr, sizeof(*known));
}

int fl_bad_option(const char *subcommand, int option, char **argv)
{
	const char *word = argv[optind - 1];
	bool is_long = !strncmp(word, "--", 2);

	if (option == ':')
		return fl_usage_error(subcommand, "%s needs a value", word);
	/* getopt_long() says of letters only which one it was. */
	if (optopt && is_long && strchr(word, '='))
		return fl_usage_error(subcommand, "%.*s takes no value", (int)strcspn(word, "="), word);
	if (optopt)
		return fl_usage_error(subcommand, "unknown option -%c", optopt);
	return unknown_option(subcommand, word);
}

/* ---- Values ---- */

int fl_parse_seconds(const char *option, const char *text, __u64 *ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 0.001 && seconds <= 1e9)) {
		fl_fail("%s %s is not a number of seconds from 0.001 to 1e9; try '%s 10'",
			option, text, option);
		return FL_USAGE;
	}
	*ns = seconds * 1e9;
	return FL_DONE;
}

int fl_parse_number(const char *subcommand, const char *option, const char *text,
		    int min, int *number)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < min || value > 0x7fffffff)
		return fl_usage_error(subcommand, "%s %s is not a number from %d on",
				      option, text, min);
	*number = value;
	return FL_DONE;
}

int fl_parse_size(const char *subcommand, const char *option, const char *text, size_t *size)
{
	static const char units[] = "KMG";
	const size_t least = 4096, most = 1ULL << 31;
	const char *unit = NULL;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end)
		unit = strchr(units, *end);
	if (*text < '0' || *text > '9' || errno || value > most || (*end && (!unit || end[1])))
		return fl_usage_error(subcommand, "%s %s is not a size from 4K to 2G", option, text);
	if (unit)
		value <<= 10 * (unit - units + 1);
	if (value < least || value > most)
		return fl_usage_error(subcommand, "%s %s is not a size from 4K to 2G", option, text);
	for (*size = least; *size < value; *size *= 2)
		;
	return FL_DONE;
}
