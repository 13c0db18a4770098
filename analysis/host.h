/* SPDX-License-Identifier: GPL-2.0 */
/* What a run is labelled with: the kernel that runs here, and KVM's policy. */
#ifndef FAULTLINE_HOST_H
#define FAULTLINE_HOST_H

#include <linux/types.h>

struct fl_host {
	char kernel[65];	/* as uname -r says, e.g. "6.12.117" */
	char line[16];		/* its first two numbers: "6.12" */
	const char *policy;	/* "zap", "update" or "unsync" */
};

/* Fill in @host; a stock kernel's policy is "unsync". */
void fl_host_read(struct fl_host *host);

/*
 * "shadow" if KVM shadows guests' page tables on this host, "tdp" if it uses
 * two-dimensional paging (NPT or EPT), or "unknown"; @isa is enum fl_isa.
 */
const char *fl_mmu_name(__u32 isa);

/* "svm", "vmx", or "unknown" where no exit told; @isa is enum fl_isa. */
const char *fl_vendor_name(__u32 isa);

#endif /* FAULTLINE_HOST_H */
