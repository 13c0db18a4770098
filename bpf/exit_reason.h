/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Exit reasons, reduced to the kinds that the episode state machine tells
 * apart. Used by the BPF object and, through libfaultline, by the tests.
 *
 * Codes: AMD64 Architecture Programmer's Manual vol. 2, appendix C, and Intel
 * SDM vol. 3, appendix C.
 */
#ifndef FAULTLINE_EXIT_REASON_H
#define FAULTLINE_EXIT_REASON_H

#include "episode.h"

/* The isa argument of kvm_exit: KVM_ISA_VMX and KVM_ISA_SVM in KVM's trace.h. */
enum fl_isa {
	FL_ISA_VMX = 1,
	FL_ISA_SVM = 2,
	FL_ISA_PVM = 3,	/* pagetable-based VM: no hardware virtualization */
};

/* Page faults, the first one of the guest's page tables, the others of the host's. */
#define FL_SVM_PF		0x04e
#define FL_SVM_NPF		0x400
#define FL_VMX_EPT_VIOLATION	48
#define FL_VMX_EPT_MISCONFIG	49

static __always_inline enum fl_kind fl_svm_kind(__u32 exit_code)
{
	switch (exit_code) {
	case 0x000 ... 0x01f:	/* reads and writes of CR0 to CR15 */
		return FL_KIND_CR;
	case FL_SVM_PF:
	case FL_SVM_NPF:
		return FL_KIND_PAGE_FAULT;
	case 0x060 ... 0x064:	/* INTR, NMI, SMI, INIT, VINTR */
		return FL_KIND_ASYNC;
	case 0x079:
		return FL_KIND_INVLPG;
	case 0x07c:
		return FL_KIND_MSR;
	case 0x080:		/* VMRUN */
		return FL_KIND_VMENTRY;
	case 0x07a:		/* INVLPGA */
	case 0x082 ... 0x085:	/* VMLOAD, VMSAVE, STGI, CLGI */
		return FL_KIND_VIRT;
	default:
		return FL_KIND_OTHER;
	}
}

/*
 * Which exception an exit of reason 0 is about is in a VMCS field that BPF
 * can't read. A #PF is known by the kvm_page_fault event that follows it.
 */
static __always_inline enum fl_kind fl_vmx_kind(__u32 exit_reason)
{
	switch (exit_reason & 0xffff) {
	case 1:			/* external interrupt */
	case 7:			/* interrupt window */
	case 8:			/* NMI window */
	case 52:		/* preemption timer */
		return FL_KIND_ASYNC;
	case 14:
		return FL_KIND_INVLPG;
	case 28:
		return FL_KIND_CR;
	case 31:		/* RDMSR */
	case 32:		/* WRMSR */
		return FL_KIND_MSR;
	case 20:		/* VMLAUNCH */
	case 24:		/* VMRESUME */
		return FL_KIND_VMENTRY;
	case 19:		/* VMCLEAR */
	case 21 ... 23:		/* VMPTRLD, VMPTRST, VMREAD */
	case 25 ... 27:		/* VMWRITE, VMXOFF, VMXON */
	case 50:		/* INVEPT */
	case 53:		/* INVVPID */
		return FL_KIND_VIRT;
	case FL_VMX_EPT_VIOLATION:
		return FL_KIND_PAGE_FAULT;
	default:
		return FL_KIND_OTHER;
	}
}

/*
 * PVM has no exit codes of its own: an exit is an exception or interrupt vector,
 * or a SYSCALL instruction, by which a guest kernel makes hypercalls, too. These
 * are the codes that faultline gives to what the vector alone doesn't tell.
 */
enum fl_pvm_code {
	FL_PVM_INT80 = 0x80,
	FL_PVM_INTERRUPT,
	FL_PVM_SYSCALL,
	FL_PVM_FAILED_ENTRY,
	FL_PVM_ERETU,		/* return to user mode */
	FL_PVM_HYPERCALL,	/* one of KVM's */
	FL_PVM_HC_FIRST = 0x90,	/* PVM's own hypercalls, by their number */
	FL_PVM_HC_LAST = 0xaf,
};

#define FL_PVM_HC_LOAD_PGTBL	(FL_PVM_HC_FIRST + 0)
#define FL_PVM_HC_TLB_INVLPG	(FL_PVM_HC_FIRST + 5)

static __always_inline enum fl_kind fl_pvm_kind(__u32 code)
{
	switch (code) {
	case 2:			/* NMI */
	case FL_PVM_INTERRUPT:
		return FL_KIND_ASYNC;
	case 14:
		return FL_KIND_PAGE_FAULT;
	case FL_PVM_HC_LOAD_PGTBL:
		return FL_KIND_CR;
	case FL_PVM_HC_TLB_INVLPG:
		return FL_KIND_INVLPG;
	default:
		return FL_KIND_OTHER;
	}
}

static __always_inline enum fl_kind fl_exit_kind(__u32 isa, __u32 reason)
{
	switch (isa) {
	case FL_ISA_SVM:
		return fl_svm_kind(reason);
	case FL_ISA_VMX:
		return fl_vmx_kind(reason);
	case FL_ISA_PVM:
		return fl_pvm_kind(reason);
	default:
		return FL_KIND_OTHER;
	}
}

/* Whether an exit for @reason is a page fault of the host's own; see host_fault.h. */
static __always_inline int fl_is_host_fault(__u32 isa, __u32 reason)
{
	if (isa == FL_ISA_SVM)
		return reason == FL_SVM_NPF;
	return isa == FL_ISA_VMX && ((reason & 0xffff) == FL_VMX_EPT_VIOLATION ||
				     (reason & 0xffff) == FL_VMX_EPT_MISCONFIG);
}

/*
 * What KVM tells L1 about an exit of L2's (kvm_nested_vmexit_inject), as a fact.
 * A page fault with a reserved bit (SVM), or an EPT misconfiguration, is how L1
 * gets to know of accesses to devices, if it is KVM.
 */
static __always_inline enum fl_fact fl_reflected(__u32 isa, __u32 reason, __u64 info1,
						 __u32 int_info)
{
	enum { PFERR_RSVD = 1 << 3, PF_VECTOR = 14, EXCEPTION = 3 };

	if (isa == FL_ISA_SVM) {
		if (reason == FL_SVM_PF)
			return FL_SAW_REFLECT;
		if (reason == FL_SVM_NPF)
			return info1 & PFERR_RSVD ? FL_SAW_DEVICE : FL_SAW_REFLECT;
		return FL_SAW_HANDED;
	}
	switch (reason & 0xffff) {
	case 0:		/* vector, and type in the bits above it */
		return (int_info & 0x7ff) == (EXCEPTION << 8 | PF_VECTOR) ?
			FL_SAW_REFLECT : FL_SAW_HANDED;
	case FL_VMX_EPT_VIOLATION:
		return FL_SAW_REFLECT;
	case FL_VMX_EPT_MISCONFIG:
		return FL_SAW_DEVICE;
	default:
		return FL_SAW_HANDED;
	}
}

/*
 * Exit reasons are counted one by one, too, each in a slot of its own: the code
 * itself, but for SVM's codes from 0x400 on, which follow those up to 0x9f. The
 * last slot is for what is new to us, and for an instruction set we don't know.
 */
#define FL_NR_REASONS		0xc0
#define FL_REASON_UNKNOWN	(FL_NR_REASONS - 1)
#define FL_SVM_HIGH_CODES	0x400
#define FL_SVM_HIGH_SLOT	0xa0

static __always_inline __u32 fl_reason_slot(__u32 isa, __u32 reason)
{
	if (isa == FL_ISA_VMX)
		reason &= 0xffff;
	else if (isa == FL_ISA_SVM && reason >= FL_SVM_HIGH_CODES)
		reason = reason - FL_SVM_HIGH_CODES + FL_SVM_HIGH_SLOT;
	else if (isa != FL_ISA_SVM && isa != FL_ISA_PVM)
		return FL_REASON_UNKNOWN;
	return reason < FL_REASON_UNKNOWN ? reason : FL_REASON_UNKNOWN;
}

#endif /* FAULTLINE_EXIT_REASON_H */
