/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the torture guest's program share: guest.c has the steps,
 * guest-cpu.c the registers, guest-tables.c what is written to page tables and
 * where, guest-access.c the accesses through them, guest-nested.c the nested guest,
 * guest-svm.c and guest-vmx.c how it is entered, guest-helper.c the other vCPUs.
 * Freestanding.
 */
#ifndef TORTURE_PROGRAM_H
#define TORTURE_PROGRAM_H

#include "model.h"
#include "torture.h"

#define PAGE_SIZE	4096

#define UD_VECTOR	6
#define PF_VECTOR	14

/*
 * In a root, the first bytes are entries of the program itself. So is the first
 * entry of a PAE root, which is in the same page, out of the way of others.
 */
#define OWN_SIZE	16
#define PAE_ROOT	0x40
#define PAE_ROOT_SIZE	0x20

#define info ((volatile struct torture_info *)GUEST_INFO)

extern struct model model;

/* ---- guest.c ---- */

/* Each vCPU has a sequence of its own. */
uint32_t random_word(void);
uint32_t random_below(uint32_t n);

/* True in @percent cases of 100. */
bool chance(uint32_t percent);

/* Whether there are other vCPUs than the first; not in 32-bit mode. */
static inline bool has_helpers(void)
{
	return sizeof(long) == 8 && info->nr_vcpus > 1;
}

/* Emulated vCPUs take turns, and a PAUSE ends one. */
static inline void let_others_run(void)
{
	if (has_helpers())
		asm volatile("pause");
}

void port_out(uint16_t port, uint8_t value);

/* Tell the VMM what is wrong. These don't return. */
void fail(enum torture_failure failure, uint64_t address, uint64_t wanted, uint64_t found);
void fail_change(enum torture_failure failure, const struct model_change *change);

volatile struct torture_event *log_event(enum torture_event_type type, uint64_t address,
					 uint64_t value, uint32_t detail);

/* ---- guest-cpu.c ---- */

extern bool has_nx;	/* in this mode */
extern bool has_pge;

#define MSR_EFER	0xc0000080

unsigned long read_cr4(void);
uint64_t read_msr(uint32_t msr);
void write_msr(uint32_t msr, uint64_t value);
void cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d);
void detect_cpu(void);
unsigned int max_phys(void);

/* Each of these flushes, the first two all or a page. The model is told. */
void load_root(uint32_t root);
void flush_page(uint64_t address);
void flush_global(void);

/* Change what an access may do: CR0.WP, SMEP, SMAP, EFER.NXE, or what EPTs mark. */
void change_mode(void);
void toggle_nxe(void);

/*
 * Have another vCPU than the first do the same. KVM has shadow pages for each such
 * mode, so the two share some only in the same one.
 */
void follow_mode(unsigned int vcpu);

#ifndef __x86_64__
/* Between 32-bit and PAE paging, and to another root. */
void switch_paging(void);
#endif

/* ---- guest-tables.c ---- */

char *at(uint32_t address);
uint32_t read_word(uint32_t address);
uint32_t pool_page(uint32_t n);
uint32_t random_root(void);

/* Start with random tables, in whose roots are the program's own entries. */
void copy_own_entries(void);
void fill_tables(void);

/* The linear addresses that accesses use; a few favourites are used more often. */
void choose_favourites(void);	/* once for each mode */
uint64_t pick_address(void);

/* The same, without a change to what the favourites are. */
uint64_t known_address(void);

/* Whether nothing may be written there; if not in a pool page, for one. */
bool is_off_limits(uint32_t address, unsigned int size);

/* For the dirty log: note a write once it has been made. */
void note_written(uint32_t address);

/* The bytes that a write at @address puts there: of a new entry, or of two. */
uint64_t compose(uint32_t address, unsigned int size, uint32_t level);

/* Write an entry that a walk for @address comes by, or another. */
void write_entry(uint64_t address);

/* Mostly write one that it comes by. */
void repair_entry(uint64_t address);

/* ---- guest-access.S ---- */

/* What makes an access. */
extern void access_read(void), access_write(void), access_write_32(void),
	access_write_16(void), access_write_8(void), access_exchange(void), access_fetch(void);

/* What became of it. */
extern unsigned long access_value, access_cr2, access_ip;
extern uint32_t access_vector, access_error_code;

/* ---- guest-access.c ---- */

/* Code for CPL 3, to where that runs it. */
void copy_user_code(void);

/* Make a random access to @address and check it; after a fault, again. */
void access_area(uint64_t address);

/* No page may have changed by itself: of the pool, or of all of the region. */
void check_pages(bool all);

/* ---- guest-nested.c ---- */

/* False for the compiler in 32-bit mode, whose image doesn't have that file. */
static inline bool is_nested(void)
{
	return sizeof(long) == 8 && model.nested;
}

/* Fails if the CPU cannot do it. */
void nested_detect_cpu(void);
void nested_start(unsigned int vcpu);

/* Load a root and flush all; flush what comes from it; or load one, and maybe flush. */
void nested_load_root(uint32_t root);
void nested_flush(void);
void nested_switch_root(uint32_t root);

/* INVLPGA or INVVPID, which don't flush what comes from nested page tables. */
void nested_flush_page(uint64_t address);

/* Have EPTs with accessed and dirty bits, or without. */
void nested_toggle_marks(void);

/* As run_access(): what becomes of it is in access_vector and so on, too. */
void nested_access(void (*code)(void), unsigned long address, unsigned long value);

/*
 * Whether a fault at @address was reported as one at the start of its page, which is
 * what KVM does as of 7.2 if it emulates L2's instruction: it walks for whole pages.
 */
bool nested_is_page_of(uint64_t address, uint64_t fault_address);

/* How L2 has left. */
struct nested_exit {
	enum { NESTED_DONE, NESTED_FAULT, NESTED_UNDEFINED, NESTED_OTHER } end;
	uint32_t error_code;	/* of a fault, as the model has it */
	uint64_t address;	/* of a fault */
	uint64_t value;		/* in RAX */
	uint64_t reason, ip;	/* the CPU's, and where, for who is to be told */
};

/* On any vCPU, have its L2 make an access. */
struct nested_exit nested_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			      unsigned long value);

/* Have that be as on the first vCPU, through the same root or, less often, another. */
void nested_follow(unsigned int vcpu);

/* ---- guest-svm.c, guest-vmx.c: the same for each kind of CPU ---- */

enum nested_flush {
	NESTED_FLUSH_NOTHING,
	NESTED_FLUSH_ROOT,	/* VMX only: what comes from this one */
	NESTED_FLUSH_ALL,
};

void svm_detect_cpu(void);
void vmx_detect_cpu(void);	/* and what of EPTs it has */

void svm_start(unsigned int vcpu);
void vmx_start(unsigned int vcpu);

/* Returns what it did about the flush, for the trace. */
uint32_t svm_set_root(unsigned int vcpu, uint32_t root, enum nested_flush flush);
uint32_t vmx_set_root(unsigned int vcpu, uint32_t root, enum nested_flush flush);

void svm_flush_page(uint64_t address);
void vmx_flush_page(uint64_t address);

struct nested_exit svm_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			   unsigned long value);
struct nested_exit vmx_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			   unsigned long value);

/* Whether EPTs can have accessed and dirty bits. */
bool vmx_has_marks(void);

/* ---- guest-helper.c ---- */

/* What another vCPU than the first does, which goes on once that has initialized. */
void help(unsigned int vcpu);
void helpers_start(void);
void helpers_stop(void);

#endif /* TORTURE_PROGRAM_H */
