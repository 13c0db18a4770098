// SPDX-License-Identifier: GPL-2.0
/* Rows of `faultline top`, from what happened in an interval. See top-view.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "top-view.h"
#include "vmm.h"

/* ---- One row ---- */

/* Time in exits of classes @first to @last, in % of @seconds. */
static double time_share(const struct fl_tally *tally, int first, int last, double seconds)
{
	__u64 ns = 0;
	int class;

	for (class = first; class <= last; class++)
		ns += tally->durations[class].sum_ns;
	return ns / 1e7 / seconds;
}

static double class_value(const struct fl_top_view *view, const struct fl_tally *tally,
			  int class, double seconds)
{
	const struct fl_counts *counts = &tally->counts;

	if (view->times)
		return time_share(tally, class, class, seconds);
	return counts->exits ? 100.0 * counts->classes[class] / counts->exits : NAN;
}

static void fill_row(struct fl_top_row *row, const struct fl_top_view *view,
		     const struct fl_tally *tally, double seconds)
{
	__u64 faults = fl_tally_guest_faults(tally);
	int class;

	row->values[FL_TOP_EXITS] = tally->counts.exits / seconds;
	row->values[FL_TOP_FAULTS] = faults / seconds;
	row->values[FL_TOP_RATIO] = tally->counts.guest_faults ?
				    fl_tally_exits_per_guest_fault(tally) : NAN;
	row->values[FL_TOP_PAGING] = time_share(tally, FL_INJECT, FL_FILL, seconds);
	for (class = 0; class < FL_NR_CLASSES; class++)
		row->values[FL_TOP_CLASSES + class] = class_value(view, tally, class, seconds);
}

static bool is_idle(const struct fl_top_row *row)
{
	return !row->values[FL_TOP_EXITS] && !row->values[FL_TOP_FAULTS];
}

static bool is_wanted(const struct fl_top_row *row, const struct fl_top_view *view)
{
	if (!is_idle(row))
		return true;
	return !view->hide_idle && fl_vm_lives(row->values[FL_TOP_PID]);
}

/* Add a row, if it is wanted. */
static void add_row(struct fl_top_frame *frame, const struct fl_top_view *view,
		    const struct fl_vm_snapshot *vm, double vcpu, const struct fl_tally *tally)
{
	struct fl_top_row *row = &frame->rows[frame->nr_rows];

	row->name = vm->name;
	row->values[FL_TOP_PID] = vm->pid;
	row->values[FL_TOP_NAME] = NAN;
	row->values[FL_TOP_VCPU] = vcpu;
	fill_row(row, view, tally, frame->seconds);
	frame->nr_rows += is_wanted(row, view);
}

/* ---- All rows ---- */

static void add_vms(struct fl_top_frame *frame, const struct fl_top_view *view)
{
	const struct fl_snapshot *delta = frame->delta;
	size_t i;

	for (i = 0; i < delta->nr_vms; i++)
		add_row(frame, view, &delta->vms[i], delta->vms[i].nr_vcpus, &delta->vms[i].tally);
}

static void add_vcpus(struct fl_top_frame *frame, const struct fl_top_view *view)
{
	const struct fl_snapshot *delta = frame->delta;
	size_t i;

	for (i = 0; i < delta->nr_vcpus; i++) {
		const struct fl_vcpu_snapshot *vcpu = &delta->vcpus[i];

		add_row(frame, view, &delta->vms[vcpu->vm], vcpu->id < 0 ? NAN : vcpu->id, &vcpu->tally);
	}
}

/* The greater one first; what has no value comes last. */
static int by_value(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a < b) - (a > b);
}

/* Busy ones first; then in a fixed order, so that idle rows don't jump. */
static int by_default(const struct fl_top_row *a, const struct fl_top_row *b)
{
	static const struct {
		enum fl_top_column column;
		int sign;
	} columns[] = {
		{ FL_TOP_EXITS, 1 }, { FL_TOP_FAULTS, 1 }, { FL_TOP_PID, -1 }, { FL_TOP_VCPU, -1 },
	};
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		int order = by_value(a->values[columns[i].column], b->values[columns[i].column]);

		if (order)
			return order * columns[i].sign;
	}
	return 0;
}

static int compare(const void *first, const void *second, void *data)
{
	const struct fl_top_row *a = first, *b = second;
	const struct fl_top_view *view = data;
	int order = view->sort == FL_TOP_NAME ? strcmp(a->name, b->name) :
		    by_value(a->values[view->sort], b->values[view->sort]);

	if (order)
		return view->reverse ? -order : order;
	return by_default(a, b);
}

int fl_top_frame_make(struct fl_top_frame *frame, const struct fl_top_view *view,
		      const struct fl_snapshot *delta, double seconds)
{
	memset(frame, 0, sizeof(*frame));
	frame->delta = delta;
	frame->seconds = seconds;
	frame->rows = calloc(delta->nr_vms + delta->nr_vcpus + 1, sizeof(*frame->rows));
	if (!frame->rows)
		return fl_fail("out of memory; free some and try again");
	fill_row(&frame->total, view, &delta->total, seconds);
	if (view->vcpus)
		add_vcpus(frame, view);
	else
		add_vms(frame, view);
	qsort_r(frame->rows, frame->nr_rows, sizeof(*frame->rows), compare, (void *)view);
	return 0;
}

void fl_top_frame_free(struct fl_top_frame *frame)
{
	free(frame->rows);
	memset(frame, 0, sizeof(*frame));
}
