/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which virtual machine and vCPU a record of an episode is of, and where it goes
 * in a picture: every vCPU has a track of its own, and as many lanes in it as
 * episodes overlap. Used by what prints records.
 */
#ifndef FAULTLINE_TRACKS_H
#define FAULTLINE_TRACKS_H

#include <stdbool.h>

#include "snapshot.h"

/*
 * Lanes of a track. At most FL_MAX_OPEN episodes are open on a vCPU at once, but
 * as they are told of in the order of their ends, some lanes are left empty.
 */
#define FL_MAX_LANES 32

struct fl_track_vm {
	__u64 kvm;
	__u32 pid;
	__u64 id;		/* the pid, or greater than any if it has several VMs */
	char name[FL_VM_NAME];
	char *json_name;	/* the same in JSON, in quotes */
	bool is_named;		/* for who prints names once, as ... */
	struct fl_track_vm *next;
};

struct fl_track {
	struct fl_track_vm *vm;
	__u32 slot;
	__s32 vcpu_id;
	__u32 id;		/* from 0 on */
	__u64 lane_ends[FL_MAX_LANES];
	unsigned int nr_named_lanes; /* ... this is */
	struct fl_track *next;
};

struct fl_tracks {
	struct fl_track_vm *vms;	/* youngest first, as are ... */
	struct fl_track *all;		/* ... these */
	struct fl_track **by_slot;
	__u32 nr_slots;
};

/*
 * The track of @record's vCPU, which is made if there is none yet; the VM's name
 * is asked for then. NULL if memory has run out, and has told the user.
 */
struct fl_track *fl_tracks_find(struct fl_tracks *tracks, const struct fl_episode_record *record);

/*
 * The lane of @track for an episode from @start_ns to @end_ns, which must be told
 * of in the order in which they ended: the first that is free by then.
 */
unsigned int fl_track_lane(struct fl_track *track, __u64 start_ns, __u64 end_ns);

void fl_tracks_free(struct fl_tracks *tracks);

#endif /* FAULTLINE_TRACKS_H */
