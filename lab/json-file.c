// SPDX-License-Identifier: GPL-2.0
/* Files of JSON that are whole or not there. See json-file.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "json-file.h"

int json_file_write(struct json_object *object, const char *path)
{
	char temporary[4096];

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	if (json_object_to_file_ext(temporary, object,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE) ||
	    rename(temporary, path)) {
		fl_fail("cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	return 0;
}
