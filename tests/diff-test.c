// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what `faultline diff` rests on: the statistics (analysis/statistics.c),
 * what is compared (quantity.c), with what (cells.c), and limits (gate.c).
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cells.h"
#include "gate.h"

/* ---- Statistics ---- */

/*
 * Two samples that are often used as an example. The figures were worked out by
 * integrating the t distribution numerically.
 */
static void welchs_test(void **state)
{
	static const double first[] = {
		27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4,
	}, second[] = {
		27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4,
	};
	struct fl_sample a = fl_sample_of(first, 15), b = fl_sample_of(second, 15);
	struct fl_change change = fl_compare(&a, &b, 0.95);

	(void)state;
	assert_float_equal(change.change, 2.16666667, 1e-6);
	assert_float_equal(change.p, 0.02137800, 1e-6);
	assert_float_equal(change.low, 0.34923707, 1e-6);
	assert_float_equal(change.high, 3.98409627, 1e-6);
	assert_int_equal(change.verdict, FL_DIFFERENT);
	assert_int_equal(fl_compare(&a, &b, 0.99).verdict, FL_NO_DIFFERENCE);
}

static void samples_that_do_not_vary(void **state)
{
	static const double twos[] = { 2, 2, 2 }, threes[] = { 3, 3 }, tenths[] = { 0.1 + 0.2, 0.1 + 0.2 },
		others[] = { 0.3, 0.3 };
	struct fl_sample a = fl_sample_of(threes, 2), b = fl_sample_of(twos, 3);
	struct fl_sample c = fl_sample_of(tenths, 2), d = fl_sample_of(others, 2);
	struct fl_change change = fl_compare(&a, &b, 0.95);

	(void)state;
	assert_int_equal(change.verdict, FL_DIFFERENT);
	assert_true(change.low == -1 && change.high == -1 && change.p == 0);
	assert_int_equal(fl_compare(&a, &a, 0.95).verdict, FL_NO_DIFFERENCE);
	/* Rounding is no difference. */
	assert_int_equal(fl_compare(&c, &d, 0.95).verdict, FL_NO_DIFFERENCE);
}

static void one_value_is_no_sample(void **state)
{
	static const double values[] = { 2, 3, 4 };
	struct fl_sample one = fl_sample_of(values, 1), more = fl_sample_of(values, 3);

	(void)state;
	assert_int_equal(fl_compare(&one, &more, 0.95).verdict, FL_UNTESTED);
	assert_int_equal(fl_compare(&more, &one, 0.95).verdict, FL_UNTESTED);
}

static double uniform(uint64_t *state)
{
	*state = *state * 6364136223846793005 + 1442695040888963407;
	return (*state >> 11) / (double)(1ULL << 53);
}

/* Of what doesn't differ, one in twenty does by chance; of what does, all do. */
static void errors_are_as_rare_as_promised(void **state)
{
	uint64_t seed = 1;
	int wrong = 0, found = 0, i, j;

	(void)state;
	for (i = 0; i < 2000; i++) {
		double first[10], second[10], third[10];
		struct fl_sample a, b, c;

		for (j = 0; j < 10; j++) {
			first[j] = uniform(&seed) + uniform(&seed) + uniform(&seed);
			second[j] = uniform(&seed) + uniform(&seed) + uniform(&seed);
			third[j] = second[j] + 2;
		}
		a = fl_sample_of(first, 10);
		b = fl_sample_of(second, 10);
		c = fl_sample_of(third, 10);
		wrong += fl_compare(&a, &b, 0.95).verdict == FL_DIFFERENT;
		found += fl_compare(&a, &c, 0.95).verdict == FL_DIFFERENT;
	}
	assert_in_range(wrong, 60, 140);
	assert_int_equal(found, 2000);
}

/* ---- Quantities ---- */

/* @nr guest faults of @exits exits each: one inject, one refault, and pte-writes. */
static void add_episodes(struct fl_run *run, __u64 nr, __u64 exits)
{
	struct fl_counts *counts = &run->snapshot.total.counts;

	counts->guest_faults += nr;
	counts->histogram[exits < FL_HISTOGRAM ? exits : FL_HISTOGRAM - 1] += nr;
	counts->exits += nr * exits;
	counts->in_episodes[FL_INJECT] += nr;
	counts->in_episodes[FL_REFAULT] += nr;
	counts->in_episodes[FL_PTE_WRITE] += nr * (exits - 2);
	memcpy(counts->classes, counts->in_episodes, sizeof(counts->classes));
}

static struct fl_change compare(const char *name, const struct fl_run *a, const struct fl_run *b,
				enum fl_unit unit_wanted)
{
	struct fl_quantity quantity;
	struct fl_change change;
	enum fl_unit unit;

	assert_true(fl_quantity_find(name, &quantity));
	assert_true(fl_quantity_compare(&quantity, &a, 1, &b, 1, 0.95, &change, &unit));
	assert_int_equal(unit, unit_wanted);
	return change;
}

/* The histogram tells as much as the episodes one by one. */
static void one_run_a_side_is_tested_by_episode(void **state)
{
	struct fl_run *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	double first[40], second[50];
	struct fl_sample sample_a, sample_b;
	struct fl_change change, wanted;
	int i;

	(void)state;
	add_episodes(a, 30, 3);
	add_episodes(a, 10, 4);
	add_episodes(b, 45, 3);
	add_episodes(b, 5, 20);
	for (i = 0; i < 40; i++)
		first[i] = i < 30 ? 3 : 4;
	for (i = 0; i < 50; i++)
		second[i] = i < 45 ? 3 : 20;
	sample_a = fl_sample_of(first, 40);
	sample_b = fl_sample_of(second, 50);
	wanted = fl_compare(&sample_a, &sample_b, 0.95);
	change = compare("exits_per_guest_fault", a, b, FL_BY_EPISODE);
	assert_float_equal(change.change, wanted.change, 1e-9);
	assert_float_equal(change.low, wanted.low, 1e-9);
	assert_float_equal(change.high, wanted.high, 1e-9);
	assert_float_equal(change.p, wanted.p, 1e-9);
	assert_int_equal(compare("guest_faults", a, b, FL_BY_RUN).verdict, FL_UNTESTED);
	free(a);
	free(b);
}

static void parts_add_up(void **state)
{
	struct fl_run *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct fl_quantity quantity;
	double sum = 0;
	size_t i;

	(void)state;
	add_episodes(a, 100, 3);
	add_episodes(b, 70, 4);
	for (i = 0; fl_quantity_at(i, &quantity); i++) {
		if (fl_quantity_is_part(&quantity))
			sum += compare(quantity.name, a, b, FL_BY_EPISODE).change;
	}
	assert_float_equal(sum, 1, 1e-9);
	free(a);
	free(b);
}

static void run_without_guest_faults_has_no_such_quantity(void **state)
{
	struct fl_run *run = calloc(1, sizeof(*run));
	const struct fl_run *const side[] = { run };
	struct fl_quantity quantity;
	struct fl_change change;
	enum fl_unit unit;

	(void)state;
	assert_true(fl_quantity_find("exits_per_guest_fault", &quantity));
	assert_false(fl_quantity_compare(&quantity, side, 1, side, 1, 0.95, &change, &unit));
	free(run);
}

/* ---- Cells ---- */

static void label(struct fl_run *run, const char *policy, const char *workload)
{
	memset(run, 0, sizeof(*run));
	strcpy(run->mmu, "shadow");
	strcpy(run->policy, policy);
	strcpy(run->workload, workload);
}

static void runs_are_sorted_into_cells(void **state)
{
	struct fl_run *first = calloc(3, sizeof(*first)), *second = calloc(3, sizeof(*second));
	struct fl_collection a = { first, 3 }, b = { second, 3 };
	struct fl_where none = { .nr = 0 }, zap = { .conditions = { "policy=zap" }, .nr = 1 },
			update = { .conditions = { "policy=update" }, .nr = 1 };
	struct fl_cells cells;

	(void)state;
	label(&first[0], "zap", "anon");
	label(&first[1], "zap", "cow");
	label(&first[2], "zap", "anon");
	label(&second[0], "update", "cow");
	label(&second[1], "update", "anon");
	label(&second[2], "update", "fork");
	assert_int_equal(fl_cells_sort(&cells, &a, &zap, &b, &update), 0);
	assert_int_equal(cells.nr, 3);
	assert_true(cells.cells[0].nr_a == 2 && cells.cells[0].nr_b == 1);
	assert_ptr_equal(cells.cells[0].b[0], &second[1]);
	assert_true(cells.cells[2].nr_a == 0 && cells.cells[2].nr_b == 1);
	fl_cells_free(&cells);
	/* One side alone was chosen by policy: nothing matches. */
	assert_int_equal(fl_cells_sort(&cells, &a, &zap, &b, &none), 0);
	assert_int_equal(cells.nr, 5);
	fl_cells_free(&cells);
	/* With one kind of run on each side, there is no choice. */
	a.nr = b.nr = 1;
	assert_int_equal(fl_cells_sort(&cells, &a, &zap, &b, &none), 0);
	assert_int_equal(cells.nr, 1);
	assert_true(cells.cells[0].nr_a == 1 && cells.cells[0].nr_b == 1);
	fl_cells_free(&cells);
	free(first);
	free(second);
}

/* ---- Gates ---- */

static bool exceeds(const char *text, double a, double b, enum fl_verdict verdict)
{
	const struct fl_change change = { .a = a, .b = b, .change = b - a, .verdict = verdict };
	struct fl_gate gate;

	assert_int_equal(fl_gate_parse(&gate, text), 0);
	return fl_gate_is_exceeded(&gate, &change);
}

static void gates(void **state)
{
	(void)state;
	assert_true(exceeds("exits_per_guest_fault>+2%", 2, 2.05, FL_DIFFERENT));
	assert_false(exceeds("exits_per_guest_fault>+2%", 2, 2.03, FL_DIFFERENT));
	assert_false(exceeds("exits_per_guest_fault>2%", 2, 2.05, FL_NO_DIFFERENCE));
	assert_false(exceeds("exits_per_guest_fault>2%", 2, 1, FL_DIFFERENT));
	assert_true(exceeds("exits_per_guest_fault<-0.5", 3, 2, FL_DIFFERENT));
	assert_false(exceeds("exits_per_guest_fault<-1.5", 3, 2, FL_DIFFERENT));
	assert_true(exceeds("pte-write_mean_ns>0", 100, 101, FL_DIFFERENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(welchs_test),
		cmocka_unit_test(samples_that_do_not_vary),
		cmocka_unit_test(one_value_is_no_sample),
		cmocka_unit_test(errors_are_as_rare_as_promised),
		cmocka_unit_test(one_run_a_side_is_tested_by_episode),
		cmocka_unit_test(parts_add_up),
		cmocka_unit_test(run_without_guest_faults_has_no_such_quantity),
		cmocka_unit_test(runs_are_sorted_into_cells),
		cmocka_unit_test(gates),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
