// SPDX-License-Identifier: GPL-2.0
/* The torture guest's nested guest on SVM, with nested paging. See guest-nested.c. */
#include "program.h"
#include "vmcb.h"

#define CR0_L2		0x80010031	/* PG, WP, NE, ET, PE */
#define CR4_PAE		(1U << 5)
#define EFER_L2		0x1d00		/* SVME, NXE, LMA, LME */
#define PAT_RESET	0x0007040600070406

#define CODE_ATTRIBUTES	0xa9b
#define DATA_ATTRIBUTES	0xc93

static unsigned int max_asid;
static bool has_flush_asid;

static struct vmcb *vmcb_of(unsigned int vcpu)
{
	return (struct vmcb *)(unsigned long)L2_CONTROL(vcpu);
}

/* ---- start ---- */

void svm_detect_cpu(void)
{
	uint32_t a, b, c, d;

	cpuid(0x8000000a, &a, &b, &c, &d);
	if (!(d & 1))	/* nested paging */
		fail(FAILURE_CPU, 0, 0, 0);
	has_flush_asid = d >> 6 & 1;
	max_asid = b - 1;
}

/* It has no descriptor tables, and what would look at them ends it. */
static void build_vmcb(unsigned int vcpu)
{
	const struct vmcb_segment data = { GUEST_KERNEL_DS, DATA_ATTRIBUTES, UINT32_MAX, 0 };

	*vmcb_of(vcpu) = (struct vmcb){
		.intercepts_exceptions = UINT32_MAX, .intercepts_1 = INTERCEPT_SHUTDOWN,
		.intercepts_2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL,
		.asid = 1, .tlb_control = TLB_CONTROL_FLUSH_ALL,
		.nested_control = NESTED_PAGING,
		.cs = { GUEST_KERNEL_CS, CODE_ATTRIBUTES, UINT32_MAX, 0 },
		.ds = data, .es = data, .fs = data, .gs = data, .ss = data,
		.efer = EFER_L2, .cr0 = CR0_L2, .cr3 = L2_TABLES(vcpu), .cr4 = CR4_PAE,
		.dr6 = 0xffff0ff0, .dr7 = 0x400, .pat = PAT_RESET,
	};
}

void svm_start(unsigned int vcpu)
{
	build_vmcb(vcpu);
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME);
	write_msr(MSR_VM_HSAVE_PA, L2_HOST(vcpu));
}

/* ---- flushes: with the next entry, which nothing comes before ---- */

/* An address space ID is fresh if it hasn't been used since all were flushed. */
static void flush_with_entry(struct vmcb *vmcb)
{
	uint32_t how = random_below(3);

	if (how == 0 && vmcb->asid < max_asid) {
		vmcb->asid++;
	} else if (how == 1 && has_flush_asid && !vmcb->tlb_control) {
		vmcb->tlb_control = TLB_CONTROL_FLUSH_ASID;
	} else {
		vmcb->asid = 1;
		vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
	}
}

uint32_t svm_set_root(unsigned int vcpu, uint32_t root, enum nested_flush flush)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	vmcb->nested_cr3 = root;
	if (flush != NESTED_FLUSH_NOTHING)
		flush_with_entry(vmcb);
	return vmcb->asid << 8 | vmcb->tlb_control;
}

void svm_flush_page(uint64_t address)
{
	asm volatile("invlpga" : : "a"(address), "c"(vmcb_of(0)->asid) : "memory");
}

/* ---- accesses ---- */

/* All there is of L2, with the address in RDI, and what to write in RAX. */
static void __attribute__((naked)) l2_main(void)
{
	asm("call *%rbx\n\tvmmcall");
}

static struct nested_exit describe_exit(const struct vmcb *vmcb)
{
	struct nested_exit exit = {
		.end = NESTED_OTHER, .value = vmcb->rax, .ip = vmcb->rip,
		.reason = vmcb->exit_code, .error_code = vmcb->exit_info_1,
		.address = vmcb->exit_info_2,
	};

	if (vmcb->exit_code == EXIT_VMMCALL)
		exit.end = NESTED_DONE;
	else if (vmcb->exit_code == EXIT_NPF)
		exit.end = NESTED_FAULT;
	else if (vmcb->exit_code == EXIT_EXCEPTION(UD_VECTOR))
		exit.end = NESTED_UNDEFINED;
	if (exit.end == NESTED_FAULT && vmcb->exit_info_1 >> 32 != NPF_FINAL >> 32)
		fail(FAILURE_ERROR_CODE, exit.address, NPF_FINAL, vmcb->exit_info_1);
	return exit;
}

/* Interrupts are off, and the global interrupt flag stays clear after the first time. */
struct nested_exit svm_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			   unsigned long value)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	vmcb->rip = (unsigned long)l2_main;
	vmcb->rsp = L2_STACK(vcpu);
	vmcb->rax = value;
	vmcb->rflags = 2;
	asm volatile("vmrun" : "+b"(code), "+D"(address) : "a"(vmcb) : "cc", "memory");
	vmcb->tlb_control = 0;
	return describe_exit(vmcb);
}
