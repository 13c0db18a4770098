// SPDX-License-Identifier: GPL-2.0
/* The state of `faultline top`, and what keys do to it. See top-view.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "top-view.h"

#define ESCAPE 27

/* ---- The delay ---- */

static void end_prompt(struct fl_top_view *view)
{
	char *end;
	double seconds = strtod(view->input, &end);

	view->prompting = false;
	if (!*view->input)
		return;
	if (*end || !(seconds >= 0.1 && seconds <= 1e6)) {
		snprintf(view->message, sizeof(view->message),
			 "'%s' is not a number of seconds from 0.1 to 1000000", view->input);
		return;
	}
	view->delay_ns = seconds * 1e9;
}

static void press_in_prompt(struct fl_top_view *view, int key)
{
	size_t length = strlen(view->input);

	if (key == '\n' || key == '\r') {
		end_prompt(view);
	} else if (key == ESCAPE) {
		view->prompting = false;
	} else if (key == FL_KEY_BACKSPACE || key == 127 || key == '\b') {
		if (length)
			view->input[length - 1] = '\0';
	} else if (key < 128 && isprint(key) && length + 1 < sizeof(view->input)) {
		view->input[length] = key;
		view->input[length + 1] = '\0';
	}
}

/* ---- Rows and columns ---- */

static void sort_by(struct fl_top_view *view, unsigned int column)
{
	view->sort = column;
	snprintf(view->message, sizeof(view->message), "sorted by %s", fl_top_title(column));
}

static void scroll(struct fl_top_view *view, long rows)
{
	if (rows < 0 && view->first < (size_t)-rows)
		view->first = 0;
	else
		view->first += rows;
}

static void press_move(struct fl_top_view *view, int key)
{
	long page = view->page ? view->page : 1;

	switch (key) {
	case FL_KEY_UP:
		scroll(view, -1);
		break;
	case FL_KEY_DOWN:
		scroll(view, 1);
		break;
	case FL_KEY_PAGE_UP:
		scroll(view, -page);
		break;
	case FL_KEY_PAGE_DOWN:
		scroll(view, page);
		break;
	case FL_KEY_HOME:
		view->first = 0;
		break;
	case FL_KEY_END:
		view->first = view->nr_rows;
		break;
	}
}

static void press_column(struct fl_top_view *view, int key)
{
	static const struct {
		char key;
		enum fl_top_column column;
	} columns[] = {
		{ 'N', FL_TOP_PID }, { 'P', FL_TOP_EXITS }, { 'F', FL_TOP_FAULTS },
		{ 'X', FL_TOP_RATIO }, { 'T', FL_TOP_PAGING },
	};
	size_t i;

	if (key == '<' && view->sort > 0)
		sort_by(view, view->sort - 1);
	if (key == '>' && view->sort + 1 < FL_NR_TOP_COLUMNS)
		sort_by(view, view->sort + 1);
	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (columns[i].key == key)
			sort_by(view, columns[i].column);
	}
}

void fl_top_press(struct fl_top_view *view, int key)
{
	if (key == FL_KEY_RESIZE)
		return;
	if (view->prompting) {
		press_in_prompt(view, key);
		return;
	}
	*view->message = '\0';
	if (view->help) {
		view->help = false;
		view->quit = key == 'Q';
		return;
	}
	switch (key) {
	case 'q':
	case 'Q':
		view->quit = true;
		break;
	case 'h':
	case '?':
		view->help = true;
		break;
	case 'd':
	case 's':
		view->prompting = true;
		*view->input = '\0';
		break;
	case ' ':
	case '\n':
	case '\r':
		view->refresh = true;
		break;
	case 'H':
	case 'V':
		view->vcpus = !view->vcpus;
		break;
	case 'i':
		view->hide_idle = !view->hide_idle;
		break;
	case 't':
		view->times = !view->times;
		break;
	case 'R':
		view->reverse = !view->reverse;
		break;
	default:
		press_column(view, key);
		press_move(view, key);
	}
}
