/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs and user space share: the map's value, the guest's
 * marks, and how user space configures the programs before it loads them.
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

/* Value of the map `vcpus`, whose key is a vCPU thread's id. */
struct fl_vcpu_entry {
	struct fl_vcpu vcpu;
	__u64 reasons[FL_NR_REASONS];	/* exits by fl_reason_slot() */
	__u64 kvm_vcpu;		/* the kernel's struct kvm_vcpu */
	__u64 window_start_ns;	/* CLOCK_MONOTONIC */
	__u64 window_ns;	/* length of the windows that have ended */
	__u32 isa;		/* enum fl_isa */
	__u32 in_window;
	__u32 reason_slot;	/* of the last exit counted */
};

/*
 * The arguments that a tracepoint passes differ between kernels. User space
 * looks at the kernel's BTF and tells the programs, which compile the other
 * variants away when they are loaded.
 */
struct fl_config {
	/* Count only between the guest's marks. */
	__u8 use_window;
	/* kvm_exit(vcpu, isa); before 5.17 (exit_reason, vcpu, isa). */
	__u8 exit_starts_with_vcpu;
	/* kvm_page_fault(vcpu, address, error) as in 6.1; once without vcpu. */
	__u8 page_fault_has_vcpu;
	/* kvm_inj_exception has a fourth argument, as in 6.1; once it had three. */
	__u8 inject_tells_reinjected;
};

#endif /* FAULTLINE_BPF_H */
