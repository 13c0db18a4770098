/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run file that is being read: opened, found to be one, and asked in SQL. Shared by
 * runfile-read.c and runfile-episodes.c.
 */
#ifndef FAULTLINE_RUNFILE_READER_H
#define FAULTLINE_RUNFILE_READER_H

#include <stdbool.h>

struct sqlite3;
struct sqlite3_stmt;

struct fl_reader {
	const char *path;
	struct sqlite3 *db;
	struct sqlite3_stmt *statement;	/* the one that is being stepped through */
};

/* Open @path, and check that it is a sound run file. 0, or -1 with nothing to close. */
int fl_reader_open(struct fl_reader *r, const char *path);
void fl_reader_close(struct fl_reader *r);

/*
 * What SQLite shall call the file system by that @path is on: NULL, or one of its
 * names for those where files can't be locked. There, a reader may come in the
 * middle of a write, and then says that the file is damaged.
 */
const char *fl_runfile_vfs(const char *path);

/* Say that it is damaged, and that @reason tells. Returns -1. */
int fl_reader_fail(const struct fl_reader *r, const char *reason);

/* Begin to go through the rows that @sql asks for, with up to two numbers in it. 0 or -1. */
int fl_reader_ask(struct fl_reader *r, const char *sql, long long first, long long second);

/* Go to the next row: 1 if there is one, 0 at the end, or -1. */
int fl_reader_next(struct fl_reader *r);

/* A column of the row; 0 and "" for what isn't there. */
long long fl_reader_number(struct fl_reader *r, int column);
const char *fl_reader_text(struct fl_reader *r, int column);

/* Whether a column of the row is a whole number, and not NULL or anything else. */
bool fl_reader_is_number(struct fl_reader *r, int column);

/* The one number that @sql asks for; -1 if there is none. 0 or -1. */
int fl_reader_ask_number(struct fl_reader *r, const char *sql, long long argument, long long *value);

#endif /* FAULTLINE_RUNFILE_READER_H */
