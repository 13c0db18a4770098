/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which runs of two sides are compared with which: those with the same vendor, line,
 * policy, workload and paging make a cell. A label that both sides were chosen by
 * doesn't tell cells apart.
 */
#ifndef FAULTLINE_CELLS_H
#define FAULTLINE_CELLS_H

#include "collection.h"

/* The labels by which cells are told apart; NULL at the end. */
#define FL_NR_CELL_LABELS 5
extern const char *const fl_cell_labels[FL_NR_CELL_LABELS + 1];

struct fl_cell {
	const struct fl_run **a, **b;	/* runs of the sides; one of them may have none */
	size_t nr_a, nr_b;
};

struct fl_cells {
	struct fl_cell *cells;
	size_t nr;
	const char *labels[FL_NR_CELL_LABELS + 1];	/* that tell these apart */
};

/*
 * Sort the runs of @a and @b, which must stay, into cells; they were selected by
 * @where_a and @where_b. If neither side has more than one kind of run, these are
 * compared, whatever their labels are. 0 or -1; free it either way.
 */
int fl_cells_sort(struct fl_cells *cells,
		  const struct fl_collection *a, const struct fl_where *where_a,
		  const struct fl_collection *b, const struct fl_where *where_b);

void fl_cells_free(struct fl_cells *cells);

#endif /* FAULTLINE_CELLS_H */
