// SPDX-License-Identifier: GPL-2.0
/* Snapshots: summed up by VM, subtracted, their durations evaluated. See snapshot.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "error.h"
#include "snapshot.h"

__u64 fl_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

/* ---- Tallies ---- */

/* Add up arrays of counters, or structs of nothing but counters. */
static void add_counters(void *sum, const void *counters, size_t size)
{
	const __u64 *from = counters;
	__u64 *to = sum;
	size_t i;

	for (i = 0; i < size / sizeof(*to); i++)
		to[i] += from[i];
}

static void subtract_counters(void *difference, const void *counters, size_t size)
{
	const __u64 *from = counters;
	__u64 *to = difference;
	size_t i;

	for (i = 0; i < size / sizeof(*to); i++)
		to[i] -= from[i];
}

static void add_durations(struct fl_durations *sum, const struct fl_durations *durations)
{
	__u64 max = sum->max_ns > durations->max_ns ? sum->max_ns : durations->max_ns;

	add_counters(sum, durations, sizeof(*sum));
	sum->max_ns = max;
}

static void add_host_faults(struct fl_host_faults *sum, const struct fl_host_faults *faults)
{
	int i;

	add_counters(sum->kinds, faults->kinds, sizeof(sum->kinds));
	add_counters(sum->pages, faults->pages, sizeof(sum->pages));
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		add_durations(&sum->durations[i], &faults->durations[i]);
}

void fl_tally_add(struct fl_tally *sum, const struct fl_tally *tally)
{
	int i;

	add_counters(&sum->counts, &tally->counts, sizeof(sum->counts));
	add_counters(&sum->events, &tally->events, sizeof(sum->events));
	add_counters(sum->reasons, tally->reasons, sizeof(sum->reasons));
	for (i = 0; i < FL_NR_CLASSES; i++)
		add_durations(&sum->durations[i], &tally->durations[i]);
	add_durations(&sum->fault_durations, &tally->fault_durations);
	add_host_faults(&sum->host, &tally->host);
	sum->open_episodes += tally->open_episodes;
	if (tally->window_ns > sum->window_ns)
		sum->window_ns = tally->window_ns;
	if (tally->isa)
		sum->isa = tally->isa;
	sum->faults_bypass += tally->faults_bypass;
}

/* The longest duration is not known of a difference, but its bucket is. */
static void bound_max(struct fl_durations *durations)
{
	__u64 end;
	int i;

	for (i = FL_DURATION_BUCKETS - 1; i >= 0 && !durations->buckets[i]; i--)
		;
	end = i < 0 ? 0 : i + 1 < FL_DURATION_BUCKETS ? fl_duration_floor(i + 1) : ~0ULL;
	if (durations->max_ns > end)
		durations->max_ns = end;
}

static void subtract_durations(struct fl_durations *now, const struct fl_durations *before)
{
	__u64 max = now->max_ns;

	subtract_counters(now, before, sizeof(*now));
	now->max_ns = max;
	bound_max(now);
}

static void subtract_host_faults(struct fl_host_faults *now, const struct fl_host_faults *before)
{
	int i;

	subtract_counters(now->kinds, before->kinds, sizeof(now->kinds));
	subtract_counters(now->pages, before->pages, sizeof(now->pages));
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		subtract_durations(&now->durations[i], &before->durations[i]);
}

static void subtract_tally(struct fl_tally *now, const struct fl_tally *before)
{
	int i;

	subtract_counters(&now->counts, &before->counts, sizeof(now->counts));
	subtract_counters(&now->events, &before->events, sizeof(now->events));
	subtract_counters(now->reasons, before->reasons, sizeof(now->reasons));
	for (i = 0; i < FL_NR_CLASSES; i++)
		subtract_durations(&now->durations[i], &before->durations[i]);
	subtract_durations(&now->fault_durations, &before->fault_durations);
	subtract_host_faults(&now->host, &before->host);
	now->window_ns -= before->window_ns;
}

static __u64 add_up(const __u64 *counts, int nr)
{
	__u64 total = 0;

	while (nr--)
		total += counts[nr];
	return total;
}

__u64 fl_tally_host_faults(const struct fl_tally *tally)
{
	return add_up(tally->host.kinds, FL_NR_HOST_KINDS);
}

__u64 fl_tally_first_touches(const struct fl_tally *tally)
{
	__u64 total = 0;
	int kind;

	for (kind = 0; fl_host_is_touch(kind); kind++)
		total += tally->host.kinds[kind];
	return total;
}

__u64 fl_tally_exits_in_episodes(const struct fl_tally *tally)
{
	return add_up(tally->counts.in_episodes, FL_NR_CLASSES);
}

double fl_tally_exits_per_guest_fault(const struct fl_tally *tally)
{
	__u64 faults = tally->counts.guest_faults;

	return faults ? (double)fl_tally_exits_in_episodes(tally) / faults : 0;
}

static bool are_sound(const struct fl_durations *durations)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < FL_DURATION_BUCKETS; i++)
		sum += durations->buckets[i];
	return sum == durations->count;
}

bool fl_tally_is_sound(const struct fl_tally *tally)
{
	const struct fl_counts *counts = &tally->counts;
	__u64 sum = 0;
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++) {
		sum += counts->classes[i];
		if (counts->in_episodes[i] > counts->classes[i] ||
		    !are_sound(&tally->durations[i]))
			return false;
	}
	return sum == counts->exits;
}

/* With SVM or VMX, events without an exit are those of one that is still open. */
bool fl_tally_lacks_exits(const struct fl_tally *tally)
{
	const struct fl_mmu_events *events = &tally->events;

	return !tally->counts.exits && (!tally->isa || tally->isa == FL_ISA_PVM) &&
	       (events->injected || events->unsynced || events->mapped || events->emulated);
}

bool fl_tally_lacks_ratio(const struct fl_tally *tally)
{
	return fl_tally_lacks_exits(tally) || tally->faults_bypass;
}

__u64 fl_tally_guest_faults(const struct fl_tally *tally)
{
	return fl_tally_lacks_exits(tally) ? tally->events.injected :
					     tally->counts.guest_faults;
}

/* ---- Durations ---- */

__u64 fl_durations_mean(const struct fl_durations *durations)
{
	return durations->count ? durations->sum_ns / durations->count : 0;
}

/* The middle of a bucket, but not more than the longest. */
static __u64 bucket_value(const struct fl_durations *durations, __u32 bucket)
{
	__u64 value = fl_duration_floor(bucket);

	if (bucket + 1 < FL_DURATION_BUCKETS)
		value += (fl_duration_floor(bucket + 1) - value) / 2;
	return value < durations->max_ns ? value : durations->max_ns;
}

__u64 fl_durations_quantile(const struct fl_durations *durations, double share)
{
	__u64 rank = share * durations->count, seen = 0;
	__u32 i;

	if (!durations->count)
		return 0;
	if (rank < share * durations->count)
		rank++;
	if (rank >= durations->count)
		return durations->max_ns;
	for (i = 0; i < FL_DURATION_BUCKETS; i++) {
		seen += durations->buckets[i];
		if (seen && seen >= rank)
			break;
	}
	return bucket_value(durations, i);
}

/* ---- Areas ---- */

static int by_touches(const void *a, const void *b)
{
	const struct fl_area_snapshot *first = a, *second = b;

	return (first->area.touches < second->area.touches) -
	       (first->area.touches > second->area.touches);
}

/* Those with touches, most first. */
static void sort_areas(struct fl_snapshot *snapshot)
{
	size_t i, nr = 0;

	qsort(snapshot->areas, snapshot->nr_areas, sizeof(*snapshot->areas), by_touches);
	for (i = 0; i < snapshot->nr_areas; i++)
		nr += !!snapshot->areas[i].area.touches;
	snapshot->nr_areas = nr;
}

/* The area of @snapshot that is the same as @area, or NULL. */
static struct fl_area_snapshot *find_area(const struct fl_snapshot *snapshot,
					  const struct fl_area_snapshot *area)
{
	size_t i;

	for (i = 0; i < snapshot->nr_areas; i++) {
		if (!memcmp(&snapshot->areas[i].key, &area->key, sizeof(area->key)))
			return &snapshot->areas[i];
	}
	return NULL;
}

/* Its counters come first. */
#define AREA_COUNTERS	offsetof(struct fl_area, name)

static void subtract_area(struct fl_area_snapshot *now, const struct fl_snapshot *before)
{
	const struct fl_area_snapshot *area = find_area(before, now);

	if (area)
		subtract_counters(&now->area, &area->area, AREA_COUNTERS);
}

static int add_areas(struct fl_snapshot *sum, const struct fl_snapshot *part)
{
	size_t nr = sum->nr_areas + part->nr_areas, i;
	struct fl_area_snapshot *all = reallocarray(sum->areas, nr + 1, sizeof(*all));

	if (!all)
		return -1;
	sum->areas = all;
	for (i = 0; i < part->nr_areas; i++) {
		struct fl_area_snapshot *area = find_area(sum, &part->areas[i]);

		if (area)
			add_counters(&area->area, &part->areas[i].area, AREA_COUNTERS);
		else
			all[sum->nr_areas++] = part->areas[i];
	}
	return 0;
}

static int areas_since(const struct fl_snapshot *now, const struct fl_snapshot *before,
		       struct fl_snapshot *delta)
{
	size_t size = now->nr_areas * sizeof(*now->areas), i;

	delta->areas = malloc(size + 1);
	if (!delta->areas)
		return fl_fail("out of memory; free some and try again");
	memcpy(delta->areas, now->areas, size);
	for (i = 0; i < delta->nr_areas; i++)
		subtract_area(&delta->areas[i], before);
	return 0;
}

/* ---- Virtual machines ---- */

static int by_age(const void *a, const void *b)
{
	const struct fl_vcpu_snapshot *first = a, *second = b;

	return (first->seen_ns > second->seen_ns) - (first->seen_ns < second->seen_ns);
}

static int by_vm(const void *a, const void *b)
{
	const struct fl_vcpu_snapshot *first = a, *second = b;

	if (first->vm != second->vm)
		return first->vm < second->vm ? -1 : 1;
	if (first->id != second->id)
		return first->id < second->id ? -1 : 1;
	return by_age(a, b);
}

/* The youngest VM at the vCPU's address in its process, or NULL. */
static struct fl_vm_snapshot *find_vm(struct fl_snapshot *snapshot,
				      const struct fl_vcpu_snapshot *vcpu)
{
	size_t i = snapshot->nr_vms;

	while (i--) {
		if (snapshot->vms[i].kvm == vcpu->kvm && snapshot->vms[i].pid == vcpu->pid)
			return &snapshot->vms[i];
	}
	return NULL;
}

/*
 * KVM never takes a vCPU from a VM. So if two had the same number, the VM that
 * the first one was of is gone, and its memory was used for another.
 */
static bool has_vcpu(const struct fl_snapshot *snapshot, const struct fl_vm_snapshot *vm,
		     const struct fl_vcpu_snapshot *vcpu)
{
	const struct fl_vcpu_snapshot *other;

	for (other = snapshot->vcpus; other < vcpu; other++) {
		if (&snapshot->vms[other->vm] == vm && other->id == vcpu->id)
			return vcpu->id >= 0;
	}
	return false;
}

static void assign_vm(struct fl_snapshot *snapshot, struct fl_vcpu_snapshot *vcpu)
{
	struct fl_vm_snapshot *vm = find_vm(snapshot, vcpu);

	if (!vm || has_vcpu(snapshot, vm, vcpu)) {
		vm = &snapshot->vms[snapshot->nr_vms++];
		vm->kvm = vcpu->kvm;
		vm->pid = vcpu->pid;
		vm->seen_ns = vcpu->seen_ns;
	}
	vcpu->vm = vm - snapshot->vms;
	vm->nr_vcpus++;
	fl_tally_add(&vm->tally, &vcpu->tally);
}

int fl_snapshot_sum_up(struct fl_snapshot *snapshot)
{
	size_t i;

	snapshot->nr_vms = 0;
	memset(&snapshot->total, 0, sizeof(snapshot->total));
	snapshot->vms = calloc(snapshot->nr_vcpus + 1, sizeof(*snapshot->vms));
	if (!snapshot->vms) {
		fl_snapshot_free(snapshot);
		return fl_fail("out of memory; free some and try again");
	}
	if (snapshot->nr_areas)
		sort_areas(snapshot);
	qsort(snapshot->vcpus, snapshot->nr_vcpus, sizeof(*snapshot->vcpus), by_age);
	for (i = 0; i < snapshot->nr_vcpus; i++)
		assign_vm(snapshot, &snapshot->vcpus[i]);
	qsort(snapshot->vcpus, snapshot->nr_vcpus, sizeof(*snapshot->vcpus), by_vm);
	for (i = 0; i < snapshot->nr_vms; i++)
		fl_tally_add(&snapshot->total, &snapshot->vms[i].tally);
	return 0;
}

static struct fl_vcpu_snapshot *find_vcpu(const struct fl_snapshot *snapshot,
					  const struct fl_vcpu_snapshot *vcpu)
{
	size_t i;

	for (i = 0; i < snapshot->nr_vcpus; i++) {
		if (snapshot->vcpus[i].kvm_vcpu == vcpu->kvm_vcpu &&
		    snapshot->vcpus[i].seen_ns == vcpu->seen_ns)
			return &snapshot->vcpus[i];
	}
	return NULL;
}

/* Name @snapshot's VMs as they are among @vms. */
static void copy_names(struct fl_snapshot *snapshot, const struct fl_vm_snapshot *vms, size_t nr)
{
	size_t i, j;

	for (i = 0; i < snapshot->nr_vms; i++) {
		struct fl_vm_snapshot *vm = &snapshot->vms[i];

		for (j = 0; j < nr; j++) {
			if (vms[j].kvm == vm->kvm && vms[j].seen_ns == vm->seen_ns)
				memcpy(vm->name, vms[j].name, FL_VM_NAME);
		}
	}
}

int fl_snapshot_since(const struct fl_snapshot *now, const struct fl_snapshot *before,
		      struct fl_snapshot *delta)
{
	size_t size = now->nr_vcpus * sizeof(*now->vcpus), i;

	*delta = *now;
	delta->vms = NULL;
	delta->areas = NULL;
	delta->vcpus = malloc(size + 1);
	if (!delta->vcpus)
		return fl_fail("out of memory; free some and try again");
	if (areas_since(now, before, delta)) {
		fl_snapshot_free(delta);
		return -1;
	}
	memcpy(delta->vcpus, now->vcpus, size);
	for (i = 0; i < delta->nr_vcpus; i++) {
		const struct fl_vcpu_snapshot *vcpu = find_vcpu(before, &now->vcpus[i]);

		if (vcpu)
			subtract_tally(&delta->vcpus[i].tally, &vcpu->tally);
	}
	delta->lost_events -= before->lost_events;
	delta->lost_records -= before->lost_records;
	if (fl_snapshot_sum_up(delta))
		return -1;
	copy_names(delta, now->vms, now->nr_vms);
	return 0;
}

/* The last part knows how many episodes are open, and windows follow each other. */
static void append_tally(struct fl_tally *sum, const struct fl_tally *part)
{
	__u64 window_ns = sum->window_ns + part->window_ns;

	fl_tally_add(sum, part);
	sum->window_ns = window_ns;
	sum->open_episodes = part->open_episodes;
}

int fl_snapshot_add(struct fl_snapshot *sum, const struct fl_snapshot *part)
{
	size_t nr = sum->nr_vcpus + part->nr_vcpus, nr_vms = sum->nr_vms, i;
	struct fl_vcpu_snapshot *all = reallocarray(sum->vcpus, nr + 1, sizeof(*all));
	struct fl_vm_snapshot *vms = sum->vms;
	int ret;

	if (all)
		sum->vcpus = all;
	if (!all || add_areas(sum, part)) {
		fl_snapshot_free(sum);
		return fl_fail("out of memory; free some and try again");
	}
	for (i = 0; i < part->nr_vcpus; i++) {
		struct fl_vcpu_snapshot *vcpu = find_vcpu(sum, &part->vcpus[i]);

		if (vcpu)
			append_tally(&vcpu->tally, &part->vcpus[i].tally);
		else
			all[sum->nr_vcpus++] = part->vcpus[i];
	}
	sum->lost_events += part->lost_events;
	sum->lost_records += part->lost_records;
	ret = fl_snapshot_sum_up(sum);
	copy_names(sum, vms, ret ? 0 : nr_vms);
	copy_names(sum, part->vms, ret ? 0 : part->nr_vms);
	free(vms);
	return ret;
}

void fl_snapshot_free(struct fl_snapshot *snapshot)
{
	free(snapshot->vms);
	free(snapshot->vcpus);
	free(snapshot->areas);
	snapshot->vms = NULL;
	snapshot->vcpus = NULL;
	snapshot->areas = NULL;
	snapshot->nr_vms = snapshot->nr_vcpus = snapshot->nr_areas = 0;
}
