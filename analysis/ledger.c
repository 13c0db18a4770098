// SPDX-License-Identifier: GPL-2.0
/* Sums that never go backwards, for a bounded number of VMs. See ledger.h. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "ledger.h"

static struct fl_ledger_vm *find(struct fl_ledger *ledger, const struct fl_vm_snapshot *vm)
{
	size_t i;

	for (i = 0; i < ledger->nr_vms; i++) {
		if (ledger->vms[i].pid == vm->pid && !strcmp(ledger->vms[i].name, vm->name))
			return &ledger->vms[i];
	}
	return NULL;
}

static struct fl_ledger_vm *enter(struct fl_ledger *ledger, const struct fl_vm_snapshot *vm)
{
	struct fl_ledger_vm *vms, *entry;
	struct fl_tally *tally = NULL;

	vms = realloc(ledger->vms, (ledger->nr_vms + 1) * sizeof(*vms));
	if (vms)
		ledger->vms = vms;
	if (vms && ledger->nr_own < ledger->max_vms)
		tally = calloc(1, sizeof(*tally));
	if (!vms || (ledger->nr_own < ledger->max_vms && !tally)) {
		fl_fail("out of memory; free some and try again");
		return NULL;
	}
	entry = &vms[ledger->nr_vms++];
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->name, vm->name, sizeof(entry->name));
	entry->pid = vm->pid;
	entry->tally = tally;
	ledger->nr_own += !!tally;
	return entry;
}

/* One that was struck off may still be in the snapshots, without news. */
static bool has_news(const struct fl_tally *tally)
{
	return tally->counts.exits || tally->counts.guest_faults ||
	       tally->events.injected || tally->events.mapped ||
	       tally->events.unsynced || tally->events.emulated;
}

static int add_vm(struct fl_ledger *ledger, const struct fl_vm_snapshot *vm)
{
	struct fl_ledger_vm *entry = find(ledger, vm);

	if (!entry && !has_news(&vm->tally))
		return 0;
	if (!entry)
		entry = enter(ledger, vm);
	if (!entry)
		return -1;
	fl_tally_add(entry->tally ? entry->tally : &ledger->others, &vm->tally);
	entry->nr_vcpus += vm->nr_vcpus;
	return 0;
}

static void strike_off(struct fl_ledger *ledger, size_t index)
{
	struct fl_ledger_vm *entry = &ledger->vms[index];

	ledger->nr_own -= !!entry->tally;
	free(entry->tally);
	*entry = ledger->vms[--ledger->nr_vms];
}

/* Which VMs have ended, and of which nothing need be said any more. */
static void look_who_lives(struct fl_ledger *ledger, __u64 now_ns)
{
	size_t i = ledger->nr_vms;

	while (i--) {
		struct fl_ledger_vm *entry = &ledger->vms[i];

		if (ledger->lives(entry->pid)) {
			entry->ended_ns = 0;
			continue;
		}
		if (!entry->ended_ns)
			entry->ended_ns = now_ns;
		entry->nr_vcpus = 0;
		if (now_ns - entry->ended_ns >= ledger->keep_ns)
			strike_off(ledger, i);
	}
}

int fl_ledger_add(struct fl_ledger *ledger, struct fl_snapshot *now)
{
	struct fl_snapshot delta;
	size_t i;
	int ret;

	ret = fl_snapshot_since(now, &ledger->before, &delta);
	for (i = 0; i < ledger->nr_vms; i++)
		ledger->vms[i].nr_vcpus = 0;
	for (i = 0; !ret && i < delta.nr_vms; i++)
		ret = add_vm(ledger, &delta.vms[i]);
	if (!ret)
		fl_tally_add(&ledger->total, &delta.total);
	fl_snapshot_free(&delta);
	look_who_lives(ledger, now->time_ns);
	ledger->lost_events = now->lost_events;
	fl_snapshot_free(&ledger->before);
	ledger->before = *now;
	return ret;
}

void fl_ledger_free(struct fl_ledger *ledger)
{
	while (ledger->nr_vms)
		strike_off(ledger, ledger->nr_vms - 1);
	free(ledger->vms);
	ledger->vms = NULL;
	fl_snapshot_free(&ledger->before);
}
