/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A measurement from beginning to end, and its intervals: what `stat` prints and
 * others keep.
 */
#ifndef FAULTLINE_MEASURE_H
#define FAULTLINE_MEASURE_H

#include "run.h"
#include "selection.h"

struct fl_measurement {
	const struct fl_selection *selection;
	__u64 interval_ns;		/* 0: no intervals */
	fl_run_handler *handle;
	size_t records_size;		/* as in struct fl_collector_options */
	fl_record_handler *handle_record; /* of an episode; NULL: no records */
	void *data;			/* for both */
};

/*
 * Measure until it is over: call @handle for each interval, and then once for the
 * whole, of which @run has the labels; and @handle_record in between. Call
 * fl_interrupt_catch() before. 0, or -1 if it is not a measurement; they may have
 * been called all the same.
 */
int fl_measure(const struct fl_measurement *what, struct fl_run *run);

#endif /* FAULTLINE_MEASURE_H */
