/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the architecture allows an access through tortured page tables to do,
 * given all that has been written to them and flushed. Plain C without a
 * library: used by the torture guest, and on the build machine by its unit test.
 *
 * The rules are those of Intel's SDM, volume 3, 4.6 to 4.10, and AMD's APM,
 * volume 2, 5.4 to 5.6: an access may use what is in memory; or, for as long as
 * it isn't flushed, at each level any value that the entry there has had since
 * the last flush, if that was present, without reserved bits, and accessed. The
 * levels may be of different age. A page fault flushes its own address.
 *
 * Nested page tables (APM, volume 2, 15.25) are tables in 64-bit mode of which all
 * accesses are at CPL 3. Their linear addresses are a nested guest's physical ones.
 *
 * So are those of extended page tables (SDM, volume 3, 28.3 and 28.4), whose entries
 * are of a format of their own. What is cached belongs to a root there, which may be
 * left and loaded again without a flush, or flushed alone. If accessed and dirty bits
 * are off, entries may be cached that aren't accessed. A violation flushes its own
 * address; a misconfiguration flushes nothing.
 */
#ifndef TORTURE_MODEL_H
#define TORTURE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "paging.h"

#define PTE_NX		(1ULL << 63)

#define PFERR_PRESENT	0x01
#define PFERR_WRITE	0x02
#define PFERR_USER	0x04
#define PFERR_RESERVED	0x08
#define PFERR_FETCH	0x10

/* Of extended page tables; PTE_LARGE is the same. */
#define EPT_READ	0x1ULL
#define EPT_WRITE	0x2ULL
#define EPT_EXECUTE	0x4ULL
#define EPT_RWX		(EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_TYPE	0x38ULL		/* of the memory, in a leaf; all ones is reserved */
#define EPT_TYPE_2	0x10ULL		/* reserved, too */
#define EPT_TYPE_3	0x18ULL
#define EPT_TYPE_WB	0x30ULL
#define EPT_IGNORE_PAT	0x40ULL
#define EPT_ACCESSED	0x100ULL
#define EPT_DIRTY	0x200ULL

/*
 * With them, error codes are the exit qualification of an EPT violation: what the
 * access was, as 1 << enum access_type, what the entries allow, as EPT_RWX, and that
 * it was for a linear address's final translation. Misconfigurations have none.
 */
#define EPT_ALLOWED_SHIFT	3
#define EPT_FINAL		0x180
#define EPT_MISCONFIGURED	0x8000

/* Pages that may be page tables, and entries in them that accesses use. */
#define MODEL_POOL	16
#define MODEL_MAX_SLOTS	16
#define MODEL_MAX_OLD	4	/* values an entry may have had since a flush */
#define MODEL_MAX_LEVELS	4
#define MODEL_MAX_OUTCOMES	16
#define MODEL_MAX_MARKS	32
#define MODEL_FLUSHED_PAGES	128

enum access_type { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

struct model_access {
	uint64_t address;	/* linear */
	enum access_type type;
	bool user;		/* CPL 3 */
	bool ac;		/* EFLAGS.AC, with which SMAP doesn't matter */
};

/* A page fault with this error code, or a hit of the page at this address. */
struct model_outcome {
	bool fault;
	uint32_t error_code;
	uint32_t page;
};

struct model_prediction {
	bool unknown;		/* the access may do what the model doesn't cover */
	bool stale;		/* an old value may be used on the way */
	bool hole;		/* it may come to where no memory is, allowed or not */
	unsigned int nr;
	struct model_outcome outcomes[MODEL_MAX_OUTCOMES];
	unsigned int nr_walked;
	uint32_t walked[MODEL_MAX_LEVELS];	/* entries of the walk through memory */
	unsigned int nr_leaves;
	uint32_t leaves[MODEL_MAX_MARKS];	/* entries in which D may get set */
};

/* An entry that is not as it was left. */
struct model_change {
	uint32_t address;
	uint64_t wanted, found;
};

struct model_entry {
	uint64_t value;		/* as last seen or written */
	uint8_t may_be_dirty;	/* a write may have set D since */
	uint8_t nr_old;
	struct {
		uint64_t value;
		uint32_t end;	/* when it was overwritten */
	} old[MODEL_MAX_OLD];
};

struct model {
	enum paging_mode mode;
	char *region;		/* where the region's memory is */
	unsigned int entry_size, levels, nr_slots, max_phys;
	const uint16_t *slots;	/* indexes of the entries that accesses use */
	bool nested;		/* set before model_init() */
	bool ept, ept_execute_only;	/* set before any entry is written */
	bool ept_marks;		/* accessed and dirty bits are on */
	bool shared;		/* other CPUs use the tables, too */
	bool wp, nx, smep, smap, large_1g;
	uint32_t root;
	unsigned int nr_old_roots;
	struct {
		uint32_t root;
		uint32_t end;	/* when it was replaced */
	} old_roots[MODEL_MAX_OLD];	/* since the last full flush */
	uint64_t pdptes[4];

	uint32_t now, flushed;	/* time now, and of the last full flush */
	uint32_t roots_flushed[MODEL_POOL];
	struct {
		uint64_t page;	/* linear */
		uint32_t when;
	} flushed_pages[MODEL_FLUSHED_PAGES];

	uint8_t slot_of_index[1024], pool_of_page[1024];
	struct model_entry entries[MODEL_POOL][MODEL_MAX_SLOTS];
};

/* Page number in the region of page @n of the pool. */
unsigned int model_pool_page(unsigned int n);

/* Start with what is in @region; nothing is cached. */
void model_init(struct model *model, enum paging_mode mode, char *region,
		unsigned int max_phys);

/* Paging was off, and is on again in this mode: nothing is cached. */
void model_set_mode(struct model *model, enum paging_mode mode);

/* Load CR3, which flushes, too. */
void model_load_root(struct model *model, uint32_t root);
void model_load_pdptes(struct model *model);

/* Another nested root without a flush. False if that can't be remembered, not with EPTs: flush. */
bool model_change_root(struct model *model, uint32_t root);

void model_flush_all(struct model *model);
void model_flush_root(struct model *model);	/* what comes from it; EPTs only */
void model_flush_page(struct model *model, uint64_t address);

/* Whether @address is in a page whose entries are remembered. */
bool model_is_pool(const struct model *model, uint32_t address);

bool model_is_present(const struct model *model, uint64_t value);
uint64_t model_accessed_bit(const struct model *model);

/* A page fault at @address with this error code: flushes, with an exception. */
void model_page_fault(struct model *model, uint64_t address, uint32_t error_code);

uint64_t model_entry_at(const struct model *model, uint32_t address);

/* Whether a write there can be remembered; else, flush first. */
bool model_can_write(struct model *model, uint32_t address, unsigned int size);

/*
 * To be called around each write of @size bytes to the region. @translated: it
 * went through the tortured tables, and so may have used what it overwrote.
 */
bool model_before_write(struct model *model, uint32_t address, unsigned int size,
			struct model_change *change);
void model_after_write(struct model *model, uint32_t address, unsigned int size,
		       bool translated);

/* What an access may do. */
void model_predict(const struct model *model, const struct model_access *access,
		   struct model_prediction *prediction);

/* To be called before a write access, which may set dirty bits. */
void model_expect_dirty(struct model *model, const struct model_prediction *prediction);

/*
 * After an access that faulted not: false if an accessed or dirty bit that must
 * be set isn't. @written is where it wrote, whose entry is left alone.
 */
bool model_check_marks(const struct model *model, const struct model_prediction *prediction,
		       enum access_type type, uint32_t written, struct model_change *change);

/* False if an entry has changed by itself. */
bool model_check_entries(struct model *model, struct model_change *change);

#endif /* TORTURE_MODEL_H */
