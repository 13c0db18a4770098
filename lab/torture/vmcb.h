/* SPDX-License-Identifier: GPL-2.0 */
/* What the torture guest uses of SVM's control block (APM, volume 2, appendix B). */
#ifndef TORTURE_VMCB_H
#define TORTURE_VMCB_H

#include <stddef.h>
#include <stdint.h>

#define MSR_VM_HSAVE_PA		0xc0010117
#define EFER_SVME		(1U << 12)

#define INTERCEPT_SHUTDOWN	(1U << 31)	/* in intercepts_1, with all below */
#define INTERCEPT_VMRUN		(1U << 0)	/* in intercepts_2, as are the next */
#define INTERCEPT_VMMCALL	(1U << 1)

#define TLB_CONTROL_FLUSH_ALL	1
#define TLB_CONTROL_FLUSH_ASID	3

#define NESTED_PAGING		1

#define EXIT_EXCEPTION(vector)	(0x40 + (vector))
#define EXIT_VMMCALL		0x81
#define EXIT_NPF		0x400

/* In exit_info_1 of EXIT_NPF: what was translated was an access's final address. */
#define NPF_FINAL		(1ULL << 32)

struct vmcb_segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercepts_cr, intercepts_dr, intercepts_exceptions, intercepts_1, intercepts_2;
	uint8_t unused_1[0x58 - 0x14];
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t unused_2[0x70 - 0x5d];
	uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info;
	uint64_t nested_control;
	uint8_t unused_3[0xb0 - 0x98];
	uint64_t nested_cr3;
	uint8_t unused_4[0x400 - 0xb8];
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t unused_5[0x4d0 - 0x4a0];
	uint64_t efer;
	uint8_t unused_6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t unused_7[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t unused_8[0x5f8 - 0x5e0];
	uint64_t rax;
	uint8_t unused_9[0x668 - 0x600];
	uint64_t pat;
};

_Static_assert(offsetof(struct vmcb, nested_cr3) == 0xb0, "control area");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "state save area");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "state save area");

#endif /* TORTURE_VMCB_H */
