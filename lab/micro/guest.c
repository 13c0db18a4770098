// SPDX-License-Identifier: GPL-2.0
/*
 * The micro guest: address spaces, a page fault handler, and workloads that run
 * at CPL 3, on one vCPU or on several at once. Freestanding, compiled for 64-bit
 * and for 32-bit mode, and linked into an image that the VMM (vm.c) puts at
 * GUEST_IMAGE.
 *
 * Between the marks nothing happens but faults, and nothing is written but
 * leaf page table entries: every other cause of an exit is dealt with before.
 * Barriers see to it that it is so on all vCPUs.
 */
#include "guest.h"

#define PAGE_SIZE	4096

#define PF_VECTOR	14
#define PFERR_PRESENT	1
#define PFERR_WRITE	2
#define PFERR_USER	4

#define info ((volatile struct guest_info *)GUEST_INFO)

/* What guest-entry.S calls, and what it offers. */
void guest_main(void);
void guest_fault(uint32_t vector, uint32_t error_code, unsigned long ip);
void enter_user_mode(void (*function)(void), unsigned long stack);

/* This vCPU's own. */
static volatile struct guest_vcpu *this_vcpu(void)
{
	unsigned long stack_pointer;

#ifdef __x86_64__
	asm volatile("mov %%rsp, %0" : "=r"(stack_pointer));
#else
	asm volatile("mov %%esp, %0" : "=r"(stack_pointer));
#endif
	return (void *)(stack_pointer & -(unsigned long)GUEST_VCPU_SIZE);
}

static void port_out(uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"((uint16_t)GUEST_PORT));
}

/*
 * A nested guest's CPUID ends in its own hypervisor; for the bottom host to see
 * the mark, that one's VMM has to execute it.
 */
static void mark(uint32_t what)
{
	uint32_t a = MARK_LEAF, c = what, b, d;

	if (guest_is_nested(info->workload)) {
		port_out(what == MARK_START ? GUEST_MARK_START : GUEST_MARK_STOP);
		return;
	}
	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return low | (uint64_t)high << 32;
}

static unsigned long read_cr2(void)
{
	unsigned long value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static void flush_all(void)
{
	unsigned long root;

	asm volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root) : : "memory");
}

static void flush_page(unsigned long address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

/* A chance for the other vCPUs, on a host whose CPUs take turns. */
static void yield(void)
{
	if (info->nr_vcpus > 1)
		asm volatile("pause" : : : "memory");
}

/* Wait until all vCPUs have got here. */
static void barrier(void)
{
	uint32_t nr = info->nr_vcpus;
	uint32_t rounds = __sync_fetch_and_add(&info->arrivals, 1) / nr + 1;

	while (info->arrivals < rounds * nr)
		yield();
}

static unsigned long area_page(uint32_t index)
{
	return GUEST_AREA + (unsigned long)index * PAGE_SIZE;
}

static unsigned long page_at(uint32_t base, uint32_t n)
{
	return base + (unsigned long)n * PAGE_SIZE;
}

/* The address of the frame that page @n of the area is for. */
static unsigned long frame_of(uint32_t base, uint32_t n)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();

	return page_at(base, guest_frame_index(info->workload, vcpu->nr_pages * vcpu->step, n));
}

/* ---- page table entries ---- */

static unsigned long pte_address(uint32_t index)
{
	return this_vcpu()->leaf_tables + (unsigned long)index * info->entry_size;
}

static uint32_t read_pte(uint32_t index)
{
	return *(volatile uint32_t *)pte_address(index);
}

/*
 * A 32-bit guest's way to write an 8-byte entry: at once, or in halves, in
 * Linux's order, which never shows the CPU a present entry that is half new.
 */
static void write_pte_halves(volatile uint32_t *halves, uint64_t value)
{
	int present_first = !(value & PTE_PRESENT);

	halves[!present_first] = present_first ? value : value >> 32;
	asm volatile("" : : : "memory");
	halves[present_first] = present_first ? value >> 32 : value;
}

static void write_pte_at_once(volatile uint64_t *entry, uint64_t value)
{
#ifdef __x86_64__
	*entry = value;
#else
	uint64_t old = *entry, seen;

	while ((seen = __sync_val_compare_and_swap(entry, old, value)) != old)
		old = seen;
#endif
}

static void write_pte(uint32_t index, uint64_t value)
{
	unsigned long entry = pte_address(index);

	if (info->entry_size == 4)
		*(volatile uint32_t *)entry = value;
	else if (info->pte_halves)
		write_pte_halves((volatile uint32_t *)entry, value);
	else
		write_pte_at_once((volatile uint64_t *)entry, value);
}

/* ---- the page fault handler, CPL 0 ---- */

static void fail(uint32_t vector, uint32_t error_code, unsigned long ip)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();

	vcpu->failed = 1;
	vcpu->failed_vector = vector;
	vcpu->failed_error_code = error_code;
	vcpu->failed_address = read_cr2();
	vcpu->failed_ip = ip;
	for (;;)
		port_out(GUEST_FAILED);
}

static void map_new_page(uint32_t n)
{
	write_pte(guest_page_index(n), frame_of(this_vcpu()->frames, n) | PTE_MAPPED);
}

static void copy_page(unsigned long to, unsigned long from)
{
	unsigned long *t = (unsigned long *)to;
	const unsigned long *f = (const unsigned long *)from;
	uint32_t i;

	for (i = 0; i < PAGE_SIZE / sizeof(*t); i++)
		t[i] = f[i];
}

/* As Linux does: the old translation is gone before the new one is there. */
static void break_cow(uint32_t n)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();
	uint32_t index = guest_page_index(n);

	copy_page(frame_of(vcpu->copies, n), frame_of(vcpu->frames, n));
	write_pte(index, 0);
	flush_page(area_page(index));
	write_pte(index, frame_of(vcpu->copies, n) | PTE_MAPPED);
}

/* Everything about a workload, one row each. n is a page of the area. */
static const struct {
	uint32_t error_code;	/* that its faults have */
	uint32_t flags;		/* of its entries before the fault; 0: not present */
	void (*handle)(uint32_t n);
} workloads[NR_WORKLOADS] = {
	[WORKLOAD_ANON] = { PFERR_WRITE | PFERR_USER, 0, map_new_page },
	[WORKLOAD_COW] = { PFERR_PRESENT | PFERR_WRITE | PFERR_USER, PTE_SHARED, break_cow },
	[WORKLOAD_NESTED] = { PFERR_WRITE | PFERR_USER, 0, map_new_page },
	[WORKLOAD_NESTED_SPARSE] = { PFERR_WRITE | PFERR_USER, 0, map_new_page },
	[WORKLOAD_NESTED_REUSE] = { PFERR_WRITE | PFERR_USER, 0, map_new_page },
};

/* Faults come in order, one a page. */
static void handle_fault(uint32_t error_code, unsigned long ip)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();
	uint32_t n = guest_page(vcpu, vcpu->next_page), index = guest_page_index(n);

	if (vcpu->next_page >= vcpu->nr_pages ||
	    error_code != workloads[info->workload].error_code ||
	    read_cr2() != area_page(index) + guest_page_offset(n) ||
	    (read_pte(index) & 0xfff) != workloads[info->workload].flags)
		fail(PF_VECTOR, error_code, ip);
	yield();
	workloads[info->workload].handle(n);
	vcpu->next_page++;
	vcpu->faults_handled++;
}

/* Make the entries of the vCPU's pages what they were before the first fault. */
static void reset_pages(void)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();
	uint32_t flags = workloads[info->workload].flags, i;

	for (i = 0; i < vcpu->nr_pages; i++) {
		uint32_t n = guest_page(vcpu, i);

		write_pte(guest_page_index(n), flags ? frame_of(vcpu->frames, n) | flags : 0);
	}
	vcpu->next_page = 0;
	flush_all();
}

void guest_fault(uint32_t vector, uint32_t error_code, unsigned long ip)
{
	if (vector == PF_VECTOR)
		handle_fault(error_code, ip);
	else if (vector == GUEST_VECTOR_RESET)
		reset_pages();
	else
		fail(vector, error_code, ip);
}

/* ---- the workload, CPL 3 ---- */

static void read_page(unsigned long address)
{
	(void)*(volatile uint32_t *)address;
}

/* Have the host build a shadow page for every leaf table of the area. */
static void touch_reserved_pages(void)
{
	uint32_t end = this_vcpu()->nr_tables * (PAGE_SIZE / info->entry_size), index;

	for (index = GUEST_PAGES_PER_SHADOW_PAGE; index < end; index += GUEST_ENTRIES_PER_SHADOW_PAGE)
		read_page(area_page(index));
}

static void read_shared_pages(void)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();
	uint32_t i;

	for (i = 0; i < vcpu->nr_pages; i++)
		read_page(area_page(guest_page_index(guest_page(vcpu, i))));
}

/* The first @nr of the vCPU's pages. */
static void write_pages(uint32_t nr)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();
	uint32_t i;

	for (i = 0; i < nr; i++) {
		uint32_t n = guest_page(vcpu, i);

		yield();
		*(volatile uint32_t *)(area_page(guest_page_index(n)) +
				       guest_page_offset(n)) = guest_page_value(n);
	}
}

static void read_device(const volatile struct guest_vcpu *vcpu)
{
	uint32_t n;

	for (n = 0; !vcpu->faults_handled && n < info->device_reads; n++)
		read_page(GUEST_DEVICE);
}

/* What the last round leaves is on all pages; the first one takes what is over. */
static void run_round(volatile struct guest_vcpu *vcpu)
{
	uint32_t over = (vcpu->faults - vcpu->faults_handled) % vcpu->nr_pages;
	uint64_t start;

	touch_reserved_pages();
	if (info->workload == WORKLOAD_COW)
		read_shared_pages();
	if (info->workload == WORKLOAD_NESTED_REUSE)
		port_out(GUEST_GIVE_BACK);
	barrier();
	mark(MARK_START);
	if (info->announce)
		port_out(GUEST_READY);
	start = read_tsc();
	read_device(vcpu);
	write_pages(over ? over : vcpu->nr_pages);
	vcpu->window_ticks += read_tsc() - start;
	mark(MARK_STOP);
}

static void run_workload(void)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();

	for (;;) {
		run_round(vcpu);
		if (vcpu->faults_handled >= vcpu->faults)
			break;
		barrier();
		asm volatile("int3" : : : "memory");	/* GUEST_VECTOR_RESET */
		barrier();
	}
	for (;;)
		port_out(GUEST_DONE);
}

/* ---- start, CPL 0 ---- */

/* Write a page as it is, so that the host maps it, and maps it writable. */
static void write_page(unsigned long address)
{
	volatile uint32_t *word = (volatile uint32_t *)address;

	*word = *word;
}

static void warm_tables(const volatile struct guest_vcpu *vcpu)
{
	uint32_t i;

	for (i = 0; i < vcpu->nr_tables; i++)
		write_page(page_at(vcpu->leaf_tables, i));
}

static void warm_frames(const volatile struct guest_vcpu *vcpu, uint32_t base)
{
	uint32_t i;

	for (i = 0; i < vcpu->nr_pages; i++) {
		unsigned long page = frame_of(base, guest_page(vcpu, i));

		if (info->warm_frames == FRAMES_WRITTEN)
			write_page(page);
		else if (info->warm_frames == FRAMES_READ)
			read_page(page);
	}
}

/*
 * In a nested guest, all that a fault takes but its frame, and one frame of each
 * nested page table of those, so that there is one.
 */
static void warm_nested(const volatile struct guest_vcpu *vcpu)
{
	uint32_t end = guest_nested_tables(vcpu->nr_pages * vcpu->step) *
		       GUEST_ENTRIES_PER_SHADOW_PAGE, n;

	for (n = PAGE_SIZE; n < GUEST_VCPU(GUEST_MAX_VCPUS); n += PAGE_SIZE)
		read_page(n);
	for (n = GUEST_PAGES_PER_SHADOW_PAGE; n < end; n += GUEST_ENTRIES_PER_SHADOW_PAGE)
		write_page(page_at(vcpu->frames, n));
}

/*
 * The direct map is warmed before the area's shadow pages are there: once they
 * are, writing a table traps, which is what the window is to show.
 */
void guest_main(void)
{
	volatile struct guest_vcpu *vcpu = this_vcpu();

	/* Bochs keeps the host's interrupts from a guest that has them disabled. */
	asm volatile("sti");
	/* Otherwise, the CPU reads them at the first fault. */
	read_page(GUEST_IDT);
	read_page((unsigned long)vcpu + GUEST_TSS(0) - GUEST_VCPU(0));
	warm_tables(vcpu);
	warm_frames(vcpu, vcpu->frames);
	if (info->workload == WORKLOAD_COW)
		warm_frames(vcpu, vcpu->copies);
	if (guest_is_nested(info->workload))
		warm_nested(vcpu);
	barrier();
	enter_user_mode(run_workload, (unsigned long)vcpu + GUEST_VCPU_SIZE);
}
