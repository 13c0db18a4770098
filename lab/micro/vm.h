/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual machine on /dev/kvm, whose vCPUs are started in any paging mode. */
#ifndef MICRO_VM_H
#define MICRO_VM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guest.h"
#include "paging.h"

struct kvm_run;

/* Interrupts KVM_RUN in the thread that it is sent to. */
#define VM_SIGNAL_PAUSE	SIGUSR1

/* What the guest left off with; the later, the worse. */
enum vm_end {
	VM_GUEST_DONE,
	VM_GUEST_RESET,	/* by the keyboard controller, as a PC */
	VM_STOPPED,	/* a vCPU, because of another; vm_run() doesn't return it */
	VM_GUEST_FAILED,
	VM_ERROR,	/* the user has been told */
};

struct vcpu {
	struct vm *vm;
	int fd;
	struct kvm_run *run;
	pid_t thread;		/* that runs it, once it has @started */
	int started;
	enum vm_end end;
};

struct vm {
	int kvm, vm;		/* file descriptors */
	struct vcpu vcpus[GUEST_MAX_VCPUS];
	unsigned int nr_vcpus;
	char *memory;
	size_t size;		/* of memory, in bytes */
	bool chips;		/* with a PC's interrupt controllers and timer */
	int stopping;		/* all vCPUs are to end, whatever their guest does */

	/* For vm_run(), in the vCPU's thread. Any may be missing. */
	bool (*handle_exit)(struct vcpu *vcpu);	/* true to go on, false to end */
	void (*interrupted)(struct vcpu *vcpu);	/* at the start, by a signal, after an exit */
	void (*left)(struct vcpu *vcpu);	/* the vCPU has ended */
};

/* A memslot: @size bytes at @host are at guest physical @address. */
struct vm_memory {
	uint64_t address;
	size_t size;
	char *host;
	uint32_t flags;		/* KVM_MEM_* */
};

/*
 * Create a machine of @nr_vcpus with @size bytes of memory at physical address
 * 0; if it is @resident, the host has given it all of its pages already. 0 or -1.
 */
int vm_create(struct vm *vm, unsigned int nr_vcpus, size_t size, bool resident);

/* Create, change, or with size 0 delete a memslot; vm_create() made slot 0. 0 or -1. */
int vm_set_slot(const struct vm *vm, unsigned int slot, const struct vm_memory *memory);

/*
 * Number of pages of slot 0 that the guest has written to since the slot got
 * KVM_MEM_LOG_DIRTY_PAGES, or since the last call. -1 if KVM can't tell.
 */
long vm_count_dirty(const struct vm *vm);

/*
 * Load the image and set all vCPUs to its first instruction. @paging has the
 * address space of each, of one mode. 0 or -1.
 */
int vm_boot(struct vm *vm, const struct paging *paging);

/* Set a vCPU to @entry, on the page tables of @paging. 0 or -1. */
int vm_start_at(struct vm *vm, unsigned int vcpu, const struct paging *paging, uint32_t entry);

/* What the vCPU's last exit wrote to GUEST_PORT, or -1 if it was another one. */
int vm_written(const struct vcpu *vcpu);

/*
 * Run the guest until it ends on all vCPUs, or fails on one, for at most @timeout
 * seconds. The first vCPU runs in the caller's thread, each other in its own.
 */
enum vm_end vm_run(struct vm *vm, unsigned int timeout);

/* Interrupt KVM_RUN of a vCPU, if it is between its start and its end in vm_run(). */
void vm_interrupt(const struct vcpu *vcpu);

/* The calling thread, and those that it starts, stay on the host's CPU @n. */
void vm_stay_on_cpu(unsigned int n);

/*
 * Where this host is a guest itself: its window, in which its own host counts
 * exits, starts and stops. Called in the thread that runs @vcpu, which stays on one
 * CPU from the start on, as a window is a CPU's.
 */
void vm_mark_start(unsigned int vcpu);
void vm_mark_stop(void);

#endif /* MICRO_VM_H */
