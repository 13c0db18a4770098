// SPDX-License-Identifier: GPL-2.0
/*
 * gate-times: how long a Linux guest's workload took on this host, by its own clock,
 * in several runs. Used by ci/kbuild --real.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json-file.h"
#include "run.h"
#include "statistics.h"

static const char help[] =
"usage: gate-times [-o FILE] RESULT...\n"
"\n"
"Print the times in the files RESULT, which linuxvm has written (schema\n"
"faultline.linux-guest/1), their mean and standard deviation. -o writes them as JSON,\n"
"schema faultline.times/1.\n"
"\n"
"Exit status: 0 done, 1 not done, 2 usage.\n";

/* All runs: the same workload. */
struct times {
	char workload[64];
	long long amount;
	size_t nr;
	double *seconds, *faults;
};

static long long number(struct json_object *object, const char *key)
{
	return json_object_get_int64(json_object_object_get(object, key));
}

static const char *text(struct json_object *object, const char *key)
{
	const char *value = json_object_get_string(json_object_object_get(object, key));

	return value ? value : "";
}

/* ---- reading ---- */

static int take(struct times *times, const char *path, struct json_object *result)
{
	if (strcmp(text(result, "schema"), "faultline.linux-guest/1") || number(result, "duration_ns") <= 0)
		return fl_fail("%s is no faultline.linux-guest/1 with a time; name what linuxvm has written", path);
	if (!times->nr) {
		snprintf(times->workload, sizeof(times->workload), "%s", text(result, "workload"));
		times->amount = number(result, "amount");
	}
	if (strcmp(times->workload, text(result, "workload")) || times->amount != number(result, "amount"))
		return fl_fail("%s is of another workload than the one before", path);
	times->seconds[times->nr] = number(result, "duration_ns") / 1e9;
	times->faults[times->nr++] = number(result, "faults_counted");
	return 0;
}

static int read_all(struct times *times, char *const *paths, size_t nr)
{
	int ret = 0;

	times->seconds = calloc(nr, sizeof(*times->seconds));
	times->faults = calloc(nr, sizeof(*times->faults));
	if (!times->seconds || !times->faults)
		return fl_fail("out of memory; free some and try again");
	for (; *paths && !ret; paths++) {
		struct json_object *result = json_object_from_file(*paths);

		ret = take(times, *paths, result);
		json_object_put(result);
	}
	return ret;
}

/* ---- showing ---- */

static double deviation(const struct fl_sample *sample)
{
	return sample->variance > 0 ? sqrt(sample->variance) : 0;
}

static void print_mean(const char *name, const double *values, size_t nr, int decimals)
{
	struct fl_sample sample = fl_sample_of(values, nr);

	printf("  %-14s %14.*f +- %.*f  (%.2f %%)\n", name, decimals, sample.mean, decimals,
	       deviation(&sample), sample.mean ? 100 * deviation(&sample) / sample.mean : 0);
}

static void print(const struct times *times, const struct fl_run *run)
{
	size_t i;

	printf("%s, amount %lld, on Linux %s (%s, %s paging, policy %s): %zu runs, wall time\n\n",
	       times->workload, times->amount, run->host.kernel, fl_vendor_name(run->host_isa),
	       fl_run_mmu(run), run->policy, times->nr);
	for (i = 0; i < times->nr; i++)
		printf("  run %-10zu %14.6f s\n", i + 1, times->seconds[i]);
	putchar('\n');
	print_mean("seconds", times->seconds, times->nr, 6);
	print_mean("guest faults", times->faults, times->nr, 0);
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *to_json(const struct times *times, const struct fl_run *run)
{
	struct json_object *object = json_object_new_object(), *seconds = json_object_new_array();
	struct fl_sample sample = fl_sample_of(times->seconds, times->nr);
	size_t i;

	add_text(object, "schema", "faultline.times/1");
	add_text(object, "workload", times->workload);
	json_object_object_add(object, "amount", json_object_new_int64(times->amount));
	add_text(object, "kernel", run->host.kernel);
	add_text(object, "vendor", fl_vendor_name(run->host_isa));
	add_text(object, "mmu", fl_run_mmu(run));
	add_text(object, "policy", run->policy);
	for (i = 0; i < times->nr; i++)
		json_object_array_add(seconds, json_object_new_double(times->seconds[i]));
	json_object_object_add(object, "seconds", seconds);
	json_object_object_add(object, "mean", json_object_new_double(sample.mean));
	json_object_object_add(object, "deviation", json_object_new_double(deviation(&sample)));
	return object;
}

/* ---- main ---- */

static int show(const struct times *times, const char *output)
{
	static struct fl_run run;
	struct json_object *object;
	int ret = 0;

	fl_run_init(&run);
	fl_run_begin_policy(&run);
	if (output) {
		object = to_json(times, &run);
		ret = json_file_write(object, output);
		json_object_put(object);
	}
	if (!ret)
		print(times, &run);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct times times = { 0 };
	const char *output = NULL;
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_SUCCESS;
		}
		if (option != 'o') {
			fl_fail("%s is no option, or lacks its value; see 'gate-times --help'", argv[optind - 1]);
			return FL_USAGE;
		}
		output = optarg;
	}
	if (optind == argc) {
		fl_fail("files are needed; see 'gate-times --help'");
		return FL_USAGE;
	}
	ret = read_all(&times, argv + optind, argc - optind) || show(&times, output);
	free(times.seconds);
	free(times.faults);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
