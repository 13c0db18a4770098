// SPDX-License-Identifier: GPL-2.0
/*
 * bench-results: reads how long the guest's window was under each tool, as
 * lab/bench/host.sh measured it, and prints and writes how many instructions the
 * tool adds to a VM exit. Used by lab/bench/run.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "error.h"
#include "json-file.h"

/* The emulated host's TSC has 1 GHz, and an instruction takes 2 ns: lab/host/svm. */
#define TICKS_PER_INSTRUCTION	2

#define MAX_RUNS	100

/* What is compared, in the order of the table. */
static const struct {
	const char *name;
	bool counts;	/* exits, so that it may be the cheapest that does */
} tools[] = {
	{ "faultline stat", false },
	{ "faultline trace", false },
	{ "perf kvm stat record", true },
	{ "bpftrace", true },
	{ "kvmexit, repaired", true },
	{ "kvmexit", false },	/* see host.sh */
};

#define NR_TOOLS (sizeof(tools) / sizeof(tools[0]))

/* Of the runs with one tool, in instructions per exit. */
struct spread {
	double min, median, max;
};

static int by_value(const void *a, const void *b)
{
	double first = *(const double *)a, second = *(const double *)b;

	return (first > second) - (first < second);
}

/* From the ticks of each run; @ticks is an array of numbers, not empty. */
static struct spread spread_of(struct json_object *ticks, double exits)
{
	size_t nr = json_object_array_length(ticks), i;
	double values[MAX_RUNS];

	if (nr > MAX_RUNS)
		nr = MAX_RUNS;
	for (i = 0; i < nr; i++)
		values[i] = json_object_get_double(json_object_array_get_idx(ticks, i)) /
			    TICKS_PER_INSTRUCTION / exits;
	qsort(values, nr, sizeof(values[0]), by_value);
	return (struct spread){
		values[0], (values[(nr - 1) / 2] + values[nr / 2]) / 2, values[nr - 1],
	};
}

/* The array of runs with tool @name, or NULL after an error. */
static struct json_object *find_ticks(struct json_object *guest, const char *name)
{
	struct json_object *all = json_object_object_get(guest, "ticks");
	struct json_object *ticks = json_object_object_get(all, name);

	if (json_object_is_type(ticks, json_type_array) && json_object_array_length(ticks))
		return ticks;
	fl_fail("there is no run with '%s'; the host's console says why", name);
	return NULL;
}

static void add_number(struct json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.1f", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

static void add_spread(struct json_object *tools_array, const char *name, const struct spread *spread)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "tool", json_object_new_string(name));
	add_number(object, "min", spread->min);
	add_number(object, "median", spread->median);
	add_number(object, "max", spread->max);
	json_object_array_add(tools_array, object);
}

/* What each tool adds to @without, a run without any. 0 or -1. */
static int compare(struct json_object *guest, double exits, double without,
		   struct spread extra[NR_TOOLS])
{
	size_t i;

	for (i = 0; i < NR_TOOLS; i++) {
		struct json_object *ticks = find_ticks(guest, tools[i].name);

		if (!ticks)
			return -1;
		extra[i] = spread_of(ticks, exits);
		extra[i].min -= without;
		extra[i].median -= without;
		extra[i].max -= without;
	}
	return 0;
}

/* The median of the cheapest of the others that counts exits. */
static double find_cheapest(const struct spread extra[NR_TOOLS])
{
	double cheapest = 0;
	size_t i;

	for (i = 0; i < NR_TOOLS; i++) {
		if (tools[i].counts && (!cheapest || extra[i].median < cheapest))
			cheapest = extra[i].median;
	}
	return cheapest;
}

static void print_table(const struct spread extra[NR_TOOLS], const struct spread *none)
{
	double cheapest = find_cheapest(extra);
	size_t i;

	printf("\nInstructions that watching adds to a VM exit, which takes %.0f without (%.0f to %.0f)\n\n"
	       "%-22s %8s %8s %8s   %s\n", none->median, none->min, none->max,
	       "", "min", "median", "max", "of the cheapest other that counts");
	for (i = 0; i < NR_TOOLS; i++)
		printf("%-22s %8.0f %8.0f %8.0f   %.2f\n", tools[i].name, extra[i].min,
		       extra[i].median, extra[i].max, extra[i].median / cheapest);
}

static struct json_object *to_json(const struct spread extra[NR_TOOLS], const struct spread *none,
				   struct json_object *run)
{
	static const char *const keys[] = { "line", "kernel", "vendor", "policy", "guest_faults", "exits_total" };
	struct json_object *results = json_object_new_object(), *array = json_object_new_array();
	size_t i;

	json_object_object_add(results, "schema", json_object_new_string("faultline.bench/1"));
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_object_add(results, keys[i],
				       json_object_get(json_object_object_get(run, keys[i])));
	add_spread(array, "none", none);
	json_object_object_add(results, "instructions_per_exit", array);
	array = json_object_new_array();
	for (i = 0; i < NR_TOOLS; i++)
		add_spread(array, tools[i].name, &extra[i]);
	json_object_object_add(results, "extra_instructions_per_exit", array);
	return results;
}

static int process(struct json_object *guest, const char *output)
{
	struct json_object *run = json_object_object_get(guest, "run"), *ticks, *results;
	double exits = json_object_get_double(json_object_object_get(run, "exits_total"));
	struct spread none, extra[NR_TOOLS];
	int ret;

	if (exits < 1)
		return fl_fail("the host counted no exits; its console says why");
	ticks = find_ticks(guest, "none");
	if (!ticks)
		return -1;
	none = spread_of(ticks, exits);
	if (compare(guest, exits, none.median, extra))
		return -1;
	results = to_json(extra, &none, run);
	ret = json_file_write(results, output);
	json_object_put(results);
	if (!ret)
		print_table(extra, &none);
	return ret;
}

int main(int argc, char **argv)
{
	struct json_object *file, *runs;
	int ret;

	if (argc != 3) {
		fl_fail("usage: bench-results RESULTS OUTPUT");
		return FL_USAGE;
	}
	file = json_object_from_file(argv[1]);
	runs = json_object_object_get(file, "runs");
	if (!json_object_is_type(runs, json_type_array) || !json_object_array_length(runs)) {
		json_object_put(file);
		return fl_fail("%s has no run in it", argv[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	ret = process(json_object_object_get(json_object_array_get_idx(runs, 0), "guest"), argv[2]);
	json_object_put(file);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
