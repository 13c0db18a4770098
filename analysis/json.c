// SPDX-License-Identifier: GPL-2.0
/* A run as JSON, schema faultline.run/1. See run.h, and docs/METHOD.md for the fields. */
#include <json-c/json.h>

#include "reasons.h"
#include "run.h"

static void add_count(struct json_object *object, const char *key, __u64 value)
{
	json_object_object_add(object, key, json_object_new_uint64(value));
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_ratio(struct json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.6f", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

static void add_classes(struct json_object *object, const char *key,
			const __u64 *counts)
{
	struct json_object *classes = json_object_new_object();
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++)
		add_count(classes, fl_class_name(i), counts[i]);
	json_object_object_add(object, key, classes);
}

static void add_reasons(struct json_object *object, const struct fl_tally *tally)
{
	struct json_object *reasons = json_object_new_object();
	char name[FL_REASON_NAME];
	__u32 slot;

	for (slot = 0; slot < FL_NR_REASONS; slot++) {
		if (tally->reasons[slot])
			add_count(reasons, fl_reason_name(tally->isa, slot, name),
				  tally->reasons[slot]);
	}
	json_object_object_add(object, "exit_reasons", reasons);
}

static void add_histogram(struct json_object *object, const __u64 *histogram)
{
	struct json_object *buckets = json_object_new_object();
	char name[8];
	int i;

	for (i = 1; i < FL_HISTOGRAM; i++) {
		/* The first few always, so that runs compare at a glance. */
		if (histogram[i] || i <= 4)
			add_count(buckets, fl_bucket_name(name, sizeof(name), i), histogram[i]);
	}
	json_object_object_add(object, "histogram", buckets);
}

/* What nothing was timed of has none. */
static void add_time(struct json_object *object, const char *key,
		     const struct fl_durations *durations)
{
	struct json_object *time;

	if (!durations->count)
		return;
	time = json_object_new_object();
	add_count(time, "count", durations->count);
	add_count(time, "mean", fl_durations_mean(durations));
	add_count(time, "p50", fl_durations_quantile(durations, 0.5));
	add_count(time, "p99", fl_durations_quantile(durations, 0.99));
	add_count(time, "max", durations->max_ns);
	json_object_object_add(object, key, time);
}

static void add_times(struct json_object *object, const struct fl_tally *tally)
{
	struct json_object *times = json_object_new_object();
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++)
		add_time(times, fl_class_name(i), &tally->durations[i]);
	json_object_object_add(object, "time_ns", times);
	add_time(object, "fault_time_ns", &tally->fault_durations);
}

static void add_events(struct json_object *object, const struct fl_mmu_events *events)
{
	struct json_object *mmu = json_object_new_object();

	add_count(mmu, "injected", events->injected);
	add_count(mmu, "unsynced", events->unsynced);
	add_count(mmu, "mapped", events->mapped);
	add_count(mmu, "emulated", events->emulated);
	json_object_object_add(object, "mmu_events", mmu);
}

/* ---- The host's own page faults ---- */

static void add_page_sizes(struct json_object *object, const struct fl_host_faults *faults)
{
	struct json_object *sizes = json_object_new_object();
	int level;

	for (level = 1; level < FL_HOST_LEVELS; level++)
		add_count(sizes, fl_page_size_name(level), faults->pages[level]);
	json_object_object_add(object, "page_sizes", sizes);
}

/* Only where there were any: where KVM shadows page tables, there are none. */
static void add_host_faults(struct json_object *object, const struct fl_tally *tally)
{
	struct json_object *faults, *kinds, *times;
	int i;

	if (!fl_tally_host_faults(tally))
		return;
	faults = json_object_new_object();
	kinds = json_object_new_object();
	times = json_object_new_object();
	add_count(faults, "total", fl_tally_host_faults(tally));
	add_count(faults, "first_touches", fl_tally_first_touches(tally));
	for (i = 0; i < FL_NR_HOST_KINDS; i++) {
		add_count(kinds, fl_host_kind_name(i), tally->host.kinds[i]);
		add_time(times, fl_host_kind_name(i), &tally->host.durations[i]);
	}
	json_object_object_add(faults, "kinds", kinds);
	add_page_sizes(faults, &tally->host);
	json_object_object_add(faults, "time_ns", times);
	json_object_object_add(object, "host_faults", faults);
}

/* An address has more bits than a number in JSON is sure to have. */
static void add_address(struct json_object *object, const char *key, __u64 address)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", address);
	add_text(object, key, text);
}

static struct json_object *area_to_json(const struct fl_area_snapshot *area)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "name", fl_area_name(area));
	add_text(object, "file", area->area.name);
	add_count(object, "pid", area->key.pid);
	add_address(object, "start", area->key.start);
	add_address(object, "end", area->key.end);
	add_count(object, "touches", area->area.touches);
	add_count(object, "minor", area->area.minor);
	add_count(object, "major", area->area.major);
	add_count(object, "total_ns", area->area.ns);
	return object;
}

static void add_areas(struct json_object *object, const struct fl_snapshot *snapshot)
{
	struct json_object *areas = json_object_new_array();
	size_t i;

	for (i = 0; i < snapshot->nr_areas; i++)
		json_object_array_add(areas, area_to_json(&snapshot->areas[i]));
	json_object_object_add(object, "touched_areas", areas);
}

/* ---- All of it ---- */

/* What the whole, each VM and each vCPU have. */
static void add_figures(struct json_object *object, const struct fl_tally *tally)
{
	add_count(object, "guest_faults", fl_tally_guest_faults(tally));
	add_count(object, "exits_total", tally->counts.exits);
	add_count(object, "exits_in_episodes", fl_tally_exits_in_episodes(tally));
	if (fl_tally_lacks_ratio(tally))
		json_object_object_add(object, "exits_per_guest_fault", NULL);
	else
		add_ratio(object, "exits_per_guest_fault", fl_tally_exits_per_guest_fault(tally));
	add_classes(object, "classes", tally->counts.classes);
	add_classes(object, "classes_in_episodes", tally->counts.in_episodes);
	add_histogram(object, tally->counts.histogram);
	add_count(object, "open_episodes", tally->open_episodes);
	add_host_faults(object, tally);
	json_object_object_add(object, "faults_bypass", json_object_new_boolean(tally->faults_bypass));
}

static void add_vcpus(struct json_object *object, const struct fl_snapshot *snapshot, size_t vm)
{
	struct json_object *vcpus = json_object_new_array();
	size_t i;

	for (i = 0; i < snapshot->nr_vcpus; i++) {
		const struct fl_vcpu_snapshot *vcpu = &snapshot->vcpus[i];
		struct json_object *entry;

		if (vcpu->vm != vm)
			continue;
		entry = json_object_new_object();
		json_object_object_add(entry, "id", json_object_new_int(vcpu->id));
		add_count(entry, "tid", vcpu->tid);
		add_figures(entry, &vcpu->tally);
		json_object_array_add(vcpus, entry);
	}
	json_object_object_add(object, "vcpus", vcpus);
}

static void add_vms(struct json_object *object, const struct fl_snapshot *snapshot)
{
	struct json_object *vms = json_object_new_array();
	size_t i;

	for (i = 0; i < snapshot->nr_vms; i++) {
		const struct fl_vm_snapshot *vm = &snapshot->vms[i];
		struct json_object *entry = json_object_new_object();

		add_text(entry, "name", vm->name);
		add_count(entry, "pid", vm->pid);
		add_figures(entry, &vm->tally);
		add_times(entry, &vm->tally);
		add_vcpus(entry, snapshot, i);
		json_object_array_add(vms, entry);
	}
	json_object_object_add(object, "vms", vms);
}

static void add_labels(struct json_object *object, const struct fl_run *run)
{
	add_text(object, "schema", "faultline.run/1");
	add_text(object, "line", run->line);
	add_text(object, "kernel", run->host.kernel);
	add_text(object, "cpu", run->host.cpu);
	add_text(object, "vendor", fl_vendor_name(fl_run_isa(run)));
	add_text(object, "mmu", fl_run_mmu(run));
	add_text(object, "policy", run->policy);
	add_text(object, "workload", run->workload);
	add_text(object, "paging", run->paging);
	add_text(object, "command", run->command);
	add_text(object, "level", fl_run_level(run));
	if (!run->interval)
		return;
	add_count(object, "interval", run->interval);
	add_count(object, "start_ns", run->start_ns);
}

static struct json_object *run_to_json(const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	struct json_object *object = json_object_new_object();

	add_labels(object, run);
	add_count(object, "vcpus", snapshot->nr_vcpus);
	add_figures(object, &snapshot->total);
	add_times(object, &snapshot->total);
	add_reasons(object, &snapshot->total);
	add_events(object, &snapshot->total.events);
	if (fl_tally_host_faults(&snapshot->total))
		add_areas(object, snapshot);
	add_vms(object, snapshot);
	add_count(object, "lost_events", snapshot->lost_events);
	add_count(object, "duration_ns", run->duration_ns);
	add_text(object, "clock", run->clock);
	return object;
}

int fl_run_print_json(const struct fl_run *run, FILE *out)
{
	struct json_object *object = run_to_json(run);

	fprintf(out, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return fl_run_flush(out);
}
