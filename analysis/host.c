// SPDX-License-Identifier: GPL-2.0
/* The kernel, the KVM and the policy of this host. See host.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "exit_reason.h"
#include "host.h"

/* ---- Modules and their parameters ---- */

bool fl_host_parameter(const char *module, const char *name, char *value, size_t size)
{
	char path[128];
	bool found;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module, name);
	file = fopen(path, "r");
	if (!file)
		return false;
	found = fgets(value, size, file);
	fclose(file);
	if (found)
		value[strcspn(value, "\n")] = '\0';
	return found;
}

/* A parameter of @module that isn't off; @fallback if this kernel doesn't have it. */
static bool parameter(const char *module, const char *name, bool fallback)
{
	char value[16];

	if (!fl_host_parameter(module, name, value, sizeof(value)))
		return fallback;
	return *value != 'N' && *value != '0';
}

bool fl_host_bypass(void)
{
	return parameter("kvm", "bypass_guest_pf", false);
}

const char *fl_host_policy(void)
{
	bool prefault = parameter("kvm", "nested_prefault", false);

	if (parameter("kvm", "sticky_unsync", false))
		return prefault ? "prefault+sticky" : "sticky";
	if (prefault)
		return "prefault";
	if (parameter("kvm", "oos_shadow", true))
		return "unsync";
	if (!parameter("kvm", "pte_update", false))
		return "zap";
	return fl_host_bypass() ? "bypass" : "update";
}

/* What /proc/cpuinfo says of the first CPU's @name, to be freed; NULL if nothing. */
static char *cpu_field(const char *name)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	size_t size = 0, length = strlen(name);
	char *line = NULL, *value = NULL;

	while (file && !value && getline(&line, &size, file) > 0) {
		if (!strncmp(line, name, length) && strchr("\t :", line[length]))
			value = strchr(line, ':');
	}
	if (file)
		fclose(file);
	if (value) {
		value += 1 + strspn(value + 1, " ");
		value[strcspn(value, "\n")] = '\0';
		value = strdup(value);
	}
	free(line);
	return value;
}

void fl_host_read(struct fl_host *host)
{
	char *cpu = cpu_field("model name");
	struct utsname name;
	size_t major, minor;

	uname(&name);
	snprintf(host->kernel, sizeof(host->kernel), "%s", name.release);

	major = strcspn(name.release, ".");
	minor = strspn(name.release + major + 1, "0123456789");
	snprintf(host->line, sizeof(host->line), "%.*s",
		 (int)(major + 1 + minor), name.release);

	snprintf(host->cpu, sizeof(host->cpu), "%s", cpu ? cpu : "");
	free(cpu);

	host->policy = fl_host_policy();
}

void fl_host_lockdown(char *mode, size_t size)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "r");
	char line[128] = "", *chosen;

	snprintf(mode, size, "none");
	if (!file)
		return;
	/* e.g. "none [integrity] confidentiality" */
	chosen = fgets(line, sizeof(line), file) ? strchr(line, '[') : NULL;
	fclose(file);
	if (chosen)
		snprintf(mode, size, "%.*s", (int)strcspn(chosen + 1, "]"), chosen + 1);
}

/* ---- Vendors ---- */

static const struct vendor {
	__u32 isa;
	const char *name, *module, *cpu_flag, *tdp;
} vendors[] = {
	{ FL_ISA_SVM, "svm", "kvm_amd", "svm", "npt" },
	{ FL_ISA_VMX, "vmx", "kvm_intel", "vmx", "ept" },
	{ FL_ISA_PVM, "pvm", "kvm_pvm", NULL, NULL },
};

#define NR_VENDORS (sizeof(vendors) / sizeof(vendors[0]))

static const struct vendor *find_vendor(__u32 isa)
{
	size_t i;

	for (i = 0; i < NR_VENDORS; i++) {
		if (vendors[i].isa == isa)
			return &vendors[i];
	}
	return NULL;
}

static bool has_cpu_flag(const char *flag)
{
	char *flags = cpu_field("flags"), *word = NULL;

	if (flags) {
		for (word = strtok(flags, " \t\n"); word && strcmp(word, flag);)
			word = strtok(NULL, " \t\n");
	}
	free(flags);
	return word;
}

/* A kernel may have several built in; the one that the CPU is for is in use. */
__u32 fl_host_vendor(void)
{
	char path[64];
	size_t i;

	for (i = 0; i < NR_VENDORS; i++) {
		snprintf(path, sizeof(path), "/sys/module/%s", vendors[i].module);
		if (access(path, F_OK))
			continue;
		if (!vendors[i].cpu_flag || has_cpu_flag(vendors[i].cpu_flag))
			return vendors[i].isa;
	}
	return 0;
}

const char *fl_vendor_module(__u32 isa)
{
	const struct vendor *vendor = find_vendor(isa);

	return vendor ? vendor->module : NULL;
}

const char *fl_mmu_name(__u32 isa)
{
	const struct vendor *vendor = find_vendor(isa);

	if (!vendor)
		return "unknown";
	return vendor->tdp && parameter(vendor->module, vendor->tdp, false) ? "tdp" : "shadow";
}

bool fl_host_has_tdp(void)
{
	return !strcmp(fl_mmu_name(fl_host_vendor()), "tdp");
}

const char *fl_vendor_name(__u32 isa)
{
	const struct vendor *vendor = find_vendor(isa);

	return vendor ? vendor->name : "unknown";
}

__u32 fl_vendor_isa(const char *name)
{
	size_t i;

	for (i = 0; i < NR_VENDORS; i++) {
		if (!strcmp(vendors[i].name, name))
			return vendors[i].isa;
	}
	return 0;
}
