// SPDX-License-Identifier: GPL-2.0
/* The names of exit reasons, by vendor. See reasons.h. */
#include <stdio.h>
#include <string.h>

#include "reasons.h"

#define HIGH(code) ((code) - FL_SVM_HIGH_CODES + FL_SVM_HIGH_SLOT)

/* AMD64 Architecture Programmer's Manual, volume 2, appendix C. */
static const char *const svm_names[FL_NR_REASONS] = {
	[0x000] = "read_cr0",
	[0x002] = "read_cr2",
	[0x003] = "read_cr3",
	[0x004] = "read_cr4",
	[0x008] = "read_cr8",
	[0x010] = "write_cr0",
	[0x012] = "write_cr2",
	[0x013] = "write_cr3",
	[0x014] = "write_cr4",
	[0x018] = "write_cr8",
	[0x020] = "read_dr0",
	[0x026] = "read_dr6",
	[0x027] = "read_dr7",
	[0x030] = "write_dr0",
	[0x036] = "write_dr6",
	[0x037] = "write_dr7",
	[0x041] = "exception_db",
	[0x043] = "exception_bp",
	[0x046] = "exception_ud",
	[0x047] = "exception_nm",
	[0x04d] = "exception_gp",
	[0x04e] = "exception_pf",
	[0x051] = "exception_ac",
	[0x052] = "exception_mc",
	[0x060] = "intr",
	[0x061] = "nmi",
	[0x062] = "smi",
	[0x063] = "init",
	[0x064] = "vintr",
	[0x065] = "cr0_sel_write",
	[0x066] = "read_idtr",
	[0x067] = "read_gdtr",
	[0x068] = "read_ldtr",
	[0x069] = "read_tr",
	[0x06a] = "write_idtr",
	[0x06b] = "write_gdtr",
	[0x06c] = "write_ldtr",
	[0x06d] = "write_tr",
	[0x06e] = "rdtsc",
	[0x06f] = "rdpmc",
	[0x070] = "pushf",
	[0x071] = "popf",
	[0x072] = "cpuid",
	[0x073] = "rsm",
	[0x074] = "iret",
	[0x075] = "swint",
	[0x076] = "invd",
	[0x077] = "pause",
	[0x078] = "hlt",
	[0x079] = "invlpg",
	[0x07a] = "invlpga",
	[0x07b] = "ioio",
	[0x07c] = "msr",
	[0x07d] = "task_switch",
	[0x07e] = "ferr_freeze",
	[0x07f] = "shutdown",
	[0x080] = "vmrun",
	[0x081] = "vmmcall",
	[0x082] = "vmload",
	[0x083] = "vmsave",
	[0x084] = "stgi",
	[0x085] = "clgi",
	[0x086] = "skinit",
	[0x087] = "rdtscp",
	[0x088] = "icebp",
	[0x089] = "wbinvd",
	[0x08a] = "monitor",
	[0x08b] = "mwait",
	[0x08d] = "xsetbv",
	[0x08e] = "rdpru",
	[0x08f] = "efer_write_trap",
	[HIGH(0x400)] = "npf",
	[HIGH(0x401)] = "avic_incomplete_ipi",
	[HIGH(0x402)] = "avic_noaccel",
	[HIGH(0x403)] = "vmgexit",
};

/* Intel SDM, volume 3, appendix C. */
static const char *const vmx_names[FL_NR_REASONS] = {
	[0] = "exception_nmi",
	[1] = "external_interrupt",
	[2] = "triple_fault",
	[3] = "init_signal",
	[4] = "sipi",
	[7] = "interrupt_window",
	[8] = "nmi_window",
	[9] = "task_switch",
	[10] = "cpuid",
	[12] = "hlt",
	[13] = "invd",
	[14] = "invlpg",
	[15] = "rdpmc",
	[16] = "rdtsc",
	[18] = "vmcall",
	[19] = "vmclear",
	[20] = "vmlaunch",
	[21] = "vmptrld",
	[22] = "vmptrst",
	[23] = "vmread",
	[24] = "vmresume",
	[25] = "vmwrite",
	[26] = "vmxoff",
	[27] = "vmxon",
	[28] = "cr_access",
	[29] = "dr_access",
	[30] = "io_instruction",
	[31] = "rdmsr",
	[32] = "wrmsr",
	[33] = "invalid_guest_state",
	[34] = "msr_load_fail",
	[36] = "mwait",
	[37] = "monitor_trap_flag",
	[39] = "monitor",
	[40] = "pause",
	[41] = "mce_during_entry",
	[43] = "tpr_below_threshold",
	[44] = "apic_access",
	[45] = "virtualized_eoi",
	[46] = "gdtr_idtr",
	[47] = "ldtr_tr",
	[48] = "ept_violation",
	[49] = "ept_misconfig",
	[50] = "invept",
	[51] = "rdtscp",
	[52] = "preemption_timer",
	[53] = "invvpid",
	[54] = "wbinvd",
	[55] = "xsetbv",
	[56] = "apic_write",
	[57] = "rdrand",
	[58] = "invpcid",
	[59] = "vmfunc",
	[60] = "encls",
	[61] = "rdseed",
	[62] = "pml_full",
	[63] = "xsaves",
	[64] = "xrstors",
	[67] = "umwait",
	[68] = "tpause",
	[74] = "bus_lock",
	[75] = "notify",
};

/* PVM names no exit reasons in a manual; these follow what its series traces. */
static const char *const pvm_names[FL_NR_REASONS] = {
	[0] = "exception_de",
	[1] = "exception_db",
	[2] = "nmi",
	[3] = "exception_bp",
	[4] = "exception_of",
	[5] = "exception_br",
	[6] = "exception_ud",
	[7] = "exception_nm",
	[8] = "exception_df",
	[10] = "exception_ts",
	[11] = "exception_np",
	[12] = "exception_ss",
	[13] = "exception_gp",
	[14] = "exception_pf",
	[16] = "exception_mf",
	[17] = "exception_ac",
	[18] = "exception_mc",
	[19] = "exception_xf",
	[20] = "exception_ve",
	[FL_PVM_INT80] = "int80",
	[FL_PVM_INTERRUPT] = "interrupt",
	[FL_PVM_SYSCALL] = "syscall",
	[FL_PVM_FAILED_ENTRY] = "failed_vmentry",
	[FL_PVM_ERETU] = "eretu",
	[FL_PVM_HYPERCALL] = "hypercall",
	[FL_PVM_HC_FIRST + 0] = "hc_load_pgtbl",
	[FL_PVM_HC_FIRST + 1] = "hc_irq_win",
	[FL_PVM_HC_FIRST + 2] = "hc_irq_halt",
	[FL_PVM_HC_FIRST + 3] = "hc_tlb_flush",
	[FL_PVM_HC_FIRST + 4] = "hc_tlb_flush_current",
	[FL_PVM_HC_FIRST + 5] = "hc_tlb_invlpg",
	[FL_PVM_HC_FIRST + 6] = "hc_load_gs",
	[FL_PVM_HC_FIRST + 7] = "hc_rdmsr",
	[FL_PVM_HC_FIRST + 8] = "hc_wrmsr",
	[FL_PVM_HC_FIRST + 9] = "hc_load_tls",
};

const char *fl_reason_name(__u32 isa, __u32 slot, char name[FL_REASON_NAME])
{
	const char *const *names = isa == FL_ISA_SVM ? svm_names :
				   isa == FL_ISA_VMX ? vmx_names :
				   isa == FL_ISA_PVM ? pvm_names : NULL;
	__u32 code = slot;

	if (slot >= FL_REASON_UNKNOWN)
		return "unknown";
	if (names && names[slot])
		return names[slot];
	if (isa == FL_ISA_SVM && slot >= FL_SVM_HIGH_SLOT)
		code = slot - FL_SVM_HIGH_SLOT + FL_SVM_HIGH_CODES;
	snprintf(name, FL_REASON_NAME, "code_0x%x", code);
	return name;
}

__u32 fl_reason_by_name(__u32 isa, const char *name)
{
	char made_up[FL_REASON_NAME];
	__u32 slot;

	for (slot = 0; slot < FL_REASON_UNKNOWN; slot++) {
		if (!strcmp(fl_reason_name(isa, slot, made_up), name))
			break;
	}
	return slot;
}
