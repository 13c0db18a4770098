/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The run file: SQLite, so that it can be asked in SQL, and survives whatever ends
 * the program that writes it. docs/RUNFILE.md has its tables, and what stays as it
 * is. `record` writes it; what reads results does so through load.h.
 *
 * What belongs together is written in one transaction, and a rollback journal is
 * beside the file only while it is: the file alone is always whole.
 */
#ifndef FAULTLINE_RUNFILE_H
#define FAULTLINE_RUNFILE_H

#include "load.h"
#include "run.h"

/* In the file's header, where file(1) sees them, too: "FLTL", and the version. */
#define FL_RUNFILE_ID		0x464c544c
#define FL_RUNFILE_VERSION	1

/* What is written and read if the user names none. */
#define FL_DEFAULT_RUNFILE	"faultline.sqlite"

/* ---- Writing ---- */

struct fl_runfile;

/*
 * Create the run file @path, which must not be there yet; or with @append, take the
 * one that is there. NULL if it can't be, and has told the user.
 */
struct fl_runfile *fl_runfile_create(const char *path, bool append);

/*
 * Add @run, an interval or the whole, and the episodes since the last one. With the
 * first call, a run begins in the file. 0, or -1 with nothing of it in the file.
 */
int fl_runfile_add(struct fl_runfile *file, const struct fl_run *run);

/* Add an episode to the interval that is going on. 0 or -1. */
int fl_runfile_add_episode(struct fl_runfile *file, const struct fl_episode_record *record);

/* The number of the run that was added, or 0. */
long long fl_runfile_run(const struct fl_runfile *file);

/* A file that was created and has got no run is removed. */
void fl_runfile_close(struct fl_runfile *file);

/* ---- Reading ---- */

/*
 * Call @handle for the runs of @path as fl_load() does. 0, or -1 and has told the
 * user why not.
 */
int fl_runfile_load(const char *path, bool intervals, fl_run_handler *handle, void *data);

/* What most episodes of a run were like. */
struct fl_typical {
	struct fl_step steps[FL_MAX_STEPS];	/* means; times are since the first exit */
	unsigned int nr_steps;
	__u64 ns;		/* mean time from the first exit to the end */
	__u64 nr_like;		/* episodes that were like that, ... */
	__u64 nr;		/* ... of how many; 0: none were recorded */
};

/*
 * Find the sequence of exits that most episodes of run @run of the run file @path
 * have. 0 or -1.
 */
int fl_runfile_typical(const char *path, long long run, struct fl_typical *typical);

struct sqlite3;

/* Whether an open database is a run file that we can read. 0 or -1. */
int fl_runfile_check(struct sqlite3 *db, const char *path);

#endif /* FAULTLINE_RUNFILE_H */
