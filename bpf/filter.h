/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which episodes a record is wanted of. Plain C, compiled into the BPF object,
 * which writes no other records, and into libfaultline, for those that are still
 * open in the end.
 */
#ifndef FAULTLINE_FILTER_H
#define FAULTLINE_FILTER_H

#include "episode.h"

/* An episode must pass all of it. */
struct fl_filter {
	__u64 first_page;	/* guest virtual page numbers */
	__u64 last_page;
	__u64 min_ns;		/* from its first exit to the end of its last */
	__u32 min_exits;
	__u32 with;		/* classes, as bits: of at least one; 0: of any */
	__u32 without;		/* classes, as bits: of none */
	__u32 outcomes;		/* as bits; 0: any */
	__u32 error_mask;	/* these bits of the error code ... */
	__u32 error_code;	/* ... must be as here */
};

#define FL_NO_FILTER { .last_page = FL_NO_PAGE }

static __always_inline int fl_filter_passes(const struct fl_filter *filter,
					    const struct fl_episode *episode)
{
	if (filter->with && !(filter->with & episode->classes))
		return 0;
	if (filter->outcomes && !(filter->outcomes & 1U << (episode->outcome & 31)))
		return 0;
	return !(filter->without & episode->classes) &&
	       (episode->error_code & filter->error_mask) == filter->error_code &&
	       episode->page >= filter->first_page && episode->page <= filter->last_page &&
	       episode->exits >= filter->min_exits &&
	       episode->end_ns - episode->start_ns >= filter->min_ns;
}

#endif /* FAULTLINE_FILTER_H */
