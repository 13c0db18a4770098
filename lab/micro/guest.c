// SPDX-License-Identifier: GPL-2.0
/*
 * The micro guest: one address space, a page fault handler, and workloads that
 * run at CPL 3. Freestanding, compiled for 64-bit and for 32-bit mode, and
 * linked into an image that the VMM (vm.c) puts at GUEST_IMAGE.
 *
 * Between the marks nothing happens but faults, and nothing is written but
 * leaf page table entries: every other cause of an exit is dealt with before.
 */
#include "guest.h"

#define PAGE_SIZE	4096

#define MARK_LEAF	0x4fa17000
#define MARK_START	1
#define MARK_STOP	2

#define PF_VECTOR	14
#define PFERR_PRESENT	1
#define PFERR_WRITE	2
#define PFERR_USER	4

#define info ((volatile struct guest_info *)GUEST_INFO)

/* What guest-entry.S calls, and what it offers. */
void guest_main(void);
void guest_fault(uint32_t vector, uint32_t error_code, unsigned long ip);
void enter_user_mode(void (*function)(void));

static void port_out(uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"((uint16_t)GUEST_PORT));
}

static void mark(uint32_t what)
{
	uint32_t a = MARK_LEAF, c = what, b, d;

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

static void flush_page(unsigned long address)
{
	asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static unsigned long area_page(uint32_t index)
{
	return GUEST_AREA + (unsigned long)index * PAGE_SIZE;
}

static unsigned long frame_of(uint32_t base, uint32_t n)
{
	return base + (unsigned long)n * PAGE_SIZE;
}

/* ---- page table entries ---- */

static uint32_t read_pte(uint32_t index)
{
	return *(volatile uint32_t *)(info->leaf_tables +
				      (unsigned long)index * info->entry_size);
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
	unsigned long entry = info->leaf_tables + (unsigned long)index * info->entry_size;

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
	info->failed_vector = vector;
	info->failed_error_code = error_code;
	info->failed_address = read_cr2();
	info->failed_ip = ip;
	for (;;)
		port_out(GUEST_FAILED);
}

static void map_new_page(uint32_t n)
{
	write_pte(guest_page_index(n), frame_of(info->frames, n) | PTE_MAPPED);
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
	uint32_t index = guest_page_index(n);

	copy_page(frame_of(info->copies, n), frame_of(info->frames, n));
	write_pte(index, 0);
	flush_page(area_page(index));
	write_pte(index, frame_of(info->copies, n) | PTE_MAPPED);
}

/* Everything about a workload, one row each. */
static const struct {
	uint32_t error_code;	/* that its faults have */
	uint32_t flags;		/* of its entries before the fault */
	void (*handle)(uint32_t n);
} workloads[NR_WORKLOADS] = {
	[WORKLOAD_ANON] = { PFERR_WRITE | PFERR_USER, 0, map_new_page },
	[WORKLOAD_COW] = { PFERR_PRESENT | PFERR_WRITE | PFERR_USER, PTE_SHARED, break_cow },
};

/* Faults come in order, one a page; the next is on page faults_handled. */
void guest_fault(uint32_t vector, uint32_t error_code, unsigned long ip)
{
	uint32_t n = info->faults_handled, index = guest_page_index(n);

	if (vector != PF_VECTOR || n >= info->nr_pages ||
	    error_code != workloads[info->workload].error_code ||
	    read_cr2() != area_page(index) + guest_page_offset(n) ||
	    (read_pte(index) & 0xfff) != workloads[info->workload].flags)
		fail(vector, error_code, ip);
	workloads[info->workload].handle(n);
	info->faults_handled = n + 1;
}

/* ---- the workload, CPL 3 ---- */

static void read_page(unsigned long address)
{
	(void)*(volatile uint32_t *)address;
}

/* Have the host build a shadow page for every leaf table of the area. */
static void touch_reserved_pages(void)
{
	uint32_t last = guest_page_index(info->nr_pages - 1), index;

	for (index = GUEST_PAGES_PER_SHADOW_PAGE;
	     index <= last + GUEST_ENTRIES_PER_SHADOW_PAGE - 1;
	     index += GUEST_ENTRIES_PER_SHADOW_PAGE)
		read_page(area_page(index));
}

static void read_shared_pages(void)
{
	uint32_t n;

	for (n = 0; n < info->nr_pages; n++)
		read_page(area_page(guest_page_index(n)));
}

static void write_pages(void)
{
	uint32_t n;

	for (n = 0; n < info->nr_pages; n++)
		*(volatile uint32_t *)(area_page(guest_page_index(n)) +
				       guest_page_offset(n)) = guest_page_value(n);
}

static void run_workload(void)
{
	uint64_t start;

	touch_reserved_pages();
	if (info->workload == WORKLOAD_COW)
		read_shared_pages();
	mark(MARK_START);
	start = read_tsc();
	write_pages();
	info->window_ticks = read_tsc() - start;
	mark(MARK_STOP);
	for (;;)
		port_out(GUEST_DONE);
}

/* ---- start, CPL 0 ---- */

/* Write a page as it is, so that the host maps it, and maps it writable. */
static void warm(unsigned long address)
{
	volatile uint32_t *word = (volatile uint32_t *)address;

	*word = *word;
}

static void warm_pages(uint32_t base, uint32_t nr)
{
	uint32_t n;

	for (n = 0; n < nr; n++)
		warm(frame_of(base, n));
}

/*
 * The direct map is warmed before the area's shadow pages are there: once they
 * are, writing a table traps, which is what the window is to show.
 */
void guest_main(void)
{
	warm_pages(info->leaf_tables, info->nr_tables);
	if (info->warm_frames) {
		warm_pages(info->frames, info->nr_pages);
		if (info->workload == WORKLOAD_COW)
			warm_pages(info->copies, info->nr_pages);
	}
	enter_user_mode(run_workload);
}
