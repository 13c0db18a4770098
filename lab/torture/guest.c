// SPDX-License-Identifier: GPL-2.0
/*
 * The torture guest: a random program that writes page tables in every way it
 * can think of, flushes now and then, and uses the translations, asking the
 * model before each access what may become of it. It stops at the first thing
 * that must not be. Freestanding; runs at CPL 0 on the VMM's page tables, which
 * are part of every root, and makes accesses at CPL 0 and 3 (guest-access.S), or
 * has a nested guest make them (guest-nested.c).
 *
 * Everything depends on the seed alone, but for what is allowed to differ.
 */
#include "program.h"

void torture_main(void);

struct model model;

/* ---- chance ---- */

static uint64_t random_states[GUEST_MAX_VCPUS];

/* By where its stack is. */
static unsigned int this_vcpu(void)
{
	return ((unsigned long)__builtin_frame_address(0) - GUEST_VCPU(0)) / GUEST_VCPU_SIZE;
}

uint32_t random_word(void)
{
	uint64_t z = random_states[this_vcpu()] += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) >> 16;
}

uint32_t random_below(uint32_t n)
{
	return random_word() % n;
}

/* True in @percent cases of 100. */
bool chance(uint32_t percent)
{
	return random_below(100) < percent;
}

/* ---- telling the VMM ---- */

void port_out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

void fail(enum torture_failure failure, uint64_t address, uint64_t wanted, uint64_t found)
{
	info->vcpu = this_vcpu();
	info->failure = failure;
	info->address = address;
	info->wanted = wanted;
	info->found = found;
	for (;;)
		port_out(GUEST_PORT, GUEST_FAILED);
}

void fail_change(enum torture_failure failure, const struct model_change *change)
{
	fail(failure, change->address, change->wanted, change->found);
}

volatile struct torture_event *log_event(enum torture_event_type type, uint64_t address,
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

/* ---- now and then ---- */

static void check_memory(bool all)
{
	struct model_change change;

	if (!model_check_entries(&model, &change))
		fail_change(FAILURE_ENTRY, &change);
	check_pages(all);
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
	uint32_t root = chance(30) ? model.root : random_root();

	if (is_nested())
		nested_switch_root(root);
	else
		load_root(root);
}

/* Most of the time it is in the mode that it is asked for. */
static void maybe_switch_paging(void)
{
#ifndef __x86_64__
	if (!random_below(model.mode == (enum paging_mode)info->paging ? 150 : 50))
		switch_paging();
#endif
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
	else if (n < 97 && is_nested())
		nested_flush_page(address);
	else if (n < 97 && has_pge)
		flush_global();
	else
		change_mode();
}

/* ---- start ---- */

static void start(void)
{
	model.nested = info->nested;
	model.shared = has_helpers();
	model_init(&model, info->paging, at(REGION), max_phys());
	detect_cpu();
	copy_user_code();
	if (is_nested())
		nested_start(0);
	copy_own_entries();
	fill_tables();
	load_root(random_root());
	if (has_nx)
		toggle_nxe();
	choose_favourites();
}

void torture_main(void)
{
	unsigned int vcpu = this_vcpu();

	random_states[vcpu] = info->seed + ((uint64_t)vcpu << 32);
	if (has_helpers() && vcpu)
		help(vcpu);
	start();
	if (has_helpers())
		helpers_start();
	for (info->step = 0; info->step < info->steps; info->step++) {
		do_step();
		now_and_then();
	}
	check_memory(true);
	if (has_helpers())
		helpers_stop();
	for (;;)
		port_out(GUEST_PORT, GUEST_DONE);
}
