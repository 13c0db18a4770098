// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what `faultline trace` makes of records: which pass the filter
 * (bpf/filter.h), which virtual machine and lane they are of (analysis/tracks.c),
 * and how each format prints them.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "error.h"
#include "filter-options.h"
#include "options.h"
#include "trace-format.h"
#include "vmm.h"

#define NO_PROCESS	4194304	/* a PID that no process has */

/* A fault of 3 exits, of which the last is over after 30 us. */
static struct fl_episode_record record(__u64 kvm, __s32 vcpu_id, __u32 slot, __u64 start_ns)
{
	struct fl_episode_record made = {
		.kvm = kvm,
		.pid = NO_PROCESS,
		.tid = 77,
		.vcpu_id = vcpu_id,
		.slot = slot,
		.comm = "vmm",
		.episode = {
			.page = 0x7f0000001,
			.exits = 3,
			.start_ns = start_ns,
			.end_ns = start_ns + 30000,
			.error_code = FL_PFERR_USER | FL_PFERR_WRITE,
			.outcome = FL_ENDED_BY_REFAULT,
			.classes = 1U << FL_INJECT | 1U << FL_PTE_WRITE | 1U << FL_REFAULT,
			.steps = {
				{ start_ns, FL_INJECT, 5001 },
				{ start_ns + 10000, FL_PTE_WRITE, 7000 },
				{ start_ns + 20000, FL_REFAULT, 10000 },
			},
		},
	};

	return made;
}

/* ---- Printing ---- */

/* What @format prints of @nr records; to be freed. */
static char *print(const struct fl_trace_format *format, const struct fl_episode_record *records,
		   size_t nr, const struct fl_snapshot *last)
{
	struct fl_trace trace = { .start_ns = 1000000 };
	char *text;
	size_t size, i;

	trace.out = open_memstream(&text, &size);
	assert_non_null(trace.out);
	format->begin(&trace);
	for (i = 0; i < nr; i++)
		assert_int_equal(fl_trace_print(&trace, format, &records[i]), 0);
	format->end(&trace, last);
	fclose(trace.out);
	fl_tracks_free(&trace.tracks);
	return text;
}

static const struct fl_snapshot three_faults = {
	.total.counts = { .exits = 9, .guest_faults = 3 },
};

/* Line @nr of @text, from 0; to be freed. */
static char *line(const char *text, int nr)
{
	while (nr--)
		text = strchr(text, '\n') + 1;
	return strndup(text, strcspn(text, "\n"));
}

static void assert_line(const char *text, int nr, const char *wanted)
{
	char *got = line(text, nr);

	assert_string_equal(got, wanted);
	free(got);
}

static void text_is_a_line_an_episode(void **state)
{
	struct fl_episode_record one = record(1, 2, 0, 2500000);
	char *text = print(&fl_trace_text, &one, 1, &three_faults);

	(void)state;
	assert_line(text, 1, "    0.001500  vmm               4194304     2  0x00007f0000001000   0x6"
		    "  user-write-absent          3      30.00  refault  "
		    "inject 5.00, pte-write 7.00, refault 10.00");
	assert_line(text, 2, "# 1 episodes of 3 guest faults");
	free(text);
}

static void text_says_what_is_lost_and_left_out(void **state)
{
	struct fl_snapshot last = { .total.events.injected = 3, .lost_records = 2 };
	struct fl_episode_record one = record(0, -1, 0, 1000000);
	char *text, *got;

	(void)state;
	one.episode.page = FL_NO_PAGE;
	one.episode.exits = FL_MAX_STEPS + 5;
	text = print(&fl_trace_text, &one, 1, &last);
	got = line(text, 1);
	assert_non_null(strstr(got, "  4194304     -  -  "));
	assert_non_null(strstr(got, ", and 5 more"));
	free(got);
	assert_line(text, 2, "# 1 episodes of 3 guest faults, 2 LOST; "
		    "this KVM emits no kvm_exit, so their exits can't be told");
	free(text);
}

static void json_is_an_object_a_line(void **state)
{
	struct fl_episode_record one = record(1, 2, 0, 2500000);
	char *text = print(&fl_trace_json, &one, 1, &three_faults);

	(void)state;
	assert_string_equal(text,
		"{\"schema\":\"faultline.episode/1\",\"time_ns\":2500000,\"vm\":\"vmm\","
		"\"pid\":4194304,\"tid\":77,\"vcpu\":2,\"page\":\"0x7f0000001000\","
		"\"error_code\":6,\"access\":\"user-write-absent\",\"exits\":3,"
		"\"duration_ns\":30000,\"outcome\":\"refault\",\"steps\":["
		"{\"class\":\"inject\",\"start_ns\":0,\"ns\":5001},"
		"{\"class\":\"pte-write\",\"start_ns\":10000,\"ns\":7000},"
		"{\"class\":\"refault\",\"start_ns\":20000,\"ns\":10000}],\"steps_left_out\":0}\n");
	free(text);
}

/* The value of @key in the object that is line @nr of @text, as text. */
static void assert_member(const char *text, int nr, const char *key, const char *wanted)
{
	char *got = line(text, nr);
	struct json_object *object = json_tokener_parse(got), *value;

	assert_non_null(object);
	assert_true(json_object_object_get_ex(object, key, &value));
	assert_string_equal(value ? json_object_get_string(value) : "null", wanted);
	json_object_put(object);
	free(got);
}

/* Whatever a process is called, and whatever isn't known, it stays JSON. */
static void json_of_the_strangest(void **state)
{
	struct fl_episode_record one = record(0, -1, 0, 1);
	char *text;

	(void)state;
	strcpy(one.comm, "a\"\\\033\xff\xc3\xa9");
	one.episode.page = FL_NO_PAGE;
	one.episode.exits = 99;
	text = print(&fl_trace_json, &one, 1, &three_faults);
	assert_member(text, 0, "vm", "a\"\\??\xc3\xa9");
	assert_member(text, 0, "vcpu", "null");
	assert_member(text, 0, "page", "null");
	assert_member(text, 0, "steps_left_out", "87");
	free(text);
}

static struct json_object *parse_chrome(const struct fl_episode_record *records, size_t nr)
{
	char *text = print(&fl_trace_chrome, records, nr, &three_faults);
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	free(text);
	return object;
}

static struct json_object *events_of(struct json_object *trace)
{
	struct json_object *events;

	assert_true(json_object_object_get_ex(trace, "traceEvents", &events));
	return events;
}

static const char *member(struct json_object *events, size_t index, const char *key)
{
	struct json_object *event = json_object_array_get_idx(events, index), *value;

	assert_true(json_object_object_get_ex(event, key, &value));
	return json_object_get_string(value);
}

static void chrome_names_and_nests(void **state)
{
	struct fl_episode_record one = record(1, 2, 0, 2500000);
	struct json_object *trace = parse_chrome(&one, 1), *events = events_of(trace), *last;

	(void)state;
	assert_int_equal(json_object_array_length(events), 3 + 1 + 3);
	assert_string_equal(member(events, 0, "args"), "{ \"name\": \"vmm\" }");
	assert_string_equal(member(events, 1, "args"), "{ \"name\": \"vCPU 2\" }");
	assert_string_equal(member(events, 3, "name"), "user-write-absent");
	assert_string_equal(member(events, 3, "ts"), "1500.000");
	assert_string_equal(member(events, 3, "dur"), "30.001");
	assert_string_equal(member(events, 4, "name"), "inject");
	assert_string_equal(member(events, 4, "dur"), "5.001");
	assert_string_equal(member(events, 6, "ts"), "1520.000");
	assert_string_equal(member(events, 6, "tid"), member(events, 3, "tid"));
	assert_true(json_object_object_get_ex(trace, "otherData", &last));
	assert_int_equal(json_object_get_int(json_object_object_get(last, "episodes")), 1);
	json_object_put(trace);
}

/* Where slices would overlap, one goes into a thread of its own. */
static void chrome_of_overlapping_episodes(void **state)
{
	struct fl_episode_record records[] = {
		record(1, 0, 0, 1000000), record(1, 0, 0, 1010000), record(1, 0, 0, 1040000),
		record(2, 0, 1, 1000000),
	};
	struct json_object *trace = parse_chrome(records, 4), *events = events_of(trace);

	(void)state;
	/* The first has a process and a thread, the second a thread. */
	assert_string_equal(member(events, 7, "args"), "{ \"name\": \"vCPU 0, overlapping 1\" }");
	assert_string_equal(member(events, 3, "tid"), "1");
	assert_string_equal(member(events, 9, "tid"), "2");
	assert_string_equal(member(events, 13, "tid"), "1");
	/* Another VM of the process is another process in the picture. */
	assert_string_equal(member(events, 17, "name"), "process_name");
	assert_string_equal(member(events, 17, "pid"), "8388608");
	assert_string_equal(member(events, 20, "pid"), "8388608");
	json_object_put(trace);
}

static void chrome_of_nothing(void **state)
{
	struct json_object *trace = parse_chrome(NULL, 0);

	(void)state;
	assert_int_equal(json_object_array_length(events_of(trace)), 0);
	json_object_put(trace);
}

static void access_names(void **state)
{
	char name[FL_ACCESS_NAME];

	(void)state;
	assert_string_equal(fl_access_name(0, name), "kernel-read-absent");
	assert_string_equal(fl_access_name(FL_PFERR_USER | FL_PFERR_FETCH | FL_PFERR_PRESENT, name),
			    "user-fetch-protection");
	assert_string_equal(fl_access_name(FL_PFERR_PRESENT | FL_PFERR_WRITE | FL_PFERR_RESERVED, name),
			    "kernel-write-reserved");
}

/* ---- Tracks ---- */

static void a_slot_is_used_again(void **state)
{
	struct fl_tracks tracks = { 0 };
	struct fl_episode_record first = record(1, 0, 5, 0), second = record(1, 1, 6, 0);
	struct fl_episode_record other = record(2, 0, 5, 0), again = record(1, 0, 7, 0);
	struct fl_track *track = fl_tracks_find(&tracks, &first);

	(void)state;
	assert_ptr_equal(fl_tracks_find(&tracks, &first), track);
	assert_ptr_equal(fl_tracks_find(&tracks, &second)->vm, track->vm);
	assert_ptr_not_equal(fl_tracks_find(&tracks, &other)->vm, track->vm);
	/* A second vCPU of the same number: the VM that the first was of is gone. */
	assert_ptr_not_equal(fl_tracks_find(&tracks, &again)->vm, track->vm);
	assert_int_equal(track->vm->id, NO_PROCESS);
	fl_tracks_free(&tracks);
}

static void names_are_cleaned(void **state)
{
	char name[] = "\x1b[2Jx\x7f\xc3\xa9\xc0\xaf\xed\xa0\x80\xe2\x82";

	(void)state;
	fl_vm_clean_name(name);
	assert_string_equal(name, "?[2Jx?\xc3\xa9???????");
}

/* ---- The filter ---- */

/* Whether the record's episode passes a filter made of options: NAME VALUE... */
static int passes(const struct fl_episode_record *one, int option, char *value)
{
	struct fl_filter filter = FL_NO_FILTER;

	optarg = value;
	assert_int_equal(fl_filter_take(&filter, "trace", option), FL_DONE);
	return fl_filter_passes(&filter, &one->episode);
}

static void filters(void **state)
{
	static const struct {
		int option;
		char *passing, *failing;
	} cases[] = {
		{ FL_OPTION_CLASS, "unsync,pte-write", "unsync,invlpg" },
		{ FL_OPTION_WITHOUT, "unsync", "unsync,refault" },
		{ FL_OPTION_OUTCOME, "update,refault", "update,open" },
		{ FL_OPTION_FAULT, "user,write,absent", "user,read" },
		{ FL_OPTION_FAULT, "user", "kernel" },
		{ FL_OPTION_FAULT, "write", "fetch" },
		{ FL_OPTION_FAULT, "absent", "protection" },
		{ FL_OPTION_FAULT, "write", "reserved" },
		{ FL_OPTION_ADDRESS, "0x7f0000001abc", "0x7f0000002000" },
		{ FL_OPTION_ADDRESS, "0x7f0000000000-0x7f0000001000", "0-0x7f0000000fff" },
		{ FL_OPTION_MIN_EXITS, "3", "4" },
		{ FL_OPTION_MIN_US, "30", "31" },
	};
	struct fl_episode_record one = record(1, 0, 0, 5);
	struct fl_filter none = FL_NO_FILTER;
	size_t i;

	(void)state;
	assert_true(fl_filter_passes(&none, &one.episode));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(passes(&one, cases[i].option, cases[i].passing));
		assert_false(passes(&one, cases[i].option, cases[i].failing));
	}
	/* Where the page isn't known, it is at no address. */
	one.episode.page = FL_NO_PAGE;
	assert_true(fl_filter_passes(&none, &one.episode));
	assert_false(passes(&one, FL_OPTION_ADDRESS, "0-0xffffffffffffffff"));
}

static void sizes(void **state)
{
	size_t size;

	(void)state;
	assert_int_equal(fl_parse_size("trace", "--buffer", "4096", &size), FL_DONE);
	assert_int_equal(size, 4096);
	assert_int_equal(fl_parse_size("trace", "--buffer", "5K", &size), FL_DONE);
	assert_int_equal(size, 8192);
	assert_int_equal(fl_parse_size("trace", "--buffer", "2G", &size), FL_DONE);
	assert_int_equal(size, 1UL << 31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_a_line_an_episode),
		cmocka_unit_test(text_says_what_is_lost_and_left_out),
		cmocka_unit_test(json_is_an_object_a_line),
		cmocka_unit_test(json_of_the_strangest),
		cmocka_unit_test(chrome_names_and_nests),
		cmocka_unit_test(chrome_of_overlapping_episodes),
		cmocka_unit_test(chrome_of_nothing),
		cmocka_unit_test(access_names),
		cmocka_unit_test(a_slot_is_used_again),
		cmocka_unit_test(names_are_cleaned),
		cmocka_unit_test(filters),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
