/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The episode state machine: gives every VM exit one class, and every guest
 * page fault the exits that it costs. The heart of the project.
 *
 * Plain C without a helper, a lock or a clock, compiled twice: into the BPF
 * object, which steps one struct fl_vcpu per vCPU from KVM's tracepoints, and
 * into libfaultline, for user space to settle what is still open in a snapshot,
 * and for the tests and the fuzzer to drive with event streams.
 *
 * The exits of one vCPU follow one another, and what KVM does about an exit
 * happens between kvm_exit and the next kvm_entry on the same thread. So an
 * exit is a record that is opened by fl_exit(), collects what happened to it
 * (fl_page_fault(), fl_inject_pf(), ...), and is classified and attributed
 * when fl_entry() closes it. An event with no exit open is not ours to count.
 *
 * A guest may run guests: then KVM is L0, the guest is L1, and runs an L2. Page
 * faults of L2's that L1 has to deal with are guest faults like others, but of L2.
 *
 * Which of the guest's address spaces an exit comes from is told by its root,
 * the guest's CR3, or for L2's exits what L1 has for L2 (nCR3, EPTP). Roots keep
 * the faults of tasks apart that share a vCPU, one of which may sleep in its
 * handler while the other runs.
 *
 * docs/METHOD.md defines the classes and rules in words; where it disagrees
 * with this file, one of the two has a bug.
 */
#ifndef FAULTLINE_EPISODE_H
#define FAULTLINE_EPISODE_H

#include <linux/types.h>

#include "duration.h"

/* Why the exit happened and what KVM did about it. Every exit has exactly one. */
enum fl_class {
	FL_INJECT,	/* KVM delivered a #PF to the guest */
	FL_PTE_WRITE,	/* KVM emulated a write to a page table */
	FL_UNSYNC,	/* a write to a page table let the table go out of sync */
	FL_INVLPG,	/* the guest executed INVLPG */
	FL_REFAULT,	/* KVM mapped the page that a guest fault was about */
	FL_FILL,	/* KVM mapped a page that no open guest fault is about */
	FL_CR,		/* the guest accessed a control register, e.g. CR3 */
	FL_MMIO,	/* KVM emulated an access to a device */
	FL_ASYNC,	/* interrupts and their windows: not the guest's doing */
	FL_OTHER,
	/* Of guests that run guests: */
	FL_REFLECT,	/* KVM told L1 of a page fault of L2's */
	FL_VMENTRY,	/* L1 entered L2 */
	FL_VMEXIT,	/* KVM told L1 of another exit of L2's */
	FL_VIRT,	/* what else L1 does in order to run L2 */
	FL_NR_CLASSES,
};

/* What the hardware says about an exit; see exit_reason.h. */
enum fl_kind {
	FL_KIND_OTHER,
	FL_KIND_PAGE_FAULT,
	FL_KIND_INVLPG,
	FL_KIND_CR,
	FL_KIND_ASYNC,
	FL_KIND_MSR,
	FL_KIND_VMENTRY,
	FL_KIND_VIRT,
};

/* What was seen between an exit and the entry that closes it; a bit mask. */
enum fl_fact {
	FL_SAW_INJECT	 = 1 << 0,
	FL_SAW_UNSYNC	 = 1 << 1,
	FL_SAW_EMULATION = 1 << 2,
	FL_SAW_MMIO	 = 1 << 3,
	FL_SAW_PTE_WRITE = 1 << 4, /* only a kernel with our series tells */
	FL_SAW_UPDATE	 = 1 << 5, /* the write made the faulting page accessible */
	FL_SAW_NESTED	 = 1 << 6, /* the exit was L2's */
	FL_SAW_REFLECT	 = 1 << 7, /* KVM told L1 of a page fault of L2's, ... */
	FL_SAW_DEVICE	 = 1 << 8, /* ... of an access to a device of L1's making, ... */
	FL_SAW_HANDED	 = 1 << 9, /* ... or of anything else */
	FL_SAW_PREFAULT	 = 1 << 10, /* KVM fixed L2's page fault before it entered L2 */
};

/* What ended an episode. */
enum fl_outcome {
	FL_ENDED_BY_REFAULT,
	FL_ENDED_BY_UPDATE,	/* KVM updated the SPTE: no refault is due */
	FL_ENDED_BY_OUTER,	/* the fault that this one is nested in has ended */
	FL_ENDED_BY_NEXT,	/* the next guest fault says that it is over */
	FL_ENDED_BY_DEPTH,	/* too many were open */
	FL_ENDED_BY_PREFAULT,	/* KVM fixed L2's fault on entry: no refault is due */
	FL_STILL_OPEN,		/* when the measurement ended */
	FL_NOT_FOLLOWED,	/* KVM emits no kvm_exit: the fault is all there is */
	FL_NR_OUTCOMES,
};

/*
 * Guest faults in progress on one vCPU. More than one is open if a fault
 * handler faults itself, or sleeps; one more than this ends the oldest.
 */
#define FL_MAX_OPEN	4

/* Episodes of this many exits or more share the histogram's last bucket. */
#define FL_HISTOGRAM	17

/* Exits of an episode that are kept one by one, if asked for. */
#define FL_MAX_STEPS	12

#define FL_NO_PAGE	(~0ULL)

/*
 * Read a variable back from memory. BPF's verifier goes through what follows an
 * assignment once for each value that was assigned; this makes it forget them.
 */
#define FL_READ_BACK(variable)	(*(volatile __typeof__(variable) *)&(variable))

/*
 * What of a root tells an address space from others: not the PCID, and not
 * bit 12, in which the two roots of a Linux process differ that has one for
 * user mode and one for the kernel (page table isolation).
 */
#define FL_ROOT_MASK	0x000fffffffffe000ULL
#define FL_NO_ROOT	0ULL	/* unknown: may be any */

/* Bits of a #PF's error code. */
#define FL_PFERR_PRESENT	(1U << 0)
#define FL_PFERR_WRITE		(1U << 1)
#define FL_PFERR_USER		(1U << 2)
#define FL_PFERR_RESERVED	(1U << 3)
#define FL_PFERR_FETCH		(1U << 4)

struct fl_counts {
	__u64 exits;
	__u64 guest_faults;
	__u64 classes[FL_NR_CLASSES];
	/* The part of each class that belongs to an episode. */
	__u64 in_episodes[FL_NR_CLASSES];
	/* Ended episodes by their number of exits; [0] stays 0. */
	__u64 histogram[FL_HISTOGRAM];
};

/* One exit of an episode. */
struct fl_step {
	__u64 exit_ns;	/* when it was */
	__u32 class;	/* enum fl_class */
	__u32 ns;	/* from exit to entry; 0 if the entry wasn't seen */
};

struct fl_episode {
	__u64 page;	/* guest virtual page number of the fault */
	__u64 space;	/* root of the address space that faulted */
	__u64 handler;	/* root that its handler runs on, mostly the same */
	__u64 exits;
	__u64 start_ns;	/* time of the exit that injected the fault */
	__u64 end_ns;	/* time of the entry that its last exit led to */
	__u32 error_code;
	__u8 outcome;	/* enum fl_outcome */
	__u8 nested;	/* a fault of L2's, which L1 handles */
	__u16 classes;	/* of its exits: a bit for each */
	struct fl_step steps[FL_MAX_STEPS]; /* the first exits, if asked for */
};

_Static_assert(FL_NR_CLASSES <= 16, "an episode has a bit for each class");

struct fl_vcpu {
	/* The exit that is open, if any. */
	__u64 page;	/* page number of the fault, or FL_NO_PAGE */
	__u64 root;	/* of the page tables that the guest was on */
	__u64 exit_ns;	/* when it was */
	__u32 facts;	/* enum fl_fact */
	__u32 error_code; /* of the injected #PF */
	__u8 exit_open;
	__u8 kind;	/* enum fl_kind */

	/* What becomes of the exit that is being closed. */
	__u8 class;	/* enum fl_class */
	__u8 ending;	/* open episodes that end with it: a bit for each */
	__u8 outcome;	/* enum fl_outcome of the oldest of these ... */
	__u8 outcome_of_rest;	/* ... and of the others */
	__u64 fixed_ns;	/* start_ns of the episode whose fault it fixes, or 0 */

	/* Finding out the handler's root; see fl_learn_handler(). */
	__u8 fresh;	/* nothing of the handler was seen since the last inject */
	__u8 learn;	/* the next exit shows it */

	/* From an exit that KVM handed to L1 to L1's next entry of L2. */
	__u8 in_l1;

	/* Open episodes, oldest first. */
	__u8 nr_open;

	/* Those that the last fl_entry() ended, for who asked by keep_ended. */
	__u8 keep_ended;
	__u8 nr_ended;

	struct fl_episode open[FL_MAX_OPEN];
	struct fl_episode ended[FL_MAX_OPEN];

	struct fl_counts counts;
	struct fl_durations durations[FL_NR_CLASSES];
	/* Of faults that were seen to be fixed, from their inject to that entry. */
	struct fl_durations fault_durations;
};

/* Open episode @index, which must be one; so masked that BPF's verifier sees it. */
static __always_inline struct fl_episode *fl_open(struct fl_vcpu *v, __u32 index)
{
	return &v->open[index & (FL_MAX_OPEN - 1)];
}

/* Whether two roots may be those of one address space. */
static __always_inline int fl_same_space(__u64 a, __u64 b)
{
	return a == FL_NO_ROOT || b == FL_NO_ROOT || !((a ^ b) & FL_ROOT_MASK);
}

/* Whether an exit with @root may be about @episode, by user or handler. */
static __always_inline int fl_on_root(const struct fl_episode *episode, __u64 root)
{
	return fl_same_space(episode->space, root) ||
	       fl_same_space(episode->handler, root);
}

/* ---- Ending episodes ---- */

static __always_inline void fl_end_episode(struct fl_vcpu *v, struct fl_episode *episode)
{
	__u64 bucket = episode->exits < FL_HISTOGRAM ? episode->exits : FL_HISTOGRAM - 1;

	v->counts.histogram[bucket]++;
	if (v->keep_ended) {
		episode->outcome = v->outcome;
		v->ended[v->nr_ended & (FL_MAX_OPEN - 1)] = *episode;
		v->nr_ended++;
	}
	v->outcome = v->outcome_of_rest;
}

/* End the open episodes that v->ending says; the others move up. */
static __always_inline void fl_end_episodes(struct fl_vcpu *v)
{
	__u32 i, kept = 0;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i >= v->nr_open)
			break;
		if (v->ending & 1U << i) {
			fl_end_episode(v, &v->open[i]);
		} else {
			if (kept < i)
				*fl_open(v, kept) = v->open[i];
			kept++;
		}
	}
	v->nr_open = kept;
	v->ending = 0;
}

/* The episodes @which, as bits, are to end with the exit. */
static __always_inline void fl_will_end(struct fl_vcpu *v, __u32 which,
					enum fl_outcome outcome, enum fl_outcome rest)
{
	v->ending = which;
	v->outcome = outcome;
	v->outcome_of_rest = rest;
}

/* Whether the open exit is about L2's memory: then its page is L2's, too. */
static __always_inline int fl_is_nested(const struct fl_vcpu *v)
{
	return !!(v->facts & (FL_SAW_NESTED | FL_SAW_PREFAULT));
}

/*
 * Index of the youngest open episode that the open exit may be about, or -1. With
 * @with_nested, what L1 does may be about a fault of L2's: L1 runs on page tables
 * of its own, and there is no telling on which. What L2 does never is.
 */
static __always_inline int fl_youngest(const struct fl_vcpu *v, int with_nested)
{
	int i, found = -1;

	if (fl_is_nested(v))
		return -1;
	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i < v->nr_open && (v->open[i].nested ? with_nested :
				       fl_on_root(&v->open[i], v->root)))
			found = i;
	}
	return found;
}

/* Index of the youngest open episode about the open exit's page, or -1. */
static __always_inline int fl_find_episode(const struct fl_vcpu *v)
{
	int i, found = -1;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i < v->nr_open && v->open[i].page == v->page &&
		    v->open[i].nested == fl_is_nested(v) &&
		    fl_on_root(&v->open[i], v->root))
			found = i;
	}
	return found;
}

/* The address space of open episode @index; that of the open exit if it is -1. */
static __always_inline __u64 fl_space(const struct fl_vcpu *v, int index)
{
	return index < 0 ? v->root : v->open[index & (FL_MAX_OPEN - 1)].space;
}

/*
 * The open episodes from @first on that are of address space @space, which is
 * that of an L2 if it is @nested, as bits.
 */
static __always_inline __u32 fl_of_space(const struct fl_vcpu *v, int first, __u64 space,
					 int nested)
{
	__u32 which = 0;
	int i;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i >= first && i < v->nr_open && v->open[i].nested == nested &&
		    fl_same_space(v->open[i].space, space))
			which |= 1U << i;
	}
	return which;
}

/* ---- Beginning and continuing one ---- */

/*
 * A new guest fault. It says something about those of its address space that are
 * still open: a handler runs in supervisor mode, so a fault from user mode means
 * that every earlier fault has been dealt with, by a way that needed no further
 * exit. So does a second fault on a page for the first one on it. A fault from
 * supervisor mode may be the handler's own; then the outer one stays open. A fault
 * of L2's says that L2 runs again, so L1 has dealt with the one before. If there
 * is no room for one more, the oldest has to end.
 */
static __always_inline void fl_end_by_fault(struct fl_vcpu *v, int nested)
{
	__u32 which = 0;
	int same;

	if (nested || v->error_code & FL_PFERR_USER) {
		which = fl_of_space(v, 0, v->root, nested);
	} else {
		same = fl_find_episode(v);
		if (same >= 0)
			which = fl_of_space(v, same, fl_space(v, same), 0);
	}
	if (which || v->nr_open < FL_MAX_OPEN)
		fl_will_end(v, which, FL_ENDED_BY_NEXT, FL_ENDED_BY_NEXT);
	else
		fl_will_end(v, 1, FL_ENDED_BY_DEPTH, FL_ENDED_BY_DEPTH);
}

/* A fault of the handler's own is of the address space that it works for. */
static __always_inline __u64 fl_fault_space(const struct fl_vcpu *v)
{
	return fl_space(v, v->error_code & FL_PFERR_USER ? -1 : fl_youngest(v, 0));
}

/* Count the exit that is being closed, after @ns, into @episode. */
static __always_inline void fl_add_exit(struct fl_vcpu *v, struct fl_episode *episode,
					enum fl_class class, __u64 ns)
{
	__u64 index = episode->exits;

	if (v->keep_ended && index < FL_MAX_STEPS) {
		episode->steps[index].exit_ns = v->exit_ns;
		episode->steps[index].class = class;
		episode->steps[index].ns = ns < ~0U ? ns : ~0U;
	}
	episode->exits = index + 1;
	episode->classes |= 1U << class;
	episode->end_ns = v->exit_ns + ns;
	v->counts.in_episodes[class]++;
}

static __always_inline void fl_begin_episode(struct fl_vcpu *v, enum fl_class class, __u64 ns)
{
	struct fl_episode *episode = fl_open(v, v->nr_open);
	int nested = class == FL_REFLECT;
	__u64 space = nested ? v->root : fl_fault_space(v);

	episode->page = v->page;
	episode->space = space;
	episode->handler = v->root;
	episode->exits = 0;
	episode->classes = 0;
	episode->start_ns = v->exit_ns;
	episode->error_code = v->error_code;
	episode->nested = nested;
	fl_add_exit(v, episode, class, ns);
	v->nr_open++;
	v->fresh = !nested;
	v->counts.guest_faults++;
}

/*
 * Guests that isolate page tables run the handler on other ones than the user
 * mode that faulted. They switch at once: if the first that is seen after the
 * inject is an access to a control register, the next exit has the handler's
 * root. What comes in between without the handler's doing doesn't count.
 */
static __always_inline void fl_learn_handler(struct fl_vcpu *v, enum fl_class class)
{
	if (class == FL_FILL || class == FL_ASYNC || class == FL_INJECT)
		return;
	v->learn = v->fresh && class == FL_CR;
	v->fresh = 0;
}

static __always_inline void fl_learned_handler(struct fl_vcpu *v)
{
	if (v->nr_open)
		fl_open(v, v->nr_open - 1)->handler = v->root;
	v->learn = 0;
}

/* Whether it is L1 that goes on, at L2's cost. */
static __always_inline void fl_learn_level(struct fl_vcpu *v, enum fl_class class)
{
	if (v->facts & (FL_SAW_REFLECT | FL_SAW_DEVICE | FL_SAW_HANDED))
		v->in_l1 = 1;
	else if (class == FL_VMENTRY)
		v->in_l1 = 0;
}

/* ---- Classes ---- */

static __always_inline enum fl_class
fl_classify_page_fault(const struct fl_vcpu *v)
{
	if (v->facts & FL_SAW_MMIO)
		return FL_MMIO;
	if (v->facts & FL_SAW_UNSYNC)
		return FL_UNSYNC;
	/*
	 * A stock kernel doesn't say that a write hit a page table. But with
	 * devices set apart, a page table is what is left to emulate.
	 */
	if (v->facts & (FL_SAW_PTE_WRITE | FL_SAW_EMULATION))
		return FL_PTE_WRITE;
	return fl_find_episode(v) >= 0 ? FL_REFAULT : FL_FILL;
}

/*
 * Whether L1 got to know of an exit of L2's, and that was what the exit was for:
 * after an interrupt, or a page fault that KVM fixed, it may be for another reason.
 */
static __always_inline int fl_is_handed(const struct fl_vcpu *v)
{
	if (v->facts & FL_SAW_DEVICE)
		return 1;
	return v->facts & FL_SAW_HANDED && v->facts & FL_SAW_NESTED &&
	       v->kind != FL_KIND_ASYNC && v->kind != FL_KIND_PAGE_FAULT;
}

static __always_inline enum fl_class fl_classify(const struct fl_vcpu *v)
{
	if (v->facts & FL_SAW_INJECT)
		return FL_INJECT;
	if (v->facts & FL_SAW_REFLECT)
		return FL_REFLECT;
	if (fl_is_handed(v))
		return FL_VMEXIT;

	switch (v->kind) {
	case FL_KIND_PAGE_FAULT:
		return fl_classify_page_fault(v);
	case FL_KIND_INVLPG:
		return FL_INVLPG;
	case FL_KIND_CR:
		return FL_CR;
	case FL_KIND_ASYNC:
		return FL_ASYNC;
	case FL_KIND_VMENTRY:
		return FL_VMENTRY;
	case FL_KIND_VIRT:
		return FL_VIRT;
	case FL_KIND_MSR:
		/* On its way from L2 and back, L1 switches MSRs. */
		return v->in_l1 ? FL_VIRT : FL_OTHER;
	default:
		return v->facts & FL_SAW_MMIO ? FL_MMIO : FL_OTHER;
	}
}

/* ---- Events ---- */

/* L1 enters L2, and KVM may have fixed L2's fault before. */
static __always_inline void fl_attribute_vmentry(struct fl_vcpu *v)
{
	int index;

	if (!(v->facts & FL_SAW_PREFAULT))
		return;
	index = fl_find_episode(v);
	if (index < 0)
		return;
	v->fixed_ns = fl_open(v, index)->start_ns;
	fl_will_end(v, 1U << index, FL_ENDED_BY_PREFAULT, FL_ENDED_BY_PREFAULT);
}

/* Count the exit that is being closed into its episode, if it has one. */
static __always_inline void fl_attribute_exit(struct fl_vcpu *v, enum fl_class class, __u64 ns)
{
	int index;

	switch (class) {
	case FL_INJECT:
	case FL_REFLECT:
		fl_end_by_fault(v, class == FL_REFLECT);
		break;
	case FL_VMENTRY:
		fl_attribute_vmentry(v);
		break;
	case FL_PTE_WRITE:
	case FL_UNSYNC:
	case FL_INVLPG:
		/* What the innermost handler does about its fault. */
		index = fl_youngest(v, class != FL_INVLPG);
		if (index < 0)
			break;
		fl_add_exit(v, fl_open(v, index), class, ns);
		if (!(v->facts & FL_SAW_UPDATE))
			break;
		v->fixed_ns = fl_open(v, index)->start_ns;
		fl_will_end(v, 1U << index, FL_ENDED_BY_UPDATE, FL_ENDED_BY_UPDATE);
		break;
	case FL_REFAULT:
		index = fl_find_episode(v);
		fl_add_exit(v, fl_open(v, index), class, ns);
		v->fixed_ns = fl_open(v, index)->start_ns;
		/* Faults taken meanwhile were the handler's own, and are over. */
		fl_will_end(v, fl_of_space(v, index, fl_space(v, index), fl_is_nested(v)),
			    FL_ENDED_BY_REFAULT, FL_ENDED_BY_OUTER);
		break;
	default:
		break;
	}
}

/*
 * Close the open exit: give it its class, and its episode if it has one. @now
 * is the time of the entry, or 0 if the guest was entered without telling.
 */
static __always_inline void fl_entry(struct fl_vcpu *v, __u64 now)
{
	__u64 ns = now > v->exit_ns ? now - v->exit_ns : 0;
	__u32 class;

	if (!v->exit_open)
		return;
	v->exit_open = 0;
	v->nr_ended = 0;
	v->fixed_ns = 0;
	v->class = fl_classify(v);
	class = FL_READ_BACK(v->class);
	if (class >= FL_NR_CLASSES)
		return;
	v->counts.classes[class]++;
	if (now)
		fl_duration_add(&v->durations[class], ns);
	fl_attribute_exit(v, class, ns);
	if (now && v->fixed_ns)
		fl_duration_add(&v->fault_durations, now - v->fixed_ns);
	if (FL_READ_BACK(v->ending))
		fl_end_episodes(v);
	if (class == FL_INJECT || class == FL_REFLECT)
		fl_begin_episode(v, class, ns);
	fl_learn_handler(v, class);
	fl_learn_level(v, class);
}

/*
 * A VM exit at time @now, with the guest's page tables at @root. KVM may enter
 * the guest again without telling, so this closes an exit that is still open.
 */
static __always_inline void fl_exit(struct fl_vcpu *v, enum fl_kind kind,
				    __u64 root, __u64 now)
{
	fl_entry(v, 0);
	v->exit_open = 1;
	v->kind = kind;
	v->facts = 0;
	v->page = FL_NO_PAGE;
	v->root = root;
	v->exit_ns = now;
	v->counts.exits++;
	if (v->learn)
		fl_learned_handler(v);
}

/* The open exit was none of the measurement's: undo it. */
static __always_inline void fl_forget_exit(struct fl_vcpu *v)
{
	if (!v->exit_open)
		return;
	v->exit_open = 0;
	v->counts.exits--;
}

static __always_inline void fl_saw(struct fl_vcpu *v, enum fl_fact fact)
{
	v->facts |= fact;
}

/* The open exit is a page fault at guest virtual address @addr. */
static __always_inline void fl_page_fault(struct fl_vcpu *v, __u64 addr)
{
	v->kind = FL_KIND_PAGE_FAULT;
	v->page = addr >> 12;
}

/* KVM delivers a #PF. Not to be called when it delivers the same one again. */
static __always_inline void fl_inject_pf(struct fl_vcpu *v, __u64 addr,
					 __u32 error_code)
{
	v->facts |= FL_SAW_INJECT;
	v->page = addr >> 12;
	v->error_code = error_code;
}

/*
 * The open exit is a page fault of L2's that KVM reflects to L1, at the page that
 * fl_page_fault() told. If that is shadow paging of L1's, it may not have told, and
 * @addr, the guest virtual address, is not 0.
 */
static __always_inline void fl_reflect(struct fl_vcpu *v, __u64 addr)
{
	v->facts |= FL_SAW_REFLECT;
	v->error_code = 0;
	if (addr)
		v->page = addr >> 12;
}

/*
 * L1 enters L2, on page tables at @root (nCR3 or EPTP), and KVM has fixed L2's
 * page fault at guest physical address @gpa that it had reflected to L1.
 */
static __always_inline void fl_prefault(struct fl_vcpu *v, __u64 gpa, __u64 root)
{
	v->facts |= FL_SAW_PREFAULT;
	v->page = gpa >> 12;
	v->root = root;
}

/*
 * KVM emulated a write to the leaf page table entry at guest physical address
 * @gpa and installed the new translation. If it is the entry for the page that
 * the innermost fault is about, going by its index in the table, the faulting
 * access will succeed: no refault is going to end that episode.
 */
static __always_inline void fl_pte_updated(struct fl_vcpu *v, __u64 gpa,
					   __u32 entry_size)
{
	__u32 nr_entries = 4096 / entry_size;
	int innermost = fl_youngest(v, 1);

	v->facts |= FL_SAW_PTE_WRITE;
	if (innermost >= 0 &&
	    (fl_open(v, innermost)->page & (nr_entries - 1)) == (gpa & 4095) / entry_size)
		v->facts |= FL_SAW_UPDATE;
}

/*
 * Nothing more is going to happen: end what is open, for a snapshot's figures.
 * Returns how many episodes that were; v->ended has them, and only them.
 */
static __always_inline __u32 fl_settle(struct fl_vcpu *v)
{
	__u32 nr;

	fl_entry(v, 0);
	nr = v->nr_open;
	v->nr_ended = 0; /* there may be no room for those and these */
	fl_will_end(v, (1U << FL_MAX_OPEN) - 1, FL_STILL_OPEN, FL_STILL_OPEN);
	fl_end_episodes(v);
	return nr;
}

#endif /* FAULTLINE_EPISODE_H */
