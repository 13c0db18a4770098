// SPDX-License-Identifier: GPL-2.0
/*
 * What vCPUs do but for the first: read and run what is mapped by the page tables
 * that the first one is changing, by nested guests of their own. Nobody can predict
 * that; what is checked holds whatever the tables are.
 */
#include "program.h"

static bool started, ended;

void helpers_start(void)
{
	__atomic_store_n(&started, true, __ATOMIC_RELEASE);
}

void helpers_stop(void)
{
	__atomic_store_n(&ended, true, __ATOMIC_RELEASE);
}

/* All pages that entries may have the address of, see random_entry(). */
static void check_hit(uint64_t address, uint32_t value)
{
	uint64_t page = (uint64_t)page_identity(value) * PAGE_SIZE;

	if (page < REGION || page >= HOLE_END)
		fail(FAILURE_FRAME, address, 0, value);
	__atomic_fetch_add(&info->helper_hits, 1, __ATOMIC_RELAXED);
}

/* Where L2 finds no memory, KVM may not know what the access was, see ignored_of_violation(). */
static bool is_error_code_of(uint32_t error_code, bool fetch)
{
	if (model.ept)
		return !(error_code & (EPT_WRITE | (fetch ? 0 : EPT_EXECUTE)));
	return error_code & PFERR_USER &&
		!(error_code & (PFERR_WRITE | (fetch ? 0 : PFERR_FETCH)));
}

static void check_fault(const struct nested_exit *exit, uint64_t address, bool fetch)
{
	if (exit->address != address && !nested_is_page_of(address, exit->address))
		fail(FAILURE_CR2, address, address, exit->address);
	if (!is_error_code_of(exit->error_code, fetch))
		fail(FAILURE_ERROR_CODE, address, 0, exit->error_code);
}

/* Where no memory is there is no code that KVM could emulate. */
static void check_exit(const struct nested_exit *exit, uint64_t address, bool fetch)
{
	if (exit->end == NESTED_DONE)
		check_hit(address, exit->value);
	else if (exit->end == NESTED_FAULT)
		check_fault(exit, address, fetch);
	else if (exit->end != NESTED_UNDEFINED || !fetch)
		fail(FAILURE_EXIT, exit->ip, 0, exit->reason);
}

static void use_tables(unsigned int vcpu)
{
	bool fetch = chance(25);
	uint64_t address = known_address() + (fetch ? OFFSET_CODE : OFFSET_IDENTITY);
	struct nested_exit exit;

	nested_follow(vcpu);
	exit = nested_run(vcpu, fetch ? access_fetch : access_read, address, 0);
	__atomic_fetch_add(&info->helper_accesses, 1, __ATOMIC_RELAXED);
	check_exit(&exit, address, fetch);
}

void help(unsigned int vcpu)
{
	while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE))
		let_others_run();
	nested_start(vcpu);
	while (!__atomic_load_n(&ended, __ATOMIC_ACQUIRE)) {
		use_tables(vcpu);
		let_others_run();
	}
	for (;;)
		port_out(GUEST_PORT, GUEST_DONE);
}
