/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual machine with one vCPU on /dev/kvm, started in any paging mode. */
#ifndef MICRO_VM_H
#define MICRO_VM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "guest.h"
#include "paging.h"

struct kvm_run;

/* Interrupts KVM_RUN in the thread that it is sent to. */
#define VM_SIGNAL_PAUSE	SIGUSR1

struct vm {
	int kvm, vm, vcpu;	/* file descriptors */
	struct kvm_run *run;
	char *memory;
	size_t size;		/* of memory, in bytes */

	/* For vm_run(), in its thread. Either may be missing. */
	bool (*handle_exit)(struct vm *vm);	/* true to go on, false to end */
	void (*interrupted)(struct vm *vm);	/* by a signal, or after an exit */
	void *context;				/* the caller's */
};

/* A memslot: @size bytes at @host are at guest physical @address. */
struct vm_memory {
	uint64_t address;
	size_t size;
	char *host;
	uint32_t flags;		/* KVM_MEM_* */
};

/* What the guest left off with. */
enum vm_end {
	VM_GUEST_DONE,
	VM_GUEST_FAILED,
	VM_ERROR,	/* the user has been told */
};

/*
 * Create a machine with @size bytes of memory at physical address 0; if it is
 * @resident, the host has given it all of its pages already. 0 or -1.
 */
int vm_create(struct vm *vm, size_t size, bool resident);

/* Create, change, or with size 0 delete a memslot; vm_create() made slot 0. 0 or -1. */
int vm_set_slot(const struct vm *vm, unsigned int slot, const struct vm_memory *memory);

/* Load the image for @paging and set the vCPU to its first instruction. 0 or -1. */
int vm_boot(struct vm *vm, const struct paging *paging);

/* Run the guest until it ends, for at most @timeout seconds. */
enum vm_end vm_run(struct vm *vm, unsigned int timeout);

#endif /* MICRO_VM_H */
