// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what user space makes of the counts (analysis/snapshot.c): which
 * vCPUs are of which virtual machine, what happened between two snapshots, and
 * what a histogram says of durations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snapshot.h"

#define KVM_A 0xa000
#define KVM_B 0xb000

/* A snapshot of @nr vCPUs, to be filled in and summed up. */
static struct fl_snapshot of(size_t nr)
{
	struct fl_snapshot snapshot = { .nr_vcpus = nr };

	snapshot.vcpus = calloc(nr, sizeof(*snapshot.vcpus));
	assert_non_null(snapshot.vcpus);
	return snapshot;
}

static void set(struct fl_snapshot *snapshot, size_t index, __u64 kvm, __u32 pid,
		int id, __u64 seen_ns, __u64 exits)
{
	struct fl_vcpu_snapshot *vcpu = &snapshot->vcpus[index];

	vcpu->kvm = kvm;
	vcpu->kvm_vcpu = kvm + 0x10 * (id + 1);
	vcpu->pid = pid;
	vcpu->id = id;
	vcpu->seen_ns = seen_ns;
	vcpu->tally.counts.exits = exits;
	vcpu->tally.counts.classes[FL_OTHER] = exits;
}

static void vms_of_one_process_are_told_apart(void **state)
{
	struct fl_snapshot snapshot = of(3);

	(void)state;
	set(&snapshot, 0, KVM_B, 7, 0, 300, 1);
	set(&snapshot, 1, KVM_A, 7, 1, 200, 2);
	set(&snapshot, 2, KVM_A, 7, 0, 100, 4);
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	assert_int_equal(snapshot.nr_vms, 2);
	assert_int_equal(snapshot.vms[0].kvm, KVM_A);
	assert_int_equal(snapshot.vms[0].nr_vcpus, 2);
	assert_int_equal(snapshot.vms[0].tally.counts.exits, 6);
	assert_int_equal(snapshot.vms[1].tally.counts.exits, 1);
	assert_int_equal(snapshot.total.counts.exits, 7);
	/* In the order of VMs and of vCPUs' numbers, as they are shown. */
	assert_int_equal(snapshot.vcpus[0].id, 0);
	assert_int_equal(snapshot.vcpus[0].vm, 0);
	assert_int_equal(snapshot.vcpus[1].id, 1);
	assert_int_equal(snapshot.vcpus[2].vm, 1);
	fl_snapshot_free(&snapshot);
}

/* A second vCPU of the same number, at the same address: that VM came later. */
static void vm_in_the_place_of_a_dead_one_is_another(void **state)
{
	struct fl_snapshot snapshot = of(3);

	(void)state;
	set(&snapshot, 0, KVM_A, 7, 0, 100, 1);
	set(&snapshot, 1, KVM_A, 7, 0, 500, 10);
	set(&snapshot, 2, KVM_A, 7, 1, 600, 100);
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	assert_int_equal(snapshot.nr_vms, 2);
	assert_int_equal(snapshot.vms[0].tally.counts.exits, 1);
	assert_int_equal(snapshot.vms[1].tally.counts.exits, 110);
	fl_snapshot_free(&snapshot);
}

static void same_address_in_another_process_is_another_vm(void **state)
{
	struct fl_snapshot snapshot = of(2);

	(void)state;
	set(&snapshot, 0, KVM_A, 7, 0, 100, 1);
	set(&snapshot, 1, KVM_A, 8, 1, 200, 2);
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	assert_int_equal(snapshot.nr_vms, 2);
	fl_snapshot_free(&snapshot);
}

/* Where no event tells the VM, a process's threads are one. */
static void threads_without_vcpu_are_one_vm(void **state)
{
	struct fl_snapshot snapshot = of(2);

	(void)state;
	set(&snapshot, 0, 0, 7, -1, 100, 0);
	set(&snapshot, 1, 0, 7, -1, 200, 0);
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	assert_int_equal(snapshot.nr_vms, 1);
	assert_int_equal(snapshot.vms[0].nr_vcpus, 2);
	fl_snapshot_free(&snapshot);
}

/* A vCPU that was plugged in since has all its exits in the difference. */
static void difference_of_two_snapshots(void **state)
{
	struct fl_snapshot before = of(1), now = of(2), delta;

	(void)state;
	set(&before, 0, KVM_A, 7, 0, 100, 10);
	fl_duration_add(&before.vcpus[0].tally.durations[FL_OTHER], 1000000);
	set(&now, 0, KVM_A, 7, 0, 100, 15);
	fl_duration_add(&now.vcpus[0].tally.durations[FL_OTHER], 1000000);
	fl_duration_add(&now.vcpus[0].tally.durations[FL_OTHER], 300);
	set(&now, 1, KVM_A, 7, 1, 900, 3);
	assert_int_equal(fl_snapshot_sum_up(&before), 0);
	assert_int_equal(fl_snapshot_sum_up(&now), 0);
	strcpy(now.vms[0].name, "name");
	assert_int_equal(fl_snapshot_since(&now, &before, &delta), 0);
	assert_int_equal(delta.total.counts.exits, 8);
	assert_int_equal(delta.total.counts.classes[FL_OTHER], 8);
	assert_int_equal(delta.vms[0].nr_vcpus, 2);
	assert_string_equal(delta.vms[0].name, "name");
	assert_int_equal(delta.total.durations[FL_OTHER].count, 1);
	/* The longest of all was before; what is left is in the bucket up to 320. */
	assert_int_equal(delta.total.durations[FL_OTHER].max_ns, 320);
	assert_int_equal(now.total.counts.exits, 18);
	fl_snapshot_free(&before);
	fl_snapshot_free(&now);
	fl_snapshot_free(&delta);
}

static void set_area(struct fl_snapshot *snapshot, size_t index, __u64 start, __u64 touches)
{
	struct fl_area_snapshot *area = &snapshot->areas[index];

	*area = (struct fl_area_snapshot){
		.key = { start, start + 0x1000, 7, 0 },
		.area = { .touches = touches, .minor = touches / 2, .ns = 100 * touches },
	};
}

/* A snapshot without vCPUs, with @nr areas to be filled in. */
static struct fl_snapshot of_areas(size_t nr)
{
	struct fl_snapshot snapshot = of(0);

	snapshot.nr_areas = nr;
	snapshot.areas = calloc(nr, sizeof(*snapshot.areas));
	assert_non_null(snapshot.areas);
	return snapshot;
}

/* Those that nothing was touched of are left out; the others come most touched first. */
static void difference_of_areas(void **state)
{
	struct fl_snapshot before = of_areas(2), now = of_areas(3), delta;

	(void)state;
	set_area(&before, 0, 0xa000, 10);
	set_area(&before, 1, 0xb000, 5);
	set_area(&now, 0, 0xb000, 5);
	set_area(&now, 1, 0xa000, 14);
	set_area(&now, 2, 0xc000, 6);
	assert_int_equal(fl_snapshot_sum_up(&before), 0);
	assert_int_equal(fl_snapshot_sum_up(&now), 0);
	assert_int_equal(now.areas[0].key.start, 0xa000);
	assert_int_equal(fl_snapshot_since(&now, &before, &delta), 0);
	assert_int_equal(delta.nr_areas, 2);
	assert_int_equal(delta.areas[0].key.start, 0xc000);
	assert_int_equal(delta.areas[1].key.start, 0xa000);
	assert_int_equal(delta.areas[1].area.touches, 4);
	assert_int_equal(delta.areas[1].area.minor, 2);
	assert_int_equal(delta.areas[1].area.ns, 400);
	/* And back again. */
	assert_int_equal(fl_snapshot_add(&before, &delta), 0);
	assert_int_equal(before.nr_areas, 3);
	assert_int_equal(before.areas[0].area.touches, 14);
	assert_int_equal(before.areas[1].area.touches, 6);
	assert_int_equal(before.areas[2].area.touches, 5);
	fl_snapshot_free(&before);
	fl_snapshot_free(&now);
	fl_snapshot_free(&delta);
}

static void host_faults_add_up(void **state)
{
	struct fl_snapshot before = of(1), now = of(1), delta;
	struct fl_host_faults *faults = &now.vcpus[0].tally.host;

	(void)state;
	set(&before, 0, KVM_A, 7, 0, 100, 10);
	set(&now, 0, KVM_A, 7, 0, 100, 30);
	before.vcpus[0].tally.host.kinds[FL_HOST_TOUCH] = 3;
	faults->kinds[FL_HOST_TOUCH] = 5;
	faults->kinds[FL_HOST_TOUCH_MAJOR] = 1;
	faults->kinds[FL_HOST_TOUCH_ASYNC] = 1;
	faults->kinds[FL_HOST_MMIO] = 7;
	faults->pages[2] = 6;
	fl_duration_add(&faults->durations[FL_HOST_MMIO], 300);
	assert_int_equal(fl_snapshot_sum_up(&before), 0);
	assert_int_equal(fl_snapshot_sum_up(&now), 0);
	assert_int_equal(fl_tally_host_faults(&now.total), 14);
	assert_int_equal(fl_tally_first_touches(&now.total), 6);
	assert_int_equal(fl_snapshot_since(&now, &before, &delta), 0);
	assert_int_equal(fl_tally_host_faults(&delta.total), 11);
	assert_int_equal(delta.total.host.pages[2], 6);
	assert_int_equal(delta.total.host.durations[FL_HOST_MMIO].count, 1);
	fl_snapshot_free(&before);
	fl_snapshot_free(&now);
	fl_snapshot_free(&delta);
}

static void assert_near(__u64 got, __u64 wanted)
{
	assert_in_range(got, wanted - wanted / 8, wanted + wanted / 8);
}

static void quantiles(void **state)
{
	struct fl_durations durations = { 0 };
	__u64 ns;

	(void)state;
	assert_int_equal(fl_durations_quantile(&durations, 0.5), 0);
	assert_int_equal(fl_durations_mean(&durations), 0);
	for (ns = 1000; ns <= 1000000; ns += 1000)
		fl_duration_add(&durations, ns);
	assert_near(fl_durations_quantile(&durations, 0.5), 500000);
	assert_near(fl_durations_quantile(&durations, 0.99), 990000);
	assert_near(fl_durations_quantile(&durations, 0.001), 1000);
	assert_int_equal(fl_durations_quantile(&durations, 1), 1000000);
	assert_int_equal(fl_durations_mean(&durations), 500500);
}

/* No quantile is longer than the longest, however wide its bucket. */
static void quantile_of_one(void **state)
{
	struct fl_durations durations = { 0 };

	(void)state;
	fl_duration_add(&durations, 5000000001ULL);
	assert_int_equal(fl_durations_quantile(&durations, 0.5), 5000000001ULL);
	fl_duration_add(&durations, 5000000002ULL);
	assert_near(fl_durations_quantile(&durations, 0.5), 5000000001ULL);
	assert_true(fl_durations_quantile(&durations, 0.5) <= 5000000002ULL);
}

static void faults_without_exits(void **state)
{
	struct fl_tally tally = { .events.injected = 5 };

	(void)state;
	assert_true(fl_tally_lacks_exits(&tally));
	assert_int_equal(fl_tally_guest_faults(&tally), 5);
	tally.counts.exits = 1;
	assert_false(fl_tally_lacks_exits(&tally));
	assert_int_equal(fl_tally_guest_faults(&tally), 0);
}

/* A guest that sets up its page tables takes no faults. */
static void events_without_exits(void **state)
{
	struct fl_tally tally = { .events.emulated = 5 };

	(void)state;
	assert_true(fl_tally_lacks_exits(&tally));
	tally.isa = FL_ISA_PVM;
	assert_true(fl_tally_lacks_exits(&tally));
	/* Of an exit that is open. */
	tally.isa = FL_ISA_SVM;
	assert_false(fl_tally_lacks_exits(&tally));
}

/* One VM whose faults bypass KVM, and nothing can be said of all of them. */
static void faults_that_bypass(void **state)
{
	struct fl_snapshot snapshot = of(2);

	(void)state;
	set(&snapshot, 0, KVM_A, 7, 0, 100, 6);
	set(&snapshot, 1, KVM_B, 7, 0, 200, 6);
	snapshot.vcpus[1].tally.faults_bypass = true;
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	assert_false(fl_tally_lacks_ratio(&snapshot.vms[0].tally));
	assert_true(fl_tally_lacks_ratio(&snapshot.vms[1].tally));
	assert_false(fl_tally_lacks_exits(&snapshot.total));
	assert_true(fl_tally_lacks_ratio(&snapshot.total));
	fl_snapshot_free(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vms_of_one_process_are_told_apart),
		cmocka_unit_test(vm_in_the_place_of_a_dead_one_is_another),
		cmocka_unit_test(same_address_in_another_process_is_another_vm),
		cmocka_unit_test(threads_without_vcpu_are_one_vm),
		cmocka_unit_test(difference_of_two_snapshots),
		cmocka_unit_test(difference_of_areas),
		cmocka_unit_test(host_faults_add_up),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(quantile_of_one),
		cmocka_unit_test(faults_without_exits),
		cmocka_unit_test(events_without_exits),
		cmocka_unit_test(faults_that_bypass),
	};

	return cmocka_run_group_tests_name("collector", tests, NULL, NULL);
}
