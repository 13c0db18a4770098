/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counts for who reads them without end: sums that never go backwards, kept per
 * VM for a bounded number of VMs. Fed with snapshots, shown by metrics.c.
 *
 * A VM is entered when it first exits: with counts of its own as long as there
 * are fewer than max_vms of these, else as one of the others, which are counted
 * together. It stays where it is, as counts that move would look like new ones.
 * When its process has ended for a while, it is struck off; the total keeps what
 * it did. VMs of one name in one process are one here.
 */
#ifndef FAULTLINE_LEDGER_H
#define FAULTLINE_LEDGER_H

#include <stdbool.h>
#include <sys/types.h>

#include "snapshot.h"

struct fl_ledger_vm {
	char name[FL_VM_NAME];
	__u32 pid;
	__u32 nr_vcpus;		/* that were seen to exit; 0 if it has ended */
	__u64 ended_ns;		/* when its process was found to be gone, or 0 */
	struct fl_tally *tally;	/* NULL: it is one of the others */
};

struct fl_ledger {
	/* To be set before the first snapshot. */
	size_t max_vms;
	__u64 keep_ns;			/* how long a VM that has ended is kept */
	bool (*lives)(pid_t pid);	/* whether there is process @pid */

	struct fl_tally total, others;
	__u64 lost_events;
	size_t nr_vms;			/* entered, with counts of their own or not */
	size_t nr_own;			/* with counts of their own */
	struct fl_ledger_vm *vms;
	struct fl_snapshot before;
};

/*
 * Add what happened since the last snapshot. @now must not be settled; it is the
 * ledger's after this. 0 or -1.
 */
int fl_ledger_add(struct fl_ledger *ledger, struct fl_snapshot *now);

void fl_ledger_free(struct fl_ledger *ledger);

#endif /* FAULTLINE_LEDGER_H */
