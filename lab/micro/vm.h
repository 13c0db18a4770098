/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual machine with one vCPU on /dev/kvm, started in any paging mode. */
#ifndef MICRO_VM_H
#define MICRO_VM_H

#include <stdbool.h>
#include <stddef.h>

#include "guest.h"
#include "paging.h"

struct kvm_run;

struct vm {
	int kvm, vm, vcpu;	/* file descriptors */
	struct kvm_run *run;
	char *memory;
	size_t size;		/* of memory, in bytes */
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

/* Load the image for @paging and set the vCPU to its first instruction. 0 or -1. */
int vm_boot(struct vm *vm, const struct paging *paging);

/* Run the guest until it ends, for at most @timeout seconds. */
enum vm_end vm_run(struct vm *vm, unsigned int timeout);

#endif /* MICRO_VM_H */
