// SPDX-License-Identifier: GPL-2.0
/*
 * Subcommands that are programs of their own, because of the libraries that they
 * need: faultline becomes them.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "error.h"

/* Where they are, from the directory of this program: as built, and as installed. */
static const char *const places[] = { ".", "../libexec/faultline" };

/* Execute @program with @argv. Returns only if it can't: FL_FAILED. */
static int become(const char *program, char **argv)
{
	char self[PATH_MAX], path[PATH_MAX + NAME_MAX + 32];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir;
	size_t i;

	self[length < 0 ? 0 : length] = '\0';
	dir = dirname(self);
	argv[0] = program_invocation_short_name;	/* what its errors begin with */
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", dir, places[i], program);
		execv(path, argv);
		if (errno != ENOENT)
			break;
	}
	fl_fail("cannot run %s: %s; install it again, next to faultline or in ../libexec/faultline",
		program, strerror(errno));
	return FL_FAILED;
}

int fl_cmd_export(int argc, char **argv)
{
	(void)argc;
	return become("faultline-export", argv);
}
