/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page faults of the host's own: EPT violations and misconfigurations, and SVM's
 * nested page faults. Gives each of them one kind, by what KVM and the host had
 * to do about it.
 *
 * Plain C, compiled like episode.h into the BPF object, which fills it, and into
 * libfaultline and the tests. A fault is a record that fl_host_exit() opens and
 * fl_host_close() counts; what happens in between is told by the other functions.
 * What episode.h collects about the same exit (enum fl_fact) is used, too.
 *
 * docs/METHOD.md defines the kinds in words.
 */
#ifndef FAULTLINE_HOST_FAULT_H
#define FAULTLINE_HOST_FAULT_H

#include "exit_reason.h"

enum fl_host_kind {
	FL_HOST_TOUCH,		/* KVM had no translation; the host had the page */
	FL_HOST_TOUCH_MINOR,	/* ... nor had the host: it had to find or make the page */
	FL_HOST_TOUCH_MAJOR,	/* ... and had to wait for it: disk, swap, userfaultfd */
	FL_HOST_TOUCH_ASYNC,	/* ... and fetches it while the guest does something else */
	FL_HOST_WRITE_PROTECT,	/* a write to what KVM had write-protected: dirty logging */
	FL_HOST_COPY,		/* a write to what the host shared: KSM, fork, a page of zeros */
	FL_HOST_EXEC,		/* an instruction fetch from a large page kept from it */
	FL_HOST_MMIO,		/* an access to a device */
	FL_HOST_SPURIOUS,	/* another vCPU had it fixed already */
	FL_HOST_TABLE,		/* L1 wrote to a page table that KVM shadows for its L2 */
	FL_HOST_NESTED,		/* L2 lacked what L1 had given it: L0's own affair */
	FL_HOST_REFLECTED,	/* L2 lacked what L1 had not given it: L1's affair */
	FL_HOST_OTHER,		/* KVM let the guest try again, or gave up */
	FL_NR_HOST_KINDS,
};

/* What the hardware said, and what was seen to be done; a bit mask. */
enum fl_host_fact {
	FL_HOST_WAS_PRESENT  = 1 << 0,	/* there was a translation, but not for this */
	FL_HOST_WAS_WRITE    = 1 << 1,
	FL_HOST_WAS_FETCH    = 1 << 2,
	FL_HOST_WAS_FIXED    = 1 << 3,	/* KVM changed the translation */
	FL_HOST_WAS_SPURIOUS = 1 << 4,	/* KVM found it as it should be */
	FL_HOST_WAS_DEFERRED = 1 << 5,	/* KVM has the page fetched in the background */
	FL_HOST_WAS_MINOR    = 1 << 6,	/* the host took a page fault for it, ... */
	FL_HOST_WAS_MAJOR    = 1 << 7,	/* ... and had to wait */
};

/* Page sizes by level: 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB; 0 is not known. */
#define FL_HOST_LEVELS	4

/* Counters of the kernel's, for what changed meanwhile. */
struct fl_host_stat {
	__u64 fixed;	/* of the vCPU: page faults that KVM fixed, ... */
	__u64 spurious;	/* ... and those that there was nothing to do about */
	__u64 minor;	/* of the thread: page faults of the host's, ... */
	__u64 major;	/* ... and those that took waiting */
};

/* The fault that is open, if any. */
struct fl_host_fault {
	struct fl_host_stat before;	/* at the exit */
	__u64 page;	/* guest physical page number, plus one; 0 if not known */
	__u64 copied;	/* the same of a copy that is yet to be mapped, or 0 */
	__u32 facts;	/* enum fl_host_fact */
	__u8 open;
	__u8 level;	/* of the translation that KVM installs, or 0 */
	__u8 prefetched; /* translations installed meanwhile for others */
};

struct fl_host_faults {
	__u64 kinds[FL_NR_HOST_KINDS];
	__u64 pages[FL_HOST_LEVELS];	/* translations that KVM changed, by level */
	struct fl_durations durations[FL_NR_HOST_KINDS];
};

/* An exit for such a fault. */
static __always_inline void fl_host_exit(struct fl_host_fault *f,
					 const struct fl_host_stat *before)
{
	f->before = *before;
	f->page = 0;
	f->facts = 0;
	f->open = 1;
	f->level = 0;
	f->prefetched = 0;
}

/*
 * What the hardware said: the guest physical address, and the error code of a
 * nested page fault, or the exit qualification of an EPT violation, which has the
 * rights that the translation had in bits 3 to 5.
 */
static __always_inline void fl_host_error(struct fl_host_fault *f, __u32 isa,
					  __u64 address, __u64 code)
{
	__u64 present = isa == FL_ISA_VMX ? code & 0x38 : code & 1;
	__u64 fetch = isa == FL_ISA_VMX ? code & 4 : code & 0x10;

	f->page = (address >> 12) + 1;
	if (present)
		f->facts |= FL_HOST_WAS_PRESENT;
	if (code & 2)
		f->facts |= FL_HOST_WAS_WRITE;
	if (fetch)
		f->facts |= FL_HOST_WAS_FETCH;
}

/* Whether the host has taken a page fault since the exit. */
static __always_inline void fl_host_look(struct fl_host_fault *f, const struct fl_host_stat *now)
{
	if (now->major != f->before.major)
		f->facts |= FL_HOST_WAS_MAJOR;
	if (now->minor != f->before.minor)
		f->facts |= FL_HOST_WAS_MINOR;
}

/* KVM has got the page from the host, and is about to install it at @level. */
static __always_inline void fl_host_mapping(struct fl_host_fault *f, __u8 level,
					    const struct fl_host_stat *now)
{
	f->level = level;
	fl_host_look(f, now);
}

/* KVM installs a page that was fetched in the background before. */
static __always_inline void fl_host_prefetch(struct fl_host_fault *f)
{
	f->prefetched++;
}

static __always_inline void fl_host_deferred(struct fl_host_fault *f)
{
	f->facts |= FL_HOST_WAS_DEFERRED;
}

/* What KVM counted the fault as, by its counters @now. */
static __always_inline void fl_host_verdict(struct fl_host_fault *f,
					    const struct fl_host_stat *now)
{
	if (now->spurious != f->before.spurious)
		f->facts |= FL_HOST_WAS_SPURIOUS;
	else if (now->fixed - f->before.fixed > f->prefetched)
		f->facts |= FL_HOST_WAS_FIXED;
	else
		fl_host_look(f, now);
}

/* A write for which the host made a copy of the page. */
static __always_inline int fl_host_is_copy(__u32 facts)
{
	return facts & FL_HOST_WAS_PRESENT && facts & FL_HOST_WAS_WRITE &&
	       facts & (FL_HOST_WAS_MINOR | FL_HOST_WAS_MAJOR);
}

/* A fault that KVM fixed: what was wrong. */
static __always_inline enum fl_host_kind fl_host_fixed_kind(const struct fl_host_fault *f)
{
	if (fl_host_is_copy(f->facts))
		return FL_HOST_COPY;
	if (f->facts & FL_HOST_WAS_PRESENT)
		return f->facts & FL_HOST_WAS_FETCH ? FL_HOST_EXEC : FL_HOST_WRITE_PROTECT;
	if (f->page && f->page == f->copied)
		return FL_HOST_COPY;
	if (f->facts & FL_HOST_WAS_MAJOR)
		return FL_HOST_TOUCH_MAJOR;
	return f->facts & FL_HOST_WAS_MINOR ? FL_HOST_TOUCH_MINOR : FL_HOST_TOUCH;
}

/*
 * A fault that KVM didn't fix. Having the host copy a page takes its translation
 * away, so KVM mostly leaves the new one to the next exit.
 */
static __always_inline enum fl_host_kind fl_host_unfixed_kind(__u32 facts)
{
	if (fl_host_is_copy(facts))
		return FL_HOST_COPY;
	return facts & FL_HOST_WAS_DEFERRED ? FL_HOST_TOUCH_ASYNC : FL_HOST_OTHER;
}

/* @seen is what episode.h collected about the exit, enum fl_fact. */
static __always_inline enum fl_host_kind fl_host_classify(const struct fl_host_fault *f,
							  __u32 seen)
{
	if (seen & (FL_SAW_REFLECT | FL_SAW_DEVICE))
		return FL_HOST_REFLECTED;
	if (seen & FL_SAW_MMIO)
		return FL_HOST_MMIO;
	if (seen & FL_SAW_NESTED)
		return FL_HOST_NESTED;
	if (seen & (FL_SAW_UNSYNC | FL_SAW_PTE_WRITE | FL_SAW_EMULATION))
		return FL_HOST_TABLE;
	if (f->facts & FL_HOST_WAS_SPURIOUS)
		return FL_HOST_SPURIOUS;
	return f->facts & FL_HOST_WAS_FIXED ? fl_host_fixed_kind(f) :
					      fl_host_unfixed_kind(f->facts);
}

/* Whether the guest touched what KVM had no translation for, and got it. */
static __always_inline int fl_host_is_touch(__u32 kind)
{
	return kind <= FL_HOST_TOUCH_MAJOR;
}

/*
 * Count the open fault, which took @ns, or an unknown time if that is 0. Returns
 * its kind, or FL_NR_HOST_KINDS if none was open.
 */
static __always_inline __u32 fl_host_close(struct fl_host_faults *counts,
					   struct fl_host_fault *f, __u32 seen, __u64 ns)
{
	__u32 kind = fl_host_classify(f, seen), level = f->level;

	if (!f->open || kind >= FL_NR_HOST_KINDS)
		return FL_NR_HOST_KINDS;
	f->open = 0;
	f->copied = kind == FL_HOST_COPY && !(f->facts & FL_HOST_WAS_FIXED) ? f->page : 0;
	counts->kinds[kind]++;
	if (ns)
		fl_duration_add(&counts->durations[kind], ns);
	if (f->facts & FL_HOST_WAS_FIXED && level < FL_HOST_LEVELS)
		counts->pages[level]++;
	return kind;
}

#endif /* FAULTLINE_HOST_FAULT_H */
