/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs and user space share: the maps' values, and the marks by
 * which a guest delimits what is measured.
 */
#ifndef FAULTLINE_BPF_H
#define FAULTLINE_BPF_H

#include "exit_reason.h"

/* vCPU threads that can be measured at once; more are counted as lost. */
#define FL_MAX_VCPUS	4096

/*
 * A guest marks the window to be measured by CPUID with this leaf in EAX and
 * one of the two in ECX. CPUID always exits, on SVM and on VMX.
 */
#define FL_MARK_LEAF	0x4fa17000
#define FL_MARK_START	1
#define FL_MARK_STOP	2

/* Value of the map `targets`, whose key is a process's id. */
struct fl_target {
	__u32 use_window;	/* count only between the guest's marks */
};

/* Value of the map `vcpus`, whose key is a vCPU thread's id. */
struct fl_vcpu_entry {
	struct fl_vcpu vcpu;
	__u64 reasons[FL_NR_REASONS];	/* exits by fl_reason_slot() */
	__u64 kvm_vcpu;		/* the kernel's struct kvm_vcpu */
	__u64 window_start_ns;	/* CLOCK_MONOTONIC */
	__u64 window_ns;	/* length of the windows that have ended */
	__u32 isa;		/* enum fl_isa */
	__u32 use_window;
	__u32 in_window;	/* always, if it has no use for windows */
	__u32 reason_slot;	/* of the last exit counted */
};

#endif /* FAULTLINE_BPF_H */
