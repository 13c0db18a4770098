// SPDX-License-Identifier: GPL-2.0
/* The one list of a tally's figures, and their names. See figures.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "host.h"
#include "reasons.h"
#include "run.h"

/* ---- Names in a group ---- */

/* Name member @index of a group, in @name if it has to be made up. */
typedef const char *name_of(__u32 index, char name[FL_REASON_NAME]);

static const char *number(__u32 index, char name[FL_REASON_NAME])
{
	snprintf(name, FL_REASON_NAME, "%u", index);
	return name;
}

/* The part of a name that says which element of an array is meant; "" of none. */
static const char *part_name(name_of *of, __u32 index, char name[FL_REASON_NAME])
{
	return of ? of(index, name) : "";
}

static const char *class(__u32 index, char name[FL_REASON_NAME])
{
	(void)name;
	return fl_class_name(index);
}

static const char *host_kind(__u32 index, char name[FL_REASON_NAME])
{
	(void)name;
	return fl_host_kind_name(index);
}

static const char *page_size(__u32 index, char name[FL_REASON_NAME])
{
	(void)name;
	return fl_page_size_name(index);
}

static const char *svm_reason(__u32 index, char name[FL_REASON_NAME])
{
	return fl_reason_name(FL_ISA_SVM, index, name);
}

static const char *vmx_reason(__u32 index, char name[FL_REASON_NAME])
{
	return fl_reason_name(FL_ISA_VMX, index, name);
}

static const char *pvm_reason(__u32 index, char name[FL_REASON_NAME])
{
	return fl_reason_name(FL_ISA_PVM, index, name);
}

static const char *other_reason(__u32 index, char name[FL_REASON_NAME])
{
	return fl_reason_name(0, index, name);
}

/* ---- The list ---- */

#define PLACE(member)	offsetof(struct fl_tally, member)
#define ANY_ISA		(~0U)

/*
 * Counters: one, whose name is @prefix, or (@name_of) an array of @nr. With @isa,
 * they are called so in tallies of that instruction set, and of one that isn't
 * known if it is 0.
 */
static const struct counters {
	const char *prefix;
	size_t place;
	__u32 nr;
	name_of *name_of;
	__u32 isa;
} counters[] = {
	{ "exits", PLACE(counts.exits), 1, NULL, ANY_ISA },
	{ "guest_faults", PLACE(counts.guest_faults), 1, NULL, ANY_ISA },
	{ "open_episodes", PLACE(open_episodes), 1, NULL, ANY_ISA },
	{ "faults_bypass", PLACE(faults_bypass), 1, NULL, ANY_ISA },
	{ "window_ns", PLACE(window_ns), 1, NULL, ANY_ISA },
	{ "class.", PLACE(counts.classes), FL_NR_CLASSES, class, ANY_ISA },
	{ "in_episodes.", PLACE(counts.in_episodes), FL_NR_CLASSES, class, ANY_ISA },
	{ "histogram.", PLACE(counts.histogram), FL_HISTOGRAM, number, ANY_ISA },
	{ "mmu.injected", PLACE(events.injected), 1, NULL, ANY_ISA },
	{ "mmu.unsynced", PLACE(events.unsynced), 1, NULL, ANY_ISA },
	{ "mmu.mapped", PLACE(events.mapped), 1, NULL, ANY_ISA },
	{ "mmu.emulated", PLACE(events.emulated), 1, NULL, ANY_ISA },
	{ "host.", PLACE(host.kinds), FL_NR_HOST_KINDS, host_kind, ANY_ISA },
	{ "host_pages.", PLACE(host.pages), FL_HOST_LEVELS, page_size, ANY_ISA },
	{ "reason.svm.", PLACE(reasons), FL_NR_REASONS, svm_reason, FL_ISA_SVM },
	{ "reason.vmx.", PLACE(reasons), FL_NR_REASONS, vmx_reason, FL_ISA_VMX },
	{ "reason.pvm.", PLACE(reasons), FL_NR_REASONS, pvm_reason, FL_ISA_PVM },
	{ "reason.unknown.", PLACE(reasons), FL_NR_REASONS, other_reason, 0 },
};

/* The same for struct fl_durations. */
static const struct timers {
	const char *prefix;
	size_t place;
	__u32 nr;
	name_of *name_of;
} timers[] = {
	{ "time.", PLACE(durations), FL_NR_CLASSES, class },
	{ "host_time.", PLACE(host.durations), FL_NR_HOST_KINDS, host_kind },
	{ "fault_time", PLACE(fault_durations), 1, NULL },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

/* ---- All of them ---- */

static __u64 value_at(const struct fl_tally *tally, size_t place)
{
	return *(const __u64 *)((const char *)tally + place);
}

static int visit_counters(const struct fl_tally *tally, const struct counters *group,
			  fl_figure_handler *handle, void *data)
{
	char name[FL_FIGURE_NAME], part[FL_REASON_NAME];
	int ret = 0;
	__u32 i;

	for (i = 0; !ret && i < group->nr; i++) {
		__u64 value = value_at(tally, group->place + i * sizeof(value));

		if (!value)
			continue;
		snprintf(name, sizeof(name), "%s%s", group->prefix,
			 part_name(group->name_of, i, part));
		ret = handle(name, value, data);
	}
	return ret;
}

/* A bucket is called by the shortest duration that falls into it. */
static int visit_durations(const char *prefix, const struct fl_durations *durations,
			   fl_figure_handler *handle, void *data)
{
	const struct {
		const char *name;
		__u64 value;
	} parts[] = {
		{ "count", durations->count },
		{ "sum_ns", durations->sum_ns },
		{ "max_ns", durations->max_ns },
	};
	char name[2 * FL_FIGURE_NAME];
	int ret = 0;
	__u32 i;

	for (i = 0; !ret && i < NR(parts); i++) {
		snprintf(name, sizeof(name), "%s.%s", prefix, parts[i].name);
		if (parts[i].value)
			ret = handle(name, parts[i].value, data);
	}
	for (i = 0; !ret && i < FL_DURATION_BUCKETS; i++) {
		snprintf(name, sizeof(name), "%s.from.%llu", prefix, fl_duration_floor(i));
		if (durations->buckets[i])
			ret = handle(name, durations->buckets[i], data);
	}
	return ret;
}

static int visit_timers(const struct fl_tally *tally, const struct timers *group,
			fl_figure_handler *handle, void *data)
{
	char name[FL_FIGURE_NAME], part[FL_REASON_NAME];
	int ret = 0;
	__u32 i;

	for (i = 0; !ret && i < group->nr; i++) {
		const void *durations = (const char *)tally + group->place;

		snprintf(name, sizeof(name), "%s%s", group->prefix, part_name(group->name_of, i, part));
		ret = visit_durations(name, (const struct fl_durations *)durations + i, handle, data);
	}
	return ret;
}

static bool is_known(__u32 isa)
{
	return isa == FL_ISA_SVM || isa == FL_ISA_VMX || isa == FL_ISA_PVM;
}

int fl_figures_each(const struct fl_tally *tally, fl_figure_handler *handle, void *data)
{
	__u32 isa = is_known(tally->isa) ? tally->isa : 0;
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < NR(counters); i++) {
		if (counters[i].isa == ANY_ISA || counters[i].isa == isa)
			ret = visit_counters(tally, &counters[i], handle, data);
	}
	for (i = 0; !ret && i < NR(timers); i++)
		ret = visit_timers(tally, &timers[i], handle, data);
	return ret;
}

/* ---- Back from a name ---- */

/* What follows @prefix in @name, or NULL. */
static const char *after(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(name, prefix, length) ? NULL : name + length;
}

static long find_counter(const struct counters *group, const char *name)
{
	const char *wanted = after(name, group->prefix);
	char part[FL_REASON_NAME];
	__u32 i;

	for (i = 0; wanted && i < group->nr; i++) {
		if (!strcmp(wanted, part_name(group->name_of, i, part)))
			return group->place + i * sizeof(__u64);
	}
	return -1;
}

static long find_bucket(const char *floor)
{
	char name[FL_FIGURE_NAME];
	__u32 bucket = fl_duration_bucket(strtoull(floor, NULL, 10) & (~0ULL >> 1));

	snprintf(name, sizeof(name), "%llu", fl_duration_floor(bucket));
	return strcmp(name, floor) ? -1 : (long)offsetof(struct fl_durations, buckets[bucket]);
}

static long find_part(const char *name)
{
	const char *floor = after(name, ".from.");

	if (floor)
		return find_bucket(floor);
	return !strcmp(name, ".count") ? (long)offsetof(struct fl_durations, count) :
	       !strcmp(name, ".sum_ns") ? (long)offsetof(struct fl_durations, sum_ns) :
	       !strcmp(name, ".max_ns") ? (long)offsetof(struct fl_durations, max_ns) : -1;
}

static long find_timer(const struct timers *group, const char *name)
{
	const char *wanted = after(name, group->prefix), *rest;
	char part[FL_REASON_NAME];
	long place = -1;
	__u32 i;

	for (i = 0; wanted && place < 0 && i < group->nr; i++) {
		rest = after(wanted, part_name(group->name_of, i, part));
		place = rest ? find_part(rest) : -1;
		if (place >= 0)
			return group->place + i * sizeof(struct fl_durations) + place;
	}
	return -1;
}

long fl_figure_offset(const char *name)
{
	long place = -1;
	size_t i;

	for (i = 0; place < 0 && i < NR(counters); i++)
		place = find_counter(&counters[i], name);
	for (i = 0; place < 0 && i < NR(timers); i++)
		place = find_timer(&timers[i], name);
	return place;
}
