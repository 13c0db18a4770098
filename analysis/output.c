// SPDX-License-Identifier: GPL-2.0
/* Output files that are whole or not there. See output.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "output.h"

/* Anything but a regular file (a pipe, /dev/null) is written to as it is. */
static int is_special(const char *path)
{
	struct stat st;

	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int open_temporary(struct fl_output *output)
{
	mode_t mask = umask(0);
	int fd;

	umask(mask);
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return -1;
	}
	fd = mkstemp(output->temporary);
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return -1;
	}
	fchmod(fd, 0666 & ~mask);
	output->file = fdopen(fd, "w");
	return output->file ? 0 : -1;
}

static int cannot_write(const char *path)
{
	return fl_fail("cannot write %s: %s; make room, or name a file elsewhere", path, strerror(errno));
}

int fl_output_open(struct fl_output *output, const char *path)
{
	struct stat st;

	memset(output, 0, sizeof(*output));
	output->path = path;
	if (!path) {
		output->file = stdout;
		return 0;
	}
	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return fl_fail("%s is a directory; name a file", path);
	if (is_special(path)) {
		output->file = fopen(path, "w");
		return output->file ? 0 : cannot_write(path);
	}
	if (open_temporary(output))
		return cannot_write(path);
	return 0;
}

int fl_output_commit(struct fl_output *output)
{
	int failed;

	if (output->file == stdout)
		return 0;
	failed = fclose(output->file);
	output->file = NULL;
	if (failed || (output->temporary && rename(output->temporary, output->path)))
		return cannot_write(output->path);
	free(output->temporary);
	output->temporary = NULL;
	return 0;
}

void fl_output_close(struct fl_output *output)
{
	if (output->file && output->file != stdout)
		fclose(output->file);
	if (output->temporary)
		unlink(output->temporary);
	free(output->temporary);
}
