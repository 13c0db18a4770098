// SPDX-License-Identifier: GPL-2.0
/*
 * lab-results: reads what emulated hosts sent (lines of JSON, see init.c),
 * refuses what is not a sound measurement, writes one results file, and prints
 * the table. Used by lab/run.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "json-file.h"

#define MAX_POLICIES	8

static const char help[] =
"usage: lab-results [--check] [--expect N] -o FILE RESULTS...\n"
"\n"
"Check the results that emulated hosts sent, write them to FILE\n"
"(faultline.results/1) and print them as a table.\n"
"\n"
"  -o, --output FILE  where to write them\n"
"  --expect N         there must be N runs\n"
"  --check            exits per guest fault must be what each policy makes them\n"
"\n"
"Exit status: 0 all is well, 1 a run is missing or not as it must be, 2 usage.\n";

/* ---- JSON, with "", 0 and NULL for what isn't there ---- */

static const char *text(struct json_object *object, const char *key)
{
	const char *value = json_object_get_string(json_object_object_get(object, key));

	return value ? value : "";
}

static uint64_t number(struct json_object *object, const char *key)
{
	return json_object_get_uint64(json_object_object_get(object, key));
}

static struct json_object *element(struct json_object *array, size_t index)
{
	return json_object_is_type(array, json_type_array) ?
		json_object_array_get_idx(array, index) : NULL;
}

static bool is(struct json_object *object, const char *key, const char *value)
{
	return !strcmp(text(object, key), value);
}

static uint64_t sum_members(struct json_object *object)
{
	uint64_t sum = 0;

	json_object_object_foreach(object, key, value) {
		(void)key;
		sum += json_object_get_uint64(value);
	}
	return sum;
}

/* ---- what a run must be ---- */

/* "zap anon 64", as messages call a run. */
static const char *run_name(struct json_object *run)
{
	static char name[128];

	snprintf(name, sizeof(name), "%s %s %s", text(run, "policy"), text(run, "workload"),
		 text(run, "paging"));
	return name;
}

/* Whether its guest faults are those of a guest hypervisor's guest. */
static bool nested(struct json_object *run)
{
	return !strncmp(text(run, "workload"), "nested", strlen("nested"));
}

/*
 * With NPT or EPT, guest faults don't pass through KVM, which can't count them; but
 * a nested guest's do, for its hypervisor's tables are shadowed.
 */
static bool shadowed(struct json_object *run)
{
	return nested(run) || !is(run, "mmu", "tdp");
}

/* Faults that the CPU delivers directly to the guest aren't KVM's to count either. */
static bool bypassed(struct json_object *run)
{
	return json_object_get_boolean(json_object_object_get(run, "faults_bypass"));
}

/* The vCPU number @id that @run has the figures of, or NULL. */
static struct json_object *find_vcpu(struct json_object *run, uint64_t id)
{
	struct json_object *vm = element(json_object_object_get(run, "vms"), 0);
	struct json_object *vcpus = json_object_object_get(vm, "vcpus"), *vcpu;
	size_t i;

	for (i = 0; (vcpu = element(vcpus, i)); i++) {
		if (number(vcpu, "id") == id)
			break;
	}
	return vcpu;
}

/*
 * Where there are several, each vCPU's count must be its handler's. Which of its
 * own a guest hypervisor runs a nested guest's on is its affair.
 */
static int check_vcpus(struct json_object *run, struct json_object *guest)
{
	struct json_object *truths = json_object_object_get(guest, "vcpus"), *truth;
	size_t i;

	for (i = 0; (truth = element(truths, i)); i++) {
		uint64_t id = number(truth, "id");
		struct json_object *vcpu = find_vcpu(run, id);
		uint64_t counted = number(vcpu, "guest_faults"), handled = number(truth, "faults_handled");

		if (counted != handled)
			return fl_fail("%s: %" PRIu64 " guest faults counted on vCPU %" PRIu64 ", but the guest handled %" PRIu64 " there",
				       run_name(run), counted, id, handled);
	}
	return 0;
}

/* The micro guest knows exactly. */
static int check_micro(struct json_object *run, struct json_object *guest)
{
	if (!number(guest, "faults_asked") ||
	    number(guest, "faults_handled") != number(guest, "faults_asked"))
		return fl_fail("%s: the guest handled %" PRIu64 " faults of %" PRIu64, run_name(run),
			    number(guest, "faults_handled"), number(guest, "faults_asked"));
	if (bypassed(run) ? number(run, "guest_faults") > number(guest, "faults_handled") :
	    shadowed(run) && number(run, "guest_faults") != number(guest, "faults_handled"))
		return fl_fail("%s: %" PRIu64 " guest faults counted, but the guest handled %" PRIu64,
			    run_name(run), number(run, "guest_faults"), number(guest, "faults_handled"));
	return shadowed(run) && !bypassed(run) && !nested(run) ? check_vcpus(run, guest) : 0;
}

/*
 * A Linux guest's kernel counts the faults that it found a page for, so one that
 * found the work done, e.g. by another fault's handler, is counted by KVM only.
 */
static int check_linux(struct json_object *run, struct json_object *guest)
{
	uint64_t seen = number(run, "guest_faults"), counted = number(guest, "faults_counted");
	uint64_t more = seen > counted ? seen - counted : counted - seen;

	if (!counted || (shadowed(run) && more > counted / 50 + 4))
		return fl_fail("%s: %" PRIu64 " guest faults counted, but %" PRIu64 " by the guest's kernel",
			       run_name(run), seen, counted);
	return 0;
}

/* Of a Linux that boots in a guest hypervisor, the exit status is all there is to know. */
static int check_guest(struct json_object *run, struct json_object *guest)
{
	if (is(run, "workload", "nested-boot"))
		return 0;
	if (is(guest, "schema", "faultline.guest/1"))
		return check_micro(run, guest);
	if (is(guest, "schema", "faultline.linux-guest/1"))
		return check_linux(run, guest);
	return fl_fail("%s: not a faultline.run/1 with a faultline.guest/1", run_name(run));
}

static int check_run(struct json_object *run, struct json_object *guest)
{
	struct json_object *classes = json_object_object_get(run, "classes");
	uint64_t sum;

	if (!is(run, "schema", "faultline.run/1") || !classes)
		return fl_fail("%s: not a faultline.run/1 with a faultline.guest/1", run_name(run));
	if (check_guest(run, guest))
		return -1;
	sum = sum_members(classes);
	if (sum != number(run, "exits_total"))
		return fl_fail("%s: the classes add up to %" PRIu64 " exits of %" PRIu64,
			    run_name(run), sum, number(run, "exits_total"));
	if (number(run, "lost_events"))
		return fl_fail("%s: %" PRIu64 " events were lost", run_name(run), number(run, "lost_events"));
	return 0;
}

/*
 * Where guest faults bypass KVM, no exit tells which fault it is for. So all exits
 * count that may be for one, over the faults by the guest's own count.
 */
static double exits_per_handled_fault(struct json_object *run, bool flushes)
{
	struct json_object *classes = json_object_object_get(run, "classes");
	uint64_t faults = number(json_object_object_get(run, "guest"), "faults_handled");
	uint64_t exits = number(run, "exits_total") - number(classes, "async") -
			 number(classes, "other");

	if (!flushes)
		exits -= number(classes, "invlpg");
	return faults ? (double)exits / faults : 0;
}

/* Exits per guest fault; @flushes tells whether the guest's INVLPGs count. */
static double exits_per_fault(struct json_object *run, bool flushes)
{
	struct json_object *in_episodes = json_object_object_get(run, "classes_in_episodes");
	uint64_t exits = number(run, "exits_in_episodes"), faults = number(run, "guest_faults");

	if (bypassed(run))
		return exits_per_handled_fault(run, flushes);
	if (!flushes)
		exits -= number(in_episodes, "invlpg");
	return faults ? (double)exits / faults : 0;
}

/*
 * Breaking copy-on-write writes the entry twice, so where a write to a table
 * traps, it takes one exit more; its page is present, so its fault never bypasses
 * KVM. Within 0.05: the first write to each table after a sync differs from the
 * rest. Only where page tables are shadowed. nested-sparse comes back to a table
 * after as many nested entries as there are tables: what being sticky saves there is
 * up to the value of sticky_unsync. On VMX, a nested entry synchronizes nothing.
 */
static const struct {
	const char *workload, *policy;
	double svm, vmx;	/* exits; 0: any number */
} expected[] = {
	{ "anon", "zap", 3, 3 }, { "anon", "update", 2, 2 }, { "anon", "unsync", 2, 2 },
	{ "anon", "bypass", 0, 1 },
	{ "cow", "zap", 4, 4 }, { "cow", "update", 3, 3 }, { "cow", "unsync", 2, 2 },
	{ "cow", "bypass", 0, 3 },
	{ "linux-anon", "zap", 3, 3 }, { "linux-anon", "update", 2, 2 },
	{ "linux-anon", "unsync", 2, 2 },
	{ "linux-cow", "zap", 4, 4 }, { "linux-cow", "update", 3, 3 },
	{ "linux-cow", "unsync", 2, 2 },
	{ "nested", "unsync", 3, 2 }, { "nested", "prefault", 2, 1 },
	{ "nested", "sticky", 2, 2 }, { "nested", "prefault+sticky", 1, 1 },
	{ "nested-sparse", "unsync", 3, 0 }, { "nested-sparse", "prefault", 2, 0 },
	{ "nested-reuse", "unsync", 3, 0 }, { "nested-reuse", "prefault", 2, 0 },
	{ "nested-reuse", "prefault+sticky", 1, 0 },
};

/*
 * How few it may be, where @wanted is the rule: with several vCPUs, KVM maps what
 * another one's handler has just written along with the page that it is asked for,
 * and no refault comes. But the exit does that tells of the fault, where one does.
 */
static double least_of(struct json_object *run, double wanted)
{
	bool may_be_fewer = number(run, "vcpus") > 1 && (wanted > 1.5 || bypassed(run));

	return wanted - (may_be_fewer ? 1.05 : 0.05);
}

/* Exits per guest fault that @run has to have, or 0. */
static double expected_of(struct json_object *run)
{
	size_t i;

	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (is(run, "workload", expected[i].workload) &&
		    is(run, "policy", expected[i].policy))
			return is(run, "vendor", "vmx") ? expected[i].vmx : expected[i].svm;
	}
	return 0;
}

static int check_expected(struct json_object *run)
{
	double exits = exits_per_fault(run, false), wanted = expected_of(run);
	double least = least_of(run, wanted);

	if (!shadowed(run) || !wanted || (exits >= least && exits <= wanted + 0.05))
		return 0;
	return fl_fail("%s: %.3f exits per guest fault, INVLPG aside, instead of %.2f to %.2f",
		       run_name(run), exits, least, wanted + 0.05);
}

static bool is_measured(struct json_object *run)
{
	return is(run, "schema", "faultline.run/1");
}

/* ---- torture and selftest ---- */

static bool is_torture(struct json_object *run)
{
	return is(run, "schema", "faultline.torture/1");
}

static bool is_torture_job(struct json_object *job)
{
	return is(job, "workload", "torture") || is(job, "workload", "nested-torture");
}

/*
 * A program that nobody can say anything about is no test: three of four
 * accesses must be such that the architecture leaves no choice whether they fault.
 */
static int check_torture(struct json_object *run)
{
	uint64_t accesses = number(run, "accesses"), may = number(run, "may_fault");

	if (!is_torture(run) || !number(run, "steps") || number(run, "disagreements"))
		return fl_fail("%s: not a faultline.torture/1 without disagreements", run_name(run));
	if (number(run, "must_fault") + number(run, "must_not_fault") + may != accesses)
		return fl_fail("%s: the accesses don't add up to %" PRIu64, run_name(run), accesses);
	if (!number(run, "must_fault") || !number(run, "must_not_fault") || may > accesses / 4)
		return fl_fail("%s: %" PRIu64 " of %" PRIu64 " accesses were allowed to fault and not to",
			    run_name(run), may, accesses);
	return 0;
}

/* "6.12" of "6.12.117" */
static struct json_object *line_of(const char *kernel)
{
	size_t major = strcspn(kernel, "."), minor = 0;

	if (kernel[major])
		minor = 1 + strcspn(kernel + major + 1, ".-");
	return json_object_new_string_len(kernel, major + minor);
}

/* Has @run, which came without the collector, say what the job was. */
static void add_job(struct json_object *run, struct json_object *job)
{
	static const char *const keys[] = { "kernel", "vendor", "policy", "workload" };
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_object_add(run, keys[i], json_object_get(json_object_object_get(job, keys[i])));
	json_object_object_add(run, "line", line_of(text(job, "kernel")));
}

static int add_torture(struct json_object *runs, struct json_object *job, struct json_object *run)
{
	if (!run)
		return fl_fail("%s: nothing came from the guest", run_name(job));
	add_job(run, job);
	if (check_torture(run))
		return -1;
	json_object_array_add(runs, json_object_get(run));
	return 0;
}

/*
 * The exit status is all there is to know of a selftest, or of a Linux that
 * boots; a script may have something to tell.
 */
static int add_program(struct json_object *runs, struct json_object *job, struct json_object *guest)
{
	struct json_object *run = json_object_new_object();
	char schema[64];

	snprintf(schema, sizeof(schema), "faultline.%s/1", text(job, "workload"));
	json_object_object_add(run, "schema", json_object_new_string(schema));
	add_job(run, job);
	if (guest)
		json_object_object_add(run, "guest", json_object_get(guest));
	json_object_array_add(runs, run);
	printf("%s %s: the %s passes\n", text(job, "vendor"), text(run, "line"),
	       text(job, "workload"));
	return 0;
}

/* ---- reading ---- */

static int add_run(struct json_object *runs, struct json_object *line)
{
	struct json_object *run = json_object_object_get(line, "run");
	struct json_object *guest = json_object_object_get(line, "guest");
	struct json_object *trace = json_object_object_get(line, "trace");
	struct json_object *job = json_object_object_get(line, "job");
	struct json_object *in_guest = json_object_object_get(line, "nested");

	if (number(in_guest, "status"))
		return fl_fail("%s failed in the guest hypervisor: %s", run_name(job), text(in_guest, "error"));
	if (number(line, "status"))
		return fl_fail("%s failed: %s", run_name(job), text(line, "error"));
	if (in_guest)
		guest = json_object_object_get(in_guest, "guest");
	if (is_torture_job(job))
		return add_torture(runs, job, guest);
	if (is(job, "workload", "selftest") || is(job, "workload", "script") ||
	    is(job, "workload", "boot"))
		return add_program(runs, job, guest);
	if (check_run(run, guest))
		return -1;
	if (guest)
		json_object_object_add(run, "guest", json_object_get(guest));
	if (trace)
		json_object_object_add(run, "trace", json_object_get(trace));
	json_object_array_add(runs, json_object_get(run));
	return 0;
}

/* 0 to go on, 1 for the end line, or -1. */
static int read_line(struct json_object *runs, const char *path, const char *text_line,
		     uint64_t nr)
{
	struct json_object *line = json_tokener_parse(text_line);
	int ret;

	if (!line)
		return fl_fail("%s: line %" PRIu64 " is not JSON; the channel was cut or garbled",
			    path, nr + 1);
	if (!json_object_object_get(line, "end"))
		ret = add_run(runs, line);
	else if (number(line, "runs") == nr)
		ret = 1;
	else
		ret = fl_fail("%s: %" PRIu64 " runs arrived of %" PRIu64, path, nr, number(line, "runs"));
	json_object_put(line);
	return ret;
}

static int read_file(struct json_object *runs, const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;
	uint64_t nr = 0;
	int ret = 0;

	if (!file)
		return fl_fail("cannot read %s: %s", path, strerror(errno));
	while (!ret && getline(&line, &size, file) > 0)
		ret = read_line(runs, path, line, nr++);
	if (!ret)
		ret = fl_fail("%s has no end; the emulated host did not get through its jobs", path);
	free(line);
	fclose(file);
	return ret < 0 ? -1 : 0;
}

/* ---- the table ---- */

static bool same_row(struct json_object *a, struct json_object *b)
{
	return is(a, "vendor", text(b, "vendor")) && is(a, "line", text(b, "line")) &&
	       is(a, "workload", text(b, "workload")) && is(a, "paging", text(b, "paging"));
}

static size_t find_policies(struct json_object *runs, const char **policies)
{
	size_t nr = 0, i, p;

	for (i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);
		const char *policy = text(run, "policy");

		if (!is_measured(run))
			continue;
		for (p = 0; p < nr && strcmp(policies[p], policy); p++)
			;
		if (p == nr && nr < MAX_POLICIES)
			policies[nr++] = policy;
	}
	return nr;
}

static void print_cell(struct json_object *runs, struct json_object *row, const char *policy)
{
	char without_flushes[16] = "";
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!same_row(run, row) || !is(run, "policy", policy))
			continue;
		if (exits_per_fault(run, false) != exits_per_fault(run, true))
			snprintf(without_flushes, sizeof(without_flushes), "(%.3f)",
				 exits_per_fault(run, false));
		printf("  %6.3f %-7s", exits_per_fault(run, true), without_flushes);
		return;
	}
	printf("  %6s %-7s", "-", "");
}

/* Whether run @index is the first of its row. */
static bool starts_row(struct json_object *runs, size_t index)
{
	size_t i;

	for (i = 0; i < index; i++) {
		if (same_row(json_object_array_get_idx(runs, i), json_object_array_get_idx(runs, index)))
			return false;
	}
	return true;
}

/* How wide a column with what the runs have under @key has to be, at least @width. */
static int column_width(struct json_object *runs, const char *key, size_t width)
{
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		size_t length = strlen(text(json_object_array_get_idx(runs, i), key));

		width = length > width ? length : width;
	}
	return width;
}

static bool any_bypassed(struct json_object *runs)
{
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		if (bypassed(json_object_array_get_idx(runs, i)))
			return true;
	}
	return false;
}

static void print_table(struct json_object *runs)
{
	const char *policies[MAX_POLICIES];
	size_t nr = find_policies(runs, policies), i, p;
	int width = column_width(runs, "workload", 9);

	if (!nr)
		return;
	printf("\nVM exits per guest page fault\n\n%-7s %-6s %-*s %-7s", "vendor", "line",
	       width, "workload", "paging");
	for (p = 0; p < nr; p++)
		printf("  %6s %-7s", policies[p], "");
	putchar('\n');
	for (i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!is_measured(run) || !starts_row(runs, i))
			continue;
		printf("%-7s %-6s %-*s %-7s", text(run, "vendor"), text(run, "line"),
		       width, text(run, "workload"), text(run, "paging"));
		for (p = 0; p < nr; p++)
			print_cell(runs, run, policies[p]);
		putchar('\n');
	}
	puts("\n(in brackets: without the exits for the guest's own INVLPG instructions)");
	if (any_bypassed(runs))
		puts("(bypass: all exits but async and other, over the faults by the guest's own count)");
}

static void print_torture(struct json_object *runs)
{
	int workload = column_width(runs, "workload", 8), policy = column_width(runs, "policy", 7);
	bool titled = false;
	size_t i;

	for (i = 0; i < json_object_array_length(runs); i++) {
		struct json_object *run = json_object_array_get_idx(runs, i);

		if (!is_torture(run))
			continue;
		if (!titled)
			printf("\nTorture of the shadow MMU: accesses, and whether they had to fault\n\n"
			       "%-7s %-6s %-*s %-7s %-*s %9s %9s %9s %9s %9s  %s\n", "vendor", "line",
			       workload, "workload", "paging", policy, "policy", "steps", "must",
			       "must not", "either", "faults", "disagreements");
		titled = true;
		printf("%-7s %-6s %-*s %-7s %-*s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "  none\n",
		       text(run, "vendor"), text(run, "line"), workload, text(run, "workload"),
		       text(run, "paging"), policy, text(run, "policy"), number(run, "steps"),
		       number(run, "must_fault"), number(run, "must_not_fault"),
		       number(run, "may_fault"), number(run, "faults"));
	}
}

/* ---- main ---- */

struct options {
	const char *output;
	uint64_t nr_expected;
	bool check;
};

static int check_all(struct json_object *runs, const struct options *options)
{
	size_t nr = json_object_array_length(runs), i;

	if (options->nr_expected && nr != options->nr_expected)
		return fl_fail("%zu runs arrived of %" PRIu64, nr, options->nr_expected);
	for (i = 0; options->check && i < nr; i++) {
		if (check_expected(json_object_array_get_idx(runs, i)))
			return -1;
	}
	return 0;
}

static int process(const struct options *options, char **paths)
{
	struct json_object *results = json_object_new_object();
	struct json_object *runs = json_object_new_array();
	int ret = 0;

	json_object_object_add(results, "schema", json_object_new_string("faultline.results/1"));
	json_object_object_add(results, "runs", runs);
	for (; !ret && *paths; paths++)
		ret = read_file(runs, *paths);
	ret = ret || check_all(runs, options) || json_file_write(results, options->output);
	if (!ret) {
		print_table(runs);
		print_torture(runs);
	}
	json_object_put(results);
	return ret;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "expect", required_argument, NULL, 'e' },
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { 0 };
	int option;
	char *end;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			options.output = optarg;
			break;
		case 'e':
			options.nr_expected = strtoull(optarg, &end, 10);
			if (options.nr_expected && !*end)
				break;
			fl_fail("--expect '%s' is not a number from 1 on", optarg);
			return FL_USAGE;
		case 'c':
			options.check = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		default:
			fl_fail("%s is no option, or lacks its value; see 'lab-results --help'",
			     argv[optind - 1]);
			return FL_USAGE;
		}
	}
	if (!options.output || optind == argc) {
		fl_fail("an output file (-o) and at least one file of results are needed; see 'lab-results --help'");
		return FL_USAGE;
	}
	return process(&options, argv + optind) ? EXIT_FAILURE : EXIT_SUCCESS;
}
