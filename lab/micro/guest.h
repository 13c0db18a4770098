/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agreement between the micro guest and its VMM: where things are in guest
 * physical memory, and the block through which they talk. Compiled for the
 * host and, with -m64 and -m32, for the guest: fixed-size types only.
 */
#ifndef MICRO_GUEST_H
#define MICRO_GUEST_H

#ifndef __ASSEMBLER__
#include <stdint.h>
#endif

/* Guest physical memory. All of it is mapped at the same virtual address. */
#define GUEST_IDT		0x2000
#define GUEST_INFO		0x4000
#define GUEST_IMAGE		0x10000
#define GUEST_IMAGE_END		0x20000
#define GUEST_VCPU(n)		(0x20000 + (n) * GUEST_VCPU_SIZE)
#define GUEST_TABLES		0x100000	/* page tables, then frames */

/*
 * What each vCPU has of its own. Its stacks are in it, so that the stack pointer
 * tells it where that is.
 */
#define GUEST_MAX_VCPUS		8
#define GUEST_VCPU_SIZE		0x10000
#define GUEST_GDT(n)		(GUEST_VCPU(n) + 0x1000)
#define GUEST_TSS(n)		(GUEST_VCPU(n) + 0x2000)
#define GUEST_KERNEL_STACK(n)	(GUEST_VCPU(n) + 0x8000)	/* top */
#define GUEST_USER_STACK(n)	(GUEST_VCPU(n) + 0x10000)	/* top */

/* A page in which there is no memory, but a device. */
#define GUEST_DEVICE		0x38000000

/* Where the pages that the workload touches are mapped. */
#define GUEST_AREA		0x40000000

/*
 * The last page that each shadow page can map is not the workload's: it is
 * mapped and touched beforehand, so that the shadow page exists. A shadow page
 * has 512 entries whatever the guest's table has.
 */
#define GUEST_ENTRIES_PER_SHADOW_PAGE	512
#define GUEST_PAGES_PER_SHADOW_PAGE	(GUEST_ENTRIES_PER_SHADOW_PAGE - 1)

#define GUEST_KERNEL_CS		0x08
#define GUEST_KERNEL_DS		0x10
#define GUEST_USER_CS		0x1b
#define GUEST_USER_DS		0x23
#define GUEST_TSS_SELECTOR	0x28
#define GUEST_GDT_SIZE		0x38	/* with a TSS descriptor of 16 bytes */

#define GUEST_NR_VECTORS	32
#define GUEST_STUB_SIZE		16	/* bytes from one vector's stub to the next */
#define GUEST_VECTOR_RESET	3	/* INT3 at CPL 3: make pages what they were */

/* CPUID with this leaf and index marks the window to be measured. */
#define MARK_LEAF		0x4fa17000
#define MARK_START		1
#define MARK_STOP		2

/* The guest ends with a write of one of the first two to this I/O port. */
#define GUEST_PORT		0xf4
#define GUEST_DONE		0
#define GUEST_FAILED		1
/* A nested guest asks its VMM with these, and goes on. */
#define GUEST_MARK_START	2
#define GUEST_MARK_STOP		3
#define GUEST_GIVE_BACK		4	/* the frames, to the host */
/* With this one a guest says that its window has begun, if asked to. */
#define GUEST_READY		5

#define PTE_PRESENT		0x001
#define PTE_WRITABLE		0x002
#define PTE_USER		0x004
#define PTE_ACCESSED		0x020
#define PTE_DIRTY		0x040
#define PTE_LARGE		0x080

/* What Linux writes for an anonymous page, and for one shared after fork(). */
#define PTE_MAPPED	(PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define PTE_SHARED	(PTE_PRESENT | PTE_USER | PTE_ACCESSED)

#ifndef __ASSEMBLER__

enum guest_workload {
	WORKLOAD_ANON,	/* first touch of pages that are not mapped */
	WORKLOAD_COW,	/* writes to pages that are mapped read-only */
	/* From here on, as anon, in a nested guest: of frames that its hypervisor has not mapped. */
	WORKLOAD_NESTED,	/* frames in a row */
	WORKLOAD_NESTED_SPARSE,	/* each in another nested page table than the one before */
	WORKLOAD_NESTED_REUSE,	/* that had been mapped, and were given back */
	NR_WORKLOADS,
};

/* What becomes of the page frames before the window. */
enum guest_warmth {
	FRAMES_COLD,	/* nothing */
	FRAMES_READ,	/* they are read, so that the host maps what it shares */
	FRAMES_WRITTEN,	/* they are written, so that the host maps its own */
};

/* First bytes of the image: where the VMM finds what it has to know. */
struct guest_header {
	uint32_t entry;
	uint32_t stubs;	/* of vector 0; GUEST_STUB_SIZE bytes each */
};

/* At GUEST_INFO: what all vCPUs have to know, filled in by the VMM. */
struct guest_info {
	uint32_t workload;	/* enum guest_workload */
	uint32_t nr_vcpus;
	uint32_t entry_size;	/* of a page table entry: 4 or 8 */
	uint32_t pte_halves;	/* write 8-byte entries in two halves */
	uint32_t warm_frames;	/* enum guest_warmth: before the window */
	uint32_t announce;	/* the beginning of the window, by GUEST_READY */
	uint32_t device_reads;	/* of GUEST_DEVICE in the first window, before the faults */
	uint32_t arrivals;	/* at barriers, so far; the guest's */
};

/*
 * At GUEST_VCPU(n): the part of the workload that is a vCPU's. The VMM fills in
 * the first part, the guest the second.
 *
 * vCPUs that share an address space share its area, too, and its page tables:
 * each takes every @step-th page. They have the same tables and frames then.
 */
struct guest_vcpu {
	uint32_t faults;	/* to take, on the same pages again and again */
	uint32_t nr_pages;
	uint32_t first, step;	/* its page n is page first + n * step of the area */
	uint32_t leaf_tables;	/* address of the area's, which are contiguous */
	uint32_t nr_tables;
	uint32_t frames;	/* address of frame 0; see guest_frame_index() */
	uint32_t copies;	/* of frame m is frame m here; cow only */

	uint32_t faults_handled;
	uint32_t next_page;	/* to fault on in this round */
	uint32_t failed;
	uint32_t failed_vector;
	uint32_t failed_error_code;
	uint64_t failed_address;	/* CR2 */
	uint64_t failed_ip;
	uint64_t window_ticks;		/* of the TSC, without the marks */
};

/* The area's page that is page @n of @vcpu's. */
static inline uint32_t guest_page(const volatile struct guest_vcpu *vcpu, uint32_t n)
{
	return vcpu->first + n * vcpu->step;
}

/* Index among the area's entries of the workload's page @n. */
static inline uint32_t guest_page_index(uint32_t n)
{
	return n + n / GUEST_PAGES_PER_SHADOW_PAGE;
}

static inline int guest_is_nested(uint32_t workload)
{
	return workload >= WORKLOAD_NESTED;
}

/* The number of nested page tables that map the frames of @nr pages. */
static inline uint32_t guest_nested_tables(uint32_t nr)
{
	return (nr - 1) / GUEST_PAGES_PER_SHADOW_PAGE + 1;
}

/*
 * The frame that the area's page @n of @nr is for. Nested page tables have 512
 * entries, and a nested guest's last frame in each is not the workload's, for the
 * same reason as above.
 */
static inline uint32_t guest_frame_index(uint32_t workload, uint32_t nr, uint32_t n)
{
	uint32_t tables = guest_nested_tables(nr);

	if (!guest_is_nested(workload))
		return n;
	if (workload != WORKLOAD_NESTED_SPARSE)
		return guest_page_index(n);
	return n % tables * GUEST_ENTRIES_PER_SHADOW_PAGE + n / tables;
}

/* What the workload writes to the area's page @n, at offset guest_page_offset(). */
static inline uint32_t guest_page_value(uint32_t n)
{
	return 0xfa170000 ^ n;
}

/* Different for neighbours, so that a page in the wrong place shows. */
static inline uint32_t guest_page_offset(uint32_t n)
{
	return n * 64 % 4096;
}

#endif /* __ASSEMBLER__ */
#endif /* MICRO_GUEST_H */
