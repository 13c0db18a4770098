// SPDX-License-Identifier: GPL-2.0
/* The reference model of address translation. See model.h. */
#include "model.h"
#include "torture.h"

#define PAGE_SIZE	4096
#define NONE		0xff
#define SECOND_HALF	512	/* pages from one 2 MiB half of the region to the other */

/*
 * Neighbours, and both sides of where a shadow page or a quadrant ends. Many
 * entries of 4 bytes are halves of those of 8, for the guest that has both.
 */
static const uint16_t slots_8[] = { 4, 5, 6, 7, 255, 256, 510, 511 };
static const uint16_t slots_4[] = {
	4, 5, 6, 7, 8, 10, 12, 14, 255, 256, 510, 511, 512, 513, 1022, 1023,
};
/* 1 is what physical addresses of 40 bits use of a root: 0 is the program's own. */
static const uint16_t slots_nested[] = { 1, 4, 5, 6, 7, 255, 256, 510, 511 };

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t bits(unsigned int low, unsigned int high)
{
	return high < low ? 0 : (~0ULL >> (63 - high)) & ~0ULL << low;
}

/* Such that a large page has them all, or half of them, where accesses look. */
unsigned int model_pool_page(unsigned int n)
{
	return slots_8[n % 8] + n / 8 * SECOND_HALF;
}

/* ---- entries in memory ---- */

static bool in_region(uint64_t address)
{
	return address >= REGION && address < REGION_END;
}

uint64_t model_entry_at(const struct model *model, uint32_t address)
{
	const char *entry = model->region + (address - REGION);

	return model->entry_size == 4 ? *(const volatile uint32_t *)entry :
		*(const volatile uint64_t *)entry;
}

bool model_is_pool(const struct model *model, uint32_t address)
{
	return in_region(address) && model->pool_of_page[(address - REGION) / PAGE_SIZE] != NONE;
}

bool model_is_present(const struct model *model, uint64_t value)
{
	return value & (model->ept ? EPT_RWX : PTE_PRESENT);
}

uint64_t model_accessed_bit(const struct model *model)
{
	return model->ept ? EPT_ACCESSED : PTE_ACCESSED;
}

static uint64_t dirty_bit(const struct model *model)
{
	return model->ept ? EPT_DIRTY : PTE_DIRTY;
}

/* Whether accessed and dirty bits are what they are called; EPTs may go without. */
static bool has_marks(const struct model *model)
{
	return !model->ept || model->ept_marks;
}

/* What is remembered of the entry at @address; NULL if no access uses it. */
static struct model_entry *find_entry(const struct model *model, uint32_t address)
{
	unsigned int pool = model->pool_of_page[(address - REGION) / PAGE_SIZE];
	unsigned int slot = model->slot_of_index[address % PAGE_SIZE / model->entry_size];

	if (pool == NONE || slot == NONE)
		return NULL;
	return (struct model_entry *)&model->entries[pool][slot];
}

void model_init(struct model *model, enum paging_mode mode, char *region,
		unsigned int max_phys)
{
	model->region = region;
	model->max_phys = max_phys;
	model->wp = true;
	model_set_mode(model, mode);
}

void model_set_mode(struct model *model, enum paging_mode mode)
{
	static const unsigned int levels[NR_PAGING_MODES] = { 2, 3, 4 };
	unsigned int i, slot;

	model->mode = mode;
	model->levels = levels[mode];
	model->entry_size = mode == PAGING_32 ? 4 : 8;
	model->slots = model->nested ? slots_nested : mode == PAGING_32 ? slots_4 : slots_8;
	model->nr_slots = model->nested ? NR(slots_nested) :
		mode == PAGING_32 ? NR(slots_4) : NR(slots_8);
	for (i = 0; i < 1024; i++)
		model->slot_of_index[i] = model->pool_of_page[i] = NONE;
	for (i = 0; i < model->nr_slots; i++)
		model->slot_of_index[model->slots[i]] = i;
	for (i = 0; i < MODEL_POOL; i++) {
		uint32_t page = model_pool_page(i);

		model->pool_of_page[page] = i;
		for (slot = 0; slot < model->nr_slots; slot++) {
			uint32_t address = REGION + page * PAGE_SIZE +
				model->slots[slot] * model->entry_size;

			model->entries[i][slot] = (struct model_entry){
				.value = model_entry_at(model, address),
			};
		}
	}
	model_flush_all(model);
}

/* ---- flushes ---- */

void model_flush_all(struct model *model)
{
	model->flushed = ++model->now;
	model->nr_old_roots = 0;
}

static unsigned int pool_of_root(const struct model *model)
{
	return model->pool_of_page[(model->root - REGION) / PAGE_SIZE];
}

void model_flush_root(struct model *model)
{
	model->roots_flushed[pool_of_root(model)] = ++model->now;
}

void model_load_pdptes(struct model *model)
{
	unsigned int i;

	for (i = 0; model->mode == PAGING_PAE && i < 4; i++)
		model->pdptes[i] = model_entry_at(model, model->root + i * 8);
}

void model_load_root(struct model *model, uint32_t root)
{
	model->root = root;
	model_load_pdptes(model);
	model_flush_all(model);
}

bool model_change_root(struct model *model, uint32_t root)
{
	unsigned int nr = model->nr_old_roots;

	if (model->ept) {
		model->root = root;
		return true;
	}
	if (nr == MODEL_MAX_OLD)
		return false;
	model->old_roots[nr].root = model->root;
	model->old_roots[nr].end = ++model->now;
	model->nr_old_roots++;
	model->root = root;
	return true;
}

/* What is cached of a page by way of an EPT root is apart from others'. */
static uint64_t page_of(const struct model *model, uint64_t address)
{
	uint64_t root = model->ept ? model->root / PAGE_SIZE : 0;

	return address / PAGE_SIZE | root << 48;
}

/* One page of each hash is remembered, which errs on the side of the older. */
static unsigned int flushed_index(uint64_t page)
{
	return (page ^ page >> 7 ^ page >> 18 ^ page >> 48) % MODEL_FLUSHED_PAGES;
}

void model_flush_page(struct model *model, uint64_t address)
{
	uint64_t page = page_of(model, address);
	unsigned int i = flushed_index(page);

	model->flushed_pages[i].page = page;
	model->flushed_pages[i].when = ++model->now;
}

/*
 * The architecture has every page fault, and every EPT violation, flush what is
 * cached for its address. KVM keeps a stale translation if the tables have no present
 * entry now, or one with reserved bits, i.e. if a walk would not find anything to
 * cache. What of EPT entries is present can be told if a permission is left of it.
 */
void model_page_fault(struct model *model, uint64_t address, uint32_t error_code)
{
	if (model->ept ? error_code & EPT_RWX << EPT_ALLOWED_SHIFT :
	    (error_code & (PFERR_PRESENT | PFERR_RESERVED)) == PFERR_PRESENT)
		model_flush_page(model, address);
}

/* Since when translations of @address may have been cached. */
static uint32_t cached_since(const struct model *model, uint64_t address)
{
	uint64_t page = page_of(model, address);
	unsigned int i = flushed_index(page);
	uint32_t since = model->flushed;

	if (model->ept && model->roots_flushed[pool_of_root(model)] > since)
		since = model->roots_flushed[pool_of_root(model)];
	if (model->flushed_pages[i].page == page && model->flushed_pages[i].when > since)
		since = model->flushed_pages[i].when;
	return since;
}

/* ---- writes ---- */

static uint32_t first_entry(const struct model *model, uint32_t address)
{
	return address - address % model->entry_size;
}

/* Forget what was flushed. */
static void prune(const struct model *model, struct model_entry *entry)
{
	if (entry->nr_old && entry->old[entry->nr_old - 1].end <= model->flushed)
		entry->nr_old = 0;
}

bool model_can_write(struct model *model, uint32_t address, unsigned int size)
{
	uint32_t a;

	for (a = first_entry(model, address); a < address + size; a += model->entry_size) {
		struct model_entry *entry = find_entry(model, a);

		if (!entry)
			continue;
		prune(model, entry);
		if (entry->nr_old == MODEL_MAX_OLD)
			return false;
	}
	return true;
}

/*
 * An entry may differ from what was last written there by an accessed bit, if
 * it is present, and by a dirty bit, if a write may have gone through it. Other CPUs
 * may still use an EPT with these bits when this one does not.
 */
static bool observe(struct model *model, uint32_t address, struct model_entry *entry,
		    struct model_change *change)
{
	uint64_t found = model_entry_at(model, address), allowed = 0;

	if (model_is_present(model, entry->value) && (has_marks(model) || model->shared))
		allowed |= model_accessed_bit(model) & ~entry->value;
	if (entry->may_be_dirty)
		allowed |= dirty_bit(model) & ~entry->value;
	if ((found ^ entry->value) & ~allowed) {
		*change = (struct model_change){ address, entry->value, found };
		return false;
	}
	entry->value = found;
	entry->may_be_dirty = false;
	return true;
}

/*
 * Only what is present and accessed can be cached: the CPU sets A first, if at all. It
 * may be another CPU that does, after @value was seen.
 */
static bool is_cacheable(const struct model *model, uint64_t value, bool translated)
{
	bool accessed = value & model_accessed_bit(model) || translated || model->shared;

	return model_is_present(model, value) && (accessed || !has_marks(model));
}

static void remember(struct model *model, struct model_entry *entry, bool translated)
{
	prune(model, entry);
	if (!is_cacheable(model, entry->value, translated) || entry->nr_old == MODEL_MAX_OLD)
		return;
	entry->old[entry->nr_old].value = entry->value;
	entry->old[entry->nr_old].end = model->now;
	entry->nr_old++;
}

bool model_before_write(struct model *model, uint32_t address, unsigned int size,
			struct model_change *change)
{
	uint32_t a;

	model->now++;
	for (a = first_entry(model, address); a < address + size; a += model->entry_size) {
		struct model_entry *entry = find_entry(model, a);

		if (entry && !observe(model, a, entry, change))
			return false;
	}
	return true;
}

void model_after_write(struct model *model, uint32_t address, unsigned int size,
		       bool translated)
{
	uint32_t a;

	for (a = first_entry(model, address); a < address + size; a += model->entry_size) {
		struct model_entry *entry = find_entry(model, a);
		uint64_t value;

		if (!entry)
			continue;
		value = model_entry_at(model, a);
		if (value != entry->value)
			remember(model, entry, translated);
		entry->value = value;
	}
}

bool model_check_entries(struct model *model, struct model_change *change)
{
	unsigned int pool, slot;

	for (pool = 0; pool < MODEL_POOL; pool++) {
		uint32_t page = REGION + model_pool_page(pool) * PAGE_SIZE;

		for (slot = 0; slot < model->nr_slots; slot++) {
			uint32_t address = page + model->slots[slot] * model->entry_size;

			if (!observe(model, address, &model->entries[pool][slot], change))
				return false;
		}
	}
	return true;
}

/* ---- one walk ---- */

/* All that a walk depends on and brings together. */
struct walk {
	const struct model *model;
	const struct model_access *access;
	struct model_prediction *prediction;
	uint32_t since;		/* when what is cached may have been read */
	unsigned int budget;	/* of entries to look at */
};

/* On the way down: what the levels above allow. */
struct step {
	unsigned int level;
	uint32_t table;
	bool writable, user, nx;	/* of EPTs, user: readable */
	bool current;		/* only what is in memory so far */
};

static bool is_leaf(const struct model *model, unsigned int level, uint64_t value)
{
	if (level == 1)
		return true;
	if (!(value & PTE_LARGE) || (level == 3 && !model->large_1g))
		return false;
	return level == 2 || (level == 3 && model->mode == PAGING_64);
}

/* Those of its bits that make an EPT entry, present by others, a misconfiguration. */
static uint64_t misconfigured_bits(const struct model *model, unsigned int level, uint64_t value)
{
	bool leaf = is_leaf(model, level, value);
	uint64_t type = value & EPT_TYPE, wrong = bits(model->max_phys, 51);

	if (!(value & EPT_READ))
		wrong |= EPT_WRITE | (model->ept_execute_only ? 0 : EPT_EXECUTE);
	if (!leaf)
		return wrong | EPT_TYPE | EPT_IGNORE_PAT | PTE_LARGE;
	if (level > 1)
		wrong |= bits(12, level == 2 ? 20 : 29);
	if (type == EPT_TYPE || type == EPT_TYPE_2 || type == EPT_TYPE_3)
		wrong |= EPT_TYPE;
	return wrong;
}

static uint64_t reserved_bits(const struct model *model, unsigned int level, uint64_t value)
{
	uint64_t reserved;

	if (model->ept)
		return misconfigured_bits(model, level, value);
	if (model->mode == PAGING_32)
		return level == 2 && value & PTE_LARGE ? bits(21, 21) : 0;
	reserved = bits(model->max_phys, model->mode == PAGING_PAE ? 62 : 51);
	if (!model->nx)
		reserved |= PTE_NX;
	if (level > 1 && value & PTE_LARGE)
		reserved |= is_leaf(model, level, value) ? bits(13, level == 2 ? 20 : 29) : PTE_LARGE;
	return reserved;
}

/* The address in an entry, of a table or of a page of the size at @level. */
static uint64_t entry_address(const struct model *model, unsigned int level, uint64_t value,
			      bool leaf)
{
	unsigned int low = 12, high = model->entry_size == 4 ? 31 : model->max_phys - 1;

	if (leaf && level > 1)
		low = model->entry_size == 4 ? 22 : level == 2 ? 21 : 30;
	return value & bits(low, high);
}

static unsigned int index_at(const struct model *model, uint64_t address, unsigned int level)
{
	unsigned int n = model->entry_size == 4 ? 10 : 9;

	return address >> (12 + (level - 1) * n) & ((1U << n) - 1);
}

/* Offset in a page of the size at @level. */
static uint64_t offset_at(const struct model *model, uint64_t address, unsigned int level)
{
	unsigned int n = model->entry_size == 4 ? 10 : 9;

	return address & bits(0, 11 + (level - 1) * n);
}

static bool forbidden(const struct walk *walk, const struct step *step)
{
	const struct model *model = walk->model;
	const struct model_access *access = walk->access;

	if (access->type == ACCESS_FETCH && (step->nx || model->ept))
		return step->nx;
	if (access->user)
		return !step->user || (access->type == ACCESS_WRITE && !step->writable);
	if (access->type == ACCESS_FETCH)
		return step->user && model->smep;
	if (step->user && model->smap && !access->ac)
		return true;
	return access->type == ACCESS_WRITE && !step->writable && model->wp;
}

/*
 * For a supervisor's write to a read-only user page while CR0.WP is clear, KVM
 * makes the page the supervisor's in its own tables. If EFLAGS.AC allowed that,
 * accesses without AC don't hit on SMAP any more (Linux's
 * Documentation/virt/kvm/x86/mmu.rst is wrong about this case).
 */
static bool smap_may_be_missed(const struct walk *walk, const struct step *step)
{
	const struct model *model = walk->model;

	return model->smap && !model->wp && step->user && !step->writable &&
		!walk->access->user && walk->access->type != ACCESS_FETCH;
}

/* ---- outcomes ---- */

static void add_outcome(struct walk *walk, struct model_outcome outcome)
{
	struct model_prediction *prediction = walk->prediction;
	unsigned int i;

	for (i = 0; i < prediction->nr; i++) {
		const struct model_outcome *other = &prediction->outcomes[i];

		if (other->fault == outcome.fault && other->error_code == outcome.error_code &&
		    other->page == outcome.page)
			return;
	}
	if (prediction->nr == MODEL_MAX_OUTCOMES)
		prediction->unknown = true;
	else
		prediction->outcomes[prediction->nr++] = outcome;
}

/* The bits of an error code, or of an EPT violation, that say what the access was. */
static uint32_t access_bits(const struct walk *walk)
{
	const struct model *model = walk->model;
	enum access_type type = walk->access->type;

	if (model->ept)
		return EPT_FINAL | 1U << type;
	return (type == ACCESS_WRITE ? PFERR_WRITE : 0) | (walk->access->user ? PFERR_USER : 0) |
		(type == ACCESS_FETCH && (model->nx || model->smep) ? PFERR_FETCH : 0);
}

static void add_fault(struct walk *walk, uint32_t error_code)
{
	if (error_code != EPT_MISCONFIGURED)
		error_code |= access_bits(walk);
	add_outcome(walk, (struct model_outcome){ .fault = true, .error_code = error_code });
}

/* The access may not be what all levels together allow. */
static void add_forbidden(struct walk *walk, const struct step *step)
{
	uint32_t allowed = (step->user ? EPT_READ : 0) | (step->writable ? EPT_WRITE : 0) |
		(step->nx ? 0 : EPT_EXECUTE);

	add_fault(walk, walk->model->ept ? allowed << EPT_ALLOWED_SHIFT : PFERR_PRESENT);
}

static void add_leaf(struct model_prediction *prediction, uint32_t entry)
{
	unsigned int i;

	for (i = 0; i < prediction->nr_leaves; i++) {
		if (prediction->leaves[i] == entry)
			return;
	}
	if (prediction->nr_leaves == MODEL_MAX_MARKS)
		prediction->unknown = true;
	else
		prediction->leaves[prediction->nr_leaves++] = entry;
}

/* A hit must be of the region, the read-only pages, or the hole. */
static void add_hit(struct walk *walk, uint32_t entry, uint64_t address)
{
	if (address < REGION || address >= HOLE_END) {
		walk->prediction->unknown = true;
		return;
	}
	if (walk->access->type == ACCESS_WRITE)
		add_leaf(walk->prediction, entry);
	add_outcome(walk, (struct model_outcome){ .page = address & ~(PAGE_SIZE - 1ULL) });
}

/* ---- all walks ---- */

static void walk_table(struct walk *walk, struct step step);

/* Bits 13 to 20 of a 32-bit large page are more of its address, or reserved. */
static bool is_beyond_model(const struct model *model, unsigned int level, uint64_t value)
{
	return model->mode == PAGING_32 && level == 2 && value & PTE_LARGE &&
		value & bits(13, 20);
}

static void restrict_step(const struct model *model, struct step *step, uint64_t value)
{
	bool is_pdpte = model->mode == PAGING_PAE && step->level == 3;

	if (model->ept) {
		step->writable &= !!(value & EPT_WRITE);
		step->user &= !!(value & EPT_READ);
		step->nx |= !(value & EPT_EXECUTE);
		return;
	}
	step->writable &= is_pdpte || value & PTE_WRITABLE;
	step->user &= is_pdpte || value & PTE_USER;
	step->nx |= model->nx && value & PTE_NX;
}

/* @value is present and without reserved bits. */
static void walk_value(struct walk *walk, struct step step, uint32_t entry, uint64_t value)
{
	const struct model *model = walk->model;
	bool leaf = is_leaf(model, step.level, value);
	uint64_t address = entry_address(model, step.level, value, leaf);

	restrict_step(model, &step, value);
	if (!leaf) {
		step.table = address;
		step.level--;
		/* A table where no memory is: not even the CPUs agree. */
		if (!in_region(address))
			walk->prediction->unknown = true;
		else
			walk_table(walk, step);
	} else {
		bool faults = forbidden(walk, &step);

		address |= offset_at(model, walk->access->address, step.level);
		walk->prediction->hole |= address >= HOLE;
		if (faults)
			add_forbidden(walk, &step);
		if (!faults || smap_may_be_missed(walk, &step))
			add_hit(walk, entry, address);
	}
}

/*
 * KVM uses the same shadow pages whether EFER.NXE is set or not. If it was when
 * they were built, entries with NX may be used while it isn't, and NX reserved.
 */
static bool may_ignore(const struct model *model, uint64_t reserved)
{
	return !model->nx && reserved == PTE_NX;
}

static void walk_current(struct walk *walk, struct step step, uint32_t entry, uint64_t value)
{
	uint64_t reserved = value & reserved_bits(walk->model, step.level, value);

	if (!model_is_present(walk->model, value)) {
		add_fault(walk, 0);
		return;
	}
	if (is_beyond_model(walk->model, step.level, value)) {
		walk->prediction->unknown = true;
		return;
	}
	if (reserved)
		add_fault(walk, walk->model->ept ? EPT_MISCONFIGURED : PFERR_PRESENT | PFERR_RESERVED);
	if (!reserved || may_ignore(walk->model, reserved))
		walk_value(walk, step, entry, value);
}

static void walk_old(struct walk *walk, struct step step, uint32_t address)
{
	const struct model_entry *entry = find_entry(walk->model, address);
	unsigned int i;

	step.current = false;
	for (i = 0; entry && i < entry->nr_old; i++) {
		uint64_t value = entry->old[i].value;
		uint64_t reserved = value & reserved_bits(walk->model, step.level, value);

		if (entry->old[i].end <= walk->since)
			continue;
		walk->prediction->stale = true;
		if (is_beyond_model(walk->model, step.level, value))
			walk->prediction->unknown = true;
		else if (!reserved || may_ignore(walk->model, reserved))
			walk_value(walk, step, address, value);
	}
}

static void walk_table(struct walk *walk, struct step step)
{
	const struct model *model = walk->model;
	unsigned int index = index_at(model, walk->access->address, step.level);
	uint32_t entry = step.table + index * model->entry_size;

	if (!walk->budget || walk->prediction->unknown) {
		walk->prediction->unknown = true;
		return;
	}
	walk->budget--;
	if (step.current)
		walk->prediction->walked[walk->prediction->nr_walked++] = entry;
	walk_current(walk, step, entry, model_entry_at(model, entry));
	walk_old(walk, step, entry);
}

/* A PAE root is four registers, and what is in memory doesn't matter. */
static void walk_pdpte(struct walk *walk, struct step step)
{
	uint64_t value = walk->model->pdptes[index_at(walk->model, walk->access->address, 3) & 3];

	if (value & PTE_PRESENT)
		walk_value(walk, step, 0, value);
	else
		add_fault(walk, 0);
}

/*
 * From roots that are no longer loaded, but through which entries may have been
 * cached. What is in them now may not have been by then, which errs on the side of
 * allowing more.
 */
static void walk_old_roots(struct walk *walk, struct step step)
{
	const struct model *model = walk->model;
	unsigned int i;

	step.current = false;
	for (i = 0; i < model->nr_old_roots; i++) {
		if (model->old_roots[i].end <= walk->since)
			continue;
		walk->prediction->stale = true;
		step.table = model->old_roots[i].root;
		walk_table(walk, step);
	}
}

void model_predict(const struct model *model, const struct model_access *access,
		   struct model_prediction *prediction)
{
	struct walk walk = {
		.model = model, .access = access, .prediction = prediction,
		.since = cached_since(model, access->address), .budget = 200,
	};
	struct step step = {
		.level = model->levels, .table = model->root, .writable = true, .user = true,
		.current = true,
	};

	prediction->unknown = prediction->stale = prediction->hole = false;
	prediction->nr = prediction->nr_walked = prediction->nr_leaves = 0;
	if (model->mode == PAGING_PAE)
		walk_pdpte(&walk, step);
	else
		walk_table(&walk, step);
	walk_old_roots(&walk, step);
}

/* ---- accessed and dirty bits ---- */

void model_expect_dirty(struct model *model, const struct model_prediction *prediction)
{
	unsigned int i;

	for (i = 0; has_marks(model) && i < prediction->nr_leaves; i++) {
		struct model_entry *entry = find_entry(model, prediction->leaves[i]);

		if (entry)
			entry->may_be_dirty = true;
	}
}

bool model_check_marks(const struct model *model, const struct model_prediction *prediction,
		       enum access_type type, uint32_t written, struct model_change *change)
{
	unsigned int i;

	for (i = 0; has_marks(model) && !prediction->stale && i < prediction->nr_walked; i++) {
		uint32_t address = prediction->walked[i];
		uint64_t value = model_entry_at(model, address), wanted = model_accessed_bit(model);

		if (address == first_entry(model, written))
			continue;
		if (type == ACCESS_WRITE && i == prediction->nr_walked - 1)
			wanted |= dirty_bit(model);
		if ((value & wanted) != wanted) {
			*change = (struct model_change){ address, value | wanted, value };
			return false;
		}
	}
	return true;
}
