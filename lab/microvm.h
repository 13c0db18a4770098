/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Debian's QEMU with its smallest machine, which lab/nested-initramfs packs for
 * emulated hosts that have no image: boots Linux as a guest, or as a guest
 * hypervisor.
 */
#ifndef LAB_MICROVM_H
#define LAB_MICROVM_H

#include <stddef.h>

#define MICROVM_FILES	"/nested/"
#define MICROVM_QEMU	MICROVM_FILES "qemu"

/* At most so many words does it take to start one. */
#define MICROVM_WORDS	40

/*
 * For the guest's kernel: reboot=t, by a triple fault, the only way to leave a
 * microvm. It has nothing that the TSC could be compared with, and without knowing
 * how fast it is, KVM as its guest hypervisor waits forever. noxsave: QEMU's TCG
 * has sizes for the state of a CPU that a 7.2 kernel doesn't get over as a nested
 * guest. The format's value is microvm_tsc_khz().
 */
#define MICROVM_CMDLINE	"console=ttyS0 panic=-1 reboot=t noxsave tsc_early_khz=%lu"

struct microvm {
	const char *memory, *cpus;		/* MiB; how many */
	const char *console, *results;		/* what the serial ports write to */
	const char *kernel, *initrd, *command_line;
};

/* How fast this machine's TSC is, and so the guest's. */
unsigned long microvm_tsc_khz(void);

/* The command that runs @vm, at @argv[@nr], which has room, and on; NULL comes last. */
void microvm_add(char **argv, size_t *nr, const struct microvm *vm);

#endif /* LAB_MICROVM_H */
