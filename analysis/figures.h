/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The figures of a tally, each by a name that stays: what a run file keeps, and
 * others that treat all figures alike. A counter that is added to struct fl_tally
 * gets a row in figures.c, and nothing else is needed to record it; the names are
 * an interface, listed in docs/RUNFILE.md.
 */
#ifndef FAULTLINE_FIGURES_H
#define FAULTLINE_FIGURES_H

#include "snapshot.h"

/* Room for a name, whatever it is. */
#define FL_FIGURE_NAME	64

/* Takes a figure that isn't 0. 0 to go on, or -1. */
typedef int fl_figure_handler(const char *name, __u64 value, void *data);

/* Call @handle for each figure of @tally that isn't 0. 0, or what @handle returned. */
int fl_figures_each(const struct fl_tally *tally, fl_figure_handler *handle, void *data);

/*
 * Where in a struct fl_tally the figure @name is, in bytes; a __u64 is there. -1
 * if there is no such one: a later faultline may know more than this one.
 */
long fl_figure_offset(const char *name);

#endif /* FAULTLINE_FIGURES_H */
