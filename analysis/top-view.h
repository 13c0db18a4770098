/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `faultline top` shows, without the terminal: the view's state and its keys
 * (top-view.c), rows made of what happened in an interval (top-rows.c), and lines
 * of text made of rows (top-print.c). top-screen.h puts them on a terminal.
 */
#ifndef FAULTLINE_TOP_VIEW_H
#define FAULTLINE_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"

enum fl_top_column {
	FL_TOP_PID,
	FL_TOP_NAME,
	FL_TOP_VCPU,	/* its number; how many, in a VM's row */
	FL_TOP_EXITS,	/* a second */
	FL_TOP_FAULTS,	/* guest faults a second */
	FL_TOP_RATIO,	/* exits per guest fault */
	FL_TOP_PAGING,	/* time in exits for paging, in % of one CPU */
	FL_TOP_CLASSES,	/* the first of the classes' columns */
	FL_NR_TOP_COLUMNS = FL_TOP_CLASSES + FL_NR_CLASSES,
};

/* Keys that are no characters. */
enum fl_top_key {
	FL_KEY_UP = 0x1000,
	FL_KEY_DOWN,
	FL_KEY_PAGE_UP,
	FL_KEY_PAGE_DOWN,
	FL_KEY_HOME,
	FL_KEY_END,
	FL_KEY_BACKSPACE,
	FL_KEY_RESIZE,
};

struct fl_top_view {
	bool vcpus;		/* a row a vCPU, not a VM */
	bool hide_idle;		/* no rows in which nothing happened */
	bool times;		/* classes' times, not their shares of exits */
	bool reverse;
	bool help;		/* show that instead */
	bool refresh, quit;	/* what the user wants done */
	bool prompting;		/* for a delay, of which @input was typed */
	char input[16];
	char message[80];	/* until the next key */
	unsigned int sort;	/* enum fl_top_column */
	__u64 delay_ns;
	size_t first;		/* row on top */
	size_t page;		/* rows that fit, as last drawn */
	size_t nr_rows;		/* as last drawn */
};

#define FL_TOP_DEFAULTS { .sort = FL_TOP_EXITS, .delay_ns = 2000000000ULL }

/* A key was pressed: an ASCII character or an enum fl_top_key. */
void fl_top_press(struct fl_top_view *view, int key);

/* The column called @name as its title says, without regard to case; -1 if none is. */
int fl_top_find_column(const char *name);

/* A column's title, e.g. "EXITS/s". */
const char *fl_top_title(unsigned int column);

/* ---- Rows ---- */

struct fl_top_row {
	const char *name;
	double values[FL_NR_TOP_COLUMNS];	/* NAN: there is none */
};

struct fl_top_frame {
	const struct fl_snapshot *delta;
	double seconds;
	struct fl_top_row total;
	struct fl_top_row *rows;
	size_t nr_rows;
};

/*
 * The rows of what happened in @seconds, as @view wants them: chosen and sorted.
 * What a dead process had is left out when nothing happened. @delta must outlive
 * the frame. 0 or -1.
 */
int fl_top_frame_make(struct fl_top_frame *frame, const struct fl_top_view *view,
		      const struct fl_snapshot *delta, double seconds);

void fl_top_frame_free(struct fl_top_frame *frame);

/* ---- Lines ---- */

/* Room for a line: characters may be of several bytes. */
#define FL_TOP_LINE 2048

enum fl_top_style { FL_TOP_PLAIN, FL_TOP_BOLD, FL_TOP_REVERSE };

/* Takes line @y, which is at most as wide as was asked for. */
typedef void fl_top_put(int y, enum fl_top_style style, const char *line, void *data);

/*
 * Draw @frame, or the help, in @width columns and @height lines. Brings what
 * @view is scrolled to into bounds.
 */
void fl_top_draw(struct fl_top_view *view, const struct fl_top_frame *frame, int width,
		 int height, fl_top_put *put, void *data);

#endif /* FAULTLINE_TOP_VIEW_H */
