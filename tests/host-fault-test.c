// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the host's own page faults (bpf/host_fault.h): event streams in,
 * kinds out. A stream is written as words:
 *
 *	npf:CODE:PAGE	exit for a nested page fault at guest page PAGE
 *	ept:QUAL:PAGE	exit for an EPT violation
 *	misconfig	exit for an EPT misconfiguration
 *	other		exit for something else
 *	minor major	the host takes a page fault
 *	map:LEVEL	KVM is about to install a page of that level
 *	prefetch	... one that was fetched in the background
 *	fixed spurious	KVM counts the fault as that
 *	async		KVM has the page fetched
 *	emulate mmio unsync nested reflect	what KVM was seen to do
 *	;		entry, 100 ns after the exit
 *	;;		none, or nobody tells
 *
 * Numbers are hexadecimal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "facts.h"
#include "host_fault.h"

struct world {
	struct fl_host_faults counts;
	struct fl_host_fault fault;
	struct fl_host_stat stat;	/* the kernel's */
	__u32 seen;
	__u64 exits, timed;
};

static void close_fault(struct world *w, __u64 ns)
{
	if (!w->fault.open)
		return;
	fl_host_verdict(&w->fault, &w->stat);
	assert_in_range(fl_host_close(&w->counts, &w->fault, w->seen, ns), 0, FL_NR_HOST_KINDS - 1);
	w->timed += !!ns;
}

static void exit_for(struct world *w, __u32 isa, __u32 reason)
{
	close_fault(w, 0);
	w->seen = 0;
	if (!fl_is_host_fault(isa, reason))
		return;
	w->exits++;
	fl_host_exit(&w->fault, &w->stat);
}

static int step_exit(struct world *w, const char *word)
{
	__u32 isa = !strncmp(word, "ept:", 4) ? FL_ISA_VMX : FL_ISA_SVM;
	char *page;

	if (!strcmp(word, "misconfig")) {
		exit_for(w, FL_ISA_VMX, FL_VMX_EPT_MISCONFIG);
	} else if (!strcmp(word, "other")) {
		exit_for(w, FL_ISA_SVM, 0x60);
	} else if (!strncmp(word, "npf:", 4) || isa == FL_ISA_VMX) {
		__u64 code = strtoull(word + 4, &page, 16);

		exit_for(w, isa, isa == FL_ISA_VMX ? FL_VMX_EPT_VIOLATION : FL_SVM_NPF);
		fl_host_error(&w->fault, isa, strtoull(page + 1, NULL, 16) << 12, code);
	} else {
		return 0;
	}
	return 1;
}

static void step(struct world *w, const char *word)
{
	if (step_exit(w, word))
		return;
	if (!strcmp(word, "minor"))
		w->stat.minor++;
	else if (!strcmp(word, "major"))
		w->stat.major++;
	else if (!strncmp(word, "map:", 4))
		fl_host_mapping(&w->fault, atoi(word + 4), &w->stat);
	else if (!strcmp(word, "prefetch"))
		fl_host_prefetch(&w->fault);
	else if (!strcmp(word, "fixed"))
		w->stat.fixed++;
	else if (!strcmp(word, "spurious"))
		w->stat.spurious++;
	else if (!strcmp(word, "async"))
		fl_host_deferred(&w->fault);
	else if (fact_of(word))
		w->seen |= fact_of(word);
	else if (!strcmp(word, ";"))
		close_fault(w, 100);
	else if (strcmp(word, ";;"))
		fail_msg("unknown word '%s' in the test's stream", word);
}

/* Each fault has one kind, once it is closed, and at most one time. */
static void check_sums(const struct world *w)
{
	__u64 kinds = 0, durations = 0;
	int i;

	for (i = 0; i < FL_NR_HOST_KINDS; i++) {
		kinds += w->counts.kinds[i];
		durations += w->counts.durations[i].count;
		assert_true(w->counts.durations[i].count <= w->counts.kinds[i]);
	}
	assert_int_equal(kinds + w->fault.open, w->exits);
	assert_int_equal(durations, w->timed);
}

static struct world played(const char *stream)
{
	char *copy = strdup(stream), *save = NULL, *word;
	struct world w = { 0 };

	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		step(&w, word);
		check_sums(&w);
	}
	free(copy);
	return w;
}

/* That @stream is @nr faults of @kind, and nothing else. */
static void assert_kind(const char *stream, enum fl_host_kind kind, __u64 nr)
{
	struct world w = played(stream);

	assert_int_equal(w.counts.kinds[kind], nr);
	assert_int_equal(w.exits, nr);
	assert_false(w.fault.open);
}

static void first_touches(void **state)
{
	(void)state;
	assert_kind("npf:4:10 map:1 fixed ; npf:6:11 map:1 fixed ;", FL_HOST_TOUCH, 2);
	assert_kind("npf:4:10 minor map:1 fixed ;", FL_HOST_TOUCH_MINOR, 1);
	/* Waiting is what counts, even if there was more than one fault. */
	assert_kind("npf:4:10 minor major map:1 fixed ;", FL_HOST_TOUCH_MAJOR, 1);
	assert_kind("ept:181:10 minor map:1 fixed ;", FL_HOST_TOUCH_MINOR, 1);
	assert_kind("ept:184:10 map:1 fixed ;", FL_HOST_TOUCH, 1);
}

/* What the host does after that, e.g. in the VMM, is not for the page. */
static void page_faults_after_the_mapping_do_not_count(void **state)
{
	(void)state;
	assert_kind("npf:4:10 map:1 fixed major ;", FL_HOST_TOUCH, 1);
}

static void background_fetch(void **state)
{
	(void)state;
	assert_kind("npf:4:10 async ;", FL_HOST_TOUCH_ASYNC, 1);
	/* That page arrives in the course of another fault, and is not its own. */
	assert_kind("npf:4:11 prefetch fixed ;", FL_HOST_OTHER, 1);
	assert_kind("npf:4:11 prefetch fixed map:1 fixed ;", FL_HOST_TOUCH, 1);
	assert_kind("npf:4:11 spurious prefetch fixed ;", FL_HOST_SPURIOUS, 1);
}

static void dirty_logging(void **state)
{
	(void)state;
	assert_kind("npf:7:10 fixed ;", FL_HOST_WRITE_PROTECT, 1);
	assert_kind("ept:18a:10 fixed ;", FL_HOST_WRITE_PROTECT, 1);
	/* A large page is split, so that the log is about a small one. */
	assert_kind("ept:1aa:10 map:1 fixed ;", FL_HOST_WRITE_PROTECT, 1);
}

/* The copy takes the translation away, so it takes a second exit to map it. */
static void host_copies_a_page(void **state)
{
	(void)state;
	assert_kind("npf:7:10 minor ; npf:6:10 map:1 fixed ;", FL_HOST_COPY, 2);
	assert_kind("ept:18a:10 major ; other ; ept:182:10 map:1 fixed ;", FL_HOST_COPY, 2);
	assert_kind("npf:7:10 minor map:1 fixed ;", FL_HOST_COPY, 1);
}

static void only_the_copied_page_is_part_of_the_copy(void **state)
{
	struct world w;

	(void)state;
	w = played("npf:7:10 minor ; npf:6:11 map:1 fixed ; npf:6:10 map:1 fixed ;");
	assert_int_equal(w.counts.kinds[FL_HOST_COPY], 1);
	assert_int_equal(w.counts.kinds[FL_HOST_TOUCH], 2);
	/* Guest page 0 is a page like others. */
	assert_kind("npf:4:0 map:1 fixed ;", FL_HOST_TOUCH, 1);
	assert_kind("npf:7:0 minor ; npf:6:0 map:1 fixed ;", FL_HOST_COPY, 2);
}

static void execution_from_a_large_page(void **state)
{
	(void)state;
	assert_kind("ept:19c:10 map:1 fixed ;", FL_HOST_EXEC, 1);
	assert_kind("npf:15:10 map:1 fixed ;", FL_HOST_EXEC, 1);
}

/* The first access makes the entry, later ones find it; an eventfd needs none. */
static void devices(void **state)
{
	(void)state;
	assert_kind("npf:4:fee00 emulate mmio ; npf:d:fee00 emulate mmio ;", FL_HOST_MMIO, 2);
	assert_kind("ept:181:fee00 emulate mmio ; misconfig emulate mmio ; misconfig mmio ;",
		    FL_HOST_MMIO, 3);
}

static void another_vcpu_was_faster(void **state)
{
	(void)state;
	assert_kind("npf:6:10 map:1 spurious ; npf:7:10 spurious ;", FL_HOST_SPURIOUS, 2);
}

static void kvm_has_the_guest_try_again(void **state)
{
	(void)state;
	assert_kind("npf:4:10 ; npf:4:10 minor ; ept:181:10 ;; ept:181:10 ;", FL_HOST_OTHER, 4);
}

/* L2 faults: L1's affair if KVM tells L1, whatever else there was to do. */
static void nested_guests(void **state)
{
	(void)state;
	assert_kind("npf:100000006:40 nested reflect ;", FL_HOST_REFLECTED, 1);
	assert_kind("ept:181:40 nested reflect ;", FL_HOST_REFLECTED, 1);
	assert_kind("npf:100000006:40 nested minor map:1 fixed ;", FL_HOST_NESTED, 1);
	assert_kind("npf:100000006:40 nested spurious ;", FL_HOST_NESTED, 1);
	assert_kind("npf:7:99 emulate ; npf:7:99 unsync map:1 fixed ;", FL_HOST_TABLE, 2);
	assert_kind("npf:10000000c:40 nested emulate mmio ;", FL_HOST_MMIO, 1);
}

static void page_sizes(void **state)
{
	struct world w;

	(void)state;
	w = played("npf:4:10 map:1 fixed ; npf:4:200 map:2 fixed ; npf:4:40000 map:3 fixed ; "
		   "npf:4:41000 map:2 fixed ; npf:4:10 map:2 spurious ; npf:7:10 fixed ;");
	assert_int_equal(w.counts.pages[1], 1);
	assert_int_equal(w.counts.pages[2], 2);
	assert_int_equal(w.counts.pages[3], 1);
}

/* As exits: a fault is closed by the next exit if no entry was told. */
static void untold_entry_leaves_the_fault_untimed(void **state)
{
	struct world w;

	(void)state;
	w = played("npf:4:10 map:1 fixed ;; npf:4:11 map:1 fixed ;; other ; ");
	assert_int_equal(w.counts.kinds[FL_HOST_TOUCH], 2);
	assert_int_equal(w.timed, 0);
}

static void other_exits_are_none(void **state)
{
	struct world w;

	(void)state;
	w = played("other minor map:1 fixed ;");
	assert_int_equal(w.exits, 0);
	assert_false(fl_is_host_fault(FL_ISA_SVM, 48));
	assert_false(fl_is_host_fault(FL_ISA_SVM, 0x4e));
	assert_false(fl_is_host_fault(FL_ISA_VMX, 0x400));
	assert_false(fl_is_host_fault(FL_ISA_PVM, 14));
	assert_true(fl_is_host_fault(FL_ISA_VMX, 0x8000000 | 48));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_touches),
		cmocka_unit_test(page_faults_after_the_mapping_do_not_count),
		cmocka_unit_test(background_fetch),
		cmocka_unit_test(dirty_logging),
		cmocka_unit_test(host_copies_a_page),
		cmocka_unit_test(only_the_copied_page_is_part_of_the_copy),
		cmocka_unit_test(execution_from_a_large_page),
		cmocka_unit_test(devices),
		cmocka_unit_test(another_vcpu_was_faster),
		cmocka_unit_test(kvm_has_the_guest_try_again),
		cmocka_unit_test(nested_guests),
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(untold_entry_leaves_the_fault_untimed),
		cmocka_unit_test(other_exits_are_none),
	};

	return cmocka_run_group_tests_name("host fault", tests, NULL, NULL);
}
