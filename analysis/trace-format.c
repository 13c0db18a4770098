// SPDX-License-Identifier: GPL-2.0
/* What the formats of episodes share. See trace-format.h. */
#include "trace-format.h"

int fl_trace_print(struct fl_trace *trace, const struct fl_trace_format *format,
		   const struct fl_episode_record *record)
{
	struct fl_track *track = fl_tracks_find(&trace->tracks, record);

	if (!track)
		return -1;
	format->episode(trace, track, record);
	trace->nr_episodes++;
	return 0;
}

const char *fl_access_name(__u32 error_code, char name[FL_ACCESS_NAME])
{
	const char *mode = error_code & FL_PFERR_USER ? "user" : "kernel";
	const char *access = error_code & FL_PFERR_FETCH ? "fetch" :
			     error_code & FL_PFERR_WRITE ? "write" : "read";
	const char *why = error_code & FL_PFERR_RESERVED ? "reserved" :
			  error_code & FL_PFERR_PRESENT ? "protection" : "absent";

	snprintf(name, FL_ACCESS_NAME, "%s-%s-%s", mode, access, why);
	return name;
}

unsigned int fl_nr_steps(const struct fl_episode *episode)
{
	return episode->exits < FL_MAX_STEPS ? episode->exits : FL_MAX_STEPS;
}
