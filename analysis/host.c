// SPDX-License-Identifier: GPL-2.0
/* The kernel and the policy that a run is labelled with. See host.h. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "exit_reason.h"
#include "host.h"

/* A boolean parameter of @module; @fallback if this kernel doesn't have it. */
static bool parameter(const char *module, const char *name, bool fallback)
{
	char path[128];
	FILE *file;
	int value;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	file = fopen(path, "r");
	if (!file)
		return fallback;
	value = fgetc(file);
	fclose(file);
	return value == 'Y';
}

static const char *read_policy(void)
{
	if (parameter("kvm", "oos_shadow", true))
		return "unsync";
	return parameter("kvm", "pte_update", false) ? "update" : "zap";
}

void fl_host_read(struct fl_host *host)
{
	struct utsname name;
	size_t major, minor;

	uname(&name);
	snprintf(host->kernel, sizeof(host->kernel), "%s", name.release);

	major = strcspn(name.release, ".");
	minor = strspn(name.release + major + 1, "0123456789");
	snprintf(host->line, sizeof(host->line), "%.*s",
		 (int)(major + 1 + minor), name.release);

	host->policy = read_policy();
}

const char *fl_mmu_name(__u32 isa)
{
	switch (isa) {
	case FL_ISA_SVM:
		return parameter("kvm_amd", "npt", false) ? "tdp" : "shadow";
	case FL_ISA_VMX:
		return parameter("kvm_intel", "ept", false) ? "tdp" : "shadow";
	default:
		return "unknown";
	}
}

const char *fl_vendor_name(__u32 isa)
{
	switch (isa) {
	case FL_ISA_SVM:
		return "svm";
	case FL_ISA_VMX:
		return "vmx";
	default:
		return "unknown";
	}
}
