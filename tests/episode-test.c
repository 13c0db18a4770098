// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of the episode state machine (bpf/episode.h): event streams in,
 * classes and episodes out. A stream is written as words:
 *
 *	root:R		from here on, the guest's CR3 is R000
 *	pf:PAGE		exit for a page fault at guest page PAGE
 *	invlpg cr intr other	exit for that reason
 *	inject:u:PAGE	KVM delivers a #PF, error code with the user bit
 *	inject:k:PAGE	same, from supervisor mode
 *	emulate mmio unsync zapped	what KVM was seen to do
 *	updated:INDEX	KVM updated the SPTE of the table's entry INDEX
 *	nested		the exit was L2's
 *	reflect device handed	KVM tells L1 of it: of a page fault, an access to a
 *			device of L1's, or anything else
 *	vmentry virt msr	exit as L1 enters L2, or prepares to
 *	prefault:PAGE	KVM fixes the fault at L2's page PAGE on entry, root 7000
 *	;		entry, 100 ns after the exit
 *	;;		entry, but nobody tells
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
#include "facts.h"

/* A guest fault under each policy, as KVM's tracepoints show it. */
#define INJECT(page)	" pf:" page " inject:u:" page " ; "
#define REFAULT(page)	" pf:" page " ; "
#define ZAPPED		" pf:ffff1 emulate zapped ; "
#define WRITE_STOCK	" pf:ffff1 emulate ; "
#define UPDATED(index)	" pf:ffff1 emulate updated:" index " ; "
#define UNSYNC		" pf:ffff1 unsync ; "

/* A fault of L2's, with the page tables that L1 has for it at 7000, L1's at 1000. */
#define REFLECT(page)	" root:7 pf:" page " nested reflect ; root:1 "
#define VMENTRY		" msr ; virt ; vmentry ; "
#define L2_REFAULT(page) " root:7 pf:" page " nested ; root:1 "

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

/* Time passes with every event; the address space changes with root:. */
static __u64 now_ns, root;

static void exit_for(struct fl_vcpu *v, enum fl_kind kind)
{
	now_ns += 1000;
	fl_exit(v, kind, root, now_ns);
}

static void entry(struct fl_vcpu *v)
{
	now_ns += 100;
	fl_entry(v, now_ns);
}

static int step_exit(struct fl_vcpu *v, const char *word)
{
	static const struct {
		const char *word;
		enum fl_kind kind;
	} exits[] = {
		{ "invlpg", FL_KIND_INVLPG },
		{ "cr", FL_KIND_CR },
		{ "intr", FL_KIND_ASYNC },
		{ "other", FL_KIND_OTHER },
		{ "vmentry", FL_KIND_VMENTRY },
		{ "virt", FL_KIND_VIRT },
		{ "msr", FL_KIND_MSR },
	};
	size_t i;

	for (i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		if (!strcmp(word, exits[i].word)) {
			exit_for(v, exits[i].kind);
			return 1;
		}
	}
	if (!starts(word, "pf:"))
		return 0;
	exit_for(v, FL_KIND_PAGE_FAULT);
	fl_page_fault(v, argument(word) << 12);
	return 1;
}

static void step(struct fl_vcpu *v, const char *word)
{
	if (step_exit(v, word))
		return;
	if (starts(word, "root:"))
		root = argument(word) << 12;
	else if (starts(word, "inject:"))
		fl_inject_pf(v, argument(word) << 12, word[7] == 'u' ? FL_PFERR_USER : 0);
	else if (!strcmp(word, "reflect"))
		fl_reflect(v, 0);
	else if (starts(word, "reflect:"))
		fl_reflect(v, argument(word) << 12);
	else if (starts(word, "prefault:"))
		fl_prefault(v, argument(word) << 12, 0x7000);
	else if (starts(word, "updated:"))
		fl_pte_updated(v, 0x5000 + argument(word) * 8, 8);
	else if (fact_of(word))
		fl_saw(v, fact_of(word));
	else if (!strcmp(word, ";"))
		entry(v);
	else if (strcmp(word, ";;"))
		fail_msg("unknown word '%s' in the test's stream", word);
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
	assert_int_equal(counts->in_episodes[FL_INJECT] + counts->in_episodes[FL_REFLECT],
			 counts->guest_faults);
	assert_int_equal(counts->histogram[0], 0);
	for (i = 0; i < FL_NR_CLASSES; i++) {
		const struct fl_durations *durations = &v->durations[i];

		assert_true(counts->in_episodes[i] <= counts->classes[i]);
		assert_true(durations->count <= counts->classes[i]);
		assert_int_equal(sum(durations->buckets, FL_DURATION_BUCKETS), durations->count);
	}
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

	root = FL_NO_ROOT;
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
	entry(&v);
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
	entry(&v);
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

/* ---- Tasks that share a vCPU ---- */

/*
 * Task 1 sleeps in its handler, e.g. for a disk. Task 2 runs on the vCPU
 * meanwhile, faults, and is dealt with. Each has its own three exits.
 */
static void sleeping_task_keeps_its_episode(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") " other ; cr ; root:20 "
				  INJECT("a") ZAPPED REFAULT("a") " cr ; root:10 "
				  ZAPPED REFAULT("a"));

	(void)state;
	assert_episodes(&v, 2, 3);
	assert_int_equal(v.counts.classes[FL_CR], 2);
}

/* What task 2 does to page tables is none of sleeping task 1's. */
static void page_table_writes_of_others_stay_out(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") " other ; cr ; root:20 "
				  ZAPPED ZAPPED " invlpg ; cr ; root:10 " ZAPPED REFAULT("a"));

	(void)state;
	assert_episodes(&v, 1, 3);
	assert_int_equal(v.counts.classes[FL_PTE_WRITE], 3);
	assert_int_equal(v.counts.in_episodes[FL_PTE_WRITE], 1);
	assert_int_equal(v.counts.in_episodes[FL_INVLPG], 0);
}

/* The same page number in another address space is another page. */
static void refault_of_another_space_is_a_fill(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") " root:20 " REFAULT("a"));

	(void)state;
	assert_int_equal(v.nr_open, 1);
	assert_int_equal(v.counts.classes[FL_FILL], 1);
}

/*
 * Task 1 moves to another vCPU while it sleeps: there, its refault is a fill, and
 * here its episode stays open.
 */
static void migrated_task_leaves_its_episode_open(void **state)
{
	struct fl_vcpu here = played("root:10 " INJECT("a") ZAPPED " cr ; root:20 "
				     INJECT("b") ZAPPED REFAULT("b"));
	struct fl_vcpu there = played("root:10 " REFAULT("a"));

	(void)state;
	assert_int_equal(here.nr_open, 1);
	assert_int_equal(here.open[0].exits, 2);
	assert_int_equal(here.counts.histogram[3], 1);
	assert_int_equal(there.counts.classes[FL_FILL], 1);
	assert_int_equal(there.counts.in_episodes[FL_REFAULT], 0);
	/* Back on its vCPU, it faults again: so it has got over the first fault. */
	play(&here, " cr ; root:10 " INJECT("c") ZAPPED REFAULT("c"));
	assert_int_equal(here.nr_open, 0);
	assert_int_equal(here.counts.histogram[2], 1);
}

/* The guest kills the task: no one ever returns. Others' episodes go on as ever. */
static void killed_task_is_left_open_until_depth_ends_it(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") " cr ; ");
	int task;

	(void)state;
	for (task = 0x20; task <= 0x60; task += 0x10) {
		char stream[128];

		snprintf(stream, sizeof(stream), "root:%x " INJECT("a") " cr ; ", task);
		play(&v, stream);
	}
	assert_int_equal(v.nr_open, FL_MAX_OPEN);
	assert_int_equal(v.counts.guest_faults, 6);
	assert_int_equal(v.counts.histogram[1], 2);
}

/* Two threads of one process fault on one page, each on a vCPU of its own. */
static void threads_on_one_page_are_two_episodes(void **state)
{
	struct fl_vcpu first = played("root:10 " INJECT("a") ZAPPED REFAULT("a"));
	struct fl_vcpu second = played("root:10 " INJECT("a") REFAULT("a"));

	(void)state;
	assert_episodes(&first, 1, 3);
	assert_episodes(&second, 1, 2);
}

/* Under update, the one that comes second finds the page mapped: no exit ends it. */
static void second_thread_under_update_ends_with_its_next_fault(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") " intr ; " INJECT("b"));

	(void)state;
	assert_int_equal(v.counts.histogram[1], 1);
	assert_int_equal(v.nr_open, 1);
	assert_int_equal(v.open[0].page, 0xb);
}

/*
 * One vCPU, two threads of a process: the second one's fault ends the first one's
 * episode, as a root doesn't tell them apart. Its refault is a fill then.
 */
static void thread_that_sleeps_loses_its_episode_to_another(void **state)
{
	struct fl_vcpu v = played("root:10 " INJECT("a") INJECT("b") ZAPPED REFAULT("b")
				  ZAPPED REFAULT("a"));

	(void)state;
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.histogram[1], 1);
	assert_int_equal(v.counts.histogram[3], 1);
	assert_int_equal(v.counts.classes[FL_FILL], 1);
}

/* ---- Guests that isolate page tables ---- */

/* As Linux does it: the two roots differ in bit 12, the PCIDs in others. */
static void isolated_handler_of_linux(void **state)
{
	struct fl_vcpu v = played("root:11 " INJECT("a") " cr ; root:10 " ZAPPED
				  " cr ; root:11 " REFAULT("a"));

	(void)state;
	assert_episodes(&v, 1, 3);
}

/* Any two roots: the switch right after the inject tells the handler's. */
static void isolated_handler_of_others(void **state)
{
	struct fl_vcpu v = played("root:50 " INJECT("a") " pf:99 ; intr ; cr ; root:80 " ZAPPED
				  "pf:c0 inject:k:c0 ; " ZAPPED REFAULT("c0")
				  " cr ; root:50 " REFAULT("a"));

	(void)state;
	assert_episodes(&v, 2, 3);
}

/* The nested fault needs no refault, and is over with the outer one. */
static void isolated_nested_fault_ends_with_the_outer(void **state)
{
	struct fl_vcpu v = played("root:50 " INJECT("a") " cr ; root:80 "
				  "pf:c0 inject:k:c0 ; " ZAPPED " cr ; root:50 " REFAULT("a"));

	(void)state;
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.histogram[2], 2);
}

/* A switch after the handler did something is to another task. */
static void later_switch_is_no_handler(void **state)
{
	struct fl_vcpu v = played("root:50 " INJECT("a") ZAPPED " cr ; root:80 " ZAPPED);

	(void)state;
	assert_int_equal(v.open[0].exits, 2);
	assert_int_equal(v.counts.in_episodes[FL_PTE_WRITE], 1);
}

/* ---- Ends of measurements and machines ---- */

/* The VM dies, or the measurement ends, in mid-episode and mid-exit. */
static void what_is_open_is_settled_as_open(void **state)
{
	struct fl_vcpu v = { .keep_ended = 1 };

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10") " pf:ffff1 emulate zapped ");
	assert_int_equal(fl_settle(&v), 1);
	check_sums(&v);
	assert_int_equal(v.counts.exits, 2);
	assert_int_equal(v.counts.histogram[2], 1);
	assert_int_equal(v.ended[0].outcome, FL_STILL_OPEN);
	assert_int_equal(fl_settle(&v), 0);
}

/* The policy changes from zap to update and to unsync: nothing is carried over. */
static void policy_changes_between_episodes(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED REFAULT("10") INJECT("11") UPDATED("11")
				  INJECT("12") UNSYNC REFAULT("12"));

	(void)state;
	assert_int_equal(v.nr_open, 0);
	assert_int_equal(v.counts.histogram[3], 2);
	assert_int_equal(v.counts.histogram[2], 1);
}

/* ... and in the middle of one: it has the exits that it had. */
static void policy_changes_in_an_episode(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED " invlpg ; " UNSYNC REFAULT("10"));

	(void)state;
	assert_episodes(&v, 1, 5);
}

/* ---- Time ---- */

static void exits_are_timed_up_to_the_entry(void **state)
{
	struct fl_vcpu v = played(INJECT("10") ZAPPED REFAULT("10"));

	(void)state;
	assert_int_equal(v.durations[FL_INJECT].count, 1);
	assert_int_equal(v.durations[FL_PTE_WRITE].sum_ns, 100);
	assert_int_equal(v.durations[FL_REFAULT].max_ns, 100);
}

static void untold_entry_leaves_the_exit_untimed(void **state)
{
	struct fl_vcpu v = played("intr ;; other ; ");

	(void)state;
	assert_int_equal(v.counts.classes[FL_ASYNC], 1);
	assert_int_equal(v.durations[FL_ASYNC].count, 0);
	assert_int_equal(v.durations[FL_OTHER].count, 1);
}

/* The buckets cover all there is, in order, each at most a quarter wide. */
static void duration_buckets(void **state)
{
	__u32 bucket;

	(void)state;
	assert_int_equal(fl_duration_bucket(0), 0);
	assert_int_equal(fl_duration_bucket(~0ULL), FL_DURATION_BUCKETS - 1);
	for (bucket = 0; bucket < FL_DURATION_BUCKETS; bucket++) {
		__u64 floor = fl_duration_floor(bucket);

		assert_int_equal(fl_duration_bucket(floor), bucket);
		if (!bucket)
			continue;
		assert_int_equal(fl_duration_bucket(floor - 1), bucket - 1);
		if (bucket > 4)
			assert_true(floor - fl_duration_floor(bucket - 1) <= floor / 4);
	}
}

/* ---- Nested guests ---- */

/* As it is without patches: reflect, unsync after the sync on entry, refault. */
static void nested_fault_costs_three(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UNSYNC VMENTRY L2_REFAULT("10")
				  REFLECT("11") UNSYNC VMENTRY L2_REFAULT("11"));

	(void)state;
	assert_episodes(&v, 2, 3);
	assert_int_equal(v.counts.classes[FL_REFLECT], 2);
	assert_int_equal(v.counts.in_episodes[FL_UNSYNC], 2);
	assert_int_equal(v.counts.in_episodes[FL_REFAULT], 2);
	assert_int_equal(v.counts.classes[FL_INJECT], 0);
}

/* What L1 does to get back to L2 is counted, but not as the fault's. */
static void instructions_of_l1_have_classes_of_their_own(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UNSYNC " cr ; " VMENTRY " msr ; ");

	(void)state;
	assert_int_equal(v.counts.classes[FL_VIRT], 2);
	assert_int_equal(v.counts.classes[FL_VMENTRY], 1);
	assert_int_equal(v.counts.in_episodes[FL_VIRT], 0);
	assert_int_equal(v.counts.in_episodes[FL_VMENTRY], 0);
	/* L2 runs, and accesses an MSR that L1 leaves to L0: L1 has no part in it. */
	assert_int_equal(v.counts.classes[FL_OTHER], 1);
	assert_int_equal(v.open[0].exits, 2);
}

/* A table that stays out of sync doesn't trap. */
static void nested_fault_with_sticky_unsync_costs_two(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") VMENTRY L2_REFAULT("10")
				  REFLECT("11") VMENTRY L2_REFAULT("11"));

	(void)state;
	assert_episodes(&v, 2, 2);
}

#define PREFAULT(page)	" msr ; virt ; vmentry prefault:" page " ; "

static void nested_fault_with_prefault_costs_two(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UNSYNC PREFAULT("10")
				  REFLECT("11") UNSYNC PREFAULT("11"));

	(void)state;
	assert_episodes(&v, 2, 2);
	assert_int_equal(v.counts.classes[FL_REFAULT], 0);
	assert_int_equal(v.fault_durations.count, 2);
}

static void nested_fault_with_both_costs_one(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") PREFAULT("10") REFLECT("11") PREFAULT("11"));

	(void)state;
	assert_episodes(&v, 2, 1);
}

/* Emulated, and the shadow entry set to what L1 wrote. */
static void nested_fault_under_update_costs_two(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UPDATED("10") VMENTRY);

	(void)state;
	assert_episodes(&v, 1, 2);
}

/* KVM may find that L1 hasn't mapped the page, or has prefaulted another one. */
static void prefault_of_another_page_is_not_the_end(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UNSYNC PREFAULT("11"));

	(void)state;
	assert_int_equal(v.nr_open, 1);
	play(&v, L2_REFAULT("10"));
	assert_episodes(&v, 1, 3);
}

/* L1 may fix a fault in a way that L0 sees nothing of. */
static void next_fault_of_l2_ends_the_last(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") VMENTRY REFLECT("11") VMENTRY);

	(void)state;
	assert_int_equal(v.counts.histogram[1], 1);
	assert_int_equal(v.nr_open, 1);
}

/* Two L2s take turns on a vCPU: each has page tables of its own. */
static void l2s_are_told_apart_by_their_page_tables(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") UNSYNC VMENTRY
				  " root:9 pf:10 nested ; pf:20 nested reflect ; root:1 " VMENTRY
				  " root:9 pf:20 nested ; root:1 " L2_REFAULT("10"));

	(void)state;
	assert_int_equal(v.counts.guest_faults, 2);
	assert_int_equal(v.counts.histogram[2], 1);
	assert_int_equal(v.counts.histogram[3], 1);
	assert_int_equal(v.counts.classes[FL_FILL], 1);
	assert_int_equal(v.nr_open, 0);
}

/* Memory that L1 has given L2, but L0 hasn't mapped yet: not L1's affair. */
static void l0_fills_what_l1_maps(void **state)
{
	struct fl_vcpu v = played(" root:7 pf:10 nested ; root:1 pf:10 ; " REFLECT("20")
				  " pf:20 ; " VMENTRY L2_REFAULT("20"));

	(void)state;
	assert_int_equal(v.counts.classes[FL_FILL], 3);
	assert_episodes(&v, 1, 2);
}

/* L1 shadows L2's page tables: all of L2's #PF are L1's affair. */
static void l1_that_shadows_gets_every_fault(void **state)
{
	struct fl_vcpu v = played(" root:7 other nested reflect:10 ; root:1 " VMENTRY
				  " root:7 other nested reflect:99 ; root:1 " VMENTRY
				  " root:7 other nested reflect:10 ; root:1 " VMENTRY);

	(void)state;
	assert_int_equal(v.counts.guest_faults, 3);
	assert_int_equal(v.counts.classes[FL_REFLECT], 3);
	assert_int_equal(v.counts.histogram[1], 2);
	assert_int_equal(v.open[0].page, 0x10);
}

/* Devices of L1's, and its intercepts: no page faults. */
static void other_exits_of_l2_are_handed_to_l1(void **state)
{
	struct fl_vcpu v = played(" root:7 pf:fee00 nested device ; root:1 " VMENTRY
				  " root:7 other nested handed ; root:1 " VMENTRY
				  " root:7 cr nested handed ; root:1 " VMENTRY
				  " root:7 intr nested handed ; root:1 " VMENTRY
				  " root:7 pf:10 nested handed ; root:1 vmentry handed ; ");

	(void)state;
	assert_int_equal(v.counts.guest_faults, 0);
	assert_int_equal(v.counts.classes[FL_VMEXIT], 3);
	assert_int_equal(v.counts.classes[FL_ASYNC], 1);
	assert_int_equal(v.counts.classes[FL_FILL], 1);
	assert_int_equal(v.counts.classes[FL_VMENTRY], 5);
	/* L2 never ran after the last entry. */
	assert_int_equal(v.in_l1, 1);
}

/* L0 shadows L1, too: L1's own faults while it deals with one of L2's. */
static void faults_of_l1_are_episodes_of_their_own(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") INJECT("40") ZAPPED REFAULT("40")
				  ZAPPED " invlpg ; " VMENTRY L2_REFAULT("10"));

	(void)state;
	assert_int_equal(v.counts.guest_faults, 2);
	assert_int_equal(v.counts.histogram[3], 2);
	assert_int_equal(v.counts.in_episodes[FL_INVLPG], 0);
	assert_int_equal(v.nr_open, 0);
}

/* A fault of L1's at the same number of a page is another one. */
static void pages_of_l1_and_l2_are_not_mixed_up(void **state)
{
	struct fl_vcpu v = played(REFLECT("10") " root:0 " INJECT("10") VMENTRY
				  " pf:10 nested ; ");

	(void)state;
	assert_int_equal(v.counts.classes[FL_REFAULT], 1);
	assert_int_equal(v.counts.histogram[2], 1);
	assert_int_equal(v.nr_open, 1);
	assert_false(v.open[0].nested);
}

static void reflections(void **state)
{
	(void)state;
	assert_int_equal(fl_reflected(FL_ISA_SVM, FL_SVM_NPF, 0x100000006, 0), FL_SAW_REFLECT);
	assert_int_equal(fl_reflected(FL_ISA_SVM, FL_SVM_NPF, 0x10000000c, 0), FL_SAW_DEVICE);
	assert_int_equal(fl_reflected(FL_ISA_SVM, FL_SVM_PF, 6, 0), FL_SAW_REFLECT);
	assert_int_equal(fl_reflected(FL_ISA_SVM, 0x60, 0, 0), FL_SAW_HANDED);
	assert_int_equal(fl_reflected(FL_ISA_VMX, 48, 0x182, 0), FL_SAW_REFLECT);
	assert_int_equal(fl_reflected(FL_ISA_VMX, 49, 0, 0), FL_SAW_DEVICE);
	assert_int_equal(fl_reflected(FL_ISA_VMX, 0, 0x5000, 0x80000b0e), FL_SAW_REFLECT);
	/* An NMI, and a #DF. */
	assert_int_equal(fl_reflected(FL_ISA_VMX, 0, 0, 0x80000202), FL_SAW_HANDED);
	assert_int_equal(fl_reflected(FL_ISA_VMX, 0, 0, 0x80000b08), FL_SAW_HANDED);
	assert_int_equal(fl_reflected(FL_ISA_VMX, 1, 0, 0), FL_SAW_HANDED);
}

/* ---- Records ---- */

static void ended_episodes_are_kept_if_asked_for(void **state)
{
	struct fl_vcpu v = { .keep_ended = 1 };

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10") ZAPPED REFAULT("10"));
	assert_int_equal(v.nr_ended, 1);
	assert_int_equal(v.ended[0].page, 0x10);
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_REFAULT);
	assert_int_equal(v.ended[0].exits, 3);
	assert_int_equal(v.ended[0].end_ns - v.ended[0].start_ns, 3 * 100 + 2 * 1000);
	assert_int_equal(v.ended[0].steps[0].class, FL_INJECT);
	assert_int_equal(v.ended[0].steps[1].class, FL_PTE_WRITE);
	assert_int_equal(v.ended[0].steps[2].class, FL_REFAULT);
	assert_int_equal(v.ended[0].steps[2].ns, 100);
	assert_int_equal(v.ended[0].steps[2].exit_ns, v.ended[0].end_ns - 100);
	assert_int_equal(v.ended[0].classes, 1U << FL_INJECT | 1U << FL_PTE_WRITE | 1U << FL_REFAULT);
	/* Only those of the last entry. */
	play(&v, " intr ; ");
	assert_int_equal(v.nr_ended, 0);
}

/* An episode that the next fault ends was over when its last exit was. */
static void episodes_end_with_their_last_exit(void **state)
{
	struct fl_vcpu v = { .keep_ended = 1 };

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10") UNSYNC " intr ; " INJECT("11"));
	assert_int_equal(v.nr_ended, 1);
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_NEXT);
	assert_int_equal(v.ended[0].end_ns, v.ended[0].steps[1].exit_ns + 100);
}

static void exits_beyond_the_steps_are_counted(void **state)
{
	struct fl_vcpu v = { .keep_ended = 1 };
	int i;

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10"));
	for (i = 0; i < FL_MAX_STEPS; i++)
		play(&v, " invlpg ; ");
	play(&v, REFAULT("10"));
	assert_int_equal(v.ended[0].exits, FL_MAX_STEPS + 2);
	assert_int_equal(v.ended[0].steps[FL_MAX_STEPS - 1].class, FL_INVLPG);
	assert_int_equal(v.ended[0].classes, 1U << FL_INJECT | 1U << FL_INVLPG | 1U << FL_REFAULT);
	assert_int_equal(v.ended[0].end_ns, now_ns);
}

static void every_outcome_has_its_name(void **state)
{
	struct fl_vcpu v = { .keep_ended = 1 };

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10") UPDATED("10"));
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_UPDATE);
	play(&v, INJECT("10") INJECT("11"));
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_NEXT);
	play(&v, "pf:c0 inject:k:c0 ; " REFAULT("11"));
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_REFAULT);
	assert_int_equal(v.ended[1].outcome, FL_ENDED_BY_OUTER);
	play(&v, "pf:1 inject:k:1 ; pf:2 inject:k:2 ; pf:3 inject:k:3 ; pf:4 inject:k:4 ; "
		 "pf:5 inject:k:5 ; ");
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_DEPTH);
	memset(&v, 0, sizeof(v));
	v.keep_ended = 1;
	play(&v, REFLECT("10") PREFAULT("10"));
	assert_int_equal(v.ended[0].outcome, FL_ENDED_BY_PREFAULT);
	assert_int_equal(v.ended[0].steps[0].class, FL_REFLECT);
	assert_true(v.ended[0].nested);
}

/* From inject to refault or update, if the entry after it told; no others. */
static void faults_are_timed(void **state)
{
	struct fl_vcpu v = { 0 };

	(void)state;
	root = FL_NO_ROOT;
	play(&v, INJECT("10") ZAPPED REFAULT("10"));
	assert_int_equal(v.fault_durations.count, 1);
	assert_int_equal(v.fault_durations.sum_ns, 3 * 100 + 2 * 1000);
	play(&v, INJECT("10") UPDATED("10"));
	assert_int_equal(v.fault_durations.count, 2);
	assert_int_equal(v.fault_durations.max_ns, 3 * 100 + 2 * 1000);
	assert_int_equal(v.fault_durations.sum_ns, 5 * 100 + 3 * 1000);
	play(&v, INJECT("10") INJECT("11"));
	assert_int_equal(v.counts.histogram[1], 1);
	assert_int_equal(v.fault_durations.count, 2);
	/* The handler's own fault has no refault of its own. */
	play(&v, "pf:c0 inject:k:c0 ; " REFAULT("11"));
	assert_int_equal(v.fault_durations.count, 3);
	/* The exit that fixes it isn't followed by an entry, but by an exit. */
	play(&v, INJECT("10") "pf:10 intr ; ");
	assert_int_equal(v.counts.classes[FL_REFAULT], 3);
	assert_int_equal(v.fault_durations.count, 3);
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
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x80), FL_KIND_VMENTRY);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x81), FL_KIND_OTHER);	/* VMMCALL */
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x84), FL_KIND_VIRT);
	assert_int_equal(fl_exit_kind(FL_ISA_SVM, 0x7c), FL_KIND_MSR);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 20), FL_KIND_VMENTRY);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 24), FL_KIND_VMENTRY);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 23), FL_KIND_VIRT);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 50), FL_KIND_VIRT);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 18), FL_KIND_OTHER);		/* VMCALL */
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 48), FL_KIND_PAGE_FAULT);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 14), FL_KIND_INVLPG);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 28), FL_KIND_CR);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 1), FL_KIND_ASYNC);
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 0), FL_KIND_OTHER);
	/* Bit 27 and up carry flags, not the reason. */
	assert_int_equal(fl_exit_kind(FL_ISA_VMX, 0x8000000 | 14), FL_KIND_INVLPG);
	assert_int_equal(fl_exit_kind(FL_ISA_PVM, 14), FL_KIND_PAGE_FAULT);
	assert_int_equal(fl_exit_kind(FL_ISA_PVM, FL_PVM_INTERRUPT), FL_KIND_ASYNC);
	assert_int_equal(fl_exit_kind(FL_ISA_PVM, FL_PVM_HC_TLB_INVLPG), FL_KIND_INVLPG);
	assert_int_equal(fl_exit_kind(FL_ISA_PVM, FL_PVM_HC_LOAD_PGTBL), FL_KIND_CR);
	assert_int_equal(fl_exit_kind(FL_ISA_PVM, FL_PVM_SYSCALL), FL_KIND_OTHER);
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
	assert_int_equal(fl_reason_slot(FL_ISA_PVM, FL_PVM_HC_LAST), FL_PVM_HC_LAST);
	assert_int_equal(fl_reason_slot(FL_ISA_PVM, 0xffffffff), FL_REASON_UNKNOWN);
	assert_int_equal(fl_reason_slot(0, 7), FL_REASON_UNKNOWN);
	for (code = 0; code < 0x1000; code++) {
		slot = fl_reason_slot(FL_ISA_SVM, code);
		assert_in_range(slot, 0, FL_NR_REASONS - 1);
	}
}

static const struct CMUnitTest tests[] = {
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
	cmocka_unit_test(sleeping_task_keeps_its_episode),
	cmocka_unit_test(page_table_writes_of_others_stay_out),
	cmocka_unit_test(refault_of_another_space_is_a_fill),
	cmocka_unit_test(migrated_task_leaves_its_episode_open),
	cmocka_unit_test(killed_task_is_left_open_until_depth_ends_it),
	cmocka_unit_test(threads_on_one_page_are_two_episodes),
	cmocka_unit_test(second_thread_under_update_ends_with_its_next_fault),
	cmocka_unit_test(thread_that_sleeps_loses_its_episode_to_another),
	cmocka_unit_test(isolated_handler_of_linux),
	cmocka_unit_test(isolated_handler_of_others),
	cmocka_unit_test(isolated_nested_fault_ends_with_the_outer),
	cmocka_unit_test(later_switch_is_no_handler),
	cmocka_unit_test(what_is_open_is_settled_as_open),
	cmocka_unit_test(policy_changes_between_episodes),
	cmocka_unit_test(policy_changes_in_an_episode),
	cmocka_unit_test(exits_are_timed_up_to_the_entry),
	cmocka_unit_test(untold_entry_leaves_the_exit_untimed),
	cmocka_unit_test(duration_buckets),
	cmocka_unit_test(nested_fault_costs_three),
	cmocka_unit_test(instructions_of_l1_have_classes_of_their_own),
	cmocka_unit_test(nested_fault_with_sticky_unsync_costs_two),
	cmocka_unit_test(nested_fault_with_prefault_costs_two),
	cmocka_unit_test(nested_fault_with_both_costs_one),
	cmocka_unit_test(nested_fault_under_update_costs_two),
	cmocka_unit_test(prefault_of_another_page_is_not_the_end),
	cmocka_unit_test(next_fault_of_l2_ends_the_last),
	cmocka_unit_test(l2s_are_told_apart_by_their_page_tables),
	cmocka_unit_test(l0_fills_what_l1_maps),
	cmocka_unit_test(l1_that_shadows_gets_every_fault),
	cmocka_unit_test(other_exits_of_l2_are_handed_to_l1),
	cmocka_unit_test(faults_of_l1_are_episodes_of_their_own),
	cmocka_unit_test(pages_of_l1_and_l2_are_not_mixed_up),
	cmocka_unit_test(reflections),
	cmocka_unit_test(ended_episodes_are_kept_if_asked_for),
	cmocka_unit_test(episodes_end_with_their_last_exit),
	cmocka_unit_test(exits_beyond_the_steps_are_counted),
	cmocka_unit_test(every_outcome_has_its_name),
	cmocka_unit_test(faults_are_timed),
	cmocka_unit_test(exit_reasons),
	cmocka_unit_test(reason_slots),
};

int main(void)
{
	return cmocka_run_group_tests_name("episode", tests, NULL, NULL);
}
