// SPDX-License-Identifier: GPL-2.0
/* The torture guest's nested guest on VMX, with extended page tables. See guest-nested.c. */
#include "program.h"
#include "vmcs.h"

#define CR0_L2		0x80010031	/* PG, WP, NE, ET, PE */
#define CR4_PAE		(1U << 5)
#define CR4_VMXE	(1U << 13)
#define TSS_LIMIT	0x67
#define L2_VPID		1

static bool has_marks, has_flush_page;

/* For each vCPU: whether it has entered, and its stack while it is in L2. */
static bool entered[GUEST_MAX_VCPUS];
static uint64_t host_stack[GUEST_MAX_VCPUS];

/* ---- instructions: all of them say if they failed ---- */

static uint64_t read_field(enum vmcs_field field)
{
	uint64_t value;

	asm volatile("vmread %1, %0" : "=r"(value) : "r"((uint64_t)field) : "cc");
	return value;
}

static void write_field(enum vmcs_field field, uint64_t value)
{
	bool failed;

	asm volatile("vmwrite %2, %1" : "=@ccbe"(failed) : "r"((uint64_t)field), "r"(value));
	if (failed)
		fail(FAILURE_VMX, field, 0, value);
}

static void invalidate_ept(uint64_t type, uint64_t eptp)
{
	const uint64_t descriptor[2] = { eptp, 0 };
	bool failed;

	asm volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(descriptor), "r"(type) : "memory");
	if (failed)
		fail(FAILURE_VMX, eptp, 0, type);
}

void vmx_flush_page(uint64_t address)
{
	const uint64_t descriptor[2] = { L2_VPID, address };
	bool failed;

	if (!has_flush_page)
		return;
	asm volatile("invvpid %1, %2" : "=@ccbe"(failed)
		     : "m"(descriptor), "r"((uint64_t)INVVPID_ADDRESS) : "memory");
	if (failed)
		fail(FAILURE_VMX, address, 0, INVVPID_ADDRESS);
}

/* ---- start ---- */

void vmx_detect_cpu(void)
{
	const uint64_t wanted = EPT_HAS_4_LEVELS | EPT_HAS_WB | EPT_HAS_2M | EPT_HAS_INVEPT |
		EPT_HAS_INVEPT_ROOT | EPT_HAS_INVEPT_ALL;
	uint64_t ept;

	if (!(read_msr(MSR_VMX_CPU_CONTROLS) >> 32 & CPU_CONTROLS_SECONDARY) ||
	    !(read_msr(MSR_VMX_CPU_CONTROLS_2) >> 32 & CPU_CONTROLS_2_EPT))
		fail(FAILURE_CPU, 0, 0, 0);
	ept = read_msr(MSR_VMX_EPT_VPID);
	if ((ept & wanted) != wanted)
		fail(FAILURE_CPU, 0, 0, 0);
	model.ept_execute_only = ept & EPT_HAS_EXECUTE_ONLY;
	model.large_1g = ept & EPT_HAS_1G;
	has_marks = ept & EPT_HAS_MARKS;
	has_flush_page = !(~ept & VPID_HAS_INVVPID_ADDRESS) &&
		read_msr(MSR_VMX_CPU_CONTROLS_2) >> 32 & CPU_CONTROLS_2_VPID;
	has_nx = false;
}

bool vmx_has_marks(void)
{
	return has_marks;
}

/* The VMM's entries for L2's memory are those of other page tables. */
static void convert_table(uint64_t *table, unsigned int level)
{
	const uint64_t address = (1ULL << 40) - PAGE_SIZE, marks = EPT_ACCESSED | EPT_DIRTY;
	unsigned int i;

	for (i = 0; i < 512; i++) {
		bool leaf = level == 1 || table[i] & PTE_LARGE;

		if (!(table[i] & PTE_PRESENT))
			continue;
		if (!leaf)
			convert_table((uint64_t *)(table[i] & address), level - 1);
		table[i] = (table[i] & (address | PTE_LARGE)) | EPT_RWX | marks |
			(leaf ? EPT_TYPE_WB : 0);
	}
}

/* What is wanted, and what the CPU wants. */
static uint32_t controls(uint32_t msr, uint32_t wanted)
{
	bool is_true = msr < MSR_VMX_CPU_CONTROLS_2 &&
		read_msr(MSR_VMX_BASIC) & VMX_BASIC_TRUE_CONTROLS;
	uint64_t allowed = read_msr(is_true ? msr + MSR_VMX_TRUE_CONTROLS : msr);

	return (wanted | (uint32_t)allowed) & allowed >> 32;
}

static void write_controls(void)
{
	write_field(VMCS_PIN_CONTROLS, controls(MSR_VMX_PIN_CONTROLS, 0));
	write_field(VMCS_CPU_CONTROLS, controls(MSR_VMX_CPU_CONTROLS, CPU_CONTROLS_SECONDARY));
	write_field(VMCS_CPU_CONTROLS_2,
		    controls(MSR_VMX_CPU_CONTROLS_2, CPU_CONTROLS_2_EPT |
			     (has_flush_page ? CPU_CONTROLS_2_VPID : 0)));
	write_field(VMCS_EXIT_CONTROLS, controls(MSR_VMX_EXIT_CONTROLS, EXIT_CONTROLS_64_BIT_HOST));
	write_field(VMCS_ENTRY_CONTROLS,
		    controls(MSR_VMX_ENTRY_CONTROLS, ENTRY_CONTROLS_64_BIT_GUEST));
	write_field(VMCS_EXCEPTIONS, UINT32_MAX);
	write_field(VMCS_LINK, UINT64_MAX);
	if (has_flush_page)
		write_field(VMCS_VPID, L2_VPID);
}

/* A VMCS has nothing in it that wasn't written. */
static void write_zeros(void)
{
	static const uint16_t fields[] = {
		VMCS_PAGE_FAULT_MASK, VMCS_PAGE_FAULT_MATCH, VMCS_CR3_TARGETS,
		VMCS_EXIT_MSR_STORES, VMCS_EXIT_MSR_LOADS, VMCS_ENTRY_MSR_LOADS,
		VMCS_ENTRY_EVENT, VMCS_CR0_MASK, VMCS_CR4_MASK, VMCS_GUEST_DEBUGCTL,
		VMCS_GUEST_GDTR_LIMIT, VMCS_GUEST_GDTR_BASE, VMCS_GUEST_IDTR_LIMIT,
		VMCS_GUEST_IDTR_BASE, VMCS_GUEST_INTERRUPTIBILITY, VMCS_GUEST_ACTIVITY,
		VMCS_GUEST_PENDING_DEBUG, VMCS_GUEST_SYSENTER_CS, VMCS_GUEST_SYSENTER_ESP,
		VMCS_GUEST_SYSENTER_EIP, VMCS_HOST_FS, VMCS_HOST_GS, VMCS_HOST_FS_BASE,
		VMCS_HOST_GS_BASE, VMCS_HOST_SYSENTER_CS, VMCS_HOST_SYSENTER_ESP,
		VMCS_HOST_SYSENTER_EIP,
	};
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		write_field(fields[i], 0);
}

static void write_segment(enum vmcs_segment segment, uint16_t selector, uint32_t limit,
			  uint32_t rights, uint64_t base)
{
	write_field(VMCS_GUEST_SELECTORS + segment * 2, selector);
	write_field(VMCS_GUEST_LIMITS + segment * 2, limit);
	write_field(VMCS_GUEST_ACCESS_RIGHTS + segment * 2, rights);
	write_field(VMCS_GUEST_BASES + segment * 2, base);
}

/* It has no descriptor tables, and what would look at them ends it. */
static void write_guest(unsigned int vcpu)
{
	enum vmcs_segment segment;

	for (segment = VMCS_ES; segment <= VMCS_GS; segment++)
		write_segment(segment, GUEST_KERNEL_DS, UINT32_MAX, RIGHTS_DATA, 0);
	write_segment(VMCS_CS, GUEST_KERNEL_CS, UINT32_MAX, RIGHTS_CODE, 0);
	write_segment(VMCS_LDTR, 0, 0, RIGHTS_UNUSABLE, 0);
	write_segment(VMCS_TR, GUEST_TSS_SELECTOR, TSS_LIMIT, RIGHTS_TSS, GUEST_TSS(vcpu));
	write_field(VMCS_GUEST_CR0, CR0_L2);
	write_field(VMCS_GUEST_CR3, L2_TABLES(vcpu));
	write_field(VMCS_GUEST_CR4, CR4_PAE | CR4_VMXE);
	write_field(VMCS_GUEST_DR7, 0x400);
	write_field(VMCS_GUEST_RFLAGS, 2);
}

/*
 * L1 as it is when L2 has left, by way of come_back. Its stack pointer is in a word
 * that the stack begins with then.
 */
static void write_host(unsigned int vcpu)
{
	extern const char come_back[];
	unsigned long cr0, cr3;

	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	write_field(VMCS_HOST_CS, GUEST_KERNEL_CS);
	write_field(VMCS_HOST_SS, GUEST_KERNEL_DS);
	write_field(VMCS_HOST_DS, GUEST_KERNEL_DS);
	write_field(VMCS_HOST_ES, GUEST_KERNEL_DS);
	write_field(VMCS_HOST_TR, GUEST_TSS_SELECTOR);
	write_field(VMCS_HOST_TR_BASE, GUEST_TSS(vcpu));
	write_field(VMCS_HOST_GDTR_BASE, GUEST_GDT(vcpu));
	write_field(VMCS_HOST_IDTR_BASE, GUEST_IDT);
	write_field(VMCS_HOST_CR0, cr0);
	write_field(VMCS_HOST_CR3, cr3);
	write_field(VMCS_HOST_CR4, read_cr4());
	write_field(VMCS_HOST_RIP, (unsigned long)come_back);
	write_field(VMCS_HOST_RSP, (unsigned long)&host_stack[vcpu]);
}

static void allow_vmxon(void)
{
	uint64_t control = read_msr(MSR_FEATURE_CONTROL);

	if (!(control & FEATURE_CONTROL_LOCKED))
		write_msr(MSR_FEATURE_CONTROL,
			  control | FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMXON);
	else if (!(control & FEATURE_CONTROL_VMXON))
		fail(FAILURE_CPU, 0, 0, 0);
	asm volatile("mov %0, %%cr4" : : "r"(read_cr4() | CR4_VMXE) : "memory");
}

/* Both regions begin with what tells their format. */
static void enter_vmx(unsigned int vcpu)
{
	const uint64_t host = L2_HOST(vcpu), vmcs = L2_CONTROL(vcpu);
	bool off, stuck, unloaded;

	*(uint32_t *)at(host) = *(uint32_t *)at(vmcs) = read_msr(MSR_VMX_BASIC) & ~(1U << 31);
	allow_vmxon();
	asm volatile("vmxon %1" : "=@ccbe"(off) : "m"(host) : "memory");
	asm volatile("vmclear %1" : "=@ccbe"(stuck) : "m"(vmcs) : "memory");
	asm volatile("vmptrld %1" : "=@ccbe"(unloaded) : "m"(vmcs) : "memory");
	if (off || stuck || unloaded)
		fail(FAILURE_VMX, vmcs, 0, off ? 1 : stuck ? 2 : 3);
}

void vmx_start(unsigned int vcpu)
{
	if (!vcpu)
		convert_table((uint64_t *)at(info->roots[PAGING_64]), model.levels);
	enter_vmx(vcpu);
	write_controls();
	write_zeros();
	write_guest(vcpu);
	write_host(vcpu);
}

/* ---- flushes ---- */

uint32_t vmx_set_root(unsigned int vcpu, uint32_t root, enum nested_flush flush)
{
	uint64_t eptp = root | EPTP_WB | EPTP_4_LEVELS | (model.ept_marks ? EPTP_MARKS : 0);

	(void)vcpu;	/* on which this runs */
	write_field(VMCS_EPTP, eptp);
	if (flush == NESTED_FLUSH_ROOT)
		invalidate_ept(INVEPT_ROOT, eptp);
	else if (flush == NESTED_FLUSH_ALL)
		invalidate_ept(INVEPT_ALL, 0);
	return flush;
}

/* ---- accesses ---- */

/* All there is of L2, with the address in RDI, and what to write in RAX. */
static void __attribute__((naked)) l2_main(void)
{
	asm("call *%rbx\n\tvmcall");
}

static void __attribute__((used)) entry_failed(void)
{
	fail(FAILURE_VMX, (unsigned long)l2_main, 0, read_field(VMCS_INSTRUCTION_ERROR));
}

/*
 * Returns L2's RAX. All other registers are as L2 left them, which is as they were, but
 * for the stack pointer, see write_host(). Not to be inlined, as there is one come_back.
 */
static uint64_t __attribute__((noipa)) enter(void (*code)(void), unsigned long address,
					     uint64_t value, bool again, uint64_t *stack)
{
	asm volatile("mov %%rsp, %[stack]\n\t"
		     "test %[again], %[again]\n\t"
		     "jnz 1f\n\t"
		     "vmlaunch\n\t"
		     "jmp entry_failed\n"
		     "1:\tvmresume\n\t"
		     "jmp entry_failed\n\t"
		     ".globl come_back\n"
		     "come_back:\n\t"
		     "pop %%rsp"
		     : "+a"(value), "+b"(code), "+D"(address), [stack] "=m"(*stack)
		     : [again] "r"(again) : "cc", "memory");
	return value;
}

static struct nested_exit describe_exit(uint64_t value)
{
	struct nested_exit exit = {
		.end = NESTED_OTHER, .value = value, .reason = read_field(VMCS_EXIT_REASON),
	};

	switch (exit.reason) {
	case REASON_VMCALL:
		exit.end = NESTED_DONE;
		break;
	case REASON_VIOLATION:
	case REASON_MISCONFIGURATION:
		exit.end = NESTED_FAULT;
		exit.address = read_field(VMCS_GUEST_PHYSICAL_ADDRESS);
		exit.error_code = exit.reason == REASON_MISCONFIGURATION ? EPT_MISCONFIGURED :
			read_field(VMCS_EXIT_QUALIFICATION) & VIOLATION_BITS;
		break;
	case REASON_EXCEPTION:
		if ((read_field(VMCS_EXIT_EVENT) & 0xff) == UD_VECTOR)
			exit.end = NESTED_UNDEFINED;
	}
	if (exit.end == NESTED_OTHER)
		exit.ip = read_field(VMCS_GUEST_RIP);
	return exit;
}

/* Each field read or written may be an exit of its own: only what changes. */
struct nested_exit vmx_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			   unsigned long value)
{
	bool again = entered[vcpu];

	entered[vcpu] = true;
	write_field(VMCS_GUEST_RIP, (unsigned long)l2_main);
	write_field(VMCS_GUEST_RSP, L2_STACK(vcpu));
	return describe_exit(enter(code, address, value, again, &host_stack[vcpu]));
}
