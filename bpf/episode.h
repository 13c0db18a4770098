/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The episode state machine: gives every VM exit one class, and every guest
 * page fault the exits that it costs. The heart of the project.
 *
 * Plain C without a helper, a lock or a clock, compiled twice: into the BPF
 * object, which steps one struct fl_vcpu per vCPU thread from KVM's
 * tracepoints, and into libfaultline, for user space to settle what is still
 * open in a snapshot, and for the tests to drive with event streams.
 *
 * The exits of one vCPU follow one another, and what KVM does about an exit
 * happens between kvm_exit and the next kvm_entry on the same thread. So an
 * exit is a record that is opened by fl_exit(), collects what happened to it
 * (fl_page_fault(), fl_inject_pf(), ...), and is classified and attributed
 * when fl_entry() closes it. An event with no exit open is not ours to count.
 *
 * docs/METHOD.md defines the classes and rules in words; where it disagrees
 * with this file, one of the two has a bug.
 */
#ifndef FAULTLINE_EPISODE_H
#define FAULTLINE_EPISODE_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

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
	FL_NR_CLASSES,
};

/* What the hardware says about an exit; see exit_reason.h. */
enum fl_kind {
	FL_KIND_OTHER,
	FL_KIND_PAGE_FAULT,
	FL_KIND_INVLPG,
	FL_KIND_CR,
	FL_KIND_ASYNC,
};

/* What was seen between an exit and the entry that closes it; a bit mask. */
enum fl_fact {
	FL_SAW_INJECT	 = 1 << 0,
	FL_SAW_UNSYNC	 = 1 << 1,
	FL_SAW_EMULATION = 1 << 2,
	FL_SAW_MMIO	 = 1 << 3,
	FL_SAW_PTE_WRITE = 1 << 4, /* only a kernel with our series tells */
	FL_SAW_UPDATE	 = 1 << 5, /* the write made the faulting page accessible */
};

/*
 * Guest faults in progress on one vCPU. More than one is open if a fault
 * handler faults itself; a fault deeper than this ends the oldest.
 */
#define FL_MAX_OPEN	4

/* Episodes of this many exits or more share the histogram's last bucket. */
#define FL_HISTOGRAM	17

#define FL_NO_PAGE	(~0ULL)

#define FL_PFERR_USER	(1U << 2)

struct fl_counts {
	__u64 exits;
	__u64 guest_faults;
	__u64 classes[FL_NR_CLASSES];
	/* The part of each class that belongs to an episode. */
	__u64 in_episodes[FL_NR_CLASSES];
	/* Ended episodes by their number of exits; [0] stays 0. */
	__u64 histogram[FL_HISTOGRAM];
};

struct fl_episode {
	__u64 page;	/* guest virtual page number of the fault */
	__u64 exits;
};

struct fl_vcpu {
	/* The exit that is open, if any. */
	__u64 page;	/* page number of the fault, or FL_NO_PAGE */
	__u32 facts;	/* enum fl_fact */
	__u32 error_code; /* of the injected #PF */
	__u8 exit_open;
	__u8 kind;	/* enum fl_kind */

	/* Open episodes, oldest first. */
	__u8 nr_open;
	struct fl_episode open[FL_MAX_OPEN];

	struct fl_counts counts;
};

static __always_inline void fl_end_episode(struct fl_vcpu *v, __u64 exits)
{
	__u64 bucket = exits < FL_HISTOGRAM ? exits : FL_HISTOGRAM - 1;

	v->counts.histogram[bucket]++;
}

/* End all episodes but the oldest @keep ones. */
static __always_inline void fl_end_episodes(struct fl_vcpu *v, __u32 keep)
{
	__u32 i;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i >= keep && i < v->nr_open)
			fl_end_episode(v, v->open[i].exits);
	}
	if (v->nr_open > keep)
		v->nr_open = keep;
}

/* Index of the youngest open episode about @page, or -1. */
static __always_inline int fl_find_episode(const struct fl_vcpu *v, __u64 page)
{
	int i, found = -1;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i < v->nr_open && v->open[i].page == page)
			found = i;
	}
	return found;
}

static __always_inline void fl_end_oldest(struct fl_vcpu *v)
{
	int i;

	fl_end_episode(v, v->open[0].exits);
	for (i = 0; i + 1 < FL_MAX_OPEN; i++)
		v->open[i] = v->open[i + 1];
	v->nr_open--;
}

/*
 * A new guest fault. It says something about those that are still open: a
 * handler runs in supervisor mode, so a fault from user mode means that every
 * earlier fault has been dealt with, by a way that needed no further exit.
 * So does a second fault on a page for the first one on it. A fault from
 * supervisor mode may be the handler's own; then the outer one stays open.
 */
static __always_inline void fl_begin_episode(struct fl_vcpu *v)
{
	int same = fl_find_episode(v, v->page);
	__u32 i;

	if (v->error_code & FL_PFERR_USER)
		fl_end_episodes(v, 0);
	else if (same >= 0)
		fl_end_episodes(v, same);
	if (v->nr_open >= FL_MAX_OPEN)
		fl_end_oldest(v);

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i == v->nr_open) {
			v->open[i].page = v->page;
			v->open[i].exits = 1;
		}
	}
	v->nr_open++;
	v->counts.guest_faults++;
	v->counts.in_episodes[FL_INJECT]++;
}

/* Count the exit that is being closed into episode @index. */
static __always_inline void fl_attribute(struct fl_vcpu *v, enum fl_class class,
					 __u32 index)
{
	__u32 i;

	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i == index)
			v->open[i].exits++;
	}
	v->counts.in_episodes[class]++;
}

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
	return fl_find_episode(v, v->page) >= 0 ? FL_REFAULT : FL_FILL;
}

static __always_inline enum fl_class fl_classify(const struct fl_vcpu *v)
{
	if (v->facts & FL_SAW_INJECT)
		return FL_INJECT;

	switch (v->kind) {
	case FL_KIND_PAGE_FAULT:
		return fl_classify_page_fault(v);
	case FL_KIND_INVLPG:
		return FL_INVLPG;
	case FL_KIND_CR:
		return FL_CR;
	case FL_KIND_ASYNC:
		return FL_ASYNC;
	default:
		return v->facts & FL_SAW_MMIO ? FL_MMIO : FL_OTHER;
	}
}

/* Close the open exit: give it its class, and its episode if it has one. */
static __always_inline void fl_entry(struct fl_vcpu *v)
{
	enum fl_class class;
	int index;

	if (!v->exit_open)
		return;
	class = fl_classify(v);
	v->counts.classes[class]++;
	v->exit_open = 0;

	switch (class) {
	case FL_INJECT:
		fl_begin_episode(v);
		break;
	case FL_PTE_WRITE:
	case FL_UNSYNC:
	case FL_INVLPG:
		/* What the innermost handler does about its fault. */
		if (!v->nr_open)
			break;
		fl_attribute(v, class, v->nr_open - 1);
		if (v->facts & FL_SAW_UPDATE)
			fl_end_episodes(v, v->nr_open - 1);
		break;
	case FL_REFAULT:
		/* Faults taken meanwhile were the handler's own, and are over. */
		index = fl_find_episode(v, v->page);
		fl_attribute(v, class, index);
		fl_end_episodes(v, index);
		break;
	default:
		break;
	}
}

/*
 * A VM exit. KVM may enter the guest again without telling (its fast paths do),
 * so this closes an exit that is still open.
 */
static __always_inline void fl_exit(struct fl_vcpu *v, enum fl_kind kind)
{
	fl_entry(v);
	v->exit_open = 1;
	v->kind = kind;
	v->facts = 0;
	v->page = FL_NO_PAGE;
	v->counts.exits++;
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
 * KVM emulated a write to the leaf page table entry at guest physical address
 * @gpa and installed the new translation. If it is the entry for the page that
 * the innermost fault is about, going by its index in the table, the faulting
 * access will succeed: no refault is going to end that episode.
 */
static __always_inline void fl_pte_updated(struct fl_vcpu *v, __u64 gpa,
					   __u32 entry_size)
{
	__u32 nr_entries = 4096 / entry_size, i;

	v->facts |= FL_SAW_PTE_WRITE;
	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i + 1 == v->nr_open &&
		    (v->open[i].page & (nr_entries - 1)) == (gpa & 4095) / entry_size)
			v->facts |= FL_SAW_UPDATE;
	}
}

#endif /* FAULTLINE_EPISODE_H */
