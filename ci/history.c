// SPDX-License-Identifier: GPL-2.0
/*
 * gate-history: keeps what the gate has found in a SQLite file, and shows where
 * it changed. Used by ci/gate.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <sqlite3.h>

#include "changes.h"
#include "error.h"

#define BUSY_MS		2000

/* Less than that, in proportion, is no change that anybody asked for. */
#define LEAST_CHANGE	0.001

static const char help[] =
"usage: gate-history check FILE\n"
"       gate-history add FILE NAME VERDICT\n"
"       gate-history trend FILE\n"
"\n"
"check   whether FILE is, or can become, a history that can be written to\n"
"add     add the candidate of VERDICT, a verdict.json of gate-verdict, as NAME\n"
"trend   print each workload's history, and where it changed\n"
"\n"
"Exit status: 0 done, 1 not done, 2 usage.\n";

static const char schema[] =
"CREATE TABLE IF NOT EXISTS gate (id INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
" name TEXT NOT NULL, kernel TEXT NOT NULL, policy TEXT NOT NULL, workload TEXT NOT NULL,"
" paging TEXT NOT NULL, instructions REAL NOT NULL, exits_per_guest_fault REAL NOT NULL,"
" cycles REAL NOT NULL, regressed INTEGER NOT NULL)";

/* What is shown of each row, and looked at for changes. */
#define NR_VALUES 3
static const char *const value_names[NR_VALUES] = {
	"instructions", "exits per guest fault", "cycles (estimate)",
};

/* ---- the file ---- */

static int fail(sqlite3 *db, const char *path)
{
	return fl_fail("cannot use the history %s: %s; name another with HISTORY, or mend this",
		       path, sqlite3_errmsg(db));
}

static int execute(sqlite3 *db, const char *path, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fail(db, path);
}

/* Open @path; to write, it is made if it isn't there. NULL after saying why not. */
static sqlite3 *open_history(const char *path, bool write)
{
	int flags = write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
		fail(db, path);
		sqlite3_close(db);
		return NULL;
	}
	/* SQLite opens what it may only read all the same. */
	if (write && sqlite3_db_readonly(db, "main")) {
		fl_fail("cannot use the history %s: it is read-only; name another with HISTORY, or mend this", path);
		sqlite3_close(db);
		return NULL;
	}
	sqlite3_busy_timeout(db, BUSY_MS);
	if (write && (execute(db, path, "BEGIN IMMEDIATE") || execute(db, path, schema))) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

/* SQLite finds damage in what it reads only, if it isn't asked to look. */
static int check_whole(sqlite3 *db, const char *path)
{
	sqlite3_stmt *row;
	bool whole;

	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &row, NULL) != SQLITE_OK)
		return fail(db, path);
	whole = sqlite3_step(row) == SQLITE_ROW && !strcmp((const char *)sqlite3_column_text(row, 0), "ok");
	sqlite3_finalize(row);
	return whole ? 0 : fl_fail("the history %s is damaged; name another with HISTORY, or mend this", path);
}

static int check(const char *path)
{
	sqlite3 *db = open_history(path, true);
	int ret;

	if (!db)
		return -1;
	ret = check_whole(db, path) || execute(db, path, "COMMIT");
	sqlite3_close(db);
	return ret ? -1 : 0;
}

/* ---- adding ---- */

static struct json_object *member(struct json_object *object, const char *key)
{
	return json_object_object_get(object, key);
}

static double candidate_value(struct json_object *verdict, size_t i)
{
	return json_object_get_double(member(json_object_array_get_idx(member(verdict, "findings"), i),
					     "candidate"));
}

static void bind_text(sqlite3_stmt *statement, int index, struct json_object *value)
{
	const char *text = json_object_get_string(value);

	sqlite3_bind_text(statement, index, text ? text : "", -1, SQLITE_TRANSIENT);
}

static int insert(sqlite3 *db, const char *path, const char *name, struct json_object *verdict)
{
	struct json_object *candidate = member(verdict, "candidate");
	sqlite3_stmt *statement;
	int i, ret;

	if (sqlite3_prepare_v2(db, "INSERT INTO gate VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", -1,
			       &statement, NULL) != SQLITE_OK)
		return fail(db, path);
	sqlite3_bind_int64(statement, 1, time(NULL));
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	bind_text(statement, 3, member(candidate, "kernel"));
	bind_text(statement, 4, member(candidate, "policy"));
	bind_text(statement, 5, member(verdict, "workload"));
	bind_text(statement, 6, member(verdict, "paging"));
	for (i = 0; i < NR_VALUES; i++)
		sqlite3_bind_double(statement, 7 + i, candidate_value(verdict, i));
	sqlite3_bind_int(statement, 10, json_object_get_boolean(member(verdict, "regressed")));
	ret = sqlite3_step(statement) == SQLITE_DONE ? 0 : fail(db, path);
	sqlite3_finalize(statement);
	return ret;
}

static struct json_object *read_verdict(const char *path)
{
	struct json_object *verdict = json_object_from_file(path);
	const char *named = json_object_get_string(member(verdict, "schema"));

	if (named && !strcmp(named, "faultline.verdict/1") &&
	    json_object_array_length(member(verdict, "findings")) == NR_VALUES)
		return verdict;
	fl_fail("%s is not a faultline.verdict/1; name one that gate-verdict has written", path);
	json_object_put(verdict);
	return NULL;
}

static int add(const char *path, const char *name, const char *verdict_path)
{
	struct json_object *verdict = read_verdict(verdict_path);
	sqlite3 *db = verdict ? open_history(path, true) : NULL;
	int ret = -1;

	if (db)
		ret = insert(db, path, name, verdict) || execute(db, path, "COMMIT") ? -1 : 0;
	sqlite3_close(db);
	json_object_put(verdict);
	return ret;
}

/* ---- the trend ---- */

#define NAME_SIZE	64

struct entry {
	char name[NAME_SIZE], day[16];
	bool regressed;
};

/* One workload's history. */
struct series {
	char title[256];
	struct entry *entries;
	double *values[NR_VALUES];
	size_t nr;
};

static int series_add(struct series *series, sqlite3_stmt *row)
{
	struct entry *entries = reallocarray(series->entries, series->nr + 1, sizeof(*entries));
	int i;

	if (!entries)
		return fl_fail("out of memory; free some and try again");
	series->entries = entries;
	entries += series->nr;
	snprintf(entries->name, sizeof(entries->name), "%s", (const char *)sqlite3_column_text(row, 1));
	snprintf(entries->day, sizeof(entries->day), "%s", (const char *)sqlite3_column_text(row, 2));
	entries->regressed = sqlite3_column_int(row, 3);
	for (i = 0; i < NR_VALUES; i++) {
		double *values = reallocarray(series->values[i], series->nr + 1, sizeof(*values));

		if (!values)
			return fl_fail("out of memory; free some and try again");
		series->values[i] = values;
		values[series->nr] = sqlite3_column_double(row, 4 + i);
	}
	series->nr++;
	return 0;
}

static void print_entries(const struct series *series)
{
	size_t i;

	printf("%s\n\n  %-10s  %-32s %16s %10s %16s\n", series->title, "day", "kernel",
	       "instructions", "exits", "cycles (est.)");
	for (i = 0; i < series->nr; i++)
		printf("  %-10s  %-32s %16.0f %10.3f %16.0f%s\n", series->entries[i].day,
		       series->entries[i].name, series->values[0][i], series->values[1][i],
		       series->values[2][i], series->entries[i].regressed ? "  REGRESSION" : "");
	putchar('\n');
}

static int print_changes(const struct series *series)
{
	struct change_point *points = calloc(series->nr + 1, sizeof(*points));
	size_t nr, total = 0, i;
	int value;

	if (!points)
		return fl_fail("out of memory; free some and try again");
	for (value = 0; value < NR_VALUES; value++) {
		nr = changes_find(series->values[value], series->nr, LEAST_CHANGE, points);
		for (i = 0; i < nr; i++)
			printf("  %s changed by %+.2f %% with %s (%s)\n", value_names[value],
			       100 * points[i].change.change / points[i].change.a,
			       series->entries[points[i].index].name, series->entries[points[i].index].day);
		total += nr;
	}
	puts(total ? "" : "  no change can be shown\n");
	free(points);
	return 0;
}

/* Show what there is of a series, and make it empty. */
static int series_end(struct series *series)
{
	int ret = 0, i;

	if (series->nr) {
		print_entries(series);
		ret = print_changes(series);
	}
	free(series->entries);
	for (i = 0; i < NR_VALUES; i++)
		free(series->values[i]);
	memset(series, 0, sizeof(*series));
	return ret;
}

/* A row begins a new series if its title is another. */
static int take_row(struct series *series, sqlite3_stmt *row)
{
	const char *title = (const char *)sqlite3_column_text(row, 0);

	if (strcmp(series->title, title)) {
		if (series_end(series))
			return -1;
		snprintf(series->title, sizeof(series->title), "%s", title);
	}
	return series_add(series, row);
}

static int print_all(sqlite3 *db, const char *path)
{
	static const char sql[] =
		"SELECT workload || ', ' || paging || ' paging, ' || policy AS title, name,"
		" date(time, 'unixepoch'), regressed, instructions, exits_per_guest_fault, cycles"
		" FROM gate ORDER BY title, id";
	struct series series = { 0 };
	sqlite3_stmt *row;
	int ret = 0, step = SQLITE_DONE;

	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK)
		return fail(db, path);
	while (!ret && (step = sqlite3_step(row)) == SQLITE_ROW)
		ret = take_row(&series, row);
	if (!ret && step != SQLITE_DONE)
		ret = fail(db, path);
	sqlite3_finalize(row);
	return series_end(&series) || ret ? -1 : 0;
}

static int trend(const char *path)
{
	sqlite3 *db = open_history(path, false);
	int ret = db ? print_all(db, path) : -1;

	sqlite3_close(db);
	return ret;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 3 && !strcmp(argv[1], "check"))
		ret = check(argv[2]);
	else if (argc == 5 && !strcmp(argv[1], "add"))
		ret = add(argv[2], argv[3], argv[4]);
	else if (argc == 3 && !strcmp(argv[1], "trend"))
		ret = trend(argv[2]);
	else {
		fl_fail("check FILE, add FILE NAME VERDICT or trend FILE is needed; see 'gate-history --help'");
		return FL_USAGE;
	}
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
