// SPDX-License-Identifier: GPL-2.0
/* The guest's page tables, as the VMM builds them. Used by micro and torture. */
#include "guest.h"
#include "paging.h"

#define PAGE_SIZE 4096

void paging_init(struct paging *paging, enum paging_mode mode, char *memory,
		 uint32_t first_table)
{
	static const unsigned int levels[NR_PAGING_MODES] = { 2, 3, 4 };

	paging->mode = mode;
	paging->entry_size = mode == PAGING_32 ? 4 : 8;
	paging->levels = levels[mode];
	paging->memory = memory;
	paging->root = first_table;
	paging->next_table = first_table + PAGE_SIZE;
}

unsigned int paging_entries(const struct paging *paging)
{
	return PAGE_SIZE / paging->entry_size;
}

uint64_t paging_get(const struct paging *paging, uint32_t table, unsigned int index)
{
	const char *entry = paging->memory + table + index * paging->entry_size;

	return paging->entry_size == 4 ? *(const uint32_t *)entry : *(const uint64_t *)entry;
}

void paging_set(const struct paging *paging, uint32_t table, unsigned int index,
		uint64_t value)
{
	char *entry = paging->memory + table + index * paging->entry_size;

	if (paging->entry_size == 4)
		*(uint32_t *)entry = value;
	else
		*(uint64_t *)entry = value;
}

/* Index of @address in a table of @level, where leaf tables are level 1. */
static unsigned int index_at(const struct paging *paging, uint32_t address,
			     unsigned int level)
{
	unsigned int bits = paging->entry_size == 4 ? 10 : 9;

	return ((uint64_t)address >> (12 + (level - 1) * bits)) & ((1U << bits) - 1);
}

/* In PAE mode, an entry of the top level has no permissions: bits are reserved. */
static uint64_t table_flags(const struct paging *paging, unsigned int level)
{
	if (paging->mode == PAGING_PAE && level == paging->levels)
		return PTE_PRESENT;
	return PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED;
}

/* The table of @level that @address is in; what is missing above it is added. */
static uint32_t find_table(struct paging *paging, uint32_t address, unsigned int level)
{
	uint32_t table = paging->root;
	unsigned int l;

	for (l = paging->levels; l > level; l--) {
		unsigned int index = index_at(paging, address, l);

		if (!paging_get(paging, table, index)) {
			paging_set(paging, table, index,
				   paging->next_table | table_flags(paging, l));
			paging->next_table += PAGE_SIZE;
		}
		table = paging_get(paging, table, index) & ~0xfffULL;
	}
	return table;
}

void paging_map_identity(struct paging *paging, uint32_t start, uint32_t end, bool user)
{
	uint32_t page_size = PAGE_SIZE * paging_entries(paging), address;
	uint32_t flags = (user ? PTE_MAPPED : PTE_MAPPED & ~PTE_USER) | PTE_LARGE;

	for (address = start; address < end; address += page_size)
		paging_set(paging, find_table(paging, address, 2),
			   index_at(paging, address, 2),
			   address | flags);
}

uint32_t paging_add_leaf_tables(struct paging *paging, uint32_t address,
				unsigned int nr)
{
	uint32_t span = PAGE_SIZE * paging_entries(paging), first;
	unsigned int i;

	/* Upper levels first, so that the leaf tables follow one another. */
	for (i = 0; i < nr; i++)
		find_table(paging, address + i * span, 2);
	first = paging->next_table;
	for (i = 0; i < nr; i++)
		find_table(paging, address + i * span, 1);
	return first;
}
