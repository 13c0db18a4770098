// SPDX-License-Identifier: GPL-2.0
/* What the subcommands' options have in common. See options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

int fl_bad_option(const char *subcommand, int option, char **argv)
{
	if (option == ':')
		return fl_usage_error(subcommand, "%s needs a value", argv[optind - 1]);
	return fl_usage_error(subcommand, "unknown option %s", argv[optind - 1]);
}

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
