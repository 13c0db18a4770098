// SPDX-License-Identifier: GPL-2.0
/* Lines of `faultline top`. See top-view.h. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>

#include "run.h"
#include "top-view.h"

/* ---- Columns ---- */

#define NAME_WIDTH	12
#define MAX_NAME_WIDTH	40
#define CLASS_WIDTH	4

static const struct {
	const char *title;
	int width;
	int decimals;
} columns[FL_NR_TOP_COLUMNS] = {
	[FL_TOP_PID] = { "PID", 7, 0 },
	[FL_TOP_NAME] = { "NAME", NAME_WIDTH, 0 },
	[FL_TOP_VCPU] = { "VCPU", 4, 0 },
	[FL_TOP_EXITS] = { "EXITS/s", 8, 0 },
	[FL_TOP_FAULTS] = { "FAULTS/s", 8, 0 },
	[FL_TOP_RATIO] = { "EX/FT", 5, 2 },
	[FL_TOP_PAGING] = { "%PAGE", 5, 1 },
	[FL_TOP_CLASSES + FL_INJECT] = { "INJ", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_PTE_WRITE] = { "PTE", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_UNSYNC] = { "UNS", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_INVLPG] = { "INV", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_REFAULT] = { "REF", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_FILL] = { "FILL", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_CR] = { "CR", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_MMIO] = { "MMIO", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_ASYNC] = { "ASYN", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_OTHER] = { "OTH", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_REFLECT] = { "RFL", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_VMENTRY] = { "VMEN", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_VMEXIT] = { "VMEX", CLASS_WIDTH, 0 },
	[FL_TOP_CLASSES + FL_VIRT] = { "VIRT", CLASS_WIDTH, 0 },
};

const char *fl_top_title(unsigned int column)
{
	return columns[column].title;
}

int fl_top_find_column(const char *name)
{
	int column;

	for (column = 0; column < FL_NR_TOP_COLUMNS; column++) {
		if (!strcasecmp(columns[column].title, name))
			return column;
	}
	return -1;
}

/* What fits: columns up to @end, of the classes those from @first_class on; and @extra. */
struct layout {
	int width, name_width;
	unsigned int first_class, end, extra;
};

/* How many columns there is room for, from the first one on; @left is what is left of it. */
static unsigned int count_fitting(int *left)
{
	unsigned int column;

	for (column = 0; column < FL_NR_TOP_COLUMNS && *left > columns[column].width; column++)
		*left -= columns[column].width + 1;
	return column;
}

static struct layout lay_out(const struct fl_top_view *view, int width)
{
	struct layout layout = { width, NAME_WIDTH, FL_TOP_CLASSES, 0, FL_NR_TOP_COLUMNS };
	int left = width + 1, beside = width - columns[view->sort].width;
	unsigned int nr, column = count_fitting(&left);

	layout.end = column ? column : 1;
	if (column == FL_NR_TOP_COLUMNS)
		layout.name_width += left < MAX_NAME_WIDTH - NAME_WIDTH ? left : MAX_NAME_WIDTH - NAME_WIDTH;
	/* If there is no room for all classes, bring the one that is sorted by ... */
	if (view->sort >= column && column > FL_TOP_CLASSES) {
		nr = column - FL_TOP_CLASSES;
		layout.first_class = view->sort - nr + 1;
		layout.end = view->sort + 1;
		return layout;
	}
	/* ... and so if there is none for any, as long as something is left to name the row. */
	nr = count_fitting(&beside);
	if (view->sort >= layout.end && nr) {
		layout.end = nr;
		layout.extra = view->sort;
	}
	return layout;
}

static bool is_shown(const struct layout *layout, unsigned int column)
{
	return column == layout->extra ||
	       (column < layout->end && (column < FL_TOP_CLASSES || column >= layout->first_class));
}

/* ---- Text ---- */

struct line {
	char text[FL_TOP_LINE];
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line->text + line->used, room, format, args);
	va_end(args);
	line->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* Add as much of @text as fits into @width columns, and spaces up to there. */
static void add_fitting(struct line *line, const char *text, int width)
{
	size_t rest, length;
	int columns_wide;
	wchar_t c;

	for (; *text; text += length, width -= columns_wide) {
		mbstate_t state = { 0 };

		rest = strlen(text);
		length = mbrtowc(&c, text, rest, &state);
		/* What the locale doesn't know, or can't show, is a question mark. */
		if (length > rest || wcwidth(c) < 0) {
			length = 1;
			c = L'?';
		}
		columns_wide = wcwidth(c);
		if (columns_wide > width)
			break;
		add(line, "%lc", (wint_t)c);
	}
	add(line, "%*s", width, "");
}

static void add_value(struct line *line, unsigned int column, double value)
{
	int width = columns[column].width, decimals = columns[column].decimals;

	if (isnan(value))
		add(line, "%*s", width, "-");
	else if (column >= FL_TOP_EXITS && column <= FL_TOP_FAULTS && value && value < 100)
		add(line, "%*.1f", width, value);
	else
		add(line, "%*.*f", width, decimals, value);
}

/* Print @row, or the titles if it is NULL. */
static void print_row(const struct layout *layout, const struct fl_top_row *row, struct line *line)
{
	unsigned int column;

	for (column = 0; column < FL_NR_TOP_COLUMNS; column++) {
		if (!is_shown(layout, column))
			continue;
		add(line, "%s", column ? " " : "");
		if (column == FL_TOP_NAME)
			add_fitting(line, row ? row->name : columns[column].title, layout->name_width);
		else if (row)
			add_value(line, column, row->values[column]);
		else
			add(line, "%*s", columns[column].width, columns[column].title);
	}
}

static void print_summary(const struct fl_top_frame *frame, struct line *line)
{
	const struct fl_top_row *total = &frame->total;
	const struct fl_snapshot *delta = frame->delta;

	add(line, "faultline top - %zu VM%s, %zu vCPU%s: %.0f exits/s, %.0f faults/s", delta->nr_vms,
	    delta->nr_vms == 1 ? "" : "s", delta->nr_vcpus, delta->nr_vcpus == 1 ? "" : "s",
	    total->values[FL_TOP_EXITS], total->values[FL_TOP_FAULTS]);
	if (!isnan(total->values[FL_TOP_RATIO]))
		add(line, ", %.3f exits/fault", total->values[FL_TOP_RATIO]);
}

static void print_state(const struct fl_top_view *view, const struct fl_top_frame *frame,
			struct line *line)
{
	add(line, "%.1f s, every %.1f s; by %s%s; classes: %s", frame->seconds,
	    view->delay_ns / 1e9, fl_top_title(view->sort), view->reverse ? " reversed" : "",
	    view->times ? "time, % of a CPU" : "% of exits");
	if (fl_tally_lacks_exits(&frame->delta->total))
		add(line, "; KVM emits no kvm_exit");
}

static void print_message(const struct fl_top_view *view, const struct fl_top_frame *frame,
			  struct line *line)
{
	if (view->prompting)
		add(line, "Seconds between updates [%.1f]: %s", view->delay_ns / 1e9, view->input);
	else if (frame->delta->lost_events)
		add(line, "%llu events were LOST: the counts are too low", frame->delta->lost_events);
	else
		add(line, "%s", view->message);
}

/* ---- The whole ---- */

struct canvas {
	int width, height, y;
	fl_top_put *put;
	void *data;
};

/* All that may be wider is ASCII. */
static void put_line(struct canvas *canvas, enum fl_top_style style, struct line *line)
{
	size_t width = canvas->width;

	if (canvas->y >= canvas->height)
		return;
	if (width < line->used && mbstowcs(NULL, line->text, 0) > width)
		line->text[width] = '\0';
	canvas->put(canvas->y++, style, line->text, canvas->data);
}

static void draw_help(struct canvas *canvas)
{
	static const char *const text[] = {
		"Keys of faultline top; any key goes back",
		"",
		"  q              quit",
		"  h ?            this help",
		"  d s            set the seconds between updates",
		"  space          update now",
		"  V H            a row for each vCPU, or for each VM",
		"  i              hide rows in which nothing happens",
		"  t              classes: time in % of one CPU, or share of exits",
		"  < >            sort by the column to the left or right",
		"  P F X T N      sort by exits, faults, exits per fault, time, PID",
		"  R              reverse the order",
		"  arrows, PgUp, PgDn, Home, End   scroll",
		"",
		"EX/FT  exits per guest fault        %PAGE  time in exits for paging",
		"INJ    inject, PTE pte-write, UNS unsync, INV invlpg, REF refault:",
		"       what guest faults cost; FILL, CR, MMIO, ASYN async, OTH other",
		"Of nested guests: RFL reflect, as inject; VMEN, VMEX, VIRT what L1 does",
	};
	size_t i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		struct line line = { .used = 0 };

		add(&line, "%s", text[i]);
		put_line(canvas, i ? FL_TOP_PLAIN : FL_TOP_BOLD, &line);
	}
}

static void draw_rows(struct canvas *canvas, struct fl_top_view *view,
		      const struct fl_top_frame *frame, const struct layout *layout)
{
	size_t i;

	view->nr_rows = frame->nr_rows;
	view->page = canvas->height > canvas->y ? canvas->height - canvas->y : 0;
	if (view->first + view->page > frame->nr_rows)
		view->first = frame->nr_rows > view->page ? frame->nr_rows - view->page : 0;
	for (i = view->first; i < frame->nr_rows && canvas->y < canvas->height; i++) {
		struct line line = { .used = 0 };

		print_row(layout, &frame->rows[i], &line);
		put_line(canvas, FL_TOP_PLAIN, &line);
	}
}

void fl_top_draw(struct fl_top_view *view, const struct fl_top_frame *frame, int width,
		 int height, fl_top_put *put, void *data)
{
	struct canvas canvas = { width, height, 0, put, data };
	struct layout layout = lay_out(view, width);
	struct line summary = { .used = 0 }, state = { .used = 0 };
	struct line message = { .used = 0 }, titles = { .used = 0 };

	if (view->help) {
		draw_help(&canvas);
		return;
	}
	print_summary(frame, &summary);
	put_line(&canvas, FL_TOP_BOLD, &summary);
	print_state(view, frame, &state);
	put_line(&canvas, FL_TOP_PLAIN, &state);
	print_message(view, frame, &message);
	put_line(&canvas, FL_TOP_PLAIN, &message);
	print_row(&layout, NULL, &titles);
	put_line(&canvas, FL_TOP_REVERSE, &titles);
	draw_rows(&canvas, view, frame, &layout);
}
