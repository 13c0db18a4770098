// SPDX-License-Identifier: GPL-2.0
/*
 * Run files, read. See runfile.h. What is in one may be anything: figures that
 * don't add up are refused, and what isn't known is passed over.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "error.h"
#include "figures.h"
#include "runfile.h"

/* A run file that is being read. */
struct reader {
	const char *path;
	sqlite3 *db;
	sqlite3_stmt *statement;	/* the one that is being stepped through */
	long *places;			/* of figures in a tally, by their number; -1: unknown */
	sqlite3_int64 nr_places;
	struct fl_run labels;		/* of the run, without a snapshot */
	sqlite3_int64 run;
};

/* ---- Statements ---- */

static int fail(const struct reader *r, const char *reason)
{
	return fl_fail("cannot read %s: %s; it is damaged or not whole, take another copy of it",
		       r->path, reason);
}

/* Begin to go through the rows that @sql asks for, with up to two numbers in it. */
static int ask(struct reader *r, const char *sql, sqlite3_int64 first, sqlite3_int64 second)
{
	sqlite3_finalize(r->statement);
	r->statement = NULL;
	if (sqlite3_prepare_v2(r->db, sql, -1, &r->statement, NULL))
		return fail(r, sqlite3_errmsg(r->db));
	sqlite3_bind_int64(r->statement, 1, first);
	sqlite3_bind_int64(r->statement, 2, second);
	return 0;
}

/* 1 if there is another row, 0 at the end, or -1. */
static int next(struct reader *r)
{
	int ret = sqlite3_step(r->statement);

	if (ret == SQLITE_ROW)
		return 1;
	return ret == SQLITE_DONE ? 0 : fail(r, sqlite3_errmsg(r->db));
}

static sqlite3_int64 number(struct reader *r, int column)
{
	return sqlite3_column_int64(r->statement, column);
}

static const char *text(struct reader *r, int column)
{
	const unsigned char *value = sqlite3_column_text(r->statement, column);

	return value ? (const char *)value : "";
}

/* The one number that @sql asks for, -1 if there is none. 0 or -1. */
static int ask_number(struct reader *r, const char *sql, sqlite3_int64 argument,
		      sqlite3_int64 *value)
{
	int ret;

	if (ask(r, sql, argument, 0))
		return -1;
	ret = next(r);
	*value = ret == 1 ? number(r, 0) : -1;
	return ret < 0 ? -1 : 0;
}

/* ---- Opening ---- */

int fl_runfile_check(sqlite3 *db, const char *path)
{
	struct reader r = { .path = path, .db = db };
	sqlite3_int64 id, version;
	int ret;

	ret = ask_number(&r, "PRAGMA application_id", 0, &id) ||
	      ask_number(&r, "PRAGMA user_version", 0, &version);
	sqlite3_finalize(r.statement);
	if (ret)
		return -1;
	if (id != FL_RUNFILE_ID)
		return fl_fail("%s is not a run file of faultline; 'faultline record' writes one", path);
	if (version > FL_RUNFILE_VERSION)
		return fl_fail("%s has version %lld, this faultline knows %d; use the one that wrote it, or a later one",
			       path, version, FL_RUNFILE_VERSION);
	return version < 1 ? fail(&r, "it has no version") : 0;
}

/*
 * For reading only; or, if a write to it was cut off, for undoing that. Nothing that
 * is in the file shall be executed, and nothing in it is taken for sound.
 */
static int open_database(struct reader *r)
{
	static const char *const pragmas = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";
	int ret;

	ret = sqlite3_open_v2(r->path, &r->db, SQLITE_OPEN_READONLY, NULL);
	if (!ret)
		ret = sqlite3_exec(r->db, "SELECT * FROM sqlite_schema", NULL, NULL, NULL);
	if (ret && sqlite3_extended_errcode(r->db) == SQLITE_READONLY_ROLLBACK) {
		sqlite3_close(r->db);
		ret = sqlite3_open_v2(r->path, &r->db, SQLITE_OPEN_READWRITE, NULL);
	}
	if (ret || (ret = sqlite3_exec(r->db, pragmas, NULL, NULL, NULL)))
		return fail(r, sqlite3_errmsg(r->db));
	sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return 0;
}

/* Views and virtual tables of a crafted file would be run in the place of tables. */
static int check_tables(struct reader *r)
{
	sqlite3_int64 nr;

	if (ask_number(r, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
		       " AND sql NOT LIKE 'CREATE VIRTUAL%' AND name IN ('runs', 'labels',"
		       " 'intervals', 'vms', 'vcpus', 'figures', 'counts', 'episodes')", 0, &nr))
		return -1;
	return nr == 8 ? 0 : fail(r, "tables are missing");
}

static int check_pages(struct reader *r)
{
	if (ask(r, "PRAGMA quick_check(1)", 0, 0) || next(r) < 0)
		return -1;
	return strcmp(text(r, 0), "ok") ? fail(r, "its pages are not as SQLite writes them") : 0;
}

static int load_figures(struct reader *r)
{
	/* Their numbers run from 1 on, as rows are only ever added. */
	enum { MAX_FIGURES = 100000 };
	int ret;

	if (ask_number(r, "SELECT max(figure) FROM figures", 0, &r->nr_places))
		return -1;
	if (r->nr_places < 0 || r->nr_places > MAX_FIGURES)
		return fail(r, "figures have strange numbers");
	r->places = malloc((r->nr_places + 1) * sizeof(*r->places));
	if (!r->places)
		return fl_fail("out of memory; free some and try again");
	memset(r->places, -1, (r->nr_places + 1) * sizeof(*r->places));
	if (ask(r, "SELECT figure, name FROM figures", 0, 0))
		return -1;
	while ((ret = next(r)) == 1) {
		sqlite3_int64 figure = number(r, 0);

		if (figure >= 0 && figure <= r->nr_places)
			r->places[figure] = fl_figure_offset(text(r, 1));
	}
	return ret;
}

/* ---- A run's parts ---- */

static int load_labels(struct reader *r)
{
	struct fl_run *run = &r->labels;
	const struct {
		const char *name;
		char *value;
		size_t size;
	} labels[] = {
		{ "line", run->line, sizeof(run->line) },
		{ "kernel", run->host.kernel, sizeof(run->host.kernel) },
		{ "cpu", run->host.cpu, sizeof(run->host.cpu) },
		{ "command", run->command, sizeof(run->command) },
		{ "mmu", run->mmu, sizeof(run->mmu) },
		{ "workload", run->workload, sizeof(run->workload) },
		{ "paging", run->paging, sizeof(run->paging) },
		{ "clock", run->clock, sizeof(run->clock) },
	};
	size_t i;
	int ret;

	memset(run, 0, sizeof(*run));
	if (ask(r, "SELECT name, value FROM labels WHERE run = ?1", r->run, 0))
		return -1;
	while ((ret = next(r)) == 1) {
		if (!strcmp(text(r, 0), "vendor"))
			run->host_isa = fl_vendor_isa(text(r, 1));
		for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
			if (!strcmp(text(r, 0), labels[i].name))
				fl_load_text(labels[i].value, labels[i].size, text(r, 1));
		}
	}
	return ret;
}

static int load_interval(struct reader *r, sqlite3_int64 interval, struct fl_run *run)
{
	int ret;

	if (ask(r, "SELECT start_ns, duration_ns, policy, lost_events, lost_episodes"
		" FROM intervals WHERE run = ?1 AND interval = ?2", r->run, interval))
		return -1;
	ret = next(r);
	if (ret < 0)
		return -1;
	*run = r->labels;
	run->interval = interval;
	run->start_ns = number(r, 0);
	run->duration_ns = number(r, 1);
	fl_load_text(run->policy, sizeof(run->policy), text(r, 2));
	run->snapshot.lost_events = number(r, 3);
	run->snapshot.lost_records = number(r, 4);
	return 0;
}

/* What the snapshot tells VMs and vCPUs by are kernel addresses; these do, too. */
static int load_vcpus(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	struct fl_vcpu_snapshot *vcpu;
	int ret;

	if (ask(r, "SELECT vcpus.vm, pid, id, tid, vendor, seen_ns FROM vcpus JOIN vms"
		" USING (run, interval, vm) WHERE run = ?1 AND interval = ?2 ORDER BY vcpu",
		r->run, run->interval))
		return -1;
	while ((ret = next(r)) == 1) {
		vcpu = reallocarray(snapshot->vcpus, snapshot->nr_vcpus + 1, sizeof(*vcpu));
		if (!vcpu)
			return fl_fail("out of memory; free some and try again");
		snapshot->vcpus = vcpu;
		vcpu += snapshot->nr_vcpus++;
		memset(vcpu, 0, sizeof(*vcpu));
		vcpu->kvm = number(r, 0) + 1;
		vcpu->kvm_vcpu = vcpu->seen_ns = number(r, 5);
		vcpu->slot = FL_NO_SLOT;
		vcpu->pid = number(r, 1);
		vcpu->id = number(r, 2);
		vcpu->tid = number(r, 3);
		vcpu->tally.isa = fl_vendor_isa(text(r, 4));
	}
	return ret;
}

static int load_counts(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	int ret;

	if (ask(r, "SELECT vcpu, figure, value FROM counts WHERE run = ?1 AND interval = ?2",
		r->run, run->interval))
		return -1;
	while ((ret = next(r)) == 1) {
		__u64 vcpu = number(r, 0), figure = number(r, 1);

		/* vCPUs are numbered from 0 on, in the order of their rows. */
		if (vcpu >= snapshot->nr_vcpus || figure > (__u64)r->nr_places)
			return fail(r, "it has counts of what it doesn't have");
		if (r->places[figure] >= 0)
			*(__u64 *)((char *)&snapshot->vcpus[vcpu].tally + r->places[figure]) = number(r, 2);
	}
	return ret;
}

static int load_names(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;
	int ret;

	if (ask(r, "SELECT vm, name FROM vms WHERE run = ?1 AND interval = ?2", r->run, run->interval))
		return -1;
	while ((ret = next(r)) == 1) {
		for (i = 0; i < snapshot->nr_vms; i++) {
			struct fl_vm_snapshot *vm = &snapshot->vms[i];

			if (vm->kvm == (__u64)number(r, 0) + 1)
				fl_load_text(vm->name, sizeof(vm->name), text(r, 1));
		}
	}
	return ret;
}

/* Frees the snapshot if it returns -1. */
static int load(struct reader *r, sqlite3_int64 interval, struct fl_run *run)
{
	if (load_interval(r, interval, run))
		return -1;
	if (load_vcpus(r, run) || load_counts(r, run)) {
		fl_snapshot_free(&run->snapshot);
		return -1;
	}
	if (fl_snapshot_sum_up(&run->snapshot))
		return -1;
	if (load_names(r, run) ||
	    (!fl_run_is_sound(run) && fail(r, "its figures don't add up"))) {
		fl_snapshot_free(&run->snapshot);
		return -1;
	}
	return 0;
}

/* ---- Runs ---- */

/* The number of the interval after @interval, or -1. */
static int next_interval(struct reader *r, sqlite3_int64 *interval)
{
	int ret;

	if (ask(r, "SELECT min(interval) FROM intervals WHERE run = ?1 AND interval > ?2",
		r->run, *interval))
		return -1;
	ret = next(r);
	*interval = ret == 1 && sqlite3_column_type(r->statement, 0) == SQLITE_INTEGER ? number(r, 0) : -1;
	if (*interval > UINT_MAX)
		return fail(r, "intervals have strange numbers");
	return ret < 0 ? -1 : 0;
}

/* Add @part to @whole, what was before it. */
static int append(struct fl_run *whole, const struct fl_run *part)
{
	if (!*whole->policy)
		snprintf(whole->policy, sizeof(whole->policy), "%s", part->policy);
	else if (strcmp(whole->policy, part->policy))
		snprintf(whole->policy, sizeof(whole->policy), "mixed");
	whole->duration_ns = part->start_ns + part->duration_ns;
	return fl_snapshot_add(&whole->snapshot, &part->snapshot);
}

/*
 * Go through the intervals: pass them to @handle, if it isn't NULL, and add them up
 * to @whole, if it isn't.
 */
static int go_through(struct reader *r, fl_run_handler *handle, void *data, struct fl_run *whole)
{
	sqlite3_int64 interval = 0;
	struct fl_run part;
	int ret;

	while (!(ret = next_interval(r, &interval)) && interval > 0) {
		if (load(r, interval, &part))
			return -1;
		if (handle)
			ret = handle(&part, data);
		if (!ret && whole)
			ret = append(whole, &part);
		fl_snapshot_free(&part.snapshot);
		if (ret)
			return ret;
	}
	return ret;
}

/* A recording that was cut off has no whole, only its intervals. */
static int load_run(struct reader *r, bool intervals, fl_run_handler *handle, void *data)
{
	sqlite3_int64 has_whole;
	struct fl_run whole;
	int ret = 0;

	if (load_labels(r) ||
	    ask_number(r, "SELECT 1 FROM intervals WHERE run = ?1 AND interval = 0", r->run, &has_whole))
		return -1;
	whole = r->labels;
	if (intervals || has_whole < 0)
		ret = go_through(r, intervals ? handle : NULL, data, has_whole < 0 ? &whole : NULL);
	if (!ret && has_whole >= 0)
		ret = load(r, 0, &whole);
	if (!ret)
		ret = handle(&whole, data);
	fl_snapshot_free(&whole.snapshot);
	return ret;
}

static int load_runs(struct reader *r, bool intervals, fl_run_handler *handle, void *data)
{
	int ret;

	r->run = LLONG_MIN;
	for (;;) {
		if (ask(r, "SELECT min(run) FROM runs WHERE run > ?1", r->run, 0))
			return -1;
		ret = next(r);
		if (ret < 0 || sqlite3_column_type(r->statement, 0) != SQLITE_INTEGER)
			return ret < 0 ? -1 : 0;
		r->run = number(r, 0);
		if (load_run(r, intervals, handle, data))
			return -1;
	}
}

int fl_runfile_load(const char *path, bool intervals, fl_run_handler *handle, void *data)
{
	struct reader r = { .path = path };
	int ret = -1;

	if (!open_database(&r) && !fl_runfile_check(r.db, path) && !check_pages(&r) &&
	    !check_tables(&r) && !load_figures(&r))
		ret = load_runs(&r, intervals, handle, data);
	sqlite3_finalize(r.statement);
	sqlite3_close(r.db);
	free(r.places);
	return ret;
}
