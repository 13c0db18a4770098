// SPDX-License-Identifier: GPL-2.0
/* How errors are said, by every program. See error.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int fl_fail(const char *format, ...)
{
	va_list args;

	/* What is on stdout came first; keep it first on a terminal, too. */
	fflush(stdout);
	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return -1;
}
