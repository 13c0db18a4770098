/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The formats in which `faultline trace` prints episodes: a file each. What they
 * mean is in docs/METHOD.md.
 */
#ifndef FAULTLINE_TRACE_FORMAT_H
#define FAULTLINE_TRACE_FORMAT_H

#include <stdio.h>

#include "tracks.h"

struct fl_trace {
	FILE *out;
	__u64 start_ns;		/* before any episode, CLOCK_MONOTONIC */
	__u64 nr_episodes;	/* that have been printed */
	struct fl_tracks tracks;
};

/*
 * What to print before the first episode, of each, and in the end; @last is the
 * last snapshot. Whether it all arrived is for the caller to find out, by
 * fl_run_flush().
 */
struct fl_trace_format {
	const char *name;
	void (*begin)(struct fl_trace *trace);
	void (*episode)(struct fl_trace *trace, struct fl_track *track,
			const struct fl_episode_record *record);
	void (*end)(struct fl_trace *trace, const struct fl_snapshot *last);
};

extern const struct fl_trace_format fl_trace_text;	/* one line an episode */
extern const struct fl_trace_format fl_trace_json;	/* one object a line */
extern const struct fl_trace_format fl_trace_chrome;	/* trace events, for viewers */

/* Print @record's episode. 0, or -1 if memory has run out. */
int fl_trace_print(struct fl_trace *trace, const struct fl_trace_format *format,
		   const struct fl_episode_record *record);

/* ---- What formats share ---- */

/* Room for fl_access_name(). */
#define FL_ACCESS_NAME 40

/*
 * What a #PF's error code says of the access, e.g. "user-write-absent": by user
 * or kernel; a read, write or fetch; why it faulted: absent, protection, reserved.
 */
const char *fl_access_name(__u32 error_code, char name[FL_ACCESS_NAME]);

/* Steps of @episode that are known: not more than FL_MAX_STEPS, nor its exits. */
unsigned int fl_nr_steps(const struct fl_episode *episode);

#endif /* FAULTLINE_TRACE_FORMAT_H */
