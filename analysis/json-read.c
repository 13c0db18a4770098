// SPDX-License-Identifier: GPL-2.0
/*
 * Results in JSON, read back. See json-read.h; json.c prints them. A file may have
 * several objects, one after the other, as `faultline stat -i` prints them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json-read.h"
#include "load.h"
#include "reasons.h"

/* ---- JSON, with "" and 0 for what isn't there ---- */

static const char *text(struct json_object *object, const char *key)
{
	const char *value = json_object_get_string(json_object_object_get(object, key));

	return value ? value : "";
}

static __u64 number(struct json_object *object, const char *key)
{
	return json_object_get_uint64(json_object_object_get(object, key));
}

/* Member @key if it is of @type, or NULL, which json-c takes for one without members. */
static struct json_object *member(struct json_object *object, const char *key, enum json_type type)
{
	struct json_object *value = json_object_object_get(object, key);

	return json_object_is_type(value, type) ? value : NULL;
}

static struct json_object *members(struct json_object *object, const char *key)
{
	return member(object, key, json_type_object);
}

static size_t length(struct json_object *array)
{
	return array ? json_object_array_length(array) : 0;
}

/* ---- A tally ---- */

static void parse_classes(struct json_object *classes, __u64 *counts)
{
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++)
		counts[i] = number(classes, fl_class_name(i));
}

static void parse_histogram(struct json_object *buckets, __u64 *histogram)
{
	char name[8];
	int i;

	for (i = 1; i < FL_HISTOGRAM; i++)
		histogram[i] = number(buckets, fl_bucket_name(name, sizeof(name), i));
}

/* How many a quantile is no shorter than, as fl_durations_quantile() has it. */
static __u64 rank_of(const struct fl_durations *durations, double share)
{
	__u64 rank = share * durations->count;

	return rank < share * durations->count ? rank + 1 : rank;
}

/* Have @rank of them in buckets up to that of @ns. */
static void fill_up(struct fl_durations *durations, __u64 *filled, __u64 rank, __u64 ns)
{
	if (rank > *filled) {
		durations->buckets[fl_duration_bucket(ns & (~0ULL >> 1))] += rank - *filled;
		*filled = rank;
	}
}

/* Durations whose count, mean, quantiles and maximum are those that were printed. */
static void parse_durations(struct json_object *time, struct fl_durations *durations)
{
	__u64 filled = 0;

	durations->count = number(time, "count");
	durations->sum_ns = number(time, "mean") * durations->count;
	durations->max_ns = number(time, "max");
	fill_up(durations, &filled, rank_of(durations, 0.5), number(time, "p50"));
	fill_up(durations, &filled, rank_of(durations, 0.99), number(time, "p99"));
	fill_up(durations, &filled, durations->count, durations->max_ns);
}

static void parse_times(struct json_object *object, struct fl_tally *tally)
{
	struct json_object *times = members(object, "time_ns");
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++)
		parse_durations(members(times, fl_class_name(i)), &tally->durations[i]);
	parse_durations(members(object, "fault_time_ns"), &tally->fault_durations);
}

static void parse_reasons(struct json_object *reasons, struct fl_tally *tally)
{
	if (!reasons)
		return;
	json_object_object_foreach(reasons, name, count)
		tally->reasons[fl_reason_by_name(tally->isa, name)] += json_object_get_uint64(count);
}

static void parse_events(struct json_object *events, struct fl_mmu_events *mmu)
{
	mmu->injected = number(events, "injected");
	mmu->unsynced = number(events, "unsynced");
	mmu->mapped = number(events, "mapped");
	mmu->emulated = number(events, "emulated");
}

static void parse_host_faults(struct json_object *object, struct fl_host_faults *faults)
{
	struct json_object *kinds = members(object, "kinds"), *times = members(object, "time_ns");
	struct json_object *sizes = members(object, "page_sizes");
	int i;

	for (i = 0; i < FL_NR_HOST_KINDS; i++) {
		faults->kinds[i] = number(kinds, fl_host_kind_name(i));
		parse_durations(members(times, fl_host_kind_name(i)), &faults->durations[i]);
	}
	for (i = 0; i < FL_HOST_LEVELS; i++)
		faults->pages[i] = number(sizes, fl_page_size_name(i));
}

/* What add_figures() of json.c prints. */
static void parse_figures(struct json_object *object, struct fl_tally *tally)
{
	tally->counts.guest_faults = number(object, "guest_faults");
	tally->counts.exits = number(object, "exits_total");
	parse_classes(members(object, "classes"), tally->counts.classes);
	parse_classes(members(object, "classes_in_episodes"), tally->counts.in_episodes);
	parse_histogram(members(object, "histogram"), tally->counts.histogram);
	tally->open_episodes = number(object, "open_episodes");
	parse_host_faults(members(object, "host_faults"), &tally->host);
	tally->faults_bypass = json_object_get_boolean(json_object_object_get(object, "faults_bypass"));
}

/* ---- A snapshot ---- */

static void parse_vcpus(struct json_object *array, size_t vm, struct fl_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < length(array); i++) {
		struct json_object *object = json_object_array_get_idx(array, i);
		struct fl_vcpu_snapshot *vcpu = &snapshot->vcpus[snapshot->nr_vcpus++];

		vcpu->vm = vm;
		vcpu->pid = snapshot->vms[vm].pid;
		vcpu->tid = number(object, "tid");
		vcpu->id = json_object_get_int(json_object_object_get(object, "id"));
		vcpu->slot = FL_NO_SLOT;
		parse_figures(object, &vcpu->tally);
	}
}

static void parse_vm(struct json_object *object, struct fl_snapshot *snapshot)
{
	struct json_object *vcpus = member(object, "vcpus", json_type_array);
	size_t index = snapshot->nr_vms++;
	struct fl_vm_snapshot *vm = &snapshot->vms[index];

	vm->pid = number(object, "pid");
	vm->nr_vcpus = length(vcpus);
	fl_load_text(vm->name, sizeof(vm->name), text(object, "name"));
	parse_figures(object, &vm->tally);
	parse_times(object, &vm->tally);
	parse_vcpus(vcpus, index, snapshot);
}

static int parse_vms(struct json_object *array, struct fl_snapshot *snapshot)
{
	size_t nr = length(array), nr_vcpus = 0, i;

	for (i = 0; i < nr; i++)
		nr_vcpus += length(member(json_object_array_get_idx(array, i), "vcpus", json_type_array));
	snapshot->vms = calloc(nr + 1, sizeof(*snapshot->vms));
	snapshot->vcpus = calloc(nr_vcpus + 1, sizeof(*snapshot->vcpus));
	if (!snapshot->vms || !snapshot->vcpus)
		return fl_fail("out of memory; free some and try again");
	for (i = 0; i < nr; i++)
		parse_vm(json_object_array_get_idx(array, i), snapshot);
	return 0;
}

static void parse_area(struct json_object *object, struct fl_area_snapshot *area)
{
	area->key.pid = number(object, "pid");
	area->key.start = strtoull(text(object, "start"), NULL, 16);
	area->key.end = strtoull(text(object, "end"), NULL, 16);
	fl_load_text(area->area.name, sizeof(area->area.name), text(object, "file"));
	area->area.touches = number(object, "touches");
	area->area.minor = number(object, "minor");
	area->area.major = number(object, "major");
	area->area.ns = number(object, "total_ns");
}

static int parse_areas(struct json_object *array, struct fl_snapshot *snapshot)
{
	size_t nr = length(array), i;

	snapshot->areas = calloc(nr + 1, sizeof(*snapshot->areas));
	if (!snapshot->areas)
		return fl_fail("out of memory; free some and try again");
	for (i = 0; i < nr; i++)
		parse_area(json_object_array_get_idx(array, i), &snapshot->areas[i]);
	snapshot->nr_areas = nr;
	return 0;
}

/* ---- A run ---- */

static void parse_labels(struct json_object *object, struct fl_run *run)
{
	const struct fl_label *label;

	for (label = fl_labels; label->name; label++)
		fl_load_text((char *)run + label->place, label->size, text(object, label->name));
	run->host_isa = fl_vendor_isa(text(object, "vendor"));
	run->interval = number(object, "interval");
	run->start_ns = number(object, "start_ns");
	run->duration_ns = number(object, "duration_ns");
}

static int parse_run(struct json_object *object, struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;
	struct fl_tally *total = &snapshot->total;

	memset(run, 0, sizeof(*run));
	parse_labels(object, run);
	total->isa = run->host_isa;
	parse_figures(object, total);
	parse_times(object, total);
	parse_reasons(members(object, "exit_reasons"), total);
	parse_events(members(object, "mmu_events"), &total->events);
	snapshot->lost_events = number(object, "lost_events");
	return parse_areas(member(object, "touched_areas", json_type_array), snapshot) ||
	       parse_vms(member(object, "vms", json_type_array), snapshot) ? -1 : 0;
}

/* ---- A file ---- */

struct reader {
	const char *path;
	bool intervals;
	fl_run_handler *handle;
	void *data;
	size_t nr;		/* runs that were found, and may have been passed over */
};

static int handle_run(struct reader *r, struct json_object *object)
{
	struct fl_run run;
	int ret;

	r->nr++;
	if (!r->intervals && number(object, "interval"))
		return 0;
	ret = parse_run(object, &run);
	if (!ret && (!fl_run_is_sound(&run) ||
		     fl_tally_exits_in_episodes(&run.snapshot.total) != number(object, "exits_in_episodes")))
		ret = fl_fail("cannot read %s: the figures of run %zu don't add up; measure again",
			      r->path, r->nr);
	if (!ret)
		ret = r->handle(&run, r->data);
	fl_snapshot_free(&run.snapshot);
	return ret;
}

/* One object of the file: a run, a list of them, or something else. */
static int handle_object(struct reader *r, struct json_object *object)
{
	const char *schema = text(object, "schema");
	struct json_object *runs;
	size_t i;
	int ret = 0;

	if (!strcmp(schema, "faultline.run/1"))
		return handle_run(r, object);
	if (strcmp(schema, "faultline.results/1"))
		return 0;
	runs = member(object, "runs", json_type_array);
	for (i = 0; !ret && i < length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!strcmp(text(run, "schema"), "faultline.run/1"))
			ret = handle_run(r, run);
	}
	return ret;
}

static int fail_at(const struct reader *r, size_t place, enum json_tokener_error error)
{
	if (error == json_tokener_continue)
		return fl_fail("cannot read %s: it ends within an object; was what wrote it cut off?", r->path);
	return fl_fail("cannot read %s: it is not JSON at byte %zu (%s)", r->path, place,
		       json_tokener_error_desc(error));
}

static int handle_text(struct reader *r, const char *json, size_t size)
{
	struct json_tokener *tokener = json_tokener_new();
	enum json_tokener_error error;
	size_t used = 0;
	int ret = 0;

	while (!ret && used < size) {
		struct json_object *object = json_tokener_parse_ex(tokener, json + used, size - used);

		used += json_tokener_get_parse_end(tokener);
		error = json_tokener_get_error(tokener);
		ret = error == json_tokener_success ? handle_object(r, object) : fail_at(r, used, error);
		json_object_put(object);
		while (used < size && strchr(" \t\r\n", json[used]))
			used++;
	}
	json_tokener_free(tokener);
	return ret;
}

/* The whole file and a NUL, which json-c wants to see the end of it. NULL on failure. */
static char *read_whole(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	char *content = NULL;
	size_t room = 0;

	*size = 0;
	if (file) {
		ssize_t got = getdelim(&content, &room, EOF, file);

		*size = got < 0 ? 0 : got;
	}
	if (!file || ferror(file)) {
		fl_fail("cannot read %s: %s", path, strerror(errno));
		free(content);
		content = NULL;
	}
	if (file)
		fclose(file);
	return content;
}

int fl_json_load(const char *path, bool intervals, fl_run_handler *handle, void *data)
{
	struct reader r = { .path = path, .intervals = intervals, .handle = handle, .data = data };
	size_t size;
	char *content = read_whole(path, &size);
	int ret;

	if (!content)
		return -1;
	ret = handle_text(&r, content, size);
	if (!ret && !r.nr)
		ret = fl_fail("%s has no run of schema faultline.run/1; 'faultline stat --json' prints one", path);
	free(content);
	return ret;
}
