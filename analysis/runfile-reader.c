// SPDX-License-Identifier: GPL-2.0
/* Run files, opened and asked. See runfile-reader.h. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "error.h"
#include "runfile-reader.h"
#include "runfile.h"

/* How long to wait for who writes the file. */
#define BUSY_MS 10000

/* ---- Statements ---- */

int fl_reader_fail(const struct fl_reader *r, const char *reason)
{
	return fl_fail("cannot read %s: %s; it is damaged or not whole, take another copy of it",
		       r->path, reason);
}

int fl_reader_ask(struct fl_reader *r, const char *sql, long long first, long long second)
{
	sqlite3_finalize(r->statement);
	r->statement = NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &r->statement, NULL))
		return fl_reader_fail(r, sqlite3_errmsg(r->db));
	sqlite3_bind_int64(r->statement, 1, first);
	sqlite3_bind_int64(r->statement, 2, second);
	return 0;
}

int fl_reader_next(struct fl_reader *r)
{
	int ret = sqlite3_step(r->statement);

	if (ret == SQLITE_ROW)
		return 1;
	return ret == SQLITE_DONE ? 0 : fl_reader_fail(r, sqlite3_errmsg(r->db));
}

long long fl_reader_number(struct fl_reader *r, int column)
{
	return sqlite3_column_int64(r->statement, column);
}

const char *fl_reader_text(struct fl_reader *r, int column)
{
	const unsigned char *value = sqlite3_column_text(r->statement, column);

	return value ? (const char *)value : "";
}

bool fl_reader_is_number(struct fl_reader *r, int column)
{
	return sqlite3_column_type(r->statement, column) == SQLITE_INTEGER;
}

int fl_reader_ask_number(struct fl_reader *r, const char *sql, long long argument,
			 long long *value)
{
	int ret;

	if (fl_reader_ask(r, sql, argument, 0))
		return -1;
	ret = fl_reader_next(r);
	*value = ret == 1 ? fl_reader_number(r, 0) : -1;
	return ret < 0 ? -1 : 0;
}

/* ---- Opening ---- */

/* Before SQLite opens it, for closing a file gives its locks up. */
const char *fl_runfile_vfs(const char *path)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool can_lock = fd < 0 || !fcntl(fd, F_GETLK, &lock);

	if (fd >= 0)
		close(fd);
	return can_lock ? NULL : "unix-none";
}

int fl_runfile_check(sqlite3 *db, const char *path)
{
	struct fl_reader r = { .path = path, .db = db };
	long long id, version;
	int ret;

	ret = fl_reader_ask_number(&r, "PRAGMA application_id", 0, &id) ||
	      fl_reader_ask_number(&r, "PRAGMA user_version", 0, &version);
	sqlite3_finalize(r.statement);
	if (ret)
		return -1;
	if (id != FL_RUNFILE_ID)
		return fl_fail("%s is not a run file of faultline; 'faultline record' writes one", path);
	if (version > FL_RUNFILE_VERSION)
		return fl_fail("%s has version %lld, this faultline knows %d; use the one that wrote it, or a later one",
			       path, version, FL_RUNFILE_VERSION);
	return version < 1 ? fl_reader_fail(&r, "it has no version") : 0;
}

/* SQLite opens a file when it is asked something. Returns SQLite's error code. */
static int try_open(struct fl_reader *r, int flags)
{
	if (!sqlite3_open_v2(r->path, &r->db, flags, fl_runfile_vfs(r->path))) {
		sqlite3_busy_timeout(r->db, BUSY_MS);
		if (!sqlite3_exec(r->db, "SELECT * FROM sqlite_schema", NULL, NULL, NULL))
			return 0;
	}
	return sqlite3_extended_errcode(r->db);
}

/*
 * For reading only; or, if a write to it was cut off, for undoing that. Nothing that
 * is in the file shall be executed, and nothing in it is taken for sound.
 */
static int open_database(struct fl_reader *r)
{
	static const char *const pragmas = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
	int ret;

	ret = try_open(r, SQLITE_OPEN_READONLY);
	if (ret == SQLITE_READONLY_ROLLBACK) {
		sqlite3_close(r->db);
		ret = try_open(r, SQLITE_OPEN_READWRITE);
	}
	if (ret == SQLITE_READONLY_ROLLBACK)
		return fl_fail("cannot read %s: a write to it was cut off, and you may not write there to undo it", r->path);
	if (ret || sqlite3_exec(r->db, pragmas, NULL, NULL, NULL))
		return fl_reader_fail(r, sqlite3_errmsg(r->db));
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return 0;
}

/* Views and virtual tables of a crafted file would be run in the place of tables. */
static int check_tables(struct fl_reader *r)
{
	long long nr;

	if (fl_reader_ask_number(r, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
				 " AND sql NOT LIKE 'CREATE VIRTUAL%' AND name IN ('runs', 'labels',"
				 " 'intervals', 'vms', 'vcpus', 'figures', 'counts', 'episodes')", 0, &nr))
		return -1;
	return nr == 8 ? 0 : fl_reader_fail(r, "tables are missing");
}

static int check_pages(struct fl_reader *r)
{
	if (fl_reader_ask(r, "PRAGMA quick_check(1)", 0, 0) || fl_reader_next(r) < 0)
		return -1;
	return strcmp(fl_reader_text(r, 0), "ok") ? fl_reader_fail(r, "its pages are not as SQLite writes them") : 0;
}

int fl_reader_open(struct fl_reader *r, const char *path)
{
	memset(r, 0, sizeof(*r));
	r->path = path;
	if (open_database(r) || fl_runfile_check(r->db, path) || check_pages(r) || check_tables(r)) {
		fl_reader_close(r);
		return -1;
	}
	return 0;
}

void fl_reader_close(struct fl_reader *r)
{
	sqlite3_finalize(r->statement);
	sqlite3_close(r->db);
}
