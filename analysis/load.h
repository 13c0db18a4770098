/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results read back, from whatever they are in: run files (runfile.h), and JSON of
 * `faultline stat` and of the lab (results.h). Used by every subcommand that shows
 * results without measuring. Whatever is in a file, reading it ends well: with runs
 * that add up, or with an error.
 */
#ifndef FAULTLINE_LOAD_H
#define FAULTLINE_LOAD_H

#include "run.h"

/* How many conditions a selection may have. */
#define FL_MAX_CONDITIONS 16

/* Which runs: those with all of these labels. */
struct fl_where {
	const char *conditions[FL_MAX_CONDITIONS];	/* "LABEL=VALUE" */
	size_t nr;
};

/* Add "LABEL=VALUE[,LABEL=VALUE]...", which it changes. 0, or -1 if it isn't that. */
int fl_where_add(struct fl_where *where, char *conditions);

/* Add one "LABEL=VALUE" that is known to be that. 0 or -1. */
int fl_where_push(struct fl_where *where, const char *condition);

/*
 * Call @handle for each run of the file @path that @where selects (NULL: all), in
 * the order in which they were measured; with @intervals, also for the intervals
 * before the whole that they are of. 0, or -1, and has told the user why not.
 */
int fl_load(const char *path, const struct fl_where *where, bool intervals,
	    fl_run_handler *handle, void *data);

/*
 * Whether @run adds up, as everything that was measured does. What comes from a
 * file may not.
 */
bool fl_run_is_sound(const struct fl_run *run);

/* Copy @text from a file to a label, without what would upset a terminal. */
void fl_load_text(char *label, size_t size, const char *text);

#endif /* FAULTLINE_LOAD_H */
