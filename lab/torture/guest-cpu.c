// SPDX-License-Identifier: GPL-2.0
/* The torture guest's CPU: registers that paging depends on, and flushes. */
#include "program.h"

#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)
#define CR4_PSE		(1UL << 4)
#define CR4_PAE		(1UL << 5)
#define CR4_PGE		(1UL << 7)
#define CR4_SMEP	(1UL << 20)
#define CR4_SMAP	(1UL << 21)
#define EFER_NXE	(1U << 11)

static bool cpu_has_nx, has_smep, has_smap;
bool has_nx, has_pge;

/* ---- what the CPU can do ---- */

void cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a = leaf;
	*c = 0;
	asm volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(*c), "=d"(*d));
}

void detect_cpu(void)
{
	uint32_t a, b, c, d;

	cpuid(1, &a, &b, &c, &d);
	has_pge = d >> 13 & 1;
	cpuid(0, &a, &b, &c, &d);
	if (a >= 7) {
		cpuid(7, &a, &b, &c, &d);
		has_smep = b >> 7 & 1;
		has_smap = b >> 20 & 1;
	}
	cpuid(0x80000001, &a, &b, &c, &d);
	cpu_has_nx = d >> 20 & 1;
	has_nx = cpu_has_nx && model.mode != PAGING_32;
	model.large_1g = d >> 26 & 1;
	if (is_nested())
		nested_detect_cpu();
}

unsigned int max_phys(void)
{
	uint32_t a, b, c, d;

	cpuid(0x80000008, &a, &b, &c, &d);
	return a & 0xff;
}

/* ---- registers ---- */

void write_msr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
		     : "memory");
}

uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return low | (uint64_t)high << 32;
}

unsigned long read_cr4(void)
{
	unsigned long value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static void write_cr4(unsigned long value)
{
	log_event(EVENT_SET_CR4, 0, value, 0);
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

void load_root(uint32_t root)
{
	info->flushes++;
	if (is_nested()) {
		nested_load_root(root);
		return;
	}
	log_event(EVENT_LOAD_CR3, 0, root, 0);
	asm volatile("mov %0, %%cr3" : : "r"((unsigned long)root) : "memory");
	model_load_root(&model, root);
}

void flush_page(uint64_t address)
{
	info->flushes++;
	if (is_nested()) {
		nested_flush();
		return;
	}
	log_event(EVENT_FLUSH_PAGE, address, 0, 0);
	asm volatile("invlpg (%0)" : : "r"((unsigned long)address) : "memory");
	model_flush_page(&model, address);
}

/*
 * No entry is global: CR4.PGE is only ever set for a moment. A change of it
 * loads PDPTEs, too, as does one of SMEP.
 */
void flush_global(void)
{
	unsigned long cr4 = read_cr4();

	info->flushes++;
	write_cr4(cr4 | CR4_PGE);
	write_cr4(cr4);
	model_load_root(&model, model.root);
}

static void toggle_wp(void)
{
	unsigned long value;

	asm volatile("mov %%cr0, %0" : "=r"(value));
	value ^= CR0_WP;
	log_event(EVENT_SET_CR0, 0, value, 0);
	asm volatile("mov %0, %%cr0" : : "r"(value) : "memory");
	model.wp = value & CR0_WP;
}

/* What is cached of an entry with NX, which gets or loses its meaning, goes. */
void toggle_nxe(void)
{
	uint64_t efer = read_msr(MSR_EFER) ^ EFER_NXE;

	log_event(EVENT_SET_EFER, 0, efer, 0);
	write_msr(MSR_EFER, efer);
	model.nx = efer & EFER_NXE;
	load_root(model.root);
}

#ifndef __x86_64__
/* Paging is off in between, which flushes everything. */
void switch_paging(void)
{
	enum paging_mode mode = model.mode == PAGING_32 ? PAGING_PAE : PAGING_32;
	unsigned long cr0, cr4 = (read_cr4() ^ CR4_PAE) | CR4_PSE;

	if (model.nx)
		toggle_nxe();
	log_event(EVENT_SET_PAGING, 0, mode, 0);
	model_set_mode(&model, mode);
	model.root = random_root();
	asm volatile("mov %%cr0, %0" : "=r"(cr0));
	asm volatile("mov %0, %%cr0" : : "r"(cr0 & ~CR0_PG) : "memory");
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	asm volatile("mov %0, %%cr3" : : "r"(model.root) : "memory");
	asm volatile("mov %0, %%cr0" : : "r"(cr0) : "memory");
	model_load_root(&model, model.root);
	has_nx = cpu_has_nx && mode == PAGING_PAE;
	choose_favourites();
}
#endif

void follow_mode(unsigned int vcpu)
{
	static unsigned long cr4_now[GUEST_MAX_VCPUS];
	static bool nx_now[GUEST_MAX_VCPUS];
	unsigned long cr4 = CR4_PAE | (model.smep ? CR4_SMEP : 0) | (model.smap ? CR4_SMAP : 0);
	bool nx = model.nx;

	if (cr4 != cr4_now[vcpu])
		asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
	if (nx != nx_now[vcpu])
		write_msr(MSR_EFER, read_msr(MSR_EFER) ^ EFER_NXE);
	cr4_now[vcpu] = cr4;
	nx_now[vcpu] = nx;
}

/* Nothing of an EPT's hypervisor is of any matter to it. */
void change_mode(void)
{
	if (is_nested() && model.ept) {
		nested_toggle_marks();
		return;
	}
	switch (random_below(8)) {
	case 0 ... 4:
		toggle_wp();
		break;
	case 5:
		if (has_smep) {
			write_cr4(read_cr4() ^ CR4_SMEP);
			model.smep = !model.smep;
			model_load_pdptes(&model);
		}
		break;
	case 6:
		if (has_smap) {
			write_cr4(read_cr4() ^ CR4_SMAP);
			model.smap = !model.smap;
		}
		break;
	default:
		if (has_nx)
			toggle_nxe();
	}
	if (has_nx && !model.nx && chance(30))
		toggle_nxe();
}
