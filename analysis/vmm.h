/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual machines as processes: which processes run one, and what it is called.
 * Used to find what -p and --vm ask for, and to label results.
 */
#ifndef FAULTLINE_VMM_H
#define FAULTLINE_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Whether PIDs are others here than they are to BPF, which has the host's: in a PID
 * namespace of one's own, as in a container.
 */
bool fl_vm_pids_differ(void);

/* Whether there is process @pid here. */
bool fl_vm_lives(pid_t pid);

/* Whether process @pid holds a KVM virtual machine. */
bool fl_vm_is(pid_t pid);

/*
 * The name of the VM that process @pid runs: what its VMM was told by -name (as
 * QEMU and libvirt do), else the process's name. False if there is no such
 * process.
 */
bool fl_vm_name(pid_t pid, char *name, size_t size);

/*
 * What the VM of the host's process @pid is to be called in results: its name, or, if
 * that can't be found out, @comm, the process's; fit to be printed.
 */
void fl_vm_label(pid_t pid, const char *comm, char *name, size_t size);

/*
 * Make @name fit to be printed anywhere: what is no printable character, or no
 * UTF-8, becomes a question mark.
 */
void fl_vm_clean_name(char *name);

/* 0 if process @pid runs a VM, or -1, and has told the user why not. */
int fl_vm_check(pid_t pid);

/*
 * The process whose VM is called @name, or whose own name it is. -1 if there is
 * none or more than one, and has told the user.
 */
pid_t fl_vm_find(const char *name);

#endif /* FAULTLINE_VMM_H */
