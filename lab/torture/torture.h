/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The agreement between the torture guest and its VMM: what is where in guest
 * physical memory besides what micro/guest.h says, what pages hold, and the
 * block through which the two talk. Fixed-size types only: it is compiled for
 * the host and, with -m64 and -m32, for the guest.
 */
#ifndef TORTURE_TORTURE_H
#define TORTURE_TORTURE_H

#include "guest.h"

/*
 * Guest physical memory. What is below REGION_END is mapped at the same virtual
 * address, for CPL 0 but for the page or two for CPL 3, and never changes.
 */
#define USER_CODE	0x400000
#define USER_STACK	0x402000		/* top */
#define LOW_END		0x800000		/* of the first memslot */
#define REGION		0x800000		/* the tortured pages: tables and frames */
#define REGION_END	0xc00000
#define READONLY	0xc00000		/* a read-only memslot */
#define READONLY_END	0xc10000
#define HOLE		0xc10000		/* from here on there is no memory */
#define HOLE_END	0xe0000000

/*
 * For a nested guest, which each vCPU enters: its VMCB or VMCS, what the CPU needs of
 * memory for who enters it, three page tables, and a stack (top).
 */
#define L2_CONTROL(n)	(GUEST_VCPU(n) + 0x8000)
#define L2_HOST(n)	(GUEST_VCPU(n) + 0x9000)
#define L2_TABLES(n)	(GUEST_VCPU(n) + 0xa000)
#define L2_STACK(n)	(GUEST_VCPU(n) + 0x10000)

#define REGION_PAGES	((REGION_END - REGION) / 4096)

/*
 * In every page of the region and of the read-only memslot, out of the way of
 * the entries that an access uses if the page is a table: a word that tells the
 * page, code that loads it, and space to write to.
 */
#define OFFSET_IDENTITY	0xd00
#define OFFSET_CODE	0xd10
#define OFFSET_SCRATCH	0xd20

/* The exception that an access ends with if it didn't fault. */
#define VECTOR_BREAKPOINT	3

#ifndef __ASSEMBLER__

/* As aligned in 32-bit mode as it is in 64-bit mode. */
typedef uint64_t torture_u64 __attribute__((aligned(8)));

/* Page frame number to identity. The VMM answers reads from the hole with it. */
static inline uint32_t page_identity(uint32_t pfn)
{
	return 0x1d000000 ^ pfn;
}

/* The guest writes to this I/O port now and then, to show that it goes on. */
#define PROGRESS_PORT	0xf5
#define PROGRESS_STEPS	16384

#define NR_EVENTS	64	/* the last ones that the guest remembers */

enum torture_event_type {
	EVENT_NONE,
	EVENT_WRITE,		/* address: physical; value; detail: bytes */
	EVENT_READ_AREA,	/* address: linear; value: error code; detail: see guest.c */
	EVENT_WRITE_AREA,
	EVENT_FETCH_AREA,
	EVENT_FLUSH_PAGE,	/* address: linear */
	EVENT_LOAD_CR3,		/* value: CR3 */
	EVENT_SET_CR0,		/* value: CR0 */
	EVENT_SET_CR4,		/* value: CR4 */
	EVENT_SET_EFER,		/* value: EFER */
	EVENT_SET_PAGING,	/* value: enum paging_mode */
	/* value: root, or'ed with 1 if its EPTs mark; detail: ASID << 8 | TLB_CONTROL, or enum nested_flush */
	EVENT_SET_NESTED,
};

struct torture_event {
	uint32_t step;
	uint32_t type;		/* enum torture_event_type */
	torture_u64 address, value;
	uint32_t detail, result;
};

/* What a guest found out that must not be. */
enum torture_failure {
	FAILURE_NONE,
	FAILURE_NO_FAULT,	/* an access had to fault */
	FAILURE_FAULT,		/* an access must not fault */
	FAILURE_ERROR_CODE,	/* a fault has a wrong error code */
	FAILURE_CR2,		/* a fault has a wrong address */
	FAILURE_FRAME,		/* an access hit a wrong page */
	FAILURE_LOST,		/* a write hit no page */
	FAILURE_NOT_MARKED,	/* an accessed or dirty bit isn't set */
	FAILURE_ENTRY,		/* an entry has changed by itself */
	FAILURE_CONTENT,	/* something else has changed by itself */
	FAILURE_EXCEPTION,	/* no page fault, or not in an access */
	FAILURE_EXIT,		/* the nested guest left for another reason */
	FAILURE_CPU,		/* the CPU cannot have nested guests */
	FAILURE_VMX,		/* an instruction of VMX failed */
};

#define MAX_EXPECTED	8
#define WRITING_ANY	0xffffffff

/* At GUEST_INFO. The VMM fills in the first part, the guest the second. */
struct torture_info {
	torture_u64 seed;
	uint32_t steps;		/* to do */
	uint32_t paging;	/* enum paging_mode */
	uint32_t nested;	/* the tables are a nested guest's nested page tables */
	uint32_t nr_vcpus;
	uint32_t roots[3];	/* of the program's own tables, for each mode it may be in */

	uint32_t step;		/* that it is at */
	uint32_t accesses, must, must_not, may;
	uint32_t faults;	/* page faults taken */
	uint32_t repaired;	/* accesses done again after a fault and a repair */
	uint32_t unpredictable;	/* accesses not done: nobody could tell, or it hit what it must not */
	uint32_t table_writes;	/* writes to page tables */
	uint32_t flushes;	/* INVLPG, CR3, and CR4.PGE; if nested, with VMRUN, or INVEPT */

	uint32_t helper_accesses, helper_hits;	/* by other vCPUs than the first */

	uint32_t vcpu;		/* that found a failure */
	uint32_t failure;	/* enum torture_failure */
	torture_u64 address, wanted, found;
	uint32_t nr_expected;
	torture_u64 expected[MAX_EXPECTED];	/* page hit, or -1 - error code */
	uint32_t nr_walked, walked[4];		/* entries, before the access */
	torture_u64 walked_values[4];

	/* For the dirty log: pages of the region written, and one in between. */
	uint32_t writing;	/* 1 + page, WRITING_ANY, or 0 */
	uint32_t written[REGION_PAGES / 32];

	/* Writes that came to the VMM as it has no memory there, from the VMM. */
	uint32_t mmio_writes;
	torture_u64 mmio_address, mmio_value;

	uint32_t next_event;
	struct torture_event events[NR_EVENTS];
};

#endif /* __ASSEMBLER__ */
#endif /* TORTURE_TORTURE_H */
