// SPDX-License-Identifier: GPL-2.0
/* Run files, written. See runfile.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "error.h"
#include "figures.h"
#include "runfile-reader.h"
#include "runfile-schema.h"
#include "runfile.h"

/* How long to wait for who reads the file. */
#define BUSY_MS 10000

enum {
	BEGIN, COMMIT, ADD_RUN, ADD_LABEL, ADD_INTERVAL, ADD_VM, ADD_VCPU,
	ADD_FIGURE, ADD_COUNT, ADD_AREA, ADD_EPISODE, NR_STATEMENTS,
};

static const char *const sql[NR_STATEMENTS] = {
	[BEGIN] = "BEGIN",
	[COMMIT] = "COMMIT",
	[ADD_RUN] = "INSERT INTO runs (started) VALUES (?1)",
	[ADD_LABEL] = "INSERT OR REPLACE INTO labels (run, name, value) VALUES (?1, ?2, ?3)",
	[ADD_INTERVAL] = "INSERT INTO intervals (run, interval, start_ns, duration_ns, policy,"
			 " lost_events, lost_episodes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[ADD_VM] = "INSERT INTO vms (run, interval, vm, pid, name) VALUES (?1, ?2, ?3, ?4, ?5)",
	[ADD_VCPU] = "INSERT INTO vcpus (run, interval, vcpu, vm, id, tid, vendor, seen_ns)"
		     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ADD_FIGURE] = "INSERT OR IGNORE INTO figures (name) VALUES (?1)",
	[ADD_COUNT] = "INSERT INTO counts (run, interval, vcpu, figure, value)"
		      " VALUES (?1, ?2, ?3, (SELECT figure FROM figures WHERE name = ?4), ?5)",
	[ADD_AREA] = "INSERT INTO areas (run, interval, pid, first, last, name, touches, minor,"
		     " major, total_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[ADD_EPISODE] = "INSERT INTO episodes (run, interval, pid, tid, id, start_ns, end_ns, gva,"
			" root, error_code, exits, outcome, steps)"
			" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
};

struct fl_runfile {
	char *path;
	bool created;
	bool in_transaction;
	bool has_run;			/* for good */
	sqlite3 *db;
	sqlite3_stmt *statements[NR_STATEMENTS];
	long long run;			/* 0 before the first is added */
	unsigned int next_interval;	/* that episodes are of */
	__u64 written_ns;		/* up to where the file has all, since the beginning */
};

/* ---- Statements ---- */

/* Say that the file can't be written, and what it has. */
static int fail(struct fl_runfile *file)
{
	const char *reason = sqlite3_errcode(file->db) == SQLITE_FULL ?
			     "No space left on device" : sqlite3_errmsg(file->db);

	/* The message is in memory that goes with the next statement. */
	if (file->has_run)
		fl_fail("cannot write %s: %s; it has what was counted in the first %.3f s",
			file->path, reason, file->written_ns / 1e9);
	else
		fl_fail("cannot write %s: %s; name a file elsewhere", file->path, reason);
	if (!sqlite3_get_autocommit(file->db))
		sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
	file->in_transaction = false;
	if (!file->has_run)
		file->run = 0;
	return -1;
}

/* Execute a statement with values by @types: 'i' for 64 bits, 's' for a text. 0 or -1. */
static int execute(struct fl_runfile *file, int which, const char *types, ...)
{
	sqlite3_stmt *statement = file->statements[which];
	va_list values;
	int i, ret;

	va_start(values, types);
	for (i = 0; types[i]; i++) {
		if (types[i] == 'i')
			sqlite3_bind_int64(statement, i + 1, va_arg(values, __u64));
		else
			sqlite3_bind_text(statement, i + 1, va_arg(values, const char *), -1,
					  SQLITE_TRANSIENT);
	}
	va_end(values);
	ret = sqlite3_step(statement);
	if (ret != SQLITE_DONE) {
		fail(file);
		sqlite3_reset(statement);
		return -1;
	}
	sqlite3_reset(statement);
	return 0;
}

static int begin(struct fl_runfile *file)
{
	if (file->in_transaction)
		return 0;
	if (execute(file, BEGIN, ""))
		return -1;
	file->in_transaction = true;
	return 0;
}

static int commit(struct fl_runfile *file)
{
	if (execute(file, COMMIT, ""))
		return -1;
	file->in_transaction = false;
	file->has_run = true;
	return 0;
}

/* ---- A run's parts ---- */

static int add_run(struct fl_runfile *file)
{
	time_t now = time(NULL);
	char started[32];

	strftime(started, sizeof(started), "%FT%TZ", gmtime(&now));
	if (execute(file, ADD_RUN, "s", started))
		return -1;
	file->run = sqlite3_last_insert_rowid(file->db);
	return 0;
}

static int add_label(struct fl_runfile *file, const struct fl_run *run, const char *name)
{
	return execute(file, ADD_LABEL, "iss", (__u64)file->run, name, fl_run_label(run, name));
}

/* All but the policy, which each interval has. */
static int add_labels(struct fl_runfile *file, const struct fl_run *run)
{
	const struct fl_label *label;

	for (label = fl_labels; label->name; label++) {
		if (strcmp(label->name, "policy") && add_label(file, run, label->name))
			return -1;
	}
	return add_label(file, run, "vendor");
}

static int add_vms(struct fl_runfile *file, const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;

	for (i = 0; i < snapshot->nr_vms; i++) {
		if (execute(file, ADD_VM, "iiiis", (__u64)file->run, (__u64)run->interval, (__u64)i,
			    (__u64)snapshot->vms[i].pid, snapshot->vms[i].name))
			return -1;
	}
	return 0;
}

/* Where a figure is to be added. */
struct place {
	struct fl_runfile *file;
	__u64 interval, vcpu;
};

static int add_figure(const char *name, __u64 value, void *data)
{
	const struct place *place = data;
	struct fl_runfile *file = place->file;

	if (execute(file, ADD_FIGURE, "s", name))
		return -1;
	return execute(file, ADD_COUNT, "iiisi", (__u64)file->run, place->interval, place->vcpu,
		       name, value);
}

static int add_vcpus(struct fl_runfile *file, const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;

	for (i = 0; i < snapshot->nr_vcpus; i++) {
		const struct fl_vcpu_snapshot *vcpu = &snapshot->vcpus[i];
		struct place place = { file, run->interval, i };

		if (execute(file, ADD_VCPU, "iiiiiisi", (__u64)file->run, place.interval, place.vcpu,
			    (__u64)vcpu->vm, (__u64)vcpu->id, (__u64)vcpu->tid,
			    fl_vendor_name(vcpu->tally.isa), vcpu->seen_ns) ||
		    fl_figures_each(&vcpu->tally, add_figure, &place))
			return -1;
	}
	return 0;
}

static int add_areas(struct fl_runfile *file, const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;

	for (i = 0; i < snapshot->nr_areas; i++) {
		const struct fl_area_key *key = &snapshot->areas[i].key;
		const struct fl_area *area = &snapshot->areas[i].area;

		if (execute(file, ADD_AREA, "iiiiisiiii", (__u64)file->run, (__u64)run->interval,
			    (__u64)key->pid, key->start, key->end, area->name, area->touches,
			    area->minor, area->major, area->ns))
			return -1;
	}
	return 0;
}

int fl_runfile_add(struct fl_runfile *file, const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;

	if (begin(file) || (!file->run && add_run(file)) || add_labels(file, run) ||
	    execute(file, ADD_INTERVAL, "iiiisii", (__u64)file->run, (__u64)run->interval,
		    run->start_ns, run->duration_ns, run->policy, snapshot->lost_events,
		    snapshot->lost_records) ||
	    add_vms(file, run) || add_vcpus(file, run) || add_areas(file, run) || commit(file))
		return -1;
	file->written_ns = run->start_ns + run->duration_ns;
	file->next_interval = run->interval + 1;
	return 0;
}

/* ---- Episodes ---- */

/*
 * "inject@0+5230 pte-write@5900+6870": the first exits, when they were since the
 * first, and how long they took, in ns.
 */
static void print_steps(const struct fl_episode *episode, char *text, size_t size)
{
	size_t nr = episode->exits < FL_MAX_STEPS ? episode->exits : FL_MAX_STEPS, used = 0, i;

	*text = '\0';
	for (i = 0; i < nr && used < size; i++) {
		const struct fl_step *step = &episode->steps[i];

		used += snprintf(text + used, size - used, "%s%s@%llu+%u", i ? " " : "",
				 fl_class_name(step->class), step->exit_ns - episode->start_ns, step->ns);
	}
}

int fl_runfile_add_episode(struct fl_runfile *file, const struct fl_episode_record *record)
{
	const struct fl_episode *episode = &record->episode;
	char steps[FL_MAX_STEPS * 64];

	if (begin(file) || (!file->run && add_run(file)))
		return -1;
	print_steps(episode, steps, sizeof(steps));
	return execute(file, ADD_EPISODE, "iiiiiiiiiiiss", (__u64)file->run,
		       (__u64)(episode->outcome == FL_STILL_OPEN ? 0 : file->next_interval), (__u64)record->pid, (__u64)record->tid,
		       (__u64)record->vcpu_id, episode->start_ns, episode->end_ns,
		       episode->page << 12, episode->space, (__u64)episode->error_code,
		       episode->exits, fl_outcome_name(episode->outcome), steps);
}

/* ---- The file ---- */

/* Make the file, so that none is taken that is there. 0 or -1. */
static int create(struct fl_runfile *file, bool append)
{
	struct stat st;
	bool exists = !stat(file->path, &st);
	int fd;

	if (exists && !S_ISREG(st.st_mode))
		return fl_fail("%s is %s; name a file", file->path,
			       S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
	if (exists && !append)
		return fl_fail("%s exists; add to it by --append, or name another file", file->path);
	fd = open(file->path, O_RDWR | O_CREAT | (exists ? 0 : O_EXCL) | O_CLOEXEC, 0666);
	if (fd < 0)
		return fl_fail("cannot write %s: %s; name a file elsewhere", file->path, strerror(errno));
	file->created = !exists;
	close(fd);
	return 0;
}

static int add_missing_tables(struct fl_runfile *file)
{
	return sqlite3_exec(file->db, FL_RUNFILE_AREAS, NULL, NULL, NULL) ? fail(file) : 0;
}

/* The tables, or if they are there, the version. */
static int set_up(struct fl_runfile *file)
{
	char statements[4096];

	if (!file->created)
		return fl_runfile_check(file->db, file->path) ? -1 : add_missing_tables(file);
	snprintf(statements, sizeof(statements),
		 "BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d; %s COMMIT",
		 FL_RUNFILE_ID, FL_RUNFILE_VERSION, FL_RUNFILE_SCHEMA);
	return sqlite3_exec(file->db, statements, NULL, NULL, NULL) ? fail(file) : 0;
}

static int prepare(struct fl_runfile *file)
{
	int i;

	for (i = 0; i < NR_STATEMENTS; i++) {
		if (sqlite3_prepare_v2(file->db, sql[i], -1, &file->statements[i], NULL))
			return fail(file);
	}
	return 0;
}

struct fl_runfile *fl_runfile_create(const char *path, bool append)
{
	struct fl_runfile *file = calloc(1, sizeof(*file));

	if (!file || !(file->path = strdup(path))) {
		free(file);
		fl_fail("out of memory; free some and try again");
		return NULL;
	}
	if (create(file, append)) {
		free(file->path);
		free(file);
		return NULL;
	}
	file->next_interval = 1;
	if (sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE, fl_runfile_vfs(path))) {
		fail(file);
	} else {
		sqlite3_busy_timeout(file->db, BUSY_MS);
		if (!set_up(file) && !prepare(file))
			return file;
	}
	fl_runfile_close(file);
	return NULL;
}

long long fl_runfile_run(const struct fl_runfile *file)
{
	return file->run;
}

void fl_runfile_close(struct fl_runfile *file)
{
	int i;

	if (!file)
		return;
	for (i = 0; i < NR_STATEMENTS; i++)
		sqlite3_finalize(file->statements[i]);
	sqlite3_close(file->db);
	if (file->created && !file->has_run)
		unlink(file->path);
	free(file->path);
	free(file);
}
