// SPDX-License-Identifier: GPL-2.0
/*
 * The torture guest: a random program that writes page tables in every way it
 * can think of, flushes now and then, and uses the translations, asking the
 * model before each access what may become of it. It stops at the first thing
 * that must not be. Freestanding; runs at CPL 0 on the VMM's page tables, which
 * are part of every root, and makes accesses at CPL 0 and 3 (guest-access.S).
 *
 * Everything depends on the seed alone, but for what is allowed to differ.
 */
#include "model.h"
#include "torture.h"

#define PAGE_SIZE	4096

#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)
#define CR4_PSE		(1UL << 4)
#define CR4_PAE		(1UL << 5)
#define CR4_PGE		(1UL << 7)
#define CR4_SMEP	(1UL << 20)
#define CR4_SMAP	(1UL << 21)
#define MSR_EFER	0xc0000080
#define EFER_NXE	(1U << 11)

#define PF_VECTOR	14

#define PTE_AVL		0xe00	/* bits that the CPU ignores */

/*
 * In a root, the first bytes are entries of the program itself. So is the first
 * entry of a PAE root, which is in the same page, out of the way of others.
 */
#define OWN_SIZE	16
#define PAE_ROOT	0x40
#define PAE_ROOT_SIZE	0x20

/* Flags of run_access(). */
#define FLAG_USER	1
#define FLAG_AC		2

#define info ((volatile struct torture_info *)GUEST_INFO)

/* ---- what guest-access.S offers, and what it calls ---- */

void run_access(void (*code)(void), unsigned long address, unsigned long value, uint32_t flags);
void torture_main(void);
void unexpected_exception(void);

extern const char user_code[], user_code_end[];
extern void access_read(void), access_write(void), access_write_32(void),
	access_write_16(void), access_write_8(void), access_exchange(void), access_fetch(void);
extern unsigned long access_value, access_cr2, access_ip;
extern uint32_t access_vector, access_error_code;

static struct model model;
static struct model_prediction prediction;
static uint32_t scratch[REGION_PAGES];	/* what is in each page's scratch word */

/* What the CPU can do. */
static bool cpu_has_nx, has_smep, has_smap, has_pge;
static bool has_nx;	/* in this mode */

/* ---- chance ---- */

static uint64_t random_state;

static uint32_t random_word(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) >> 16;
}

static uint32_t random_below(uint32_t n)
{
	return random_word() % n;
}

/* True in @percent cases of 100. */
static bool chance(uint32_t percent)
{
	return random_below(100) < percent;
}

/* ---- telling the VMM ---- */

static void port_out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static void fail(enum torture_failure failure, uint64_t address, uint64_t wanted, uint64_t found)
{
	info->failure = failure;
	info->address = address;
	info->wanted = wanted;
	info->found = found;
	for (;;)
		port_out(GUEST_PORT, GUEST_FAILED);
}

static void fail_change(enum torture_failure failure, const struct model_change *change)
{
	fail(failure, change->address, change->wanted, change->found);
}

void unexpected_exception(void)
{
	fail(FAILURE_EXCEPTION, access_ip, PF_VECTOR, access_vector);
}

static volatile struct torture_event *log_event(enum torture_event_type type, uint64_t address,
						uint64_t value, uint32_t detail)
{
	volatile struct torture_event *event = &info->events[info->next_event % NR_EVENTS];

	info->next_event++;
	event->step = info->step;
	event->type = type;
	event->address = address;
	event->value = value;
	event->detail = detail;
	event->result = 0;
	return event;
}

/* ---- registers ---- */

static unsigned long read_cr4(void)
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

static void load_root(uint32_t root)
{
	log_event(EVENT_LOAD_CR3, 0, root, 0);
	info->flushes++;
	asm volatile("mov %0, %%cr3" : : "r"((unsigned long)root) : "memory");
	model_load_root(&model, root);
}

static void flush_page(uint64_t address)
{
	log_event(EVENT_FLUSH_PAGE, address, 0, 0);
	info->flushes++;
	asm volatile("invlpg (%0)" : : "r"((unsigned long)address) : "memory");
	model_flush_page(&model, address);
}

/*
 * No entry is global: CR4.PGE is only ever set for a moment. A change of it
 * loads PDPTEs, too, as does one of SMEP.
 */
static void flush_global(void)
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
static void toggle_nxe(void)
{
	uint32_t low, high;

	asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
	low ^= EFER_NXE;
	log_event(EVENT_SET_EFER, 0, low, 0);
	asm volatile("wrmsr" : : "a"(low), "d"(high), "c"(MSR_EFER) : "memory");
	model.nx = low & EFER_NXE;
	load_root(model.root);
}

static void cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a = leaf;
	*c = 0;
	asm volatile("cpuid" : "+a"(*a), "=b"(*b), "+c"(*c), "=d"(*d));
}

/* ---- memory of the region, which is where it is for CPL 0 ---- */

static char *at(uint32_t address)
{
	return (char *)(unsigned long)address;
}

static uint32_t read_word(uint32_t address)
{
	return *(volatile uint32_t *)at(address);
}

static uint32_t pool_page(uint32_t n)
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

static void note_written(uint32_t address)
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
	write_once(address, value, size, exchange);
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

static uint32_t random_root(void)
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
	if ((level == 2 && chance(10)) || (level == 3 && model.large_1g && chance(5)))
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

/*
 * An entry for a table of @level: mostly one that a kernel might write. Upper
 * levels allow nearly everything, or nearly every access would fault.
 */
static uint64_t random_entry(unsigned int level)
{
	static const struct flag flags[] = {
		{ PTE_PRESENT, 88, 97 }, { PTE_WRITABLE, 75, 93 }, { PTE_USER, 75, 93 },
		{ PTE_ACCESSED, 75, 80 }, { PTE_DIRTY, 50, 20 }, { PTE_NX, 12, 3 },
	};
	uint64_t value = random_target(level) | (random_word() & PTE_AVL);
	unsigned int i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (chance(level == 1 ? flags[i].leaf : flags[i].upper))
			value |= flags[i].flag;
	}
	if (chance(level == 1 ? 3 : 1))
		value |= random_reserved_bit();
	if (!has_nx)
		value &= ~PTE_NX;
	return chance(2) ? 0 : value;
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
	uint64_t index = model_slots(model.mode)[random_below(model.nr_slots)], address;

	address = index << 12;
	if (model.mode == PAGING_32)
		return address | (uint64_t)upper_4[random_below(8)] << (12 + low);
	address |= (uint64_t)upper_8[random_below(4)] << 21;
	if (model.mode == PAGING_PAE)
		return address | (uint64_t)(1 + random_below(3)) << 30;
	address |= (uint64_t)upper_8[random_below(2)] << 30;
	return address | (chance(75) ? 4ULL << 39 : 511ULL << 39 | 0xffffULL << 48);
}

/* A few addresses, others in each mode, get most of what happens. */
static uint64_t favourites[NR_PAGING_MODES][4];

static void choose_favourites(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		favourites[model.mode][i] = random_address();
}

static uint64_t pick_address(void)
{
	uint32_t n = random_below(6);

	if (chance(3))
		favourites[model.mode][random_below(4)] = random_address();
	return n < 4 ? favourites[model.mode][n] : random_address();
}

/*
 * Off limits are the program's own entries, PAE roots, in which reserved bits
 * would have the loading of CR3 refused, and pages outside the pool, of whose
 * entries nothing is remembered.
 */
static bool is_off_limits(uint32_t address, unsigned int size)
{
	uint32_t offset = address % PAGE_SIZE;

	return offset < OWN_SIZE || offset + size > PAGE_SIZE || !model_is_pool(&model, address) ||
		(offset < PAE_ROOT + PAE_ROOT_SIZE && offset + size > PAE_ROOT);
}

static uint32_t random_entry_address(uint32_t *level)
{
	uint32_t n = random_below(MODEL_POOL);
	uint32_t slot = model_slots(model.mode)[random_below(model.nr_slots)];

	*level = level_of_pool(n);
	if (!*level || *level == 3)
		*level = 1 + random_below(2);
	return pool_page(n) + slot * model.entry_size;
}

/* An entry that a walk in memory for @address comes by; mostly one of the last. */
static uint32_t entry_on_the_way(uint64_t address, uint32_t *level)
{
	struct model_access access = { .address = address };
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
static uint64_t compose(uint32_t address, unsigned int size, uint32_t level)
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
	bool low_first = !(value & PTE_PRESENT);

	if (is_off_limits(entry, 8))
		return;
	write_table(entry + (low_first ? 0 : 4), low_first ? value : value >> 32, 4, false);
	write_table(entry + (low_first ? 4 : 0), low_first ? value >> 32 : value, 4, false);
}

/* As a kernel does to change a permission, or to look for use. */
static void flip_bits(uint32_t entry)
{
	static const uint8_t flips[] = {
		PTE_PRESENT, PTE_WRITABLE, PTE_WRITABLE, PTE_USER, PTE_ACCESSED, PTE_DIRTY,
		PTE_ACCESSED | PTE_DIRTY,
	};
	uint64_t value = model_entry_at(&model, entry) ^ flips[random_below(sizeof(flips))];

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

static void write_entry(uint64_t address)
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

/* ---- accesses ---- */

/* One access, from what it is to be to what it was. */
struct attempt {
	struct model_access access;
	void (*code)(void);
	uint32_t offset;		/* in the page */
	unsigned long value;		/* to write */
	unsigned int size;		/* of a write */
	bool to_table;			/* the write is to an entry */
	uint32_t mmio_writes;		/* before it */
};

/* Whether the page of an outcome is memory that can be looked at. */
static bool is_region(uint32_t page)
{
	return page >= REGION && page < REGION_END;
}

static bool is_hole(uint32_t page)
{
	return page >= HOLE;
}

static uint32_t found_at(uint32_t address, unsigned int size)
{
	uint32_t word = 0, i;

	for (i = 0; i < size; i++)
		word |= (uint32_t)*(volatile uint8_t *)at(address + i) << i * 8;
	return word;
}

static uint64_t content(uint32_t address, unsigned int size)
{
	uint64_t value = found_at(address, size < 4 ? size : 4);

	return size == 8 ? value | (uint64_t)found_at(address + 4, 4) << 32 : value;
}

static uint64_t truncated(uint64_t value, unsigned int size)
{
	return size == 8 ? value : value & ((1ULL << size * 8) - 1);
}

/*
 * A write must be seen to have happened, in one page and no other: what it is
 * about to write must not be there yet. An access that runs code must not find
 * the hole, which has none that KVM could emulate.
 */
static bool is_safe(const struct attempt *attempt)
{
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		const struct model_outcome *outcome = &prediction.outcomes[i];
		uint32_t address = outcome->page + attempt->offset;

		if (outcome->fault)
			continue;
		if (attempt->access.type == ACCESS_FETCH && is_hole(outcome->page))
			return false;
		if (attempt->access.type != ACCESS_WRITE || !is_region(outcome->page))
			continue;
		if (content(address, attempt->size) == truncated(attempt->value, attempt->size) ||
		    (attempt->to_table && is_off_limits(address, attempt->size)))
			return false;
	}
	return true;
}

/* Whether @page has, where the write goes, what it puts there. */
static bool has_value(const struct attempt *attempt, uint32_t page)
{
	return content(page + attempt->offset, attempt->size) ==
	       truncated(attempt->value, attempt->size);
}

/*
 * Whether it could not be told afterwards which of several pages the write hit, as
 * one of them has the value already.
 */
static bool is_ambiguous(const struct attempt *attempt)
{
	unsigned int i, nr = 0;
	bool has = false;

	for (i = 0; i < prediction.nr; i++) {
		if (prediction.outcomes[i].fault)
			continue;
		nr++;
		has |= is_region(prediction.outcomes[i].page) &&
		       has_value(attempt, prediction.outcomes[i].page);
	}
	return nr > 1 && has;
}

/*
 * Tell the model of writes to all pages that may be hit. False: flush first, or
 * don't make it.
 */
static bool prepare_write(const struct attempt *attempt)
{
	struct model_change change;
	unsigned int i;

	if (is_ambiguous(attempt))
		return false;
	for (i = 0; i < prediction.nr; i++) {
		uint32_t address = prediction.outcomes[i].page + attempt->offset;

		if (!prediction.outcomes[i].fault && is_region(address) &&
		    !model_can_write(&model, address, attempt->size))
			return false;
	}
	for (i = 0; i < prediction.nr; i++) {
		uint32_t address = prediction.outcomes[i].page + attempt->offset;

		if (!prediction.outcomes[i].fault && is_region(address) &&
		    !model_before_write(&model, address, attempt->size, &change))
			fail_change(FAILURE_ENTRY, &change);
	}
	model_expect_dirty(&model, &prediction);
	return true;
}

static bool may_hit_hole(void)
{
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		if (!prediction.outcomes[i].fault && is_hole(prediction.outcomes[i].page))
			return true;
	}
	return false;
}

static void expect(void)
{
	unsigned int i;

	info->nr_expected = prediction.nr < MAX_EXPECTED ? prediction.nr : MAX_EXPECTED;
	for (i = 0; i < info->nr_expected; i++)
		info->expected[i] = prediction.outcomes[i].fault ?
			-1ULL - prediction.outcomes[i].error_code : prediction.outcomes[i].page;
	info->nr_walked = prediction.nr_walked;
	for (i = 0; i < prediction.nr_walked; i++) {
		info->walked[i] = prediction.walked[i];
		info->walked_values[i] = model_entry_at(&model, prediction.walked[i]);
	}
}

static bool may_fault(bool fault)
{
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		if (prediction.outcomes[i].fault == fault)
			return true;
	}
	return false;
}

static void count(void)
{
	info->accesses++;
	if (!may_fault(false))
		info->must++;
	else if (!may_fault(true))
		info->must_not++;
	else
		info->may++;
}

/* ---- what became of an access ---- */

/*
 * QEMU's TCG reads before it writes when an instruction does both, and has the
 * read fault; CPUs treat it as a write from the start.
 */
static bool is_error_code(const struct attempt *attempt, uint32_t wanted)
{
	uint32_t ignored = attempt->code == access_exchange ? PFERR_WRITE : 0;

	return !((wanted ^ access_error_code) & ~ignored);
}

static void check_fault(const struct attempt *attempt)
{
	unsigned long address = attempt->access.address + attempt->offset;
	unsigned int i;

	info->faults++;
	if (access_vector != PF_VECTOR)
		unexpected_exception();
	if (access_cr2 != address)
		fail(FAILURE_CR2, address, address, access_cr2);
	if (!may_fault(true))
		fail(FAILURE_FAULT, address, 0, access_error_code);
	for (i = 0; i < prediction.nr; i++) {
		if (prediction.outcomes[i].fault &&
		    is_error_code(attempt, prediction.outcomes[i].error_code))
			return;
	}
	fail(FAILURE_ERROR_CODE, address, 0, access_error_code);
}

/* The page whose identity was read or run. */
static void check_page_read(const struct attempt *attempt)
{
	uint32_t page = page_identity(access_value) * PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		if (!prediction.outcomes[i].fault && prediction.outcomes[i].page == page)
			return;
	}
	fail(FAILURE_FRAME, attempt->access.address + attempt->offset, 0, access_value);
}

/* Whether @page is where the write went. */
static bool was_written(const struct attempt *attempt, uint32_t page)
{
	if (is_region(page))
		return has_value(attempt, page);
	return info->mmio_writes == attempt->mmio_writes + 1 &&
		info->mmio_address == page + attempt->offset &&
		info->mmio_value == truncated(attempt->value, attempt->size);
}

static void remember_written(const struct attempt *attempt, uint32_t page)
{
	uint32_t address = page + attempt->offset;

	if (!is_region(page))
		return;
	if (attempt->to_table)
		model_after_write(&model, address, attempt->size, true);
	else
		scratch[(page - REGION) / PAGE_SIZE] = attempt->value;
	note_written(address);
}

static uint32_t check_page_written(const struct attempt *attempt)
{
	uint32_t hit = 0;
	unsigned int i, nr = 0;

	for (i = 0; i < prediction.nr; i++) {
		if (prediction.outcomes[i].fault || !was_written(attempt, prediction.outcomes[i].page))
			continue;
		hit = prediction.outcomes[i].page;
		nr++;
	}
	if (nr != 1)
		fail(FAILURE_LOST, attempt->access.address + attempt->offset, 1, nr);
	remember_written(attempt, hit);
	return hit + attempt->offset;
}

/*
 * KVM remembers the last linear address at which it emulated an access to where
 * no memory is, and doesn't walk the tables for the next one: it may leave A and
 * D clear. It also warns, once, if that address is then mapped to a page table
 * without INVLPG, and written to; so INVLPG it is.
 */
static void check_hit(const struct attempt *attempt)
{
	struct model_change change;
	uint32_t written = 0;

	if (!may_fault(false))
		fail(FAILURE_NO_FAULT, attempt->access.address + attempt->offset, 0, access_value);
	if (attempt->access.type == ACCESS_WRITE)
		written = check_page_written(attempt);
	else
		check_page_read(attempt);
	if (may_hit_hole())
		flush_page(attempt->access.address);
	else if (!model_check_marks(&model, &prediction, attempt->access.type, written, &change))
		fail_change(FAILURE_NOT_MARKED, &change);
}

/* ---- making an access ---- */

static const uint32_t offsets[] = {
	[ACCESS_READ] = OFFSET_IDENTITY,
	[ACCESS_WRITE] = OFFSET_SCRATCH,
	[ACCESS_FETCH] = OFFSET_CODE,
};

/* A write of an entry, or part of one, through the tortured tables. */
static void aim_at_table(struct attempt *attempt)
{
	uint32_t slot = random_below(model.nr_slots);

	attempt->to_table = true;
	attempt->offset = model_slots(model.mode)[slot] * model.entry_size;
	switch (random_below(8)) {
	case 0:
		attempt->code = access_write_8;
		attempt->size = 1;
		break;
	case 1:
		attempt->code = access_write_16;
		attempt->size = 2;
		break;
	case 2:
		attempt->code = access_write_32;
		attempt->size = 4;
		break;
	default:
		attempt->code = chance(30) ? access_exchange : access_write;
		attempt->size = sizeof(long);
	}
	if (chance(30))
		attempt->offset += model.entry_size - attempt->size;
	attempt->value = compose(attempt->offset, attempt->size, 1);
}

static void choose_access(struct attempt *attempt, uint64_t address)
{
	uint32_t n = random_below(16);

	attempt->access.address = address;
	attempt->access.type = n < 7 ? ACCESS_READ : n < 14 ? ACCESS_WRITE : ACCESS_FETCH;
	attempt->access.user = chance(55);
	attempt->access.ac = !attempt->access.user && chance(20);
	attempt->offset = offsets[attempt->access.type];
	attempt->code = attempt->access.type == ACCESS_READ ? access_read :
		attempt->access.type == ACCESS_WRITE ? access_write_32 : access_fetch;
	attempt->value = info->step << 1 | 1;
	attempt->size = 4;
	attempt->to_table = false;
	if (attempt->access.type == ACCESS_WRITE && chance(25))
		aim_at_table(attempt);
}

/* False if it cannot be made, as what may become of it is not covered. */
static bool predict(const struct attempt *attempt)
{
	model_predict(&model, &attempt->access, &prediction);
	if (prediction.unknown || !is_safe(attempt))
		return false;
	if (attempt->access.type != ACCESS_WRITE)
		return true;
	if (prepare_write(attempt))
		return true;
	load_root(model.root);
	model_predict(&model, &attempt->access, &prediction);
	return !prediction.unknown && is_safe(attempt) && prepare_write(attempt);
}

static void make_access(const struct attempt *attempt)
{
	uint32_t flags = attempt->access.user ? FLAG_USER : attempt->access.ac ? FLAG_AC : 0;
	volatile struct torture_event *event;

	event = log_event(EVENT_READ_AREA + attempt->access.type,
			  attempt->access.address + attempt->offset, attempt->value,
			  flags << 8 | attempt->size);
	expect();
	count();
	if (attempt->access.type == ACCESS_WRITE)
		info->writing = WRITING_ANY;
	run_access(attempt->code, attempt->access.address + attempt->offset, attempt->value, flags);
	event->result = access_vector << 16 | access_error_code;
}

/* True if it was made and did not fault. */
static bool try_access(struct attempt *attempt)
{
	bool faulted;

	if (!predict(attempt)) {
		info->unpredictable++;
		return true;
	}
	attempt->mmio_writes = info->mmio_writes;
	make_access(attempt);
	faulted = access_vector != VECTOR_BREAKPOINT;
	if (faulted) {
		check_fault(attempt);
		model_page_fault(&model, attempt->access.address, access_error_code);
	} else {
		check_hit(attempt);
	}
	info->writing = 0;
	return !faulted;
}

/* What a page fault handler does: write an entry, and have another try. */
static void access_area(uint64_t address)
{
	struct attempt attempt;
	unsigned int tries;

	choose_access(&attempt, address);
	for (tries = 0; !try_access(&attempt) && tries < 3 && chance(60); tries++) {
		uint32_t level, entry = entry_on_the_way(address, &level);

		if (chance(80))
			write_somewhere(entry, level);
		info->repaired++;
	}
}

/* ---- now and then ---- */

static void check_page(uint32_t page)
{
	uint32_t address = REGION + page * PAGE_SIZE, identity = page_identity(address / PAGE_SIZE);

	if (read_word(address + OFFSET_IDENTITY) != identity)
		fail(FAILURE_CONTENT, address + OFFSET_IDENTITY, identity,
		     read_word(address + OFFSET_IDENTITY));
	if (read_word(address + OFFSET_SCRATCH) != scratch[page])
		fail(FAILURE_CONTENT, address + OFFSET_SCRATCH, scratch[page],
		     read_word(address + OFFSET_SCRATCH));
}

/* Pages outside the pool are rarely hit, and cost KVM a fault or two each. */
static void check_memory(bool all)
{
	struct model_change change;
	unsigned int i;

	if (!model_check_entries(&model, &change))
		fail_change(FAILURE_ENTRY, &change);
	for (i = 0; i < MODEL_POOL; i++)
		check_page(model_pool_page(i));
	for (i = 0; all && i < REGION_PAGES; i++)
		check_page(i);
}

static void now_and_then(void)
{
	bool progress = info->step % PROGRESS_STEPS == PROGRESS_STEPS - 1;

	if (info->step % 1024 == 1023)
		check_memory(progress);
	if (progress)
		port_out(PROGRESS_PORT, 0);
}

/* ---- the program ---- */

static void switch_root(void)
{
	load_root(chance(30) ? model.root : random_root());
}

#ifndef __x86_64__
/* Paging is off in between, which flushes everything. */
static void switch_paging(void)
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
	if (!favourites[mode][0])
		choose_favourites();
}
#endif

/* Most of the time it is in the mode that it is asked for. */
static void maybe_switch_paging(void)
{
#ifndef __x86_64__
	if (!random_below(model.mode == (enum paging_mode)info->paging ? 150 : 50))
		switch_paging();
#endif
}

static void change_mode(void)
{
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

static void do_step(void)
{
	uint64_t address;
	uint32_t n;

	/* First: an address is one of its mode, and keeps clear of PAE roots. */
	maybe_switch_paging();
	address = pick_address();
	n = random_below(100);
	if (n < 38)
		write_entry(address);
	else if (n < 80)
		access_area(address);
	else if (n < 91)
		flush_page(address);
	else if (n < 95)
		switch_root();
	else if (n < 97 && has_pge)
		flush_global();
	else
		change_mode();
}

/* ---- start ---- */

static void detect_cpu(void)
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
}

static unsigned int max_phys(void)
{
	uint32_t a, b, c, d;

	cpuid(0x80000008, &a, &b, &c, &d);
	return a & 0xff;
}

static void copy_words(uint32_t to, uint32_t from, unsigned int size)
{
	unsigned int i;

	for (i = 0; i < size; i += 4)
		*(volatile uint32_t *)at(to + i) = read_word(from + i);
}

/* The program's own entries go into every root. */
static void copy_own_entries(void)
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

	for (slot = 0; slot < model.nr_slots; slot++)
		write_table(pool_page(n) + model_slots(model.mode)[slot] * model.entry_size,
			    random_entry(level == 3 && model.mode == PAGING_PAE ? 2 : level),
			    model.entry_size, false);
}

static void fill_tables(void)
{
	unsigned int i;

	for (i = 0; i < first_of_level(0); i++)
		fill_table(i);
	for (i = 0; model.mode == PAGING_PAE && i < 32; i++)
		write_pdpte();
}

static void copy_user_code(void)
{
	const char *from;
	volatile char *to = (volatile char *)at(USER_CODE);

	for (from = user_code; from < user_code_end; from++)
		*to++ = *from;
}

void torture_main(void)
{
	random_state = info->seed;
	model_init(&model, info->paging, at(REGION), max_phys());
	detect_cpu();
	copy_user_code();
	copy_own_entries();
	fill_tables();
	load_root(random_root());
	if (has_nx)
		toggle_nxe();
	choose_favourites();
	for (info->step = 0; info->step < info->steps; info->step++) {
		do_step();
		now_and_then();
	}
	check_memory(true);
	for (;;)
		port_out(GUEST_PORT, GUEST_DONE);
}
