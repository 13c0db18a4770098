// SPDX-License-Identifier: GPL-2.0
/* Which virtual machine and vCPU a record is of. See tracks.h. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "tracks.h"
#include "vmm.h"

/* No PID is greater: PID_MAX_LIMIT. */
#define PID_BITS 22

/* ---- Virtual machines ---- */

static bool has_vcpu(const struct fl_tracks *tracks, const struct fl_track_vm *vm, __s32 vcpu_id)
{
	const struct fl_track *track;

	for (track = tracks->all; track; track = track->next) {
		if (track->vm == vm && track->vcpu_id == vcpu_id)
			return vcpu_id >= 0;
	}
	return false;
}

/*
 * The youngest VM at the record's address, unless it has a vCPU of that number
 * already: then it is gone, and its memory was used for another.
 */
static struct fl_track_vm *find_vm(const struct fl_tracks *tracks,
				   const struct fl_episode_record *record)
{
	struct fl_track_vm *vm;

	for (vm = tracks->vms; vm; vm = vm->next) {
		if (vm->kvm == record->kvm && vm->pid == record->pid)
			return has_vcpu(tracks, vm, record->vcpu_id) ? NULL : vm;
	}
	return NULL;
}

/* How many VMs of process @pid there are. */
static __u64 count_vms(const struct fl_tracks *tracks, __u32 pid)
{
	const struct fl_track_vm *vm;
	__u64 nr = 0;

	for (vm = tracks->vms; vm; vm = vm->next)
		nr += vm->pid == pid;
	return nr;
}

static char *to_json(const char *text)
{
	struct json_object *object = json_object_new_string(text);
	char *json = object ? strdup(json_object_to_json_string(object)) : NULL;

	json_object_put(object);
	return json;
}

static struct fl_track_vm *new_vm(struct fl_tracks *tracks, const struct fl_episode_record *record)
{
	struct fl_track_vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->kvm = record->kvm;
	vm->pid = record->pid;
	vm->id = record->pid + (count_vms(tracks, record->pid) << PID_BITS);
	fl_vm_label(record->pid, record->comm, vm->name, sizeof(vm->name));
	vm->json_name = to_json(vm->name);
	if (!vm->json_name) {
		free(vm);
		return NULL;
	}
	vm->next = tracks->vms;
	tracks->vms = vm;
	return vm;
}

/* ---- vCPUs ---- */

static bool reserve_slot(struct fl_tracks *tracks, __u32 slot)
{
	struct fl_track **by_slot;

	if (slot < tracks->nr_slots)
		return true;
	by_slot = realloc(tracks->by_slot, (slot + 1) * sizeof(*by_slot));
	if (!by_slot)
		return false;
	memset(by_slot + tracks->nr_slots, 0, (slot + 1 - tracks->nr_slots) * sizeof(*by_slot));
	tracks->by_slot = by_slot;
	tracks->nr_slots = slot + 1;
	return true;
}

static struct fl_track *new_track(struct fl_tracks *tracks, const struct fl_episode_record *record)
{
	struct fl_track_vm *vm = find_vm(tracks, record);
	struct fl_track *track = calloc(1, sizeof(*track));

	if (!vm)
		vm = new_vm(tracks, record);
	if (!track || !vm || !reserve_slot(tracks, record->slot)) {
		free(track);
		fl_fail("out of memory; free some and try again");
		return NULL;
	}
	track->vm = vm;
	track->slot = record->slot;
	track->vcpu_id = record->vcpu_id;
	track->id = tracks->all ? tracks->all->id + 1 : 0;
	track->next = tracks->all;
	tracks->all = track;
	tracks->by_slot[record->slot] = track;
	return track;
}

struct fl_track *fl_tracks_find(struct fl_tracks *tracks, const struct fl_episode_record *record)
{
	struct fl_track *track = NULL;

	if (record->slot < tracks->nr_slots)
		track = tracks->by_slot[record->slot];
	/* A slot is used again when its vCPU's process has ended. */
	if (track && track->vm->kvm == record->kvm && track->vm->pid == record->pid &&
	    track->vcpu_id == record->vcpu_id)
		return track;
	return new_track(tracks, record);
}

unsigned int fl_track_lane(struct fl_track *track, __u64 start_ns, __u64 end_ns)
{
	unsigned int lane;

	for (lane = 0; lane < FL_MAX_LANES - 1; lane++) {
		if (track->lane_ends[lane] <= start_ns)
			break;
	}
	track->lane_ends[lane] = end_ns;
	return lane;
}

void fl_tracks_free(struct fl_tracks *tracks)
{
	struct fl_track_vm *vm, *next_vm;
	struct fl_track *track, *next;

	for (vm = tracks->vms; vm; vm = next_vm) {
		next_vm = vm->next;
		free(vm->json_name);
		free(vm);
	}
	for (track = tracks->all; track; track = next) {
		next = track->next;
		free(track);
	}
	free(tracks->by_slot);
	memset(tracks, 0, sizeof(*tracks));
}
