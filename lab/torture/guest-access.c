// SPDX-License-Identifier: GPL-2.0
/*
 * The torture guest's accesses through its page tables: each is predicted, made,
 * and what became of it is checked.
 */
#include "program.h"

/* Flags of run_access(). */
#define FLAG_USER	1
#define FLAG_AC		2

/* ---- what guest-access.S offers, and what it calls ---- */

void unexpected_exception(void);
void run_access(void (*code)(void), unsigned long address, unsigned long value, uint32_t flags);

extern const char user_code[], user_code_end[];

void unexpected_exception(void)
{
	fail(FAILURE_EXCEPTION, access_ip, PF_VECTOR, access_vector);
}

static struct model_prediction prediction;
static uint32_t scratch[REGION_PAGES];	/* what is in each page's scratch word */

void copy_user_code(void)
{
	const char *from;
	volatile char *to = (volatile char *)at(USER_CODE);

	for (from = user_code; from < user_code_end; from++)
		*to++ = *from;
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

/* The accessed bit of an entry that is written may be set by another vCPU at once. */
static uint64_t ignored_bits(const struct attempt *attempt)
{
	return has_helpers() && attempt->to_table && !(attempt->offset % model.entry_size) ?
		model_accessed_bit(&model) : 0;
}

/* Whether @page has, where the write goes, what it puts there. */
static bool has_value(const struct attempt *attempt, uint32_t page)
{
	uint64_t found = content(page + attempt->offset, attempt->size);

	return !((found ^ truncated(attempt->value, attempt->size)) & ~ignored_bits(attempt));
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
		if (has_value(attempt, outcome->page) ||
		    (attempt->to_table && is_off_limits(address, attempt->size)))
			return false;
	}
	return true;
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
 * An EPT violation of an instruction that reads, too, may be one of a read besides, and
 * KVM has every access that it emulates read. Accesses to where no memory is are a
 * misconfiguration of KVM's own tables: if L1 has changed its entry since, either the
 * emulator reports a violation, which for XCHG is of its read, or KVM does, which then
 * knows nothing of the access.
 */
static uint32_t ignored_of_violation(const struct attempt *attempt)
{
	if (prediction.hole)
		return EPT_FINAL | EPT_RWX;
	return attempt->access.type == ACCESS_READ ? 0 : EPT_READ;
}

/*
 * QEMU's TCG reads before it writes when an instruction does both, and has the
 * read fault; CPUs treat it as a write from the start.
 */
static bool is_error_code(const struct attempt *attempt, uint32_t wanted)
{
	uint32_t ignored = model.ept ? ignored_of_violation(attempt) :
		attempt->code == access_exchange ? PFERR_WRITE : 0;

	return !((wanted ^ access_error_code) & ~ignored);
}

static void check_fault(const struct attempt *attempt)
{
	unsigned long address = attempt->access.address + attempt->offset;
	unsigned int i;

	info->faults++;
	if (access_vector != PF_VECTOR)
		unexpected_exception();
	if (access_cr2 != address && !(is_nested() && nested_is_page_of(address, access_cr2)))
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
 * without INVLPG, and written to; so INVLPG it is. For nested guests, it doesn't.
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
	if (may_hit_hole() && !is_nested())
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
	attempt->offset = model.slots[slot] * model.entry_size;
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
	attempt->access.user = is_nested() || chance(55);
	attempt->access.ac = !attempt->access.user && chance(20);
	attempt->offset = offsets[attempt->access.type];
	attempt->code = attempt->access.type == ACCESS_READ ? access_read :
		attempt->access.type == ACCESS_WRITE ? access_write_32 : access_fetch;
	/* If the page is a table, too, that is an entry to KVM; see with_common_permission(). */
	attempt->value = info->step << 3 | EPT_RWX;
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
	unsigned long address = attempt->access.address + attempt->offset;
	volatile struct torture_event *event;

	event = log_event(EVENT_READ_AREA + attempt->access.type, address, attempt->value,
			  flags << 8 | attempt->size);
	expect();
	count();
	if (attempt->access.type == ACCESS_WRITE)
		info->writing = WRITING_ANY;
	let_others_run();
	if (is_nested())
		nested_access(attempt->code, address, attempt->value);
	else
		run_access(attempt->code, address, attempt->value, flags);
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
		if (!is_nested() || model.ept)
			model_page_fault(&model, attempt->access.address, access_error_code);
	} else {
		check_hit(attempt);
	}
	info->writing = 0;
	return !faulted;
}

/*
 * What a page fault handler does: write an entry, and have another try. Only a nested
 * page fault has flushed nothing.
 */
void access_area(uint64_t address)
{
	struct attempt attempt;
	unsigned int tries;

	choose_access(&attempt, address);
	for (tries = 0; !try_access(&attempt) && tries < 3 && chance(60); tries++) {
		repair_entry(address);
		if (is_nested() && chance(30))
			flush_page(address);
		info->repaired++;
	}
}

/* ---- pages ---- */

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
void check_pages(bool all)
{
	unsigned int i;

	for (i = 0; i < MODEL_POOL; i++)
		check_page(model_pool_page(i));
	for (i = 0; all && i < REGION_PAGES; i++)
		check_page(i);
}
