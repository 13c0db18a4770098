/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF programs as user space sees them: open, choose what to measure,
 * read, close. Used by every subcommand that measures. What is read is in
 * snapshot.h.
 */
#ifndef FAULTLINE_COLLECTOR_H
#define FAULTLINE_COLLECTOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "snapshot.h"

struct fl_collector;

struct fl_collector_options {
	bool all;		/* every VM; else the targets that are added */
	bool use_window;	/* only between a guest's marks */
	int vcpu_id;		/* only this vCPU, or FL_ANY_VCPU */
	size_t records_size;	/* of the ring buffer for episodes, a power of
				 * two of pages; 0: no records
				 */
	struct fl_filter filter; /* records only of episodes that pass it */
	unsigned int max_vcpus;	/* slots; 0: by the number of CPUs */
};

#define FL_COLLECTOR_DEFAULTS { .vcpu_id = FL_ANY_VCPU, .filter = FL_NO_FILTER }

/*
 * Load and attach the programs. Returns NULL if this kernel can't be measured,
 * and has told the user why.
 */
struct fl_collector *fl_collector_open(const struct fl_collector_options *options);

/*
 * Count the exits of process @pid, and with @follow those of what it forks from
 * now on. 0 or -1.
 */
int fl_collector_add_target(struct fl_collector *collector, pid_t pid, bool follow);

/*
 * Read what was counted so far. With @settle, an exit that is open is closed
 * with what is known of it, and open episodes are put into the histogram with
 * the exits they have: right for the last snapshot. Without, both stay out, so
 * that the difference of two snapshots is what happened in between. The
 * measurement goes on either way. Free it with fl_snapshot_free(). 0 or -1.
 */
int fl_collector_read(struct fl_collector *collector, bool settle,
		      struct fl_snapshot *snapshot);

/*
 * Make room for new vCPUs if it gets scarce: put aside what was counted of those
 * whose process has ended. Snapshots go on having it. To be called now and then,
 * at least every second, by what measures without end. 0 or -1.
 */
int fl_collector_tidy(struct fl_collector *collector);

/*
 * Let go of what fl_collector_tidy() has put aside, which the next snapshot will
 * no longer have: for who reads without end, and keeps the sums. To be called
 * after a read, before anything is tidied again.
 */
void fl_collector_forget(struct fl_collector *collector);

/* Whether this KVM is known not to emit kvm_exit always (PVM). */
bool fl_collector_may_lack_exits(const struct fl_collector *collector);

/*
 * Call @handle for each record of an episode that is waiting, in the order in which
 * they ended on their vCPU. Only if records were asked for. 0; 1 if they come in as
 * fast as they are handled, so that there are more after a while; or -1. After
 * fl_collector_stop(), all are handled.
 */
typedef void fl_record_handler(const struct fl_episode_record *record, void *data);
int fl_collector_poll_records(struct fl_collector *collector, fl_record_handler *handle, void *data);

/*
 * A file descriptor that can be read when so many records are waiting that it is
 * time to poll; with few, it can't. -1 if it can't be had.
 */
int fl_collector_records_fd(struct fl_collector *collector);

/*
 * Count no longer. What was counted stays to be read, and the records to be
 * polled: when this returns, none is being written any more.
 */
void fl_collector_stop(struct fl_collector *collector);

/*
 * After fl_collector_stop() and the last poll: call @handle for each episode that
 * is still open and passes the filter. 0 or -1.
 */
int fl_collector_settle_records(struct fl_collector *collector,
				fl_record_handler *handle, void *data);

void fl_collector_close(struct fl_collector *collector);

#endif /* FAULTLINE_COLLECTOR_H */
