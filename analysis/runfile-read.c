// SPDX-License-Identifier: GPL-2.0
/*
 * Run files, read. See runfile.h. What is in one may be anything: figures that
 * don't add up are refused, and what isn't known is passed over.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "figures.h"
#include "runfile-reader.h"
#include "runfile.h"

/* A run file that is being read. */
struct reader {
	struct fl_reader file;
	long *places;			/* of figures in a tally, by their number; -1: unknown */
	long long nr_places;
	long long has_areas;		/* not if the file was written before they were known */
	struct fl_run labels;		/* of the run, without a snapshot */
	long long run;
};

static int load_figures(struct reader *r)
{
	/* Their numbers run from 1 on, as rows are only ever added. */
	enum { MAX_FIGURES = 100000 };
	int ret;

	if (fl_reader_ask_number(&r->file, "SELECT max(figure) FROM figures", 0, &r->nr_places))
		return -1;
	if (r->nr_places < 0 || r->nr_places > MAX_FIGURES)
		return fl_reader_fail(&r->file, "figures have strange numbers");
	r->places = malloc((r->nr_places + 1) * sizeof(*r->places));
	if (!r->places)
		return fl_fail("out of memory; free some and try again");
	memset(r->places, -1, (r->nr_places + 1) * sizeof(*r->places));
	if (fl_reader_ask(&r->file, "SELECT figure, name FROM figures", 0, 0))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1) {
		long long figure = fl_reader_number(&r->file, 0);

		if (figure >= 0 && figure <= r->nr_places)
			r->places[figure] = fl_figure_offset(fl_reader_text(&r->file, 1));
	}
	return ret;
}

/* ---- A run's parts ---- */

static void set_label(struct fl_run *run, const char *name, const char *value)
{
	const struct fl_label *label;

	if (!strcmp(name, "vendor"))
		run->host_isa = fl_vendor_isa(value);
	for (label = fl_labels; label->name; label++) {
		if (!strcmp(name, label->name))
			fl_load_text((char *)run + label->place, label->size, value);
	}
}

static int load_labels(struct reader *r)
{
	int ret;

	memset(&r->labels, 0, sizeof(r->labels));
	r->labels.number = r->run;
	if (fl_reader_ask(&r->file, "SELECT name, value FROM labels WHERE run = ?1", r->run, 0))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1)
		set_label(&r->labels, fl_reader_text(&r->file, 0), fl_reader_text(&r->file, 1));
	return ret;
}

static int load_interval(struct reader *r, long long interval, struct fl_run *run)
{
	int ret;

	if (fl_reader_ask(&r->file, "SELECT start_ns, duration_ns, policy, lost_events, lost_episodes"
			  " FROM intervals WHERE run = ?1 AND interval = ?2", r->run, interval))
		return -1;
	ret = fl_reader_next(&r->file);
	if (ret < 0)
		return -1;
	*run = r->labels;
	run->interval = interval;
	run->start_ns = fl_reader_number(&r->file, 0);
	run->duration_ns = fl_reader_number(&r->file, 1);
	fl_load_text(run->policy, sizeof(run->policy), fl_reader_text(&r->file, 2));
	run->snapshot.lost_events = fl_reader_number(&r->file, 3);
	run->snapshot.lost_records = fl_reader_number(&r->file, 4);
	return 0;
}

/* What the snapshot tells VMs and vCPUs by are kernel addresses; these do, too. */
static int load_vcpus(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	struct fl_vcpu_snapshot *vcpu;
	int ret;

	if (fl_reader_ask(&r->file, "SELECT vcpus.vm, pid, id, tid, vendor, seen_ns FROM vcpus JOIN vms"
			  " USING (run, interval, vm) WHERE run = ?1 AND interval = ?2 ORDER BY vcpu",
			  r->run, run->interval))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1) {
		vcpu = reallocarray(snapshot->vcpus, snapshot->nr_vcpus + 1, sizeof(*vcpu));
		if (!vcpu)
			return fl_fail("out of memory; free some and try again");
		snapshot->vcpus = vcpu;
		vcpu += snapshot->nr_vcpus++;
		memset(vcpu, 0, sizeof(*vcpu));
		vcpu->kvm = (__u64)fl_reader_number(&r->file, 0) + 1;
		vcpu->kvm_vcpu = vcpu->seen_ns = fl_reader_number(&r->file, 5);
		vcpu->slot = FL_NO_SLOT;
		vcpu->pid = fl_reader_number(&r->file, 1);
		vcpu->id = fl_reader_number(&r->file, 2);
		vcpu->tid = fl_reader_number(&r->file, 3);
		vcpu->tally.isa = fl_vendor_isa(fl_reader_text(&r->file, 4));
	}
	return ret;
}

static int load_counts(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	int ret;

	if (fl_reader_ask(&r->file, "SELECT vcpu, figure, value FROM counts WHERE run = ?1 AND interval = ?2",
		r->run, run->interval))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1) {
		__u64 vcpu = fl_reader_number(&r->file, 0), figure = fl_reader_number(&r->file, 1);

		/* vCPUs are numbered from 0 on, in the order of their rows. */
		if (vcpu >= snapshot->nr_vcpus || figure > (__u64)r->nr_places)
			return fl_reader_fail(&r->file, "it has counts of what it doesn't have");
		if (r->places[figure] >= 0)
			*(__u64 *)((char *)&snapshot->vcpus[vcpu].tally + r->places[figure]) = fl_reader_number(&r->file, 2);
	}
	return ret;
}

static int load_names(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;
	int ret;

	if (fl_reader_ask(&r->file, "SELECT vm, name FROM vms WHERE run = ?1 AND interval = ?2",
			  r->run, run->interval))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1) {
		for (i = 0; i < snapshot->nr_vms; i++) {
			struct fl_vm_snapshot *vm = &snapshot->vms[i];

			if (vm->kvm == (__u64)fl_reader_number(&r->file, 0) + 1)
				fl_load_text(vm->name, sizeof(vm->name), fl_reader_text(&r->file, 1));
		}
	}
	return ret;
}

static int find_areas(struct reader *r)
{
	return fl_reader_ask_number(&r->file, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
				    " AND sql NOT LIKE 'CREATE VIRTUAL%' AND name = 'areas'", 0,
				    &r->has_areas);
}

static void load_area(struct reader *r, struct fl_area_snapshot *area)
{
	memset(area, 0, sizeof(*area));
	area->key.pid = fl_reader_number(&r->file, 0);
	area->key.start = fl_reader_number(&r->file, 1);
	area->key.end = fl_reader_number(&r->file, 2);
	fl_load_text(area->area.name, sizeof(area->area.name), fl_reader_text(&r->file, 3));
	area->area.touches = fl_reader_number(&r->file, 4);
	area->area.minor = fl_reader_number(&r->file, 5);
	area->area.major = fl_reader_number(&r->file, 6);
	area->area.ns = fl_reader_number(&r->file, 7);
}

static int load_areas(struct reader *r, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	struct fl_area_snapshot *areas;
	int ret;

	if (!r->has_areas)
		return 0;
	if (fl_reader_ask(&r->file, "SELECT pid, first, last, name, touches, minor, major, total_ns"
			  " FROM areas WHERE run = ?1 AND interval = ?2", r->run, run->interval))
		return -1;
	while ((ret = fl_reader_next(&r->file)) == 1) {
		areas = reallocarray(snapshot->areas, snapshot->nr_areas + 1, sizeof(*areas));
		if (!areas)
			return fl_fail("out of memory; free some and try again");
		snapshot->areas = areas;
		load_area(r, &areas[snapshot->nr_areas++]);
	}
	return ret;
}

/* Frees the snapshot if it returns -1. */
static int load(struct reader *r, long long interval, struct fl_run *run)
{
	if (load_interval(r, interval, run))
		return -1;
	if (load_vcpus(r, run) || load_counts(r, run) || load_areas(r, run)) {
		fl_snapshot_free(&run->snapshot);
		return -1;
	}
	if (fl_snapshot_sum_up(&run->snapshot))
		return -1;
	if (load_names(r, run) ||
	    (!fl_run_is_sound(run) && fl_reader_fail(&r->file, "its figures don't add up"))) {
		fl_snapshot_free(&run->snapshot);
		return -1;
	}
	return 0;
}

/* ---- Runs ---- */

/* The number of the interval after @interval, or -1. */
static int next_interval(struct reader *r, long long *interval)
{
	int ret;

	if (fl_reader_ask(&r->file, "SELECT min(interval) FROM intervals WHERE run = ?1 AND interval > ?2",
		r->run, *interval))
		return -1;
	ret = fl_reader_next(&r->file);
	*interval = ret == 1 && fl_reader_is_number(&r->file, 0) ? fl_reader_number(&r->file, 0) : -1;
	if (*interval > UINT_MAX)
		return fl_reader_fail(&r->file, "intervals have strange numbers");
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
	long long interval = 0;
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
	long long has_whole;
	struct fl_run whole;
	int ret = 0;

	if (load_labels(r) ||
	    fl_reader_ask_number(&r->file, "SELECT 1 FROM intervals WHERE run = ?1 AND interval = 0",
				 r->run, &has_whole))
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

	r->run = 0;
	for (;;) {
		if (fl_reader_ask(&r->file, "SELECT min(run) FROM runs WHERE run > ?1", r->run, 0))
			return -1;
		ret = fl_reader_next(&r->file);
		if (ret < 0)
			return -1;
		if (!fl_reader_is_number(&r->file, 0))
			return r->run ? 0 : fl_fail("%s has no run; was its recording cut off in its first interval?",
						    r->file.path);
		r->run = fl_reader_number(&r->file, 0);
		if (load_run(r, intervals, handle, data))
			return -1;
	}
}

int fl_runfile_load(const char *path, bool intervals, fl_run_handler *handle, void *data)
{
	struct reader r = { .places = NULL };
	int ret = -1;

	if (fl_reader_open(&r.file, path))
		return -1;
	if (!find_areas(&r) && !load_figures(&r))
		ret = load_runs(&r, intervals, handle, data);
	fl_reader_close(&r.file);
	free(r.places);
	return ret;
}
