// SPDX-License-Identifier: GPL-2.0
/*
 * What vCPUs do but for the first: read and run what is mapped by the page tables
 * that the first one is changing, by nested guests of their own. Nobody can predict
 * that; what is checked holds whatever the tables are.
 */
#include "program.h"
#include "vmcb.h"

#define UD_VECTOR	6

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

static void check_fault(const struct vmcb *vmcb, uint64_t address, bool fetch)
{
	uint32_t wrong = PFERR_WRITE | (fetch ? 0 : PFERR_FETCH), error_code = vmcb->exit_info_1;

	if (vmcb->exit_info_2 != address && !nested_is_page_of(address, vmcb->exit_info_2))
		fail(FAILURE_CR2, address, address, vmcb->exit_info_2);
	if (vmcb->exit_info_1 >> 32 != NPF_FINAL >> 32 || error_code & wrong ||
	    !(error_code & PFERR_USER))
		fail(FAILURE_ERROR_CODE, address, NPF_FINAL, vmcb->exit_info_1);
}

/* Where no memory is there is no code that KVM could emulate. */
static void check_exit(const struct vmcb *vmcb, uint64_t address, bool fetch)
{
	if (vmcb->exit_code == EXIT_VMMCALL)
		check_hit(address, vmcb->rax);
	else if (vmcb->exit_code == EXIT_NPF)
		check_fault(vmcb, address, fetch);
	else if (vmcb->exit_code != EXIT_EXCEPTION(UD_VECTOR) || !fetch)
		fail(FAILURE_EXIT, vmcb->rip, EXIT_NPF, vmcb->exit_code);
}

static void use_tables(unsigned int vcpu)
{
	bool fetch = chance(25);
	uint64_t address = known_address() + (fetch ? OFFSET_CODE : OFFSET_IDENTITY);
	const struct vmcb *vmcb;

	nested_follow(vcpu);
	vmcb = nested_run(vcpu, fetch ? access_fetch : access_read, address, 0);
	__atomic_fetch_add(&info->helper_accesses, 1, __ATOMIC_RELAXED);
	check_exit(vmcb, address, fetch);
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
