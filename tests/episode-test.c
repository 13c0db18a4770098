// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the episode state machine (bpf/episode.h): event streams in,
 * classes and episodes out. A stream is written as words:
 *
 *	pf:PAGE		exit for a page fault at guest page PAGE
 *	invlpg cr intr other	exit for that reason
 *	inject:u:PAGE	KVM delivers a #PF, error code with the user bit
 *	inject:k:PAGE	same, from supervisor mode
 *	emulate mmio unsync zapped	what KVM was seen to do
 *	updated:INDEX	KVM updated the SPTE of the table's entry INDEX
 *	;		entry
 *
 * Numbers are hexadecimal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "episode.h"
#include "exit_reason.h"

/* A guest fault under each policy, as KVM's tracepoints show it. */
#define INJECT(page)	" pf:" page " inject:u:" page " ; "
#define REFAULT(page)	" pf:" page " ; "
#define ZAPPED		" pf:ffff1 emulate zapped ; "
#define WRITE_STOCK	" pf:ffff1 emulate ; "
#define UPDATED(index)	" pf:ffff1 emulate updated:" index " ; "
#define UNSYNC		" pf:ffff1 unsync ; "

static __u64 argument(const char *word)
{
	const char *colon = strrchr(word, ':');

	assert_non_null(colon);
	return strtoull(colon + 1, NULL, 16);
}

static int starts(const char *word, const char *prefix)
{
	return !strncmp(word, prefix, strlen(prefix));
}

static void step(struct fl_vcpu *v, const char *word)
{
	if (starts(word, "pf:")) {
		fl_exit(v, FL_KIND_PAGE_FAULT);
		fl_page_fault(v, argument(word) << 12);
	} else if (!strcmp(word, "invlpg")) {
		fl_exit(v, FL_KIND_INVLPG);
	} else if (!strcmp(word, "cr")) {
		fl_exit(v, FL_KIND_CR);
	} else if (!strcmp(word, "intr")) {
		fl_exit(v, FL_KIND_ASYNC);
	} else if (!strcmp(word, "other")) {
		fl_exit(v, FL_KIND_OTHER);
	} else if (starts(word, "inject:")) {
		fl_inject_pf(v, argument(word) << 12, word[7] == 'u' ? FL_PFERR_USER : 0);
	} else if (!strcmp(word, "emulate")) {
		fl_saw(v, FL_SAW_EMULATION);
	} else if (!strcmp(word, "mmio")) {
		fl_saw(v, FL_SAW_MMIO);
	} else if (!strcmp(word, "unsync")) {
		fl_saw(v, FL_SAW_UNSYNC);
	} else if (!strcmp(word, "zapped")) {
		fl_saw(v, FL_SAW_PTE_WRITE);
	} else if (starts(word, "updated:")) {
		fl_pte_updated(v, 0x5000 + argument(word) * 8, 8);
	} else if (!strcmp(word, ";")) {
		fl_entry(v);
	} else {
		fail_msg("unknown word '%s' in the test's stream", word);
	}
}

static __u64 sum(const __u64 *counts, int nr)
{
	__u64 total = 0;

	while (nr--)
		total += counts[nr];
	return total;
}

/* What must hold after every event, whatever the events are. */
static void check_sums(const struct fl_vcpu *v)
{
	const struct fl_counts *counts = &v->counts;
	int i;

	assert_int_equal(sum(counts->classes, FL_NR_CLASSES) + v->exit_open, counts->exits);
	assert_int_equal(sum(counts->histogram, FL_HISTOGRAM) + v->nr_open,
			 counts->guest_faults);
	assert_int_equal(counts->in_episodes[FL_INJECT], counts->guest_faults);
	assert_int_equal(counts->histogram[0], 0);
	for (i = 0; i < FL_NR_CLASSES; i++)
		assert_true(counts->in_episodes[i] <= counts->classes[i]);
}

static void play(struct fl_vcpu *v, const char *stream)
{
	char *copy = strdup(stream), *save = NULL, *word;

	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		step(v, word);
		check_sums(v);
	}
	free(copy);
}

static struct fl_vcpu played(const char *stream)
{
	struct fl_vcpu v = { 0 };

	play(&v, stream);
	return v;
}

static void assert_episodes(const struct fl_vcpu *v, __u64 faults, int exits)
{
	assert_int_equal(v->counts.guest_faults, faults);
	assert_int_equal(v->counts.histogram[exits], faults);
	assert_int_equal(v->nr_open, 0);
}

static void zap_costs_three(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED REFAULT("10")
				  INJECT("11") ZAPPED REFAULT("11"));

	(void)state;
	assert_episodes(&v, 2, 3);
	assert_int_equal(v.counts.classes[FL_REFAULT], 2);
	assert_int_equal(v.counts.classes[FL_PTE_WRITE], 2);
}

/* The entry's index is that of the faulting page, so no refault is due. */
static void update_costs_two(void **state)
{
	struct fl_vcpu v = played(INJECT("10") UPDATED("10") INJECT("211") UPDATED("11"));

	(void)state;
	assert_episodes(&v, 2, 2);
	assert_int_equal(v.counts.classes[FL_REFAULT], 0);
}

/* Another entry of the table was updated: the fault isn't dealt with yet. */
static void update_elsewhere_is_not_the_end(void **state)
{
	struct fl_vcpu v = played(INJECT("10") UPDATED("33"));

	(void)state;
	assert_int_equal(v.nr_open, 1);
	play(&v, REFAULT("10"));
	assert_episodes(&v, 1, 3);
}

static void update_of_a_4_byte_entry(void **state)
{
	struct fl_vcpu v = played(INJECT("3ff") " pf:ffff1 emulate ");

	(void)state;
	fl_pte_updated(&v, 0x5ffc, 4);
	fl_entry(&v);
	assert_episodes(&v, 1, 2);
}

static void unsync_costs_three_once_then_two(void **state)
{
	struct fl_vcpu v = played(INJECT("10") UNSYNC REFAULT("10")
				  INJECT("11") REFAULT("11") INJECT("12") REFAULT("12"));

	(void)state;
	assert_int_equal(v.counts.histogram[3], 1);
	assert_int_equal(v.counts.histogram[2], 2);
	assert_int_equal(v.counts.classes[FL_UNSYNC], 1);
}

/* A stock kernel doesn't tell of page table writes, only of emulation. */
static void emulation_without_mmio_is_a_pte_write(void **state)
{
	struct fl_vcpu v = played(INJECT("10") WRITE_STOCK REFAULT("10")
				  " pf:fee00 emulate mmio ; ");

	(void)state;
	assert_episodes(&v, 1, 3);
	assert_int_equal(v.counts.classes[FL_PTE_WRITE], 1);
	assert_int_equal(v.counts.classes[FL_MMIO], 1);
}

static void copy_on_write_under_zap(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED " invlpg ; " ZAPPED REFAULT("10"));

	(void)state;
	assert_episodes(&v, 1, 5);
	assert_int_equal(v.counts.in_episodes[FL_INVLPG], 1);
}

/* The update on clearing the entry installs nothing; setting it ends it. */
static void copy_on_write_under_update(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED " invlpg ; " UPDATED("10") " invlpg ; ");

	(void)state;
	assert_episodes(&v, 1, 4);
	assert_int_equal(v.counts.classes[FL_INVLPG], 2);
	assert_int_equal(v.counts.in_episodes[FL_INVLPG], 1);
}

/* The handler upgrades the entry in place and flushes it: no refault comes. */
static void fault_without_refault_ends_with_the_next(void **state)
{
	struct fl_vcpu v = played(INJECT("10") " invlpg ; " INJECT("11") REFAULT("11"));

	(void)state;
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.guest_faults, 2);
	assert_int_equal(v.counts.histogram[2], 2);
}

static void exits_of_no_episode_stay_out(void **state)
{
	struct fl_vcpu v = played("pf:7 ; intr ; " INJECT("10") " intr ; pf:8 ; other ; cr ; "
				  ZAPPED REFAULT("10") " invlpg ; " ZAPPED);

	(void)state;
	assert_episodes(&v, 1, 3);
	assert_int_equal(v.counts.classes[FL_FILL], 2);
	assert_int_equal(v.counts.classes[FL_ASYNC], 2);
	assert_int_equal(v.counts.classes[FL_OTHER], 1);
	assert_int_equal(v.counts.classes[FL_CR], 1);
	assert_int_equal(v.counts.exits, 11);
}

/* The handler of page 10's fault takes one itself, from supervisor mode. */
static void nested_fault_is_an_episode_of_its_own(void **state)
{
	struct fl_vcpu v = played(INJECT("10") "pf:c0 inject:k:c0 ; " ZAPPED REFAULT("c0")
				  ZAPPED REFAULT("10"));

	(void)state;
	assert_episodes(&v, 2, 3);
}

static void nested_fault_without_refault_ends_with_the_outer(void **state)
{
	struct fl_vcpu v = played(INJECT("10") "pf:c0 inject:k:c0 ; " REFAULT("10"));

	(void)state;
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.histogram[1], 1);
	assert_int_equal(v.counts.histogram[2], 1);
}

static void second_fault_on_a_page_ends_the_first(void **state)
{
	struct fl_vcpu v = played("pf:c0 inject:k:c0 ; pf:c0 inject:k:c0 ; ");

	(void)state;
	assert_int_equal(v.nr_open, 1);
	assert_int_equal(v.counts.histogram[1], 1);
}

static void too_deep_nesting_ends_the_oldest(void **state)
{
	struct fl_vcpu v = played("pf:1 inject:k:1 ; pf:2 inject:k:2 ; pf:3 inject:k:3 ; "
				  "pf:4 inject:k:4 ; pf:5 inject:k:5 ; ");

	(void)state;
	assert_int_equal(v.nr_open, FL_MAX_OPEN);
	assert_int_equal(v.counts.histogram[1], 1);
	play(&v, REFAULT("2"));
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.histogram[2], 1);
}

/* The instruction emulator ran into the fault: still one exit, one inject. */
static void fault_during_emulation_is_an_inject(void **state)
{
	struct fl_vcpu v = played("other emulate mmio inject:u:10 ; " REFAULT("10"));

	(void)state;
	assert_episodes(&v, 1, 2);
	assert_int_equal(v.counts.classes[FL_INJECT], 1);
}

/* KVM's fast paths enter the guest again without a kvm_entry. */
static void exit_closes_the_one_before(void **state)
{
	struct fl_vcpu v = played("intr intr other ;");

	(void)state;
	assert_int_equal(v.counts.classes[FL_ASYNC], 2);
	assert_int_equal(v.counts.classes[FL_OTHER], 1);
}

static void forgotten_exit_leaves_no_trace(void **state)
{
	struct fl_vcpu v = played("intr ; other ");

	(void)state;
	fl_forget_exit(&v);
	check_sums(&v);
	fl_entry(&v);
	fl_forget_exit(&v);
	assert_int_equal(v.counts.exits, 1);
	assert_int_equal(v.counts.classes[FL_OTHER], 0);
}

static void long_episode_lands_in_the_last_bucket(void **state)
{
	struct fl_vcpu v = played(INJECT("10"));
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		play(&v, ZAPPED);
	play(&v, REFAULT("10"));
	assert_episodes(&v, 1, FL_HISTOGRAM - 1);
}

static void exit_reasons(void **state)
{
	(void)state;
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x4e), FL_KIND_PAGE_FAULT);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x400), FL_KIND_PAGE_FAULT);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x79), FL_KIND_INVLPG);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x13), FL_KIND_CR);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x60), FL_KIND_ASYNC);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x78), FL_KIND_OTHER);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 48), FL_KIND_PAGE_FAULT);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 14), FL_KIND_INVLPG);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 28), FL_KIND_CR);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 1), FL_KIND_ASYNC);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 0), FL_KIND_OTHER);
	/* Bit 27 and up carry flags, not the reason. */
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 0x8000000 | 14), FL_KIND_INVLPG);
	/* An instruction set that we don't know has no reasons that we know. */
	assert_int_equal(fl_exit_kind(0, 0x4e), FL_KIND_OTHER);
}

/* Reasons of one instruction set have slots of their own, whatever they are. */
static void reason_slots(void **state)
{
	__u32 code, slot;

	(void)state;
	assert_int_equal(fl_reason_slot(FL_ISA_SVM, 0x4e), 0x4e);
	assert_int_equal(fl_reason_slot(FL_ISA_SVM, 0x400), FL_SVM_HIGH_SLOT);
	assert_int_equal(fl_reason_slot(FL_ISA_SVM, 0xffffffff), FL_REASON_UNKNOWN);
	assert_int_equal(fl_reason_slot(FL_ISA_VMX, 0x80000000 | 33), 33);
	assert_int_equal(fl_reason_slot(0, 7), FL_REASON_UNKNOWN);
	for (code = 0; code < 0x1000; code++) {
		slot = fl_reason_slot(FL_ISA_SVM, code);
		assert_in_range(slot, 0, FL_NR_REASONS - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zap_costs_three),
		cmocka_unit_test(update_costs_two),
		cmocka_unit_test(update_elsewhere_is_not_the_end),
		cmocka_unit_test(update_of_a_4_byte_entry),
		cmocka_unit_test(unsync_costs_three_once_then_two),
		cmocka_unit_test(emulation_without_mmio_is_a_pte_write),
		cmocka_unit_test(copy_on_write_under_zap),
		cmocka_unit_test(copy_on_write_under_update),
		cmocka_unit_test(fault_without_refault_ends_with_the_next),
		cmocka_unit_test(exits_of_no_episode_stay_out),
		cmocka_unit_test(nested_fault_is_an_episode_of_its_own),
		cmocka_unit_test(nested_fault_without_refault_ends_with_the_outer),
		cmocka_unit_test(second_fault_on_a_page_ends_the_first),
		cmocka_unit_test(too_deep_nesting_ends_the_oldest),
		cmocka_unit_test(fault_during_emulation_is_an_inject),
		cmocka_unit_test(exit_closes_the_one_before),
		cmocka_unit_test(forgotten_exit_leaves_no_trace),
		cmocka_unit_test(long_episode_lands_in_the_last_bucket),
		cmocka_unit_test(exit_reasons),
		cmocka_unit_test(reason_slots),
	};

	return cmocka_run_group_tests_name("episode", tests, NULL, NULL);
}
