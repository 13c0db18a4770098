// SPDX-License-Identifier: GPL-2.0
/*
 * The torture guest as a hypervisor (L1): its page tables are those of a nested
 * guest (L2), which is entered for each access to make it. L2's own page tables
 * map all physical addresses that accesses use, and never change, so that nothing
 * but the tortured tables decides. Only for SVM, in 64-bit mode.
 */
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
	return (struct vmcb *)(unsigned long)L2_VMCB(vcpu);
}

/* ---- start ---- */

void nested_detect_cpu(void)
{
	uint32_t a, b, c, d, svm;

	cpuid(0x80000001, &a, &b, &svm, &d);
	if (!(svm >> 2 & 1) || !model.large_1g)
		fail(FAILURE_CPU, 0, 0, 0);
	cpuid(0x8000000a, &a, &b, &c, &d);
	if (!(d & 1) || model.max_phys < 40)	/* nested paging */
		fail(FAILURE_CPU, 0, 0, 0);
	has_flush_asid = d >> 6 & 1;
	max_asid = b - 1;
}

/*
 * L2's own tables, accessed and dirty so that walks write nothing: what is mapped of
 * L1, and the physical addresses that accesses use, with bit 39 set.
 */
static void build_tables(unsigned int vcpu)
{
	uint64_t *root = (uint64_t *)at(L2_TABLES(vcpu)), *low = root + 512, *high = low + 512;
	uint64_t i;

	root[0] = (unsigned long)low | PTE_MAPPED;
	root[1] = (unsigned long)high | PTE_MAPPED;
	low[0] = PTE_MAPPED | PTE_LARGE;
	for (i = 0; i < 512; i++)
		high[i] = 1ULL << 39 | i << 30 | PTE_MAPPED | PTE_LARGE;
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

void nested_start(unsigned int vcpu)
{
	build_tables(vcpu);
	build_vmcb(vcpu);
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SVME);
	write_msr(MSR_VM_HSAVE_PA, L2_HOST_SAVE(vcpu));
}

/* ---- flushes: with the next entry, which nothing comes before ---- */

/* An address space ID is fresh if it hasn't been used since all were flushed. */
static void flush(struct vmcb *vmcb)
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

static void log_vmcb(const struct vmcb *vmcb)
{
	log_event(EVENT_SET_VMCB, 0, vmcb->nested_cr3, vmcb->asid << 8 | vmcb->tlb_control);
}

void nested_load_root(uint32_t root)
{
	struct vmcb *vmcb = vmcb_of(0);

	vmcb->nested_cr3 = root;
	flush(vmcb);
	log_vmcb(vmcb);
	model_load_root(&model, root);
}

void nested_switch_root(uint32_t root)
{
	struct vmcb *vmcb = vmcb_of(0);

	if (chance(70) || !model_change_root(&model, root)) {
		load_root(root);
		return;
	}
	vmcb->nested_cr3 = root;
	log_vmcb(vmcb);
}

void nested_follow(unsigned int vcpu)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	vmcb->nested_cr3 = chance(80) ? model.root : random_root();
	if (chance(50))
		flush(vmcb);
	follow_mode(vcpu);
}

/* Flushes what is cached of L2's own tables, i.e. nothing that matters. */
void nested_flush_page(uint64_t address)
{
	log_event(EVENT_FLUSH_PAGE, address, 0, 0);
	asm volatile("invlpga" : : "a"(address), "c"(vmcb_of(0)->asid) : "memory");
}

/* ---- accesses ---- */

/* All there is of L2, with the address in RDI, and what to write in RAX. */
static void __attribute__((naked)) l2_main(void)
{
	asm("call *%rbx\n\tvmmcall");
}

/* Interrupts are off, and the global interrupt flag stays clear after the first time. */
const struct vmcb *nested_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			      unsigned long value)
{
	struct vmcb *vmcb = vmcb_of(vcpu);

	vmcb->rip = (unsigned long)l2_main;
	vmcb->rsp = L2_STACK(vcpu);
	vmcb->rax = value;
	vmcb->rflags = 2;
	asm volatile("vmrun" : "+b"(code), "+D"(address) : "a"(vmcb) : "cc", "memory");
	vmcb->tlb_control = 0;
	return vmcb;
}

bool nested_is_page_of(uint64_t address, uint64_t fault_address)
{
	return fault_address == (address & ~(PAGE_SIZE - 1ULL));
}

void nested_access(void (*code)(void), unsigned long address, unsigned long value)
{
	const struct vmcb *vmcb = nested_run(0, code, address, value);

	access_value = vmcb->rax;
	if (vmcb->exit_code == EXIT_VMMCALL) {
		access_vector = VECTOR_BREAKPOINT;
		access_error_code = 0;
		return;
	}
	if (vmcb->exit_code != EXIT_NPF)
		fail(FAILURE_EXIT, vmcb->rip, EXIT_NPF, vmcb->exit_code);
	if (vmcb->exit_info_1 >> 32 != NPF_FINAL >> 32)
		fail(FAILURE_ERROR_CODE, address, NPF_FINAL, vmcb->exit_info_1);
	access_vector = PF_VECTOR;
	access_error_code = vmcb->exit_info_1;
	access_cr2 = vmcb->exit_info_2;
}
