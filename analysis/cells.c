// SPDX-License-Identifier: GPL-2.0
/* Which runs are compared with which. See cells.h. */
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "error.h"

const char *const fl_cell_labels[FL_NR_CELL_LABELS + 1] = {
	"vendor", "line", "policy", "workload", "paging",
};

static bool is_in(const struct fl_where *where, const char *label)
{
	size_t length = strlen(label), i;

	for (i = 0; i < where->nr; i++) {
		if (!strncmp(where->conditions[i], label, length) && where->conditions[i][length] == '=')
			return true;
	}
	return false;
}

static bool are_alike(const struct fl_cells *cells, const struct fl_run *a, const struct fl_run *b)
{
	const char *const *label;

	for (label = cells->labels; *label; label++) {
		if (strcmp(fl_run_label(a, *label), fl_run_label(b, *label)))
			return false;
	}
	return true;
}

static const struct fl_run *first_of(const struct fl_cell *cell)
{
	return cell->nr_a ? cell->a[0] : cell->b[0];
}

/* The cell that @run is of, which may be new. NULL if memory runs out. */
static struct fl_cell *find(struct fl_cells *cells, const struct fl_run *run)
{
	struct fl_cell *all;
	size_t i;

	for (i = 0; i < cells->nr; i++) {
		if (are_alike(cells, first_of(&cells->cells[i]), run))
			return &cells->cells[i];
	}
	all = reallocarray(cells->cells, cells->nr + 1, sizeof(*all));
	if (!all)
		return NULL;
	cells->cells = all;
	memset(&all[cells->nr], 0, sizeof(*all));
	return &all[cells->nr++];
}

static int add(const struct fl_run ***runs, size_t *nr, const struct fl_run *run)
{
	const struct fl_run **all = reallocarray(*runs, *nr + 1, sizeof(*all));

	if (!all)
		return -1;
	*runs = all;
	all[(*nr)++] = run;
	return 0;
}

static int add_side(struct fl_cells *cells, const struct fl_collection *side, bool is_a)
{
	size_t i;

	for (i = 0; i < side->nr; i++) {
		struct fl_cell *cell = find(cells, &side->runs[i]);

		if (!cell || (is_a ? add(&cell->a, &cell->nr_a, &side->runs[i]) :
				     add(&cell->b, &cell->nr_b, &side->runs[i])))
			return fl_fail("out of memory; free some and try again");
	}
	return 0;
}

/* Make one of two cells of which each has one side. */
static void join(struct fl_cells *cells)
{
	struct fl_cell *a = cells->cells, *b = cells->cells + 1;

	if (cells->nr != 2 || a->nr_b || b->nr_a)
		return;
	a->b = b->b;
	a->nr_b = b->nr_b;
	cells->nr = 1;
}

int fl_cells_sort(struct fl_cells *cells,
		  const struct fl_collection *a, const struct fl_where *where_a,
		  const struct fl_collection *b, const struct fl_where *where_b)
{
	const char *const *label;
	size_t nr = 0;

	memset(cells, 0, sizeof(*cells));
	for (label = fl_cell_labels; *label; label++) {
		if (!is_in(where_a, *label) || !is_in(where_b, *label))
			cells->labels[nr++] = *label;
	}
	if (add_side(cells, a, true) || add_side(cells, b, false))
		return -1;
	join(cells);
	return 0;
}

void fl_cells_free(struct fl_cells *cells)
{
	size_t i;

	for (i = 0; i < cells->nr; i++) {
		free(cells->cells[i].a);
		free(cells->cells[i].b);
	}
	free(cells->cells);
}
