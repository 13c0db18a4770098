/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A measurement that is going on: the collector, what it is attached to, and when
 * that is over. Used by every subcommand that measures:
 *
 *	fl_session_open()
 *	while (!fl_session_is_over())
 *		fl_session_wait()
 *	fl_session_close()
 */
#ifndef FAULTLINE_SESSION_H
#define FAULTLINE_SESSION_H

#include "collector.h"
#include "command.h"
#include "selection.h"

struct fl_session {
	const struct fl_selection *selection;
	struct fl_collector *collector;
	struct fl_command command;
	int pidfd;		/* of the process measured, or -1 */
	bool pid_ended;
	__u64 start_ns;		/* CLOCK_MONOTONIC */
};

/*
 * Attach to what @selection says, and start its command. @records_size as in
 * struct fl_collector_options. Call fl_interrupt_catch() before. 0, or -1 with
 * nothing left to close.
 */
int fl_session_open(struct fl_session *session, const struct fl_selection *selection,
		    size_t records_size);

/* Whether what is measured, or the time for it, has come to its end. */
bool fl_session_is_over(struct fl_session *session);

/* Nanoseconds since it began. */
__u64 fl_session_elapsed(const struct fl_session *session);

/* How long to wait, at most @ns, so as not to miss the end of the time for it. */
__u64 fl_session_time_left(const struct fl_session *session, __u64 ns);

/*
 * Wait for @ns, or until there is reason to ask whether it is over, and keep the
 * collector tidy. 0 or -1.
 */
int fl_session_wait(struct fl_session *session, __u64 ns);

/* The same, or until there is something to do about @fd. */
int fl_session_wait_fd(struct fl_session *session, __u64 ns, int fd);

/*
 * Whether @last, its last snapshot, is a measurement: the command succeeded,
 * nothing was lost, something was seen. A command that goes on though a signal has
 * ended the measurement is waited for. 0, or -1 and has told the user why not.
 */
int fl_session_judge(struct fl_session *session, const struct fl_snapshot *last);

void fl_session_close(struct fl_session *session);

#endif /* FAULTLINE_SESSION_H */
