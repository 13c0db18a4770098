// SPDX-License-Identifier: GPL-2.0
/*
 * The torture guest as a hypervisor (L1): its page tables are those of a nested
 * guest (L2), which is entered for each access to make it. L2's own page tables
 * map all physical addresses that accesses use, and never change, so that nothing
 * but the tortured tables decides. Only in 64-bit mode. Here is what doesn't depend
 * on the CPU; guest-svm.c and guest-vmx.c have the rest.
 */
#include "program.h"

/* ---- start ---- */

/* L2's own tables have pages of 1 GiB. */
void nested_detect_cpu(void)
{
	uint32_t a, b, features, svm, d;

	cpuid(1, &a, &b, &features, &d);
	cpuid(0x80000001, &a, &b, &svm, &d);
	model.ept = features >> 5 & 1;
	if ((!model.ept && !(svm >> 2 & 1)) || !model.large_1g || model.max_phys < 40)
		fail(FAILURE_CPU, 0, 0, 0);
	if (model.ept)
		vmx_detect_cpu();
	else
		svm_detect_cpu();
}

/*
 * L2's own tables, accessed and dirty so that walks write nothing: what is mapped of
 * L1, and the physical addresses that accesses use, with bit 39 set.
 */
static void build_tables(unsigned int vcpu)
{
	uint64_t *root = (uint64_t *)at(L2_TABLES(vcpu)), *low = root + 512, *high = low + 512;
	uint64_t i;

	root[0] = (unsigned long)low | PTE_MAPPED;
	root[1] = (unsigned long)high | PTE_MAPPED;
	low[0] = PTE_MAPPED | PTE_LARGE;
	for (i = 0; i < 512; i++)
		high[i] = 1ULL << 39 | i << 30 | PTE_MAPPED | PTE_LARGE;
}

void nested_start(unsigned int vcpu)
{
	build_tables(vcpu);
	if (model.ept)
		vmx_start(vcpu);
	else
		svm_start(vcpu);
}

/* ---- roots and flushes ---- */

static uint32_t set_root(unsigned int vcpu, uint32_t root, enum nested_flush flush)
{
	return model.ept ? vmx_set_root(vcpu, root, flush) : svm_set_root(vcpu, root, flush);
}

static void set_first_root(uint32_t root, enum nested_flush flush)
{
	uint32_t detail = set_root(0, root, flush);

	log_event(EVENT_SET_NESTED, 0, root | (model.ept_marks ? 1 : 0), detail);
}

void nested_load_root(uint32_t root)
{
	set_first_root(root, NESTED_FLUSH_ALL);
	model_load_root(&model, root);
}

/* With SVM, what is flushed is that of all roots. */
void nested_flush(void)
{
	if (!model.ept || chance(15)) {
		nested_load_root(model.root);
		return;
	}
	set_first_root(model.root, NESTED_FLUSH_ROOT);
	model_flush_root(&model);
}

void nested_switch_root(uint32_t root)
{
	if (chance(model.ept ? 10 : 70) || !model_change_root(&model, root)) {
		load_root(root);
		return;
	}
	set_first_root(root, NESTED_FLUSH_NOTHING);
	if (model.ept && chance(50))
		nested_flush();
}

void nested_follow(unsigned int vcpu)
{
	uint32_t root = chance(80) ? model.root : random_root();

	set_root(vcpu, root, chance(50) ? NESTED_FLUSH_ALL : NESTED_FLUSH_NOTHING);
	if (!model.ept)
		follow_mode(vcpu);
}

/* Flushes what is cached of L2's own tables, i.e. nothing that matters. */
void nested_flush_page(uint64_t address)
{
	log_event(EVENT_FLUSH_PAGE, address, 0, 0);
	if (model.ept)
		vmx_flush_page(address);
	else
		svm_flush_page(address);
}

/*
 * Without accessed and dirty bits, or with them again. What was cached by an EPT that
 * had them tells nothing of one that hasn't, and the other way round: flush.
 */
void nested_toggle_marks(void)
{
	struct model_change change;

	if (!vmx_has_marks())
		return;
	if (!model_check_entries(&model, &change))
		fail_change(FAILURE_ENTRY, &change);
	model.ept_marks = !model.ept_marks;
	load_root(model.root);
}

/* ---- accesses ---- */

struct nested_exit nested_run(unsigned int vcpu, void (*code)(void), unsigned long address,
			      unsigned long value)
{
	return model.ept ? vmx_run(vcpu, code, address, value) :
		svm_run(vcpu, code, address, value);
}

bool nested_is_page_of(uint64_t address, uint64_t fault_address)
{
	return fault_address == (address & ~(PAGE_SIZE - 1ULL));
}

void nested_access(void (*code)(void), unsigned long address, unsigned long value)
{
	struct nested_exit exit = nested_run(0, code, address, value);

	access_value = exit.value;
	if (exit.end == NESTED_DONE) {
		access_vector = VECTOR_BREAKPOINT;
		access_error_code = 0;
		return;
	}
	if (exit.end != NESTED_FAULT)
		fail(FAILURE_EXIT, exit.ip, 0, exit.reason);
	access_vector = PF_VECTOR;
	access_error_code = exit.error_code;
	access_cr2 = exit.address;
}
