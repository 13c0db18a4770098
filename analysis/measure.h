/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A measurement from beginning to end, and its intervals: what `stat` prints and
 * others keep.
 */
#ifndef FAULTLINE_MEASURE_H
#define FAULTLINE_MEASURE_H

#include "run.h"
#include "selection.h"

/* Takes a run: an interval, or (run->interval is 0) the whole. 0 or -1. */
typedef int fl_run_handler(const struct fl_run *run, void *data);

/*
 * Measure what @selection says until it is over: call @handle for each interval
 * of @interval_ns (0: none), and then once for the whole, of which @run has the
 * labels. Call fl_interrupt_catch() before. 0, or -1 if it is not a measurement;
 * @handle may have been called all the same.
 */
int fl_measure(const struct fl_selection *selection, __u64 interval_ns,
	       struct fl_run *run, fl_run_handler *handle, void *data);

#endif /* FAULTLINE_MEASURE_H */
