/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host is: the kernel that runs here, its KVM, and KVM's policy. Runs
 * are labelled with it; `faultline check` prints it.
 */
#ifndef FAULTLINE_HOST_H
#define FAULTLINE_HOST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct fl_host {
	char kernel[65];	/* as uname -r says, e.g. "6.12.117" */
	char line[16];		/* its first two numbers: "6.12" */
	char cpu[64];		/* the processor's name, "" if it has none */
	const char *policy;	/* see fl_host_policy() */
};

/* Fill in @host; a stock kernel's policy is "unsync". */
void fl_host_read(struct fl_host *host);

/*
 * The policy at this moment: "zap", "update", "unsync", or "bypass", which holds
 * for guests that are made now, or, of those that go beyond "unsync", "prefault",
 * "sticky" or "prefault+sticky".
 */
const char *fl_host_policy(void);

/* Whether KVM lets faults of guests that are made now bypass it. */
bool fl_host_bypass(void);

/* The KVM that is in use here, an enum fl_isa; 0 if none is. */
__u32 fl_host_vendor(void);

/* The value of a module's parameter, e.g. "Y". False if it has no such one. */
bool fl_host_parameter(const char *module, const char *name, char *value, size_t size);

/* "none", "integrity" or "confidentiality": what the kernel keeps from root. */
void fl_host_lockdown(char *mode, size_t size);

/* The module of a vendor: "kvm_amd", "kvm_intel" or "kvm_pvm"; NULL if unknown. */
const char *fl_vendor_module(__u32 isa);

/*
 * "shadow" if KVM shadows guests' page tables on this host, "tdp" if it uses
 * two-dimensional paging (NPT or EPT), or "unknown"; @isa is enum fl_isa.
 */
const char *fl_mmu_name(__u32 isa);

/* Whether KVM uses NPT or EPT on this host. */
bool fl_host_has_tdp(void);

/* "svm", "vmx", "pvm", or "unknown" where no exit told; @isa is enum fl_isa. */
const char *fl_vendor_name(__u32 isa);

/* The instruction set of the vendor called @name; 0 if there is none. */
__u32 fl_vendor_isa(const char *name);

#endif /* FAULTLINE_HOST_H */
