/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was counted up to one moment: per vCPU, per VM and in total. Filled by
 * the collector; printed, recorded and compared by the subcommands.
 */
#ifndef FAULTLINE_SNAPSHOT_H
#define FAULTLINE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline.h"

#define FL_NO_SLOT	(~0U)

/* Room for a VM's name. */
#define FL_VM_NAME	64

/* The figures of a vCPU, or the sum of those of several. */
struct fl_tally {
	struct fl_counts counts;	/* classes add up to exits */
	struct fl_durations durations[FL_NR_CLASSES]; /* from exit to entry */
	struct fl_durations fault_durations; /* from inject to refault or update */
	struct fl_host_faults host;	/* with EPT or NPT; kinds add up */
	struct fl_mmu_events events;
	__u64 reasons[FL_NR_REASONS];	/* exits by fl_reason_slot() */
	__u64 open_episodes;	/* guest faults still being dealt with */
	__u64 faults_bypass;	/* vCPUs whose guest faults may bypass KVM */
	__u64 window_ns;	/* the longest time that a vCPU was in a window */
	__u32 isa;		/* enum fl_isa, or 0 if no exit was seen */
};

struct fl_vcpu_snapshot {
	__u64 kvm;		/* the kernel's struct kvm, or 0 */
	__u64 kvm_vcpu;		/* with @seen_ns, unique for good */
	__u64 seen_ns;		/* when it was seen first, CLOCK_MONOTONIC */
	__u32 slot;		/* as in struct fl_episode_record, or FL_NO_SLOT
				 * if it was needed for another
				 */
	__u32 vm;		/* index in the snapshot's vms */
	__u32 pid, tid;		/* process, and thread that ran it last */
	int id;			/* number in its VM, or -1 if not known */
	char comm[FL_COMM];	/* of the process */
	struct fl_tally tally;
};

struct fl_vm_snapshot {
	__u64 kvm;
	__u64 seen_ns;
	__u32 pid;
	__u32 nr_vcpus;		/* that were seen to exit */
	char name[FL_VM_NAME];	/* as the VMM was told, or the process's */
	struct fl_tally tally;
};

/* Host memory, and the guests' first touches of it. */
struct fl_area_snapshot {
	struct fl_area_key key;	/* all 0: wherever else */
	struct fl_area area;
};

struct fl_snapshot {
	__u64 time_ns;		/* CLOCK_MONOTONIC */
	struct fl_tally total;
	size_t nr_vms, nr_vcpus;
	struct fl_vm_snapshot *vms;	/* oldest first */
	struct fl_vcpu_snapshot *vcpus;	/* by VM, then by number */
	size_t nr_areas;
	struct fl_area_snapshot *areas;	/* most touches first; none without */
	__u64 lost_events;	/* not 0: the counts are too low */
	__u64 lost_records;
};

/* CLOCK_MONOTONIC, as in the snapshots. */
__u64 fl_now_ns(void);

/*
 * Order @snapshot's vCPUs and areas, and fill in its VMs and total from them; the VMs'
 * names are left empty. Frees it all if memory runs out. 0 or -1.
 */
int fl_snapshot_sum_up(struct fl_snapshot *snapshot);

/*
 * Set @delta to what happened between two snapshots that were not settled. Both
 * stay as they are. Longest durations are those of the buckets. 0 or -1.
 */
int fl_snapshot_since(const struct fl_snapshot *now, const struct fl_snapshot *before,
		      struct fl_snapshot *delta);

/*
 * Add what happened in a part that followed to @sum, as fl_snapshot_since() took it
 * apart. Frees @sum if memory runs out. 0 or -1.
 */
int fl_snapshot_add(struct fl_snapshot *sum, const struct fl_snapshot *part);

void fl_snapshot_free(struct fl_snapshot *snapshot);

/* Add @tally's figures to @sum's. */
void fl_tally_add(struct fl_tally *sum, const struct fl_tally *tally);

/* Page faults of the host's own, and the first touches of guest memory among them. */
__u64 fl_tally_host_faults(const struct fl_tally *tally);
__u64 fl_tally_first_touches(const struct fl_tally *tally);

/* Exits that belong to an episode. */
__u64 fl_tally_exits_in_episodes(const struct fl_tally *tally);

/* Exits in episodes over guest faults, of those seen; 0 if none was. */
double fl_tally_exits_per_guest_fault(const struct fl_tally *tally);

/* Guest faults, also where no exits are seen. */
__u64 fl_tally_guest_faults(const struct fl_tally *tally);

/* Whether guest faults, or other events, were seen without exits: KVM emits no kvm_exit. */
bool fl_tally_lacks_exits(const struct fl_tally *tally);

/* Add @tally's figures to @sum's. */
void fl_tally_add(struct fl_tally *sum, const struct fl_tally *tally);

/* Whether @tally's figures add up. */
bool fl_tally_is_sound(const struct fl_tally *tally);

/* Whether exits over guest faults can't be told: not all of the two were seen. */
bool fl_tally_lacks_ratio(const struct fl_tally *tally);

/*
 * The duration that a @share (0 to 1) of @durations are no longer than, in ns,
 * at most an eighth off. 0 if there are none.
 */
__u64 fl_durations_quantile(const struct fl_durations *durations, double share);
__u64 fl_durations_mean(const struct fl_durations *durations);

#endif /* FAULTLINE_SNAPSHOT_H */
