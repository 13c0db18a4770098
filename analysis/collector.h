/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF programs as user space sees them: open, choose what to measure,
 * read, close. Used by every subcommand that measures.
 */
#ifndef FAULTLINE_COLLECTOR_H
#define FAULTLINE_COLLECTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "faultline.h"

struct fl_collector;

/* What was counted so far, over all vCPUs of all targets. */
struct fl_snapshot {
	struct fl_counts counts;
	__u64 nr_vcpus;
	__u64 open_episodes;	/* guest faults still being dealt with */
	__u64 lost_events;
	__u64 window_ns;	/* the longest time that a vCPU was in a window */
	__u32 isa;		/* enum fl_isa, or 0 if no exit was seen */
	__u64 reasons[FL_NR_REASONS];	/* exits by fl_reason_slot() */
};

/*
 * Load and attach the programs. They count nothing until a target is added;
 * with @use_window, only between a guest's marks. Returns NULL if this kernel
 * can't be measured, and has told the user why.
 */
struct fl_collector *fl_collector_open(bool use_window);

/* Count the exits of process @pid and of what it forks. 0 or -1. */
int fl_collector_add_target(struct fl_collector *collector, pid_t pid);

/*
 * Sum up what was counted. An exit that is open is closed with what is known
 * of it, and open episodes are put into the histogram with the exits they have;
 * both only in the snapshot, the measurement goes on. 0 or -1.
 */
int fl_collector_read(struct fl_collector *collector, struct fl_snapshot *snapshot);

void fl_collector_close(struct fl_collector *collector);

#endif /* FAULTLINE_COLLECTOR_H */
