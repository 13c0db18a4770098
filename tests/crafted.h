/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run made up for the tests of what keeps and shows runs: two virtual machines,
 * the second with two vCPUs, and something in every figure.
 */
#ifndef FAULTLINE_TESTS_CRAFTED_H
#define FAULTLINE_TESTS_CRAFTED_H

#include <stdlib.h>
#include <string.h>

#include "run.h"

static void craft_durations(struct fl_durations *durations, __u64 value)
{
	__u32 bucket;

	memset(durations, 0, sizeof(*durations));
	for (bucket = 0; bucket < FL_DURATION_BUCKETS; bucket++) {
		durations->buckets[bucket] = value;
		durations->count += value;
		durations->sum_ns += value * fl_duration_floor(bucket);
	}
	durations->max_ns = fl_duration_floor(FL_DURATION_BUCKETS - 1) + value;
}

/* Every counter of @tally is @value, or what follows from it. */
static void craft_tally(struct fl_tally *tally, __u64 value)
{
	__u64 *counters = (__u64 *)tally;
	size_t i;

	/* All but the last, isa, are counters. */
	for (i = 0; i < offsetof(struct fl_tally, isa) / sizeof(*counters); i++)
		counters[i] = value;
	tally->isa = FL_ISA_SVM;
	tally->counts.exits = FL_NR_CLASSES * value;
	for (i = 0; i < FL_NR_CLASSES; i++)
		craft_durations(&tally->durations[i], value + i);
	craft_durations(&tally->fault_durations, value + i);
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		craft_durations(&tally->host.durations[i], value + i);
	/* Which the JSON doesn't have. */
	tally->host.pages[0] = 0;
	/* With it, there are no exits per guest fault to show. */
	tally->faults_bypass = 0;
}

static bool craft_areas(struct fl_snapshot *snapshot)
{
	static const struct fl_area_snapshot areas[] = {
		{ { 0x7f0000000000, 0x7f0040000000, 70, 0 }, { 20, 3, 4, 5000, "memory.img" } },
		{ { 0xfffff00000000000, 0xfffff00000001000, 80, 0 }, { 10, 0, 0, 100, "" } },
		{ { 0, 0, 0, 0 }, { 1, 1, 0, 7, "" } },
	};

	snapshot->areas = malloc(sizeof(areas));
	if (!snapshot->areas)
		return false;
	memcpy(snapshot->areas, areas, sizeof(areas));
	snapshot->nr_areas = sizeof(areas) / sizeof(areas[0]);
	return true;
}

static void craft_vcpu(struct fl_vcpu_snapshot *vcpu, __u64 kvm, __u32 pid, int id, __u64 seen_ns)
{
	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->kvm = kvm;
	vcpu->kvm_vcpu = seen_ns;
	vcpu->seen_ns = seen_ns;
	vcpu->slot = FL_NO_SLOT;
	vcpu->pid = pid;
	vcpu->tid = pid + 1 + id;
	vcpu->id = id;
	craft_tally(&vcpu->tally, 3 + seen_ns);
}

/* Free it with fl_snapshot_free(). False if memory runs out. */
static bool craft_run(struct fl_run *run)
{
	struct fl_snapshot *snapshot = &run->snapshot;

	memset(run, 0, sizeof(*run));
	strcpy(run->host.kernel, "6.12.1-crafted");
	strcpy(run->host.cpu, "Crafted CPU");
	strcpy(run->command, "faultline stat -a");
	strcpy(run->line, "6.12");
	strcpy(run->policy, "zap");
	strcpy(run->workload, "anon");
	strcpy(run->paging, "64");
	strcpy(run->clock, "virtual");
	strcpy(run->mmu, "shadow");
	run->host_isa = FL_ISA_SVM;
	run->duration_ns = 1234567890;
	snapshot->lost_events = 5;
	snapshot->nr_vcpus = 3;
	snapshot->vcpus = calloc(3, sizeof(*snapshot->vcpus));
	if (!snapshot->vcpus || !craft_areas(snapshot))
		return false;
	craft_vcpu(&snapshot->vcpus[0], 0xa000, 70, 0, 1);
	craft_vcpu(&snapshot->vcpus[1], 0xb000, 80, 1, 3);
	craft_vcpu(&snapshot->vcpus[2], 0xb000, 80, 0, 2);
	if (fl_snapshot_sum_up(snapshot))
		return false;
	strcpy(snapshot->vms[0].name, "first, \"quoted\"");
	strcpy(snapshot->vms[1].name, "second");
	return true;
}

#endif /* FAULTLINE_TESTS_CRAFTED_H */
