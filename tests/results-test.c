// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of results that are kept and read back (analysis/runfile-*.c, json-read.c,
 * load.c): whatever was written comes back, and looks the same in every format.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "crafted.h"
#include "figures.h"
#include "load.h"
#include "printer.h"
#include "runfile.h"

static char directory[] = "/tmp/results-test.XXXXXX";
static char path[64];

/* ---- Helpers ---- */

/* A run in all formats, one after the other. To be freed. */
static char *printed(const struct fl_run *run)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(fl_run_print_table(run, out), 0);
	assert_int_equal(fl_run_print_json(run, out), 0);
	assert_int_equal(fl_run_print_csv(run, out, true), 0);
	fclose(out);
	return text;
}

/* What is loaded, one run after the other. */
struct loaded {
	size_t nr;
	char *texts[8];
	unsigned int intervals[8];
	struct fl_tally totals[8];
};

static int keep(const struct fl_run *run, void *data)
{
	struct loaded *loaded = data;

	assert_true(loaded->nr < 8);
	loaded->intervals[loaded->nr] = run->interval;
	loaded->totals[loaded->nr] = run->snapshot.total;
	loaded->texts[loaded->nr++] = printed(run);
	return 0;
}

static struct loaded load(const char *where, bool intervals)
{
	struct fl_where conditions = { .nr = 0 };
	struct loaded loaded = { .nr = 0 };
	char words[64] = "";

	snprintf(words, sizeof(words), "%s", where);
	assert_int_equal(fl_where_add(&conditions, words), 0);
	assert_int_equal(fl_load(path, &conditions, intervals, keep, &loaded), 0);
	return loaded;
}

static void forget(struct loaded *loaded)
{
	while (loaded->nr)
		free(loaded->texts[--loaded->nr]);
}

static void write_run(const struct fl_run *run, bool append)
{
	struct fl_runfile *file = fl_runfile_create(path, append);

	assert_non_null(file);
	assert_int_equal(fl_runfile_add(file, run), 0);
	fl_runfile_close(file);
}

static int set_up(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

/* ---- Figures ---- */

struct nameless {
	struct fl_tally tally;
	size_t nr;
};

static int set_figure(const char *name, __u64 value, void *data)
{
	struct nameless *copy = data;
	long place = fl_figure_offset(name);

	assert_true(place >= 0);
	*(__u64 *)((char *)&copy->tally + place) = value;
	copy->nr++;
	return 0;
}

/* Which bucket got the last duration is no figure. Returns how many numbers that are. */
static size_t forget_last(struct fl_durations *durations, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		durations[i].low = durations[i].high = durations[i].last = 0;
	return 3 * nr;
}

static size_t forget_all_last(struct fl_tally *tally)
{
	return forget_last(tally->durations, FL_NR_CLASSES) +
	       forget_last(tally->host.durations, FL_NR_HOST_KINDS) +
	       forget_last(&tally->fault_durations, 1);
}

/* A counter that the list lacks would be missing in run files. */
static void every_counter_is_a_figure(void **state)
{
	static const __u32 isas[] = { FL_ISA_SVM, FL_ISA_VMX, FL_ISA_PVM, 0 };
	struct fl_tally *tally = calloc(1, sizeof(*tally));
	struct nameless *copy = calloc(1, sizeof(*copy));
	size_t i, others;

	(void)state;
	for (i = 0; i < 4; i++) {
		memset(tally, 1, offsetof(struct fl_tally, isa));
		others = forget_all_last(tally);
		memset(copy, 0, sizeof(*copy));
		tally->isa = copy->tally.isa = isas[i];
		assert_int_equal(fl_figures_each(tally, set_figure, copy), 0);
		assert_memory_equal(tally, &copy->tally, sizeof(*tally));
		assert_int_equal(copy->nr, offsetof(struct fl_tally, isa) / sizeof(__u64) - others);
	}
	free(tally);
	free(copy);
}

static void names_that_are_no_figures(void **state)
{
	static const char *const names[] = {
		"", "exit", "exits ", "class.", "class.injec", "histogram.99", "time.inject",
		"time.inject.", "time.inject.from.", "time.inject.from.5121", "time.inject.from.0x0",
		"time.inject.from.-1", "reason.svm.ept_violation", "reason.svm.", "hist",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(fl_figure_offset(names[i]), -1);
}

/* ---- Run files ---- */

static void run_file_gives_back_what_was_written(void **state)
{
	struct loaded loaded;
	struct fl_run run;
	char *text;

	(void)state;
	assert_true(craft_run(&run));
	write_run(&run, false);
	loaded = load("", false);
	text = printed(&run);
	assert_int_equal(loaded.nr, 1);
	assert_string_equal(loaded.texts[0], text);
	assert_memory_equal(&loaded.totals[0], &run.snapshot.total, sizeof(run.snapshot.total));
	free(text);
	forget(&loaded);
	fl_snapshot_free(&run.snapshot);
}

static void intervals_come_before_the_whole(void **state)
{
	struct fl_runfile *file = fl_runfile_create(path, false);
	struct loaded loaded;
	struct fl_run run;

	(void)state;
	assert_true(craft_run(&run));
	for (run.interval = 1; run.interval <= 2; run.interval++)
		assert_int_equal(fl_runfile_add(file, &run), 0);
	run.interval = 0;
	assert_int_equal(fl_runfile_add(file, &run), 0);
	fl_runfile_close(file);
	loaded = load("", true);
	assert_int_equal(loaded.nr, 3);
	assert_int_equal(loaded.intervals[0], 1);
	assert_int_equal(loaded.intervals[1], 2);
	assert_int_equal(loaded.intervals[2], 0);
	forget(&loaded);
	loaded = load("", false);
	assert_int_equal(loaded.nr, 1);
	forget(&loaded);
	fl_snapshot_free(&run.snapshot);
}

/* What a recording leaves that was killed in its third interval. */
static void run_without_its_whole_is_added_up(void **state)
{
	struct fl_runfile *file = fl_runfile_create(path, false);
	struct loaded loaded;
	struct fl_run run;
	struct fl_tally *total = &run.snapshot.total;

	(void)state;
	assert_true(craft_run(&run));
	for (run.interval = 1; run.interval <= 2; run.interval++) {
		assert_int_equal(fl_runfile_add(file, &run), 0);
		run.start_ns += run.duration_ns;
		strcpy(run.policy, "update");
	}
	fl_runfile_close(file);
	loaded = load("", false);
	assert_int_equal(loaded.nr, 1);
	assert_int_equal(loaded.intervals[0], 0);
	assert_int_equal(loaded.totals[0].counts.exits, 2 * total->counts.exits);
	assert_int_equal(loaded.totals[0].durations[FL_INJECT].sum_ns, 2 * total->durations[FL_INJECT].sum_ns);
	assert_int_equal(loaded.totals[0].durations[FL_INJECT].max_ns, total->durations[FL_INJECT].max_ns);
	/* What is open at the end was not open twice. */
	assert_int_equal(loaded.totals[0].open_episodes, total->open_episodes);
	assert_non_null(strstr(loaded.texts[0], "policy mixed, 3 vCPUs, 2.469 s"));
	assert_non_null(strstr(loaded.texts[0], "second"));
	forget(&loaded);
	fl_snapshot_free(&run.snapshot);
}

static void runs_are_appended_and_selected(void **state)
{
	struct loaded loaded;
	struct fl_run run;

	(void)state;
	assert_true(craft_run(&run));
	write_run(&run, false);
	strcpy(run.policy, "update");
	write_run(&run, true);
	loaded = load("", false);
	assert_int_equal(loaded.nr, 2);
	forget(&loaded);
	loaded = load("policy=update,vendor=svm", false);
	assert_int_equal(loaded.nr, 1);
	assert_non_null(strstr(loaded.texts[0], "policy update"));
	forget(&loaded);
	loaded = load("policy=update,vendor=vmx", false);
	assert_int_equal(loaded.nr, 0);
	fl_snapshot_free(&run.snapshot);
}

static void file_without_a_run_is_not_left(void **state)
{
	(void)state;
	fl_runfile_close(fl_runfile_create(path, false));
	assert_int_equal(access(path, F_OK), -1);
}

/* ---- Episodes ---- */

static void add_episode(struct fl_runfile *file, const enum fl_class *classes, __u64 exits,
			__u32 ns, enum fl_outcome outcome)
{
	struct fl_episode_record record = { .pid = 7, .episode.exits = exits };
	__u64 i;

	for (i = 0; i < exits && i < FL_MAX_STEPS; i++)
		record.episode.steps[i] = (struct fl_step){
			.exit_ns = 1000 + i * ns, .class = classes[i % 3], .ns = ns,
		};
	record.episode.start_ns = 1000;
	record.episode.end_ns = 1000 + exits * ns;
	record.episode.outcome = outcome;
	assert_int_equal(fl_runfile_add_episode(file, &record), 0);
}

static void most_episodes_are_typical(void **state)
{
	static const enum fl_class three[] = { FL_INJECT, FL_PTE_WRITE, FL_REFAULT };
	static const enum fl_class two[] = { FL_INJECT, FL_REFAULT, FL_OTHER };
	struct fl_runfile *file = fl_runfile_create(path, false);
	struct fl_typical typical;
	struct fl_run run;

	(void)state;
	assert_true(craft_run(&run));
	assert_int_equal(fl_runfile_add(file, &run), 0);
	assert_int_equal(fl_runfile_typical(path, 1, &typical), 0);
	assert_int_equal(typical.nr, 0);
	add_episode(file, two, 2, 500, FL_ENDED_BY_REFAULT);
	add_episode(file, three, 3, 100, FL_ENDED_BY_REFAULT);
	add_episode(file, three, 3, 200, FL_ENDED_BY_REFAULT);
	/* Of these, not all is known. */
	add_episode(file, two, 2, 700, FL_ENDED_BY_NEXT);
	add_episode(file, two, 2, 700, FL_STILL_OPEN);
	add_episode(file, three, FL_MAX_STEPS + 1, 200, FL_ENDED_BY_REFAULT);
	run.interval = 1;
	assert_int_equal(fl_runfile_add(file, &run), 0);
	fl_runfile_close(file);
	assert_int_equal(fl_runfile_typical(path, 1, &typical), 0);
	assert_true(typical.nr == 3 && typical.nr_like == 2);
	assert_int_equal(typical.nr_steps, 3);
	assert_int_equal(typical.ns, 450);
	assert_int_equal(typical.steps[1].class, FL_PTE_WRITE);
	assert_int_equal(typical.steps[1].exit_ns, 150);
	assert_int_equal(typical.steps[1].ns, 150);
	fl_snapshot_free(&run.snapshot);
}

/* ---- JSON ---- */

static void json_gives_back_what_was_printed(void **state)
{
	struct loaded loaded;
	struct fl_run run;
	char *text;
	FILE *out = fopen(path, "w");

	(void)state;
	assert_non_null(out);
	assert_true(craft_run(&run));
	assert_int_equal(fl_run_print_json(&run, out), 0);
	assert_int_equal(fl_run_print_json(&run, out), 0);
	fclose(out);
	loaded = load("", false);
	text = printed(&run);
	assert_int_equal(loaded.nr, 2);
	assert_string_equal(loaded.texts[0], text);
	assert_string_equal(loaded.texts[1], text);
	free(text);
	forget(&loaded);
	fl_snapshot_free(&run.snapshot);
}

/* Few and equal durations: the quantiles are the maximum, or share a bucket. */
static void json_gives_back_quantiles_of_few(void **state)
{
	struct fl_durations *durations;
	struct loaded loaded;
	struct fl_run run;
	int nr;

	(void)state;
	assert_true(craft_run(&run));
	for (nr = 0; nr < 5; nr++) {
		FILE *out = fopen(path, "w");
		char *text;

		durations = &run.snapshot.total.durations[FL_CR];
		if (!nr)
			memset(durations, 0, sizeof(*durations));
		fl_duration_add(durations, 1000 + nr);
		assert_int_equal(fl_run_print_json(&run, out), 0);
		fclose(out);
		loaded = load("", false);
		text = printed(&run);
		assert_string_equal(loaded.texts[0], text);
		free(text);
		forget(&loaded);
	}
	fl_snapshot_free(&run.snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_is_a_figure),
		cmocka_unit_test(names_that_are_no_figures),
		cmocka_unit_test_setup(run_file_gives_back_what_was_written, set_up),
		cmocka_unit_test_setup(intervals_come_before_the_whole, set_up),
		cmocka_unit_test_setup(run_without_its_whole_is_added_up, set_up),
		cmocka_unit_test_setup(runs_are_appended_and_selected, set_up),
		cmocka_unit_test_setup(file_without_a_run_is_not_left, set_up),
		cmocka_unit_test_setup(most_episodes_are_typical, set_up),
		cmocka_unit_test_setup(json_gives_back_what_was_printed, set_up),
		cmocka_unit_test_setup(json_gives_back_quantiles_of_few, set_up),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/run", directory);
	failed = cmocka_run_group_tests_name("results", tests, NULL, NULL);
	unlink(path);
	rmdir(directory);
	return failed;
}
