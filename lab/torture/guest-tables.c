// SPDX-License-Identifier: GPL-2.0
/* The torture guest's page tables: what it writes there, and where. */
#include "program.h"

/* Bits that the CPU ignores. */
#define PTE_AVL		0xe00
#define EPT_AVL		0x7ff0000000000c00ULL

/* ---- memory of the region, which is where it is for CPL 0 ---- */

char *at(uint32_t address)
{
	return (char *)(unsigned long)address;
}

uint32_t read_word(uint32_t address)
{
	return *(volatile uint32_t *)at(address);
}

uint32_t pool_page(uint32_t n)
{
	return REGION + model_pool_page(n) * PAGE_SIZE;
}

static void write_8(uint32_t address, uint64_t value)
{
#ifdef __x86_64__
	*(volatile uint64_t *)at(address) = value;
#else
	uint64_t old = *(volatile uint64_t *)at(address), seen;

	while ((seen = __sync_val_compare_and_swap((uint64_t *)at(address), old, value)) != old)
		old = seen;
#endif
}

/* @exchange: by an instruction that reads, too, where there is a choice. */
static void write_once(uint32_t address, uint64_t value, unsigned int size, bool exchange)
{
	if (size == 8)
		write_8(address, value);
	else if (size == 4 && exchange)
		__atomic_exchange_n((uint32_t *)at(address), value, __ATOMIC_SEQ_CST);
	else if (size == 4)
		*(volatile uint32_t *)at(address) = value;
	else if (size == 2)
		*(volatile uint16_t *)at(address) = value;
	else
		*(volatile uint8_t *)at(address) = value;
}

static void note_writing(uint32_t address)
{
	info->writing = 1 + (address - REGION) / PAGE_SIZE;
}

void note_written(uint32_t address)
{
	uint32_t page = (address - REGION) / PAGE_SIZE;

	info->written[page / 32] |= 1U << page % 32;
	info->writing = 0;
}

/* A write to the region of which the model knows. */
static void write_table(uint32_t address, uint64_t value, unsigned int size, bool exchange)
{
	struct model_change change;

	if (!model_can_write(&model, address, size))
		load_root(model.root);
	log_event(EVENT_WRITE, address, value, size);
	info->table_writes++;
	if (!model_before_write(&model, address, size, &change))
		fail_change(FAILURE_ENTRY, &change);
	note_writing(address);
	let_others_run();
	write_once(address, value, size, exchange);
	let_others_run();
	note_written(address);
	model_after_write(&model, address, size, false);
}

/* ---- what to write ---- */

/*
 * Each page of the pool has a level that it mostly is a table of: how many
 * pages from the pool's start on, from the highest level to the lowest. The
 * rest are mostly data.
 */
static const uint8_t tables_of_level[NR_PAGING_MODES][MODEL_MAX_LEVELS + 1] = {
	[PAGING_32] = { 0, 8, 3, 0, 0 },
	[PAGING_PAE] = { 0, 4, 4, 3, 0 },
	[PAGING_64] = { 0, 4, 3, 2, 2 },
};

/* Number of the first of the pool's pages for @level; 0 is data. */
static uint32_t first_of_level(unsigned int level)
{
	unsigned int l, n = 0;

	for (l = model.levels; l > level; l--)
		n += tables_of_level[model.mode][l];
	return n;
}

static unsigned int level_of_pool(uint32_t n)
{
	unsigned int level = model.levels;

	while (level && n >= first_of_level(level - 1))
		level--;
	return level;
}

static uint32_t random_page_of_level(unsigned int level)
{
	uint32_t first = first_of_level(level);
	uint32_t nr = level ? tables_of_level[model.mode][level] : MODEL_POOL - first;

	return pool_page(first + random_below(nr));
}

uint32_t random_root(void)
{
	unsigned int nr = tables_of_level[model.mode][model.levels];

	return pool_page(random_below(nr)) + (model.mode == PAGING_PAE ? PAE_ROOT : 0);
}

static uint32_t random_frame(void)
{
	switch (random_below(16)) {
	case 0:
		return HOLE + 0x100000 + random_below(4) * PAGE_SIZE;
	case 1:
		return READONLY + random_below(4) * PAGE_SIZE;
	case 2 ... 6:
		return pool_page(random_below(MODEL_POOL));
	default:
		return random_page_of_level(0);
	}
}

static uint64_t random_large_page(unsigned int level)
{
	if (level == 3)
		return PTE_LARGE;
	if (model.mode == PAGING_32)
		return REGION | PTE_LARGE;
	return (REGION + random_below(2) * 0x200000) | PTE_LARGE;
}

static uint64_t random_target(unsigned int level)
{
	if (level == 1)
		return random_frame();
	if ((level == 2 && chance(10)) ||
	    (level == 3 && model.large_1g && !has_helpers() && chance(5)))
		return random_large_page(level);
	return chance(85) ? random_page_of_level(level - 1) : pool_page(random_below(MODEL_POOL));
}

static uint64_t random_reserved_bit(void)
{
	if (model.mode == PAGING_32)
		return PTE_LARGE | 1U << 21;
	return 1ULL << (model.mode == PAGING_64 ? 51 : 52 + random_below(11));
}

/* Flags that an entry has in @percent cases of 100. */
struct flag {
	uint64_t flag;
	uint8_t leaf, upper;	/* percent, in a leaf table and in others */
};

static uint64_t random_flags(const struct flag *flags, unsigned int nr, unsigned int level)
{
	uint64_t value = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (chance(level == 1 ? flags[i].leaf : flags[i].upper))
			value |= flags[i].flag;
	}
	return value;
}

static bool is_write_only(uint64_t value)
{
	return (value & (EPT_READ | EPT_WRITE)) == EPT_WRITE;
}

/*
 * Of an EPT entry that has no permission, nothing is present. What can be written but
 * not read is a misconfiguration, and so is what memory there is none of.
 */
static uint64_t random_ept_entry(unsigned int level)
{
	static const struct flag flags[] = {
		{ EPT_READ, 95, 98 }, { EPT_WRITE, 80, 95 }, { EPT_EXECUTE, 85, 97 },
		{ EPT_ACCESSED, 75, 80 }, { EPT_DIRTY, 50, 20 }, { EPT_IGNORE_PAT, 5, 0 },
	};
	uint64_t target = random_target(level), value;
	bool leaf = level == 1 || target & PTE_LARGE;

	value = target | ((random_word() | (uint64_t)random_word() << 32) & EPT_AVL) |
		random_flags(flags, sizeof(flags) / sizeof(flags[0]), level);
	if (is_write_only(value) && chance(80))
		value &= ~EPT_WRITE;
	if (leaf)
		value |= chance(95) ? EPT_TYPE_WB : random_word() & EPT_TYPE;
	else if (chance(1))
		value |= EPT_IGNORE_PAT;
	if (chance(leaf ? 2 : 1))
		value |= random_reserved_bit();
	return chance(level == 1 ? 12 : 4) ? value & ~EPT_RWX : value;
}

/*
 * An entry for a table of @level: mostly one that a kernel might write. Upper
 * levels allow nearly everything, or nearly every access would fault, as would
 * those through nested page tables, which are all at CPL 3. With several vCPUs, the
 * others take every entry as it is, one whose bytes are of different ages, too; an
 * address must not be able to become one of the program's own memory by that.
 */
static uint64_t random_entry(unsigned int level)
{
	static const struct flag flags[] = {
		{ PTE_PRESENT, 88, 97 }, { PTE_WRITABLE, 75, 93 }, { PTE_USER, 75, 93 },
		{ PTE_ACCESSED, 75, 80 }, { PTE_DIRTY, 50, 20 }, { PTE_NX, 12, 3 },
	};
	uint64_t value;

	if (model.ept)
		return random_ept_entry(level);
	value = random_target(level) | (random_word() & PTE_AVL);
	value |= random_flags(flags, sizeof(flags) / sizeof(flags[0]), level);
	if (is_nested() && chance(80))
		value |= PTE_USER;
	if (chance(level == 1 ? 3 : 1))
		value |= random_reserved_bit();
	if (!has_nx)
		value &= ~PTE_NX;
	if (chance(2))
		return has_helpers() ? value & ~(uint64_t)PTE_PRESENT : 0;
	return value;
}

/* A PDPTE has no permissions: bits are reserved, and loading them is refused. */
static uint64_t random_pdpte(void)
{
	return random_page_of_level(2) | (chance(90) ? PTE_PRESENT : 0);
}

/* ---- where to write ---- */

/* Linear addresses are made of a few indexes for each level. */
static uint64_t random_address(void)
{
	static const uint16_t upper_8[] = { 4, 5, 255, 511 };
	static const uint16_t upper_4[] = { 4, 255, 256, 511, 512, 513, 1022, 1023 };
	unsigned int low = model.mode == PAGING_32 ? 10 : 9;
	uint64_t index = model.slots[random_below(model.nr_slots)], address;

	address = index << 12;
	if (model.mode == PAGING_32)
		return address | (uint64_t)upper_4[random_below(8)] << (12 + low);
	address |= (uint64_t)upper_8[random_below(4)] << 21;
	if (model.mode == PAGING_PAE)
		return address | (uint64_t)(1 + random_below(3)) << 30;
	address |= (uint64_t)upper_8[random_below(2)] << 30;
	if (is_nested())
		return address | 1ULL << 39;
	return address | (chance(75) ? 4ULL << 39 : 511ULL << 39 | 0xffffULL << 48);
}

/* A few addresses, others in each mode, get most of what happens. */
static uint64_t favourites[NR_PAGING_MODES][4];

void choose_favourites(void)
{
	unsigned int i;

	if (favourites[model.mode][0])
		return;
	for (i = 0; i < 4; i++)
		favourites[model.mode][i] = random_address();
}

static uint64_t nth_address(uint32_t n)
{
	return n < 4 ? favourites[model.mode][n] : random_address();
}

uint64_t known_address(void)
{
	return nth_address(random_below(6));
}

uint64_t pick_address(void)
{
	uint32_t n = random_below(6);

	if (chance(3))
		favourites[model.mode][random_below(4)] = random_address();
	return nth_address(n);
}

/* In bytes, at the start of a root. A nested root uses the entry next to the first. */
static uint32_t own_size(void)
{
	return is_nested() ? 8 : OWN_SIZE;
}

/*
 * Off limits are the program's own entries, PAE roots, in which reserved bits
 * would have the loading of CR3 refused, and pages outside the pool, of whose
 * entries nothing is remembered.
 */
bool is_off_limits(uint32_t address, unsigned int size)
{
	uint32_t offset = address % PAGE_SIZE;

	return offset < own_size() || offset + size > PAGE_SIZE || !model_is_pool(&model, address) ||
		(offset < PAE_ROOT + PAE_ROOT_SIZE && offset + size > PAE_ROOT);
}

static uint32_t random_entry_address(uint32_t *level)
{
	uint32_t n = random_below(MODEL_POOL);
	uint32_t slot = model.slots[random_below(model.nr_slots)];

	*level = level_of_pool(n);
	if (!*level || *level == 3)
		*level = 1 + random_below(2);
	if (is_nested() && *level == 4)
		slot = model.slots[0];
	return pool_page(n) + slot * model.entry_size;
}

/* An entry that a walk in memory for @address comes by; mostly one of the last. */
static uint32_t entry_on_the_way(uint64_t address, uint32_t *level)
{
	struct model_access access = { .address = address };
	struct model_prediction prediction;
	unsigned int nr, up;

	model_predict(&model, &access, &prediction);
	nr = prediction.nr_walked;
	if (!nr)
		return random_entry_address(level);
	for (up = 0; up + 1 < nr && chance(30); up++)
		;
	*level = (model.mode == PAGING_PAE ? 2 : model.levels) - (nr - 1 - up);
	return prediction.walked[nr - 1 - up];
}

/* The bytes that a write at @address puts there: of a new entry, or of two. */
uint64_t compose(uint32_t address, unsigned int size, uint32_t level)
{
	unsigned int offset = address % model.entry_size, rest = model.entry_size - offset;
	uint64_t value = random_entry(level) >> offset * 8;

	if (rest < size)
		value = (value & ((1ULL << rest * 8) - 1)) | random_entry(level) << rest * 8;
	return value;
}

static unsigned int random_size(void)
{
	static const uint8_t sizes[] = { 1, 1, 2, 4, 4, 4, 8, 8, 8, 8 };

	return chance(50) ? model.entry_size : sizes[random_below(sizeof(sizes))];
}

static void write_somewhere(uint32_t entry, uint32_t level)
{
	unsigned int size = random_size();
	uint32_t address = entry;

	if (size < model.entry_size && chance(30))
		address += random_below(model.entry_size / size) * size;
	if (size == 4 && model.entry_size == 8 && chance(10))
		address = entry + 5 + random_below(3);	/* into the next entry, too */
	else if (chance(8))
		address += random_below(15) - 7;
	if (is_off_limits(address, size))
		return;
	write_table(address, compose(address, size, level), size, chance(20));
}

/* In Linux's order, which never shows the CPU a present entry that is half new. */
static void write_in_halves(uint32_t entry, uint32_t level)
{
	uint64_t value = random_entry(level);
	bool low_first = !model_is_present(&model, value);

	if (is_off_limits(entry, 8))
		return;
	write_table(entry + (low_first ? 0 : 4), low_first ? value : value >> 32, 4, false);
	write_table(entry + (low_first ? 4 : 0), low_first ? value >> 32 : value, 4, false);
}

/* As a kernel does to change a permission, or to look for use. */
static void flip_bits(uint32_t entry)
{
	static const uint16_t flips[][7] = { {
		PTE_PRESENT, PTE_WRITABLE, PTE_WRITABLE, PTE_USER, PTE_ACCESSED, PTE_DIRTY,
		PTE_ACCESSED | PTE_DIRTY,
	}, {
		EPT_RWX, EPT_WRITE, EPT_WRITE, EPT_EXECUTE, EPT_ACCESSED, EPT_DIRTY,
		EPT_ACCESSED | EPT_DIRTY,
	} };
	uint64_t value = model_entry_at(&model, entry) ^ flips[model.ept][random_below(7)];

	if (has_nx && chance(10))
		value ^= PTE_NX;
	if (is_off_limits(entry, model.entry_size))
		return;
	write_table(entry, value, model.entry_size, chance(50));
}

static void write_pdpte(void)
{
	write_table(random_root() + (1 + random_below(3)) * 8, random_pdpte(), 8, false);
}

void write_entry(uint64_t address)
{
	uint32_t level, entry;

	if (model.mode == PAGING_PAE && chance(8)) {
		write_pdpte();
		return;
	}
	entry = chance(75) ? entry_on_the_way(address, &level) : random_entry_address(&level);
	switch (random_below(8)) {
	case 0:
	case 1:
		flip_bits(entry);
		break;
	case 2:
		if (model.entry_size == 8) {
			write_in_halves(entry, level);
			break;
		}
		/* fall through */
	default:
		write_somewhere(entry, level);
	}
}

/* A page fault handler doesn't always write what it should. */
void repair_entry(uint64_t address)
{
	uint32_t level, entry = entry_on_the_way(address, &level);

	if (chance(80))
		write_somewhere(entry, level);
}

/* ---- at the start ---- */

static void copy_words(uint32_t to, uint32_t from, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i += 4)
		*(volatile uint32_t *)at(to + i) = read_word(from + i);
}

/* The program's own entries go into every root. */
void copy_own_entries(void)
{
	unsigned int i;

	for (i = 0; i < MODEL_POOL; i++) {
		if (info->roots[PAGING_32])
			copy_words(pool_page(i), info->roots[PAGING_32], OWN_SIZE);
		if (info->roots[PAGING_64])
			copy_words(pool_page(i), info->roots[PAGING_64], OWN_SIZE);
		if (info->roots[PAGING_PAE])
			copy_words(pool_page(i) + PAE_ROOT, info->roots[PAGING_PAE], PAE_ROOT_SIZE);
	}
}

static void fill_table(unsigned int n)
{
	unsigned int level = level_of_pool(n), slot;

	level = level ? level : 1;
	for (slot = 0; slot < model.nr_slots; slot++)
		write_table(pool_page(n) + model.slots[slot] * model.entry_size,
			    random_entry(level == 3 && model.mode == PAGING_PAE ? 2 : level),
			    model.entry_size, false);
}

void fill_tables(void)
{
	unsigned int i;

	for (i = 0; i < (has_helpers() ? MODEL_POOL : first_of_level(0)); i++)
		fill_table(i);
	for (i = 0; model.mode == PAGING_PAE && i < 32; i++)
		write_pdpte();
}
