// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of what `faultline export` makes of snapshots: which VMs have series
 * of their own (analysis/ledger.c), what the page says (metrics.c), and how the
 * two formats write it (exposition.c). promtool's opinion of the page is asked for
 * in tests/faultline-export.t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics.h"
#include "run.h"

#define SECOND 1000000000ULL

/* ---- Made-up snapshots ---- */

/* What a VM has done since it began. */
struct vm {
	const char *name;
	__u32 pid;
	__u64 faults, fills;
};

static __u32 dead_pid;	/* the process that doesn't live */

static bool lives(pid_t pid)
{
	return pid != (pid_t)dead_pid;
}

/* Each fault as under the policy zap, 1 us an exit; each fill takes 3 us. */
static void fill_tally(struct fl_tally *tally, const struct vm *vm)
{
	const enum fl_class steps[] = { FL_INJECT, FL_PTE_WRITE, FL_REFAULT };
	__u64 i, step;

	tally->isa = FL_ISA_SVM;
	tally->counts.guest_faults = tally->events.injected = vm->faults;
	tally->counts.histogram[3] = vm->faults;
	tally->counts.exits = 3 * vm->faults + vm->fills;
	for (step = 0; step < 3; step++) {
		tally->counts.classes[steps[step]] = vm->faults;
		tally->counts.in_episodes[steps[step]] = vm->faults;
		for (i = 0; i < vm->faults; i++)
			fl_duration_add(&tally->durations[steps[step]], 1000);
	}
	tally->counts.classes[FL_FILL] = vm->fills;
	for (i = 0; i < vm->fills; i++)
		fl_duration_add(&tally->durations[FL_FILL], 3000);
	for (i = 0; i < vm->faults; i++)
		fl_duration_add(&tally->fault_durations, 5000);
}

static struct fl_snapshot snapshot_of(__u64 time_ns, const struct vm *vms, size_t nr)
{
	struct fl_snapshot snapshot = { .time_ns = time_ns, .nr_vcpus = nr };
	size_t i, j;

	snapshot.vcpus = calloc(nr + 1, sizeof(*snapshot.vcpus));
	assert_non_null(snapshot.vcpus);
	for (i = 0; i < nr; i++) {
		struct fl_vcpu_snapshot *vcpu = &snapshot.vcpus[i];

		vcpu->kvm = vcpu->kvm_vcpu = vms[i].pid;
		vcpu->pid = vms[i].pid;
		vcpu->seen_ns = vms[i].pid;
		fill_tally(&vcpu->tally, &vms[i]);
	}
	assert_int_equal(fl_snapshot_sum_up(&snapshot), 0);
	for (i = 0; i < snapshot.nr_vms; i++) {
		for (j = 0; j < nr; j++) {
			if (vms[j].pid == snapshot.vms[i].pid)
				strcpy(snapshot.vms[i].name, vms[j].name);
		}
	}
	return snapshot;
}

#define ADD(ledger, time, ...) do {						\
	const struct vm these[] = { __VA_ARGS__ };				\
	struct fl_snapshot now = snapshot_of(time, these,			\
					     sizeof(these) / sizeof(these[0]));	\
	assert_int_equal(fl_ledger_add(ledger, &now), 0);			\
} while (0)

#define LEDGER(max)	{ .max_vms = max, .keep_ns = 100 * SECOND, .lives = lives }

/* ---- The page ---- */

static char *page_of(const struct fl_ledger *ledger, enum fl_exposition format)
{
	const struct fl_metrics metrics = {
		.ledger = ledger,
		.host = { .kernel = "6.12.1", .line = "6.12", .policy = "zap" },
		.vendor = "svm",
		.mmu = "shadow",
	};
	char *page;
	size_t size;
	FILE *out = open_memstream(&page, &size);

	assert_non_null(out);
	fl_metrics_print(&metrics, format, out);
	assert_int_equal(fclose(out), 0);
	return page;
}

/* Whether @page has the line @line. */
static bool says(const char *page, const char *line)
{
	size_t length = strlen(line);
	const char *at = page;

	while ((at = strstr(at, line))) {
		if ((at == page || at[-1] == '\n') && at[length] == '\n')
			return true;
		at++;
	}
	return false;
}

#define assert_says(page, line) do {						\
	if (!says(page, line))							\
		print_error("no such line: %s\n", line);			\
	assert_true(says(page, line));						\
} while (0)

static void page_has_what_was_counted(void **state)
{
	struct fl_ledger ledger = LEDGER(8);
	char *page;

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 499, 7 }, { "two", 12, 1, 0 });
	page = page_of(&ledger, FL_EXPOSITION_TEXT);
	assert_says(page, "faultline_host_info{kernel=\"6.12.1\",line=\"6.12\",vendor=\"svm\",mmu=\"shadow\",policy=\"zap\",level=\"exits\"} 1");
	assert_says(page, "# TYPE faultline_exits_total counter");
	assert_says(page, "faultline_exits_total{class=\"inject\"} 500");
	assert_says(page, "faultline_exits_total{class=\"fill\"} 7");
	assert_says(page, "faultline_episode_exits_total{class=\"fill\"} 0");
	assert_says(page, "faultline_episode_exits_total{class=\"refault\"} 500");
	assert_says(page, "faultline_guest_faults_total 500");
	assert_says(page, "faultline_mmu_events_total{event=\"injected\"} 500");
	assert_says(page, "faultline_vm_exits_total{vm=\"one\",pid=\"11\",class=\"pte-write\"} 499");
	assert_says(page, "faultline_vm_exits_total{vm=\"two\",pid=\"12\",class=\"pte-write\"} 1");
	assert_says(page, "faultline_vm_exits_total{vm=\"other\",class=\"pte-write\"} 0");
	assert_says(page, "faultline_vm_episode_exits_total{vm=\"one\",pid=\"11\"} 1497");
	assert_says(page, "faultline_vm_guest_faults_total{vm=\"one\",pid=\"11\"} 499");
	assert_says(page, "faultline_vm_exit_seconds_total{vm=\"one\",pid=\"11\",class=\"fill\"} 2.1e-05");
	assert_says(page, "faultline_vm_vcpus{vm=\"one\",pid=\"11\"} 1");
	assert_says(page, "faultline_vms{series=\"own\"} 2");
	assert_says(page, "faultline_lost_events_total 0");
	assert_null(strstr(page, "# EOF"));
	free(page);
	fl_ledger_free(&ledger);
}

static void histograms_are_cumulative(void **state)
{
	struct fl_ledger ledger = LEDGER(8);
	char *page;

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 10, 4 });
	page = page_of(&ledger, FL_EXPOSITION_TEXT);
	assert_says(page, "# TYPE faultline_exit_seconds histogram");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"inject\",le=\"5.12e-07\"} 0");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"inject\",le=\"1.024e-06\"} 10");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"fill\",le=\"2.048e-06\"} 0");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"fill\",le=\"4.096e-06\"} 4");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"fill\",le=\"2.147483648\"} 4");
	assert_says(page, "faultline_exit_seconds_bucket{class=\"fill\",le=\"+Inf\"} 4");
	assert_says(page, "faultline_exit_seconds_sum{class=\"fill\"} 1.2e-05");
	assert_says(page, "faultline_exit_seconds_count{class=\"fill\"} 4");
	assert_says(page, "faultline_fault_seconds_bucket{le=\"4.096e-06\"} 0");
	assert_says(page, "faultline_fault_seconds_bucket{le=\"8.192e-06\"} 10");
	assert_says(page, "faultline_fault_seconds_count 10");
	assert_says(page, "faultline_fault_exits_bucket{le=\"2.0\"} 0");
	assert_says(page, "faultline_fault_exits_bucket{le=\"3.0\"} 10");
	assert_says(page, "faultline_fault_exits_bucket{le=\"15.0\"} 10");
	assert_says(page, "faultline_fault_exits_bucket{le=\"+Inf\"} 10");
	assert_says(page, "faultline_fault_exits_sum 30");
	free(page);
	fl_ledger_free(&ledger);
}

/* Where the formats differ: names of families, infos, units, the end. */
static void openmetrics(void **state)
{
	struct fl_ledger ledger = LEDGER(8);
	char *page;

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 10, 4 });
	page = page_of(&ledger, FL_EXPOSITION_OPENMETRICS);
	assert_says(page, "# TYPE faultline_host info");
	assert_says(page, "# TYPE faultline_exits counter");
	assert_says(page, "faultline_exits_total{class=\"fill\"} 4");
	assert_says(page, "# UNIT faultline_exit_seconds seconds");
	assert_says(page, "# UNIT faultline_vm_exit_seconds seconds");
	assert_string_equal(page + strlen(page) - strlen("\n# EOF\n"), "\n# EOF\n");
	free(page);
	fl_ledger_free(&ledger);
}

static void faults_without_exits_are_shown(void **state)
{
	struct fl_ledger ledger = LEDGER(8);
	struct fl_snapshot now = snapshot_of(SECOND, &(struct vm){ "one", 11, 0, 0 }, 1);
	char *page;

	(void)state;
	now.vcpus[0].tally.events.injected = 42;
	now.vcpus[0].tally.isa = 0;
	assert_int_equal(fl_ledger_add(&ledger, &now), 0);
	page = page_of(&ledger, FL_EXPOSITION_TEXT);
	assert_non_null(strstr(page, "level=\"faults\""));
	assert_says(page, "faultline_guest_faults_total 42");
	assert_says(page, "faultline_vm_guest_faults_total{vm=\"one\",pid=\"11\"} 42");
	free(page);
	fl_ledger_free(&ledger);
}

static void any_name_makes_a_label(void **state)
{
	static const struct {
		const char *name, *label;
	} names[] = {
		{ "a \"quoted\\\" one\n", "a \\\"quoted\\\\\\\" one\\n" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9b", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9b" },
		{ "cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd" },
		{ "latin \xe9t\xe9", "latin \xef\xbf\xbdt\xef\xbf\xbd" },
		{ "overlong \xc0\xaf", "overlong \xef\xbf\xbd\xef\xbf\xbd" },
		{ "surrogate \xed\xa0\x80", "surrogate \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "beyond \xf4\x90\x80\x80.", "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd." },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char got[256] = "", wanted[256];
		FILE *out = fmemopen(got, sizeof(got), "w");

		assert_non_null(out);
		fl_label_print(out, "vm", names[i].name);
		fclose(out);
		snprintf(wanted, sizeof(wanted), "vm=\"%s\"", names[i].label);
		assert_string_equal(got, wanted);
	}
}

static void clients_get_the_format_they_like(void **state)
{
	static const struct {
		const char *accept;
		enum fl_exposition format;
	} clients[] = {
		{ NULL, FL_EXPOSITION_TEXT },
		{ "", FL_EXPOSITION_TEXT },
		{ "*/*", FL_EXPOSITION_TEXT },
		{ "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", FL_EXPOSITION_TEXT },
		/* Prometheus 2.42 */
		{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  FL_EXPOSITION_OPENMETRICS },
		{ "text/plain;q=0.3, application/openmetrics-text ; q=0.2", FL_EXPOSITION_TEXT },
		{ "text/plain;q=0.3, Application/OpenMetrics-Text", FL_EXPOSITION_OPENMETRICS },
		{ "application/openmetrics-text;q=0", FL_EXPOSITION_TEXT },
		{ "application/openmetrics-textual", FL_EXPOSITION_TEXT },
		{ "image/png,,;q=,", FL_EXPOSITION_TEXT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		assert_int_equal(fl_exposition_choose(clients[i].accept), clients[i].format);
}

/* ---- The ledger ---- */

static __u64 exits(const struct fl_tally *tally)
{
	return tally->counts.exits;
}

static void number_of_vms_is_bounded(void **state)
{
	struct fl_ledger ledger = LEDGER(1);

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 0, 10 }, { "two", 12, 0, 20 }, { "three", 13, 0, 30 });
	assert_int_equal(ledger.nr_own, 1);
	assert_int_equal(exits(ledger.vms[0].tally), 10);
	assert_int_equal(exits(&ledger.others), 50);
	assert_int_equal(exits(&ledger.total), 60);
	ADD(&ledger, 2 * SECOND, { "one", 11, 0, 11 }, { "two", 12, 0, 22 }, { "three", 13, 0, 33 });
	assert_int_equal(exits(ledger.vms[0].tally), 11);
	assert_int_equal(exits(&ledger.others), 55);
	fl_ledger_free(&ledger);
}

/* Without news, a VM has no series: it may be one that was struck off. */
static void vms_that_did_nothing_are_not_entered(void **state)
{
	struct fl_ledger ledger = LEDGER(4);

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 0, 0 });
	assert_int_equal(ledger.nr_vms, 0);
	ADD(&ledger, 2 * SECOND, { "one", 11, 0, 1 });
	assert_int_equal(ledger.nr_vms, 1);
	fl_ledger_free(&ledger);
}

static void ended_vms_go_and_the_total_stays(void **state)
{
	struct fl_ledger ledger = LEDGER(1);

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 0, 10 }, { "two", 12, 0, 20 });
	dead_pid = 11;
	ADD(&ledger, 2 * SECOND, { "one", 11, 0, 15 }, { "two", 12, 0, 25 });
	/* Its last exits are shown, for a while. */
	assert_int_equal(exits(ledger.vms[0].tally), 15);
	assert_int_equal(ledger.vms[0].nr_vcpus, 0);
	assert_int_equal(ledger.vms[1].nr_vcpus, 1);
	ADD(&ledger, 101 * SECOND, { "one", 11, 0, 15 }, { "two", 12, 0, 30 });
	assert_int_equal(ledger.nr_own, 1);
	ADD(&ledger, 102 * SECOND, { "one", 11, 0, 15 }, { "two", 12, 0, 35 });
	assert_int_equal(ledger.nr_own, 0);
	assert_int_equal(exits(&ledger.total), 50);
	/* One that is counted with the others stays there; the next is not. */
	ADD(&ledger, 103 * SECOND, { "one", 11, 0, 15 }, { "two", 12, 0, 36 }, { "three", 13, 0, 1 });
	assert_int_equal(ledger.nr_own, 1);
	assert_int_equal(exits(&ledger.others), 36);
	/* The collector has forgotten it, too. */
	ADD(&ledger, 104 * SECOND, { "two", 12, 0, 36 }, { "three", 13, 0, 2 });
	assert_int_equal(exits(&ledger.total), 53);
	dead_pid = 0;
	fl_ledger_free(&ledger);
}

static void pid_that_is_used_again_lives(void **state)
{
	struct fl_ledger ledger = LEDGER(1);

	(void)state;
	ADD(&ledger, SECOND, { "one", 11, 0, 10 });
	dead_pid = 11;
	ADD(&ledger, 2 * SECOND, { "one", 11, 0, 10 });
	dead_pid = 0;
	ADD(&ledger, 3 * SECOND, { "one", 11, 0, 12 });
	assert_int_equal(ledger.vms[0].ended_ns, 0);
	ADD(&ledger, 300 * SECOND, { "one", 11, 0, 12 });
	assert_int_equal(ledger.nr_own, 1);
	assert_int_equal(exits(ledger.vms[0].tally), 12);
	fl_ledger_free(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_has_what_was_counted),
		cmocka_unit_test(histograms_are_cumulative),
		cmocka_unit_test(openmetrics),
		cmocka_unit_test(faults_without_exits_are_shown),
		cmocka_unit_test(any_name_makes_a_label),
		cmocka_unit_test(clients_get_the_format_they_like),
		cmocka_unit_test(number_of_vms_is_bounded),
		cmocka_unit_test(vms_that_did_nothing_are_not_entered),
		cmocka_unit_test(ended_vms_go_and_the_total_stays),
		cmocka_unit_test(pid_that_is_used_again_lives),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
