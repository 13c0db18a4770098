/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host does meanwhile: a thread that, while the guest runs, flips KVM's
 * parameters, logs dirty pages and checks the log, deletes and moves memslots,
 * and takes away the host's own mappings; nothing of it may show in the guest.
 * Used by torture.c.
 */
#ifndef TORTURE_DISTURB_H
#define TORTURE_DISTURB_H

#include "torture.h"
#include "vm.h"

#define REGION_SLOT	1	/* the memslot that it does it to */

enum disturbance {
	DISTURB_OOS_SHADOW,	/* flip the parameter of this name */
	DISTURB_PTE_UPDATE,
	DISTURB_LOG,		/* dirty logging on or off */
	DISTURB_READ_LOG,	/* and check it */
	DISTURB_DELETE,		/* delete and create the memslot */
	DISTURB_MOVE,		/* away and back */
	DISTURB_OTHER_SLOT,	/* create or delete another one */
	DISTURB_UNMAP,		/* what the host maps of its memory */
	DISTURB_PROTECT,	/* write-protect that, and back */
	NR_DISTURBANCES,
};

extern const char *const disturbance_names[NR_DISTURBANCES];

struct disturb_counts {
	uint32_t done[NR_DISTURBANCES];
	uint32_t logged;	/* pages that the log had to have, and had */
};

/*
 * Start disturbing @vm, whose @region is memslot REGION_SLOT. To be called before
 * vm_run(). 0 or -1.
 */
int disturb_start(struct vm *vm, const struct vm_memory *region,
		  struct torture_info *info, uint64_t seed);

/* After vm_run(): end it. 0, or -1 if something it checked was wrong. */
int disturb_stop(struct disturb_counts *counts);

#endif /* TORTURE_DISTURB_H */
