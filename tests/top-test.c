// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what `faultline top` shows, without a terminal: rates, order and
 * choice of rows (analysis/top-rows.c), keys (analysis/top-view.c), and lines
 * (analysis/top-print.c).
 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "top-view.h"

#define NO_PROCESS	4194304	/* a PID that no process has */

/* ---- Three VMs: a busy one of two vCPUs, an idle one, and one that is gone ---- */

static void set_vcpu(struct fl_vcpu_snapshot *vcpu, __u64 kvm, __u32 pid, int id, __u64 seen_ns)
{
	vcpu->kvm = kvm;
	vcpu->kvm_vcpu = seen_ns;
	vcpu->pid = pid;
	vcpu->id = id;
	vcpu->seen_ns = seen_ns;
}

/* @faults guest faults of three exits each, which took 1, 2 and 3 us. */
static void add_faults(struct fl_tally *tally, __u64 faults)
{
	static const int classes[] = { FL_INJECT, FL_PTE_WRITE, FL_REFAULT };
	struct fl_counts *counts = &tally->counts;
	size_t i;

	counts->exits += 3 * faults;
	counts->guest_faults += faults;
	for (i = 0; i < 3; i++) {
		counts->classes[classes[i]] += faults;
		counts->in_episodes[classes[i]] += faults;
		tally->durations[classes[i]].count += faults;
		tally->durations[classes[i]].sum_ns += (i + 1) * 1000 * faults;
	}
}

static struct fl_snapshot three_vms(void)
{
	struct fl_snapshot delta = { .nr_vcpus = 4 };

	delta.vcpus = calloc(4, sizeof(*delta.vcpus));
	assert_non_null(delta.vcpus);
	set_vcpu(&delta.vcpus[0], 1, getpid(), 0, 100);
	set_vcpu(&delta.vcpus[1], 2, getppid(), 0, 200);
	set_vcpu(&delta.vcpus[2], 3, NO_PROCESS, 0, 300);
	set_vcpu(&delta.vcpus[3], 2, getppid(), 1, 400);
	add_faults(&delta.vcpus[1].tally, 1000);
	add_faults(&delta.vcpus[3].tally, 3000);
	delta.vcpus[3].tally.counts.exits += 3000;
	delta.vcpus[3].tally.counts.classes[FL_ASYNC] += 3000;
	assert_int_equal(fl_snapshot_sum_up(&delta), 0);
	strcpy(delta.vms[0].name, "idle");
	strcpy(delta.vms[1].name, "busy");
	strcpy(delta.vms[2].name, "gone");
	return delta;
}

/* The names of the rows that @view has of three_vms(), in a string. */
static const char *rows_of(const struct fl_top_view *view)
{
	struct fl_snapshot delta = three_vms();
	static char text[256];
	struct fl_top_frame frame;
	size_t i, used = 0;

	assert_int_equal(fl_top_frame_make(&frame, view, &delta, 2), 0);
	*text = '\0';
	for (i = 0; i < frame.nr_rows; i++)
		used += snprintf(text + used, sizeof(text) - used, "%s:%.0f ", frame.rows[i].name,
				 frame.rows[i].values[FL_TOP_VCPU]);
	fl_top_frame_free(&frame);
	fl_snapshot_free(&delta);
	return text;
}

/* ---- Rows ---- */

static void rates(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	struct fl_top_frame frame;
	const double *busy;

	(void)state;
	assert_int_equal(fl_top_frame_make(&frame, &view, &delta, 2), 0);
	busy = frame.rows[0].values;
	assert_string_equal(frame.rows[0].name, "busy");
	assert_float_equal(busy[FL_TOP_VCPU], 2, 0);
	assert_float_equal(busy[FL_TOP_EXITS], 7500, 0);
	assert_float_equal(busy[FL_TOP_FAULTS], 2000, 0);
	assert_float_equal(busy[FL_TOP_RATIO], 3, 0);
	/* 4000 faults of 6 us in 2 s. */
	assert_float_equal(busy[FL_TOP_PAGING], 1.2, 1e-9);
	assert_float_equal(busy[FL_TOP_CLASSES + FL_ASYNC], 20, 1e-9);
	assert_true(isnan(frame.rows[1].values[FL_TOP_RATIO]));
	assert_float_equal(frame.total.values[FL_TOP_EXITS], 7500, 0);
	fl_top_frame_free(&frame);

	view.times = true;
	assert_int_equal(fl_top_frame_make(&frame, &view, &delta, 2), 0);
	assert_float_equal(frame.rows[0].values[FL_TOP_CLASSES + FL_REFAULT], 0.6, 1e-9);
	fl_top_frame_free(&frame);
	fl_snapshot_free(&delta);
}

static void rows_are_chosen_and_sorted(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;

	(void)state;
	assert_string_equal(rows_of(&view), "busy:2 idle:1 ");
	view.reverse = true;
	assert_string_equal(rows_of(&view), "idle:1 busy:2 ");
	view.reverse = false;
	view.hide_idle = true;
	assert_string_equal(rows_of(&view), "busy:2 ");
	view.hide_idle = false;
	view.vcpus = true;
	assert_string_equal(rows_of(&view), "busy:1 busy:0 idle:0 ");
	view.sort = FL_TOP_NAME;
	view.reverse = true;
	assert_string_equal(rows_of(&view), "idle:0 busy:1 busy:0 ");
	/* What has no value is last, then in the usual order. */
	view.sort = FL_TOP_RATIO;
	view.reverse = false;
	assert_string_equal(rows_of(&view), "busy:1 busy:0 idle:0 ");
}

static void faults_without_exits_are_no_idleness(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = { .nr_vcpus = 1 };
	struct fl_top_frame frame;

	(void)state;
	delta.vcpus = calloc(1, sizeof(*delta.vcpus));
	assert_non_null(delta.vcpus);
	set_vcpu(&delta.vcpus[0], 0, NO_PROCESS, -1, 100);
	delta.vcpus[0].tally.events.injected = 10;
	assert_int_equal(fl_snapshot_sum_up(&delta), 0);
	view.vcpus = true;
	assert_int_equal(fl_top_frame_make(&frame, &view, &delta, 2), 0);
	assert_int_equal(frame.nr_rows, 1);
	assert_float_equal(frame.rows[0].values[FL_TOP_FAULTS], 5, 0);
	assert_true(isnan(frame.rows[0].values[FL_TOP_VCPU]));
	fl_top_frame_free(&frame);
	fl_snapshot_free(&delta);
}

/* ---- Keys ---- */

static void press(struct fl_top_view *view, const char *keys)
{
	for (; *keys; keys++)
		fl_top_press(view, *keys);
}

static void keys_toggle(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;

	(void)state;
	press(&view, "VitR ");
	assert_true(view.vcpus && view.hide_idle && view.times && view.reverse && view.refresh);
	press(&view, "HitR");
	assert_false(view.vcpus || view.hide_idle || view.times || view.reverse || view.quit);
	press(&view, "q");
	assert_true(view.quit);
}

static void keys_sort(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	int i;

	(void)state;
	press(&view, "F");
	assert_int_equal(view.sort, FL_TOP_FAULTS);
	assert_string_equal(view.message, "sorted by FAULTS/s");
	press(&view, "<<");
	assert_int_equal(view.sort, FL_TOP_VCPU);
	for (i = 0; i < 100; i++)
		press(&view, "<");
	assert_int_equal(view.sort, 0);
	for (i = 0; i < 100; i++)
		press(&view, ">");
	assert_int_equal(view.sort, FL_NR_TOP_COLUMNS - 1);
	press(&view, "i");
	assert_string_equal(view.message, "");
}

static void help_ends_with_any_key(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;

	(void)state;
	press(&view, "?");
	assert_true(view.help);
	fl_top_press(&view, FL_KEY_RESIZE);
	assert_true(view.help);
	press(&view, "q");
	assert_false(view.help || view.quit);
}

static void delay_is_asked_for(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;

	(void)state;
	press(&view, "d0.5");
	assert_true(view.prompting);
	fl_top_press(&view, FL_KEY_BACKSPACE);
	press(&view, "25\n");
	assert_false(view.prompting);
	assert_int_equal(view.delay_ns, 250000000);
	/* Keys in a prompt are no commands, an empty one changes nothing. */
	press(&view, "sq\033");
	assert_false(view.quit || view.prompting);
	press(&view, "s\n");
	assert_int_equal(view.delay_ns, 250000000);
	assert_string_equal(view.message, "");
}

static void bad_delays_are_refused(void **state)
{
	static const char *const bad[] = { "s0\n", "sx\n", "s1e99\n", "snan\n", "s-1\n", "s99999999999999999999\n" };
	struct fl_top_view view = FL_TOP_DEFAULTS;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		press(&view, bad[i]);
		assert_non_null(strstr(view.message, "is not a number of seconds"));
		assert_int_equal(view.delay_ns, 2000000000);
	}
}

/* ---- Lines ---- */

struct picture {
	char lines[64][256];
	int nr, widest;
};

static void put(int y, enum fl_top_style style, const char *line, void *data)
{
	struct picture *picture = data;
	int width = mbstowcs(NULL, line, 0);

	(void)style;
	assert_int_equal(y, picture->nr);
	assert_in_range(picture->nr, 0, 63);
	snprintf(picture->lines[picture->nr++], sizeof(picture->lines[0]), "%s", line);
	if (width > picture->widest)
		picture->widest = width;
}

static struct picture draw(struct fl_top_view *view, struct fl_snapshot *delta, int width, int height)
{
	struct picture picture = { .nr = 0 };
	struct fl_top_frame frame;

	assert_int_equal(fl_top_frame_make(&frame, view, delta, 2), 0);
	fl_top_draw(view, &frame, width, height, put, &picture);
	fl_top_frame_free(&frame);
	assert_in_range(picture.widest, 0, width);
	assert_in_range(picture.nr, 0, height);
	return picture;
}

static void eighty_columns(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	struct picture picture;
	char row[128];

	(void)state;
	picture = draw(&view, &delta, 80, 24);
	assert_int_equal(picture.nr, 6);
	assert_string_equal(picture.lines[0], "faultline top - 3 VMs, 4 vCPUs: 7500 exits/s, "
			    "2000 faults/s, 3.000 exits/fault");
	assert_string_equal(picture.lines[3], "    PID NAME         VCPU  EXITS/s FAULTS/s EX/FT"
			    " %PAGE  INJ  PTE  UNS  INV  REF");
	snprintf(row, sizeof(row), "%7d busy            2     7500     2000  3.00   1.2   27   27    0    0   27",
		 getppid());
	assert_string_equal(picture.lines[4], row);
	snprintf(row, sizeof(row), "%7d idle            1        0        0     -   0.0    -    -    -    -    -",
		 getpid());
	assert_string_equal(picture.lines[5], row);
	fl_snapshot_free(&delta);
}

static void every_size(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	int width, height;

	(void)state;
	strcpy(delta.vms[1].name, "a name of many \xe4\xb8\xad\xe6\x96\x87 characters that needs room");
	for (width = 1; width <= 200; width++) {
		for (height = 1; height <= 30; height++) {
			draw(&view, &delta, width, height);
			press(&view, "h");
			draw(&view, &delta, width, height);
			press(&view, "x>");
		}
	}
	fl_snapshot_free(&delta);
}

static void the_column_sorted_by_is_shown(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	struct picture picture;

	(void)state;
	view.sort = fl_top_find_column("asyn");
	picture = draw(&view, &delta, 80, 24);
	assert_non_null(strstr(picture.lines[3], " %PAGE  REF FILL   CR MMIO ASYN"));
	/* Others make room for it, down to the first. */
	picture = draw(&view, &delta, 40, 24);
	assert_string_equal(picture.lines[3], "    PID NAME         VCPU  EXITS/s ASYN");
	picture = draw(&view, &delta, 12, 24);
	assert_string_equal(picture.lines[3], "    PID ASYN");
	picture = draw(&view, &delta, 11, 24);
	assert_string_equal(picture.lines[3], "    PID");
	view.sort = fl_top_find_column("%page");
	picture = draw(&view, &delta, 26, 24);
	assert_string_equal(picture.lines[3], "    PID NAME         %PAGE");
	assert_int_equal(fl_top_find_column("nothing"), -1);
	fl_snapshot_free(&delta);
}

static void scrolling_stays_in_bounds(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	struct picture picture;

	(void)state;
	picture = draw(&view, &delta, 80, 5);
	assert_non_null(strstr(picture.lines[4], "busy"));
	fl_top_press(&view, FL_KEY_PAGE_DOWN);
	picture = draw(&view, &delta, 80, 5);
	assert_non_null(strstr(picture.lines[4], "idle"));
	fl_top_press(&view, FL_KEY_END);
	fl_top_press(&view, FL_KEY_DOWN);
	picture = draw(&view, &delta, 80, 5);
	assert_non_null(strstr(picture.lines[4], "idle"));
	fl_top_press(&view, FL_KEY_UP);
	fl_top_press(&view, FL_KEY_UP);
	picture = draw(&view, &delta, 80, 5);
	assert_non_null(strstr(picture.lines[4], "busy"));
	fl_snapshot_free(&delta);
}

static void lost_events_are_said(void **state)
{
	struct fl_top_view view = FL_TOP_DEFAULTS;
	struct fl_snapshot delta = three_vms();
	struct picture picture;

	(void)state;
	delta.lost_events = 3;
	picture = draw(&view, &delta, 80, 24);
	assert_string_equal(picture.lines[2], "3 events were LOST: the counts are too low");
	fl_snapshot_free(&delta);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(rows_are_chosen_and_sorted),
		cmocka_unit_test(faults_without_exits_are_no_idleness),
		cmocka_unit_test(keys_toggle),
		cmocka_unit_test(keys_sort),
		cmocka_unit_test(help_ends_with_any_key),
		cmocka_unit_test(delay_is_asked_for),
		cmocka_unit_test(bad_delays_are_refused),
		cmocka_unit_test(eighty_columns),
		cmocka_unit_test(every_size),
		cmocka_unit_test(the_column_sorted_by_is_shown),
		cmocka_unit_test(scrolling_stays_in_bounds),
		cmocka_unit_test(lost_events_are_said),
	};

	/* As the command does; for the name that is not ASCII. */
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
