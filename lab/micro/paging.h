/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables in any of the three modes, written by the VMM into the guest's
 * memory before it starts. Parametric in the size of an entry.
 */
#ifndef MICRO_PAGING_H
#define MICRO_PAGING_H

#include <stdbool.h>
#include <stdint.h>

enum paging_mode {
	PAGING_32,	/* two levels of 4-byte entries */
	PAGING_PAE,	/* three levels of 8-byte entries, the top one with four */
	PAGING_64,	/* four levels of 8-byte entries */
	NR_PAGING_MODES,
};

struct paging {
	enum paging_mode mode;
	unsigned int entry_size;	/* bytes */
	unsigned int levels;
	char *memory;			/* the guest's */
	uint32_t next_table;		/* guest physical address of a free page */
	uint32_t root;			/* value for CR3 */
};

/* Start an address space whose tables are taken from @first_table on. */
void paging_init(struct paging *paging, enum paging_mode mode, char *memory,
		 uint32_t first_table);

/* Number of entries in a leaf table. */
unsigned int paging_entries(const struct paging *paging);

/*
 * Map [@start, @end) at the same virtual address, with the largest pages, for
 * CPL 3, too, if @user.
 */
void paging_map_identity(struct paging *paging, uint32_t start, uint32_t end, bool user);

/*
 * Give [@address, ...) @nr leaf tables that follow one another in memory, all
 * empty. Returns the guest physical address of the first.
 */
uint32_t paging_add_leaf_tables(struct paging *paging, uint32_t address,
				unsigned int nr);

/* Entry @index of the table at @table. */
uint64_t paging_get(const struct paging *paging, uint32_t table, unsigned int index);
void paging_set(const struct paging *paging, uint32_t table, unsigned int index,
		uint64_t value);

#endif /* MICRO_PAGING_H */
