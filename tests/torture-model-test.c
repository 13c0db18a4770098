// SPDX-License-Identifier: GPL-2.0
/*
 * The torture test's reference model against sequences whose outcome the
 * architecture's manuals give. Run by torture.t.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"
#include "torture.h"

#define RW_USER		(PTE_PRESENT | PTE_WRITABLE | PTE_USER)
#define USED		(RW_USER | PTE_ACCESSED | PTE_DIRTY)

static char *region;
static struct model model;
static struct model_prediction prediction;

/* Pages of the pool: the tables of one address, from the root on, and frames. */
static uint32_t page(unsigned int n)
{
	return REGION + model_pool_page(n) * 4096;
}

static uint32_t entry(unsigned int n, unsigned int index)
{
	return page(n) + index * model.entry_size;
}

static void put(uint32_t address, uint64_t value)
{
	memcpy(region + (address - REGION), &value, model.entry_size);
}

/* A write that the model is told of. */
static void write_entry(uint32_t address, uint64_t value)
{
	struct model_change change;

	assert_true(model_can_write(&model, address, model.entry_size));
	assert_true(model_before_write(&model, address, model.entry_size, &change));
	put(address, value);
	model_after_write(&model, address, model.entry_size, false);
}

/* Index 4 at every level; the leaf entry maps frame 8. */
static uint64_t address_of(enum paging_mode mode)
{
	static const uint64_t addresses[] = {
		[PAGING_32] = 4ULL << 22 | 4 << 12,
		[PAGING_PAE] = 1ULL << 30 | 4ULL << 21 | 4 << 12,
		[PAGING_64] = 4ULL << 39 | 4ULL << 30 | 4ULL << 21 | 4 << 12,
	};

	return addresses[mode];
}

static uint32_t leaf(void)
{
	return entry(model.levels - 1, 4);
}

static void start(enum paging_mode mode)
{
	unsigned int i;

	memset(region, 0, REGION_END - REGION);
	memset(&model, 0, sizeof(model));
	model_init(&model, mode, region, 40);
	model.nx = mode != PAGING_32;
	if (mode == PAGING_PAE)
		put(page(0) + 8, page(1) | PTE_PRESENT);
	for (i = mode == PAGING_PAE; i + 1 < model.levels; i++)
		put(entry(i, 4), page(i + 1) | RW_USER);
	put(leaf(), page(8) | RW_USER);
	model_set_mode(&model, mode);
	model_load_root(&model, page(0));
}

static void predict(enum access_type type, bool user)
{
	struct model_access access = {
		.address = address_of(model.mode), .type = type, .user = user,
	};

	model_predict(&model, &access, &prediction);
	assert_false(prediction.unknown);
}

/* The CPU translated, and cached it. */
static void use(enum access_type type)
{
	unsigned int i;

	predict(type, true);
	if (type == ACCESS_WRITE)
		model_expect_dirty(&model, &prediction);
	if (model.ept && !model.ept_marks)
		return;
	for (i = 0; i < prediction.nr_walked; i++)
		put(prediction.walked[i], model_entry_at(&model, prediction.walked[i]) |
		    model_accessed_bit(&model));
	if (type == ACCESS_WRITE)
		put(leaf(), model_entry_at(&model, leaf()) | (model.ept ? EPT_DIRTY : PTE_DIRTY));
}

static bool may_fault_with(uint32_t error_code)
{
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		if (prediction.outcomes[i].fault && prediction.outcomes[i].error_code == error_code)
			return true;
	}
	return false;
}

static bool may_hit(uint32_t address)
{
	unsigned int i;

	for (i = 0; i < prediction.nr; i++) {
		if (!prediction.outcomes[i].fault && prediction.outcomes[i].page == address)
			return true;
	}
	return false;
}

static void must_hit(enum access_type type, bool user, uint32_t address)
{
	predict(type, user);
	assert_int_equal(prediction.nr, 1);
	assert_true(may_hit(address));
}

static void must_fault(enum access_type type, bool user, uint32_t error_code)
{
	predict(type, user);
	assert_int_equal(prediction.nr, 1);
	assert_true(may_fault_with(error_code));
}

/* ---- permissions ---- */

static void test_permissions(void **state)
{
	enum paging_mode mode;

	(void)state;
	for (mode = 0; mode < NR_PAGING_MODES; mode++) {
		start(mode);
		must_hit(ACCESS_WRITE, true, page(8));
		write_entry(leaf(), page(8) | PTE_PRESENT | PTE_USER);
		must_hit(ACCESS_READ, true, page(8));
		must_fault(ACCESS_WRITE, true, 7);
		must_fault(ACCESS_WRITE, false, 3);
		model.wp = false;
		must_hit(ACCESS_WRITE, false, page(8));
		must_fault(ACCESS_WRITE, true, 7);
		write_entry(leaf(), page(8) | PTE_PRESENT | PTE_WRITABLE);
		must_fault(ACCESS_READ, true, 5);
		must_hit(ACCESS_READ, false, page(8));
		write_entry(leaf(), page(8) | RW_USER);
		model.smap = true;
		model.wp = true;
		must_fault(ACCESS_READ, false, 1);
		must_hit(ACCESS_READ, true, page(8));
		model.smep = true;
		must_fault(ACCESS_FETCH, false, 0x11);
		must_hit(ACCESS_FETCH, true, page(8));
	}
}

/* The strictest level counts, for each permission. */
static void test_upper_levels(void **state)
{
	(void)state;
	start(PAGING_64);
	write_entry(entry(0, 4), page(1) | PTE_PRESENT | PTE_USER);
	must_fault(ACCESS_WRITE, true, 7);
	write_entry(entry(1, 4), page(2) | PTE_PRESENT | PTE_WRITABLE);
	must_fault(ACCESS_READ, true, 5);
	write_entry(entry(2, 4), page(3) | RW_USER | PTE_NX);
	must_fault(ACCESS_FETCH, false, 0x11);
	write_entry(entry(1, 4), 0);
	must_fault(ACCESS_READ, true, 4);
}

static void test_reserved_bits(void **state)
{
	(void)state;
	start(PAGING_64);
	write_entry(leaf(), page(8) | RW_USER | 1ULL << 51);
	must_fault(ACCESS_READ, true, 0xd);
	write_entry(leaf(), page(8) | RW_USER | 1ULL << 52);
	must_hit(ACCESS_READ, true, page(8));
	write_entry(entry(2, 4), (page(3) & ~0x1fffffU) | 0x2000 | RW_USER | PTE_LARGE);
	must_fault(ACCESS_READ, true, 0xd);
	start(PAGING_PAE);
	write_entry(leaf(), page(8) | RW_USER | 1ULL << 52);
	must_fault(ACCESS_READ, true, 0xd);
	start(PAGING_32);
	write_entry(entry(0, 4), REGION | RW_USER | PTE_LARGE | 1 << 21);
	must_fault(ACCESS_READ, true, 0xd);
}

static void test_large_pages(void **state)
{
	(void)state;
	start(PAGING_32);
	write_entry(entry(0, 4), REGION | RW_USER | PTE_LARGE);
	must_hit(ACCESS_READ, true, REGION + 4 * 4096);
	start(PAGING_64);
	write_entry(entry(2, 4), (REGION + 0x200000) | RW_USER | PTE_LARGE);
	must_hit(ACCESS_READ, true, REGION + 0x200000 + 4 * 4096);
	write_entry(entry(1, 4), RW_USER | PTE_LARGE);
	model.large_1g = true;
	must_hit(ACCESS_READ, true, 4 * 0x200000 + 4 * 4096);
	model.large_1g = false;
	must_fault(ACCESS_READ, true, 0xd);
}

/* ---- what is stale ---- */

/* A present entry may be cached until it is flushed, once it was accessed. */
static void test_stale_leaf(void **state)
{
	enum paging_mode mode;

	(void)state;
	for (mode = 0; mode < NR_PAGING_MODES; mode++) {
		start(mode);
		write_entry(leaf(), page(9) | RW_USER);
		must_hit(ACCESS_READ, true, page(9));	/* frame 8 was never accessed */
		use(ACCESS_READ);
		write_entry(leaf(), page(10) | RW_USER);
		predict(ACCESS_READ, true);
		assert_int_equal(prediction.nr, 2);
		assert_true(may_hit(page(9)) && may_hit(page(10)));
		model_flush_page(&model, address_of(mode) + 0x1000);
		predict(ACCESS_READ, true);
		assert_int_equal(prediction.nr, 2);
		model_flush_page(&model, address_of(mode));
		must_hit(ACCESS_READ, true, page(10));
		use(ACCESS_READ);
		write_entry(leaf(), 0);
		predict(ACCESS_READ, true);
		assert_true(may_hit(page(10)) && may_fault_with(4));
		model_load_root(&model, page(0));
		must_fault(ACCESS_READ, true, 4);
		write_entry(leaf(), page(9) | RW_USER);
		must_hit(ACCESS_READ, true, page(9));	/* what isn't present isn't cached */
	}
}

/* Upper entries may be older than lower ones, or the other way round. */
static void test_stale_mixture(void **state)
{
	(void)state;
	start(PAGING_64);
	use(ACCESS_READ);
	write_entry(entry(2, 4), page(4) | USED);
	write_entry(entry(4, 4), page(9) | USED);
	write_entry(leaf(), page(10) | USED);
	predict(ACCESS_READ, true);
	assert_int_equal(prediction.nr, 3);
	assert_true(may_hit(page(8)) && may_hit(page(9)) && may_hit(page(10)));
	model_flush_all(&model);
	must_hit(ACCESS_READ, true, page(9));
}

/* What was cached through a nested root is used until a flush, whatever the root is. */
static void test_old_root(void **state)
{
	unsigned int i;

	(void)state;
	start(PAGING_64);
	use(ACCESS_READ);
	assert_true(model_change_root(&model, page(9)));	/* which is empty */
	predict(ACCESS_READ, true);
	assert_int_equal(prediction.nr, 2);
	assert_true(may_hit(page(8)) && may_fault_with(4));
	model_load_root(&model, page(9));
	must_fault(ACCESS_READ, true, 4);
	for (i = 0; i < MODEL_MAX_OLD; i++)
		assert_true(model_change_root(&model, page(0)));
	assert_false(model_change_root(&model, page(9)));
}

/* Of a nested root, the entry that physical addresses with bit 39 use is remembered. */
static void test_nested_root(void **state)
{
	struct model_access access = {
		.address = 1ULL << 39 | (address_of(PAGING_64) & ((1ULL << 39) - 1)), .user = true,
	};

	(void)state;
	start(PAGING_64);
	model.nested = true;
	model_set_mode(&model, PAGING_64);
	write_entry(entry(0, 1), page(1) | USED);
	model_predict(&model, &access, &prediction);
	assert_true(prediction.nr == 1 && may_hit(page(8)));
	write_entry(entry(0, 1), page(9) | USED);
	model_predict(&model, &access, &prediction);
	assert_true(prediction.nr == 2 && may_hit(page(8)) && may_fault_with(4));
}

/* More rights need no flush, but one page fault is allowed; it flushes. */
static void test_spurious_fault(void **state)
{
	(void)state;
	start(PAGING_64);
	write_entry(leaf(), page(8) | PTE_PRESENT | PTE_USER);
	use(ACCESS_READ);
	write_entry(leaf(), page(8) | USED);
	predict(ACCESS_WRITE, true);
	assert_int_equal(prediction.nr, 2);
	assert_true(may_hit(page(8)) && may_fault_with(7));
	model_page_fault(&model, address_of(PAGING_64), 7);
	must_hit(ACCESS_WRITE, true, page(8));
}

/* CR3 gives a PAE guest its four PDPTEs; writes to them do nothing until then. */
static void test_pdptes(void **state)
{
	(void)state;
	start(PAGING_PAE);
	put(page(0) + 8, 0);
	must_hit(ACCESS_READ, true, page(8));
	model_load_root(&model, page(0));
	must_fault(ACCESS_READ, true, 4);
}

/* ---- accessed and dirty ---- */

static void test_marks(void **state)
{
	struct model_change change;

	(void)state;
	start(PAGING_64);
	predict(ACCESS_WRITE, true);
	assert_false(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	use(ACCESS_READ);
	assert_true(model_check_marks(&model, &prediction, ACCESS_READ, 0, &change));
	assert_false(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	assert_int_equal(change.address, leaf());
	use(ACCESS_WRITE);
	assert_true(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	/* A cached translation may explain that A isn't set. */
	write_entry(leaf(), page(8) | RW_USER);
	predict(ACCESS_READ, true);
	assert_true(model_check_marks(&model, &prediction, ACCESS_READ, 0, &change));
	model_flush_page(&model, address_of(PAGING_64));
	predict(ACCESS_READ, true);
	assert_false(model_check_marks(&model, &prediction, ACCESS_READ, 0, &change));
}

static void test_change(void **state)
{
	struct model_change change;

	(void)state;
	start(PAGING_64);
	use(ACCESS_READ);
	assert_true(model_check_entries(&model, &change));
	put(leaf(), model_entry_at(&model, leaf()) | PTE_DIRTY);	/* without a write */
	assert_false(model_check_entries(&model, &change));
	assert_int_equal(change.address, leaf());
	start(PAGING_64);
	use(ACCESS_WRITE);
	assert_true(model_check_entries(&model, &change));
	put(entry(0, 5), PTE_ACCESSED);					/* not present */
	assert_false(model_check_entries(&model, &change));
}

/* No table is outside the region: nobody could say what is there. */
static void test_unknown(void **state)
{
	struct model_access access = { .address = address_of(PAGING_64) };

	(void)state;
	start(PAGING_64);
	write_entry(entry(2, 4), HOLE | RW_USER);
	model_predict(&model, &access, &prediction);
	assert_true(prediction.unknown);
	start(PAGING_64);
	write_entry(leaf(), 0x1000 | RW_USER);
	model_predict(&model, &access, &prediction);
	assert_true(prediction.unknown);
}

/* Only so many old values are remembered; the program must flush then. */
static void test_full(void **state)
{
	unsigned int i;

	(void)state;
	start(PAGING_64);
	for (i = 0; i < MODEL_MAX_OLD; i++) {
		use(ACCESS_READ);
		write_entry(leaf(), page(8 + i % 2) | RW_USER);
	}
	assert_false(model_can_write(&model, leaf(), 8));
	assert_false(model_can_write(&model, leaf() - 4, 8));
	assert_true(model_can_write(&model, leaf() + 8, 8));
	model_flush_all(&model);
	assert_true(model_can_write(&model, leaf(), 8));
}

/* ---- extended page tables ---- */

#define EPT_MAPPED	(EPT_RWX | EPT_TYPE_WB)

/* A violation of this access, where the entries allow that. */
#define VIOLATION(access, allowed)	(EPT_FINAL | 1 << (access) | (allowed) << EPT_ALLOWED_SHIFT)

static void start_ept(void)
{
	unsigned int i;

	start(PAGING_64);
	model.nested = model.ept = model.ept_marks = true;
	for (i = 0; i < 3; i++)
		put(entry(i, 4), page(i + 1) | EPT_RWX);
	put(leaf(), page(8) | EPT_MAPPED);
	model_set_mode(&model, PAGING_64);
	model_load_root(&model, page(0));
}

static void test_ept_permissions(void **state)
{
	(void)state;
	start_ept();
	must_hit(ACCESS_READ, true, page(8));
	must_hit(ACCESS_WRITE, true, page(8));
	must_hit(ACCESS_FETCH, true, page(8));
	write_entry(leaf(), page(8) | EPT_READ | EPT_TYPE_WB);
	must_hit(ACCESS_READ, true, page(8));
	must_fault(ACCESS_WRITE, true, VIOLATION(ACCESS_WRITE, EPT_READ));
	must_fault(ACCESS_FETCH, true, VIOLATION(ACCESS_FETCH, EPT_READ));
	write_entry(entry(1, 4), page(2) | EPT_READ | EPT_EXECUTE);
	write_entry(leaf(), page(8) | EPT_READ | EPT_WRITE | EPT_TYPE_WB);
	must_fault(ACCESS_WRITE, true, VIOLATION(ACCESS_WRITE, EPT_READ));
	write_entry(entry(2, 4), page(3));	/* nothing is present */
	must_fault(ACCESS_READ, true, VIOLATION(ACCESS_READ, 0));
}

static void test_ept_execute_only(void **state)
{
	(void)state;
	start_ept();
	write_entry(leaf(), page(8) | EPT_EXECUTE | EPT_TYPE_WB);
	must_fault(ACCESS_FETCH, true, EPT_MISCONFIGURED);
	model.ept_execute_only = true;
	must_hit(ACCESS_FETCH, true, page(8));
	must_fault(ACCESS_READ, true, VIOLATION(ACCESS_READ, EPT_EXECUTE));
	write_entry(entry(2, 4), page(3) | EPT_READ);
	must_fault(ACCESS_FETCH, true, VIOLATION(ACCESS_FETCH, 0));
}

/* Whatever the access is. */
static void must_be_misconfigured(uint32_t address, uint64_t value)
{
	uint64_t before = model_entry_at(&model, address);

	model_flush_all(&model);
	write_entry(address, value);
	must_fault(ACCESS_READ, true, EPT_MISCONFIGURED);
	must_fault(ACCESS_WRITE, true, EPT_MISCONFIGURED);
	write_entry(address, before);
	must_hit(ACCESS_READ, true, page(8));
}

static void test_ept_misconfigured(void **state)
{
	const uint64_t ignored = 0xfffULL << 52 | 0xc00 | EPT_IGNORE_PAT | PTE_LARGE;
	uint64_t type;

	(void)state;
	start_ept();
	must_be_misconfigured(leaf(), page(8) | EPT_WRITE | EPT_TYPE_WB);
	must_be_misconfigured(leaf(), page(8) | EPT_WRITE | EPT_EXECUTE | EPT_TYPE_WB);
	must_be_misconfigured(leaf(), page(8) | EPT_MAPPED | 1ULL << 40);
	must_be_misconfigured(leaf(), page(8) | EPT_MAPPED | 1ULL << 51);
	must_be_misconfigured(entry(2, 4), page(3) | EPT_RWX | EPT_TYPE_WB);
	must_be_misconfigured(entry(2, 4), page(3) | EPT_RWX | EPT_IGNORE_PAT);
	must_be_misconfigured(entry(2, 4), REGION | 0x1000 | EPT_MAPPED | PTE_LARGE);
	must_be_misconfigured(entry(1, 4), EPT_MAPPED | PTE_LARGE);	/* no such pages */
	must_be_misconfigured(entry(0, 4), page(1) | EPT_RWX | PTE_LARGE);
	for (type = 0; type < 8; type++) {
		if (type == 2 || type == 3 || type == 7) {
			must_be_misconfigured(leaf(), page(8) | EPT_RWX | type << 3);
			continue;
		}
		write_entry(leaf(), page(8) | EPT_RWX | type << 3);
		must_hit(ACCESS_READ, true, page(8));
	}
	write_entry(leaf(), page(8) | EPT_MAPPED | ignored);
	must_hit(ACCESS_READ, true, page(8));
}

static void test_ept_large_pages(void **state)
{
	(void)state;
	start_ept();
	write_entry(entry(2, 4), (REGION + 0x200000) | EPT_MAPPED | PTE_LARGE);
	must_hit(ACCESS_READ, true, REGION + 0x200000 + 4 * 4096);
	model.large_1g = true;
	write_entry(entry(1, 4), EPT_MAPPED | PTE_LARGE);
	must_hit(ACCESS_READ, true, 4 * 0x200000 + 4 * 4096);
}

/* An entry that isn't accessed may be cached only if accessed bits are off. */
static void test_ept_marks(void **state)
{
	struct model_change change;

	(void)state;
	start_ept();
	predict(ACCESS_WRITE, true);
	assert_false(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	use(ACCESS_WRITE);
	assert_true(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	assert_true(model_check_entries(&model, &change));
	model_flush_all(&model);
	write_entry(leaf(), page(9) | EPT_MAPPED);
	write_entry(leaf(), page(10) | EPT_MAPPED);
	predict(ACCESS_READ, true);
	assert_true(prediction.nr == 2 && may_hit(page(8)) && may_hit(page(10)));
	model.ept_marks = false;
	model_flush_all(&model);
	write_entry(leaf(), page(9) | EPT_MAPPED);
	predict(ACCESS_WRITE, true);
	assert_true(prediction.nr == 2 && may_hit(page(9)) && may_hit(page(10)));
	model_expect_dirty(&model, &prediction);
	assert_true(model_check_marks(&model, &prediction, ACCESS_WRITE, 0, &change));
	put(leaf(), page(9) | EPT_MAPPED | EPT_DIRTY);
	assert_false(model_check_entries(&model, &change));
	put(leaf(), page(9) | EPT_MAPPED | EPT_ACCESSED);
	assert_false(model_check_entries(&model, &change));
	model.shared = true;	/* with a CPU that has them on */
	assert_true(model_check_entries(&model, &change));
	model.ept_marks = true;
	model_flush_all(&model);
	write_entry(leaf(), page(8) | EPT_MAPPED);
	write_entry(leaf(), 0);		/* and that one may have accessed this */
	predict(ACCESS_READ, true);
	assert_true(may_hit(page(8)));
}

/* A violation flushes, as long as it tells that something is present. */
static void test_ept_violation(void **state)
{
	(void)state;
	start_ept();
	use(ACCESS_READ);
	write_entry(leaf(), page(9) | EPT_READ | EPT_TYPE_WB);
	model_page_fault(&model, address_of(PAGING_64), EPT_MISCONFIGURED);
	model_page_fault(&model, address_of(PAGING_64), VIOLATION(ACCESS_WRITE, 0));
	predict(ACCESS_READ, true);
	assert_true(prediction.nr == 2 && may_hit(page(8)) && may_hit(page(9)));
	model_page_fault(&model, address_of(PAGING_64), VIOLATION(ACCESS_WRITE, EPT_READ));
	must_hit(ACCESS_READ, true, page(9));
}

/* What is cached belongs to a root, and is used when that is back; so do flushes. */
static void test_ept_roots(void **state)
{
	(void)state;
	start_ept();
	put(entry(9, 4), page(1) | EPT_RWX | EPT_ACCESSED);
	use(ACCESS_READ);
	assert_true(model_change_root(&model, page(9)));
	model_flush_root(&model);
	write_entry(leaf(), page(10) | EPT_MAPPED);
	model_page_fault(&model, address_of(PAGING_64), VIOLATION(ACCESS_WRITE, EPT_READ));
	must_hit(ACCESS_READ, true, page(10));
	assert_true(model_change_root(&model, page(0)));
	predict(ACCESS_READ, true);
	assert_true(prediction.nr == 2 && may_hit(page(8)) && may_hit(page(10)));
	model_flush_root(&model);
	must_hit(ACCESS_READ, true, page(10));
}

static int set_up(void **state)
{
	(void)state;
	region = calloc(1, REGION_END - REGION);
	return !region;
}

static int tear_down(void **state)
{
	(void)state;
	free(region);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_upper_levels),
		cmocka_unit_test(test_reserved_bits),
		cmocka_unit_test(test_large_pages),
		cmocka_unit_test(test_stale_leaf),
		cmocka_unit_test(test_stale_mixture),
		cmocka_unit_test(test_old_root),
		cmocka_unit_test(test_nested_root),
		cmocka_unit_test(test_spurious_fault),
		cmocka_unit_test(test_pdptes),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_ept_permissions),
		cmocka_unit_test(test_ept_execute_only),
		cmocka_unit_test(test_ept_misconfigured),
		cmocka_unit_test(test_ept_large_pages),
		cmocka_unit_test(test_ept_marks),
		cmocka_unit_test(test_ept_violation),
		cmocka_unit_test(test_ept_roots),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
