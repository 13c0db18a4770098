// SPDX-License-Identifier: GPL-2.0
/* One measurement's figures and labels, as JSON and as a table. See run.h. */
#include <errno.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "reasons.h"
#include "run.h"

static const char *const class_names[FL_NR_CLASSES] = {
	[FL_INJECT] = "inject",
	[FL_PTE_WRITE] = "pte-write",
	[FL_UNSYNC] = "unsync",
	[FL_INVLPG] = "invlpg",
	[FL_REFAULT] = "refault",
	[FL_FILL] = "fill",
	[FL_CR] = "cr",
	[FL_MMIO] = "mmio",
	[FL_ASYNC] = "async",
	[FL_OTHER] = "other",
};

const char *fl_class_name(enum fl_class class)
{
	return class_names[class];
}

void fl_run_init(struct fl_run *run)
{
	memset(run, 0, sizeof(*run));
	fl_host_read(&run->host);
	snprintf(run->line, sizeof(run->line), "%s", run->host.line);
	snprintf(run->policy, sizeof(run->policy), "%s", run->host.policy);
	snprintf(run->clock, sizeof(run->clock), "wall");
}

int fl_run_set_label(struct fl_run *run, const char *assignment)
{
	const struct {
		const char *key;
		char *value;
		size_t size;
	} labels[] = {
		{ "line", run->line, sizeof(run->line) },
		{ "policy", run->policy, sizeof(run->policy) },
		{ "workload", run->workload, sizeof(run->workload) },
		{ "paging", run->paging, sizeof(run->paging) },
		{ "clock", run->clock, sizeof(run->clock) },
	};
	size_t key_length = strcspn(assignment, "=");
	const char *value = assignment + key_length + 1;
	size_t i;

	for (i = 0; assignment[key_length] && i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (strlen(labels[i].key) != key_length ||
		    strncmp(labels[i].key, assignment, key_length))
			continue;
		if (strlen(value) >= labels[i].size)
			return fl_fail("--set %s is too long; %zu characters are the limit",
				       assignment, labels[i].size - 1);
		strcpy(labels[i].value, value);
		return 0;
	}
	return fl_fail("--set %s is not KEY=VALUE with a known KEY: line, policy, workload, paging or clock",
		       assignment);
}

__u64 fl_run_exits_in_episodes(const struct fl_run *run)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++)
		sum += run->snapshot.counts.in_episodes[i];
	return sum;
}

double fl_run_exits_per_guest_fault(const struct fl_run *run)
{
	__u64 faults = run->snapshot.counts.guest_faults;

	return faults ? (double)fl_run_exits_in_episodes(run) / faults : 0;
}

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
		add_count(classes, class_names[i], counts[i]);
	json_object_object_add(object, key, classes);
}

static void add_reasons(struct json_object *object, const struct fl_snapshot *snapshot)
{
	struct json_object *reasons = json_object_new_object();
	char name[FL_REASON_NAME];
	__u32 slot;

	for (slot = 0; slot < FL_NR_REASONS; slot++) {
		if (snapshot->reasons[slot])
			add_count(reasons, fl_reason_name(snapshot->isa, slot, name),
				  snapshot->reasons[slot]);
	}
	json_object_object_add(object, "exit_reasons", reasons);
}

/* "16+" is the bucket for episodes of 16 exits and more. */
static void bucket_name(char *name, size_t size, int bucket)
{
	snprintf(name, size, bucket == FL_HISTOGRAM - 1 ? "%d+" : "%d", bucket);
}

static void add_histogram(struct json_object *object, const __u64 *histogram)
{
	struct json_object *buckets = json_object_new_object();
	char name[8];
	int i;

	for (i = 1; i < FL_HISTOGRAM; i++) {
		/* The first few always, so that runs compare at a glance. */
		if (!histogram[i] && i > 4)
			continue;
		bucket_name(name, sizeof(name), i);
		add_count(buckets, name, histogram[i]);
	}
	json_object_object_add(object, "histogram", buckets);
}

static struct json_object *run_to_json(const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	struct json_object *object = json_object_new_object();

	add_text(object, "schema", "faultline.run/1");
	add_text(object, "line", run->line);
	add_text(object, "kernel", run->host.kernel);
	add_text(object, "vendor", fl_vendor_name(snapshot->isa));
	add_text(object, "mmu", fl_mmu_name(snapshot->isa));
	add_text(object, "policy", run->policy);
	add_text(object, "workload", run->workload);
	add_text(object, "paging", run->paging);
	add_count(object, "vcpus", snapshot->nr_vcpus);
	add_count(object, "guest_faults", snapshot->counts.guest_faults);
	add_count(object, "exits_total", snapshot->counts.exits);
	add_count(object, "exits_in_episodes", fl_run_exits_in_episodes(run));
	add_ratio(object, "exits_per_guest_fault", fl_run_exits_per_guest_fault(run));
	add_classes(object, "classes", snapshot->counts.classes);
	add_classes(object, "classes_in_episodes", snapshot->counts.in_episodes);
	add_histogram(object, snapshot->counts.histogram);
	add_reasons(object, snapshot);
	add_count(object, "open_episodes", snapshot->open_episodes);
	add_count(object, "lost_events", snapshot->lost_events);
	add_count(object, "duration_ns", run->duration_ns);
	add_text(object, "clock", run->clock);
	return object;
}

/* A closed pipe or a full disk shows when the buffer goes out. */
static int finish(FILE *out)
{
	if (fflush(out) || ferror(out))
		return fl_fail("cannot write the result: %s", strerror(errno));
	return 0;
}

int fl_run_print_json(const struct fl_run *run, FILE *out)
{
	struct json_object *object = run_to_json(run);

	fprintf(out, "%s\n",
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return finish(out);
}

static void print_classes(const struct fl_run *run, FILE *out)
{
	const struct fl_counts *counts = &run->snapshot.counts;
	int i;

	fprintf(out, "  %-12s %14s %8s %14s\n", "class", "exits", "share", "in episodes");
	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (!counts->classes[i])
			continue;
		fprintf(out, "  %-12s %14llu %7.1f%% %14llu\n", class_names[i],
			counts->classes[i],
			100.0 * counts->classes[i] / counts->exits,
			counts->in_episodes[i]);
	}
	fprintf(out, "  %-12s %14llu %8s %14llu\n", "total", counts->exits, "",
		fl_run_exits_in_episodes(run));
}

static void print_histogram(const __u64 *histogram, FILE *out)
{
	char name[8];
	int i;

	fprintf(out, "\n  %-12s %14s\n", "episode of", "guest faults");
	for (i = 1; i < FL_HISTOGRAM; i++) {
		if (!histogram[i])
			continue;
		bucket_name(name, sizeof(name), i);
		fprintf(out, "  %2s %-9s %14llu\n", name, i == 1 ? "exit" : "exits",
			histogram[i]);
	}
}

static void print_reasons(const struct fl_snapshot *snapshot, FILE *out)
{
	char name[FL_REASON_NAME];
	__u32 slot;

	fprintf(out, "\n  %-20s %6s\n", "exit reason", "exits");
	for (slot = 0; slot < FL_NR_REASONS; slot++) {
		if (snapshot->reasons[slot])
			fprintf(out, "  %-18s %8llu\n",
				fl_reason_name(snapshot->isa, slot, name),
				snapshot->reasons[slot]);
	}
}

int fl_run_print_table(const struct fl_run *run, FILE *out)
{
	const struct fl_snapshot *snapshot = &run->snapshot;

	fprintf(out, "\nLinux %s, %s, %s paging, policy %s, %llu vCPU%s, %.3f s\n\n",
		run->host.kernel, fl_vendor_name(snapshot->isa),
		fl_mmu_name(snapshot->isa), run->policy,
		snapshot->nr_vcpus, snapshot->nr_vcpus == 1 ? "" : "s",
		run->duration_ns / 1e9);
	print_classes(run, out);
	if (snapshot->counts.exits)
		print_reasons(snapshot, out);
	if (snapshot->counts.guest_faults)
		print_histogram(snapshot->counts.histogram, out);
	fprintf(out, "\n  %llu guest faults, %.3f exits per guest fault\n",
		snapshot->counts.guest_faults, fl_run_exits_per_guest_fault(run));
	if (snapshot->open_episodes)
		fprintf(out, "  %llu of them were still being dealt with at the end\n",
			snapshot->open_episodes);
	if (snapshot->lost_events)
		fprintf(out, "  %llu events were LOST: the counts are too low\n",
			snapshot->lost_events);
	fputc('\n', out);
	return finish(out);
}
