// SPDX-License-Identifier: GPL-2.0
/* What the running kernel offers, from its BTF; and whether we may use it. See probe.h. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "error.h"
#include "host.h"
#include "probe.h"

const struct fl_tracepoint fl_tracepoints[] = {
	{ "kvm_exit", true, false, "exits, and when they are" },
	{ "kvm_entry", true, false, "how long exits take" },
	{ "kvm_inj_exception", true, false, "guest faults" },
	{ "kvm_page_fault", true, false, "the address of a page fault" },
	{ "kvm_mmu_unsync_page", false, false, "writes that let a page table go out of sync" },
	{ "kvm_emulate_insn", false, false, "writes to page tables, where the kernel doesn't tell" },
	{ "kvm_mmio", false, false, "accesses to devices" },
	{ "kvm_cpuid", false, false, "the guest's marks, for --window" },
	{ "kvm_fast_mmio", false, false, "accesses to devices that wait for no more than that" },
	{ "kvm_mmu_spte_requested", false, false, "with EPT or NPT, the size and host address of a page; page faults fixed, where no exits are told" },
	{ "kvm_try_async_get_page", false, false, "pages that the host fetches in the background" },
	{ "kvm_nested_vmexit", false, false, "exits of nested guests" },
	{ "kvm_nested_vmexit_inject", false, false, "page faults of nested guests that are their hypervisor's affair" },
	{ "kvm_nested_prefault", false, true, "page faults of nested guests that KVM fixed on entry" },
	{ "kvm_mmu_pte_write", false, true, "writes to page tables, and whether the SPTE was updated" },
	{ "kvm_inject_page_fault", false, true, "the address of a guest fault when it is queued" },
};

const size_t fl_nr_tracepoints = sizeof(fl_tracepoints) / sizeof(fl_tracepoints[0]);

const char fl_probe_no_btf[] =
	"this kernel has no BTF (/sys/kernel/btf/vmlinux); use a kernel built with CONFIG_DEBUG_INFO_BTF=y";

const char fl_probe_no_privileges[] =
	"not allowed to load BPF programs; run as root, or with CAP_BPF and CAP_PERFMON";

const char fl_probe_no_modules[] =
	"not allowed to look for the BTF of kernel modules; run as root, or with CAP_SYS_ADMIN, too";

bool fl_probe_has_btf(void)
{
	return !access("/sys/kernel/btf/vmlinux", R_OK);
}

int fl_probe_open(struct fl_probe *probe)
{
	probe->kvm = NULL;
	probe->vmlinux = btf__load_vmlinux_btf();
	if (!probe->vmlinux)
		return fl_fail("%s", fl_probe_no_btf);
	probe->kvm = btf__load_module_btf("kvm", probe->vmlinux);
	return 0;
}

void fl_probe_close(struct fl_probe *probe)
{
	btf__free(probe->kvm);
	btf__free(probe->vmlinux);
}

/*
 * A tracepoint that BPF can attach to with types has a typedef btf_trace_NAME
 * of a function pointer, whose first parameter is the probe's private data.
 */
static int count_arguments(const struct btf *btf, const char *typedef_name)
{
	int id = btf__find_by_name_kind(btf, typedef_name, BTF_KIND_TYPEDEF);
	const struct btf_type *type;

	if (id < 0)
		return -1;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	if (!type || !btf_is_ptr(type))
		return -1;
	type = btf__type_by_id(btf, type->type);
	if (!type || !btf_is_func_proto(type))
		return -1;
	return btf_vlen(type) - 1;
}

int fl_probe_tracepoint(const struct fl_probe *probe, const char *name)
{
	char typedef_name[128];
	int nr = -1;

	snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
	if (probe->kvm)
		nr = count_arguments(probe->kvm, typedef_name);
	return nr >= 0 ? nr : count_arguments(probe->vmlinux, typedef_name);
}

/* ---- What is in the way ---- */

static const char *missing_tracepoint(const struct fl_probe *probe)
{
	static char text[512];
	size_t i;

	for (i = 0; i < fl_nr_tracepoints; i++) {
		if (!fl_tracepoints[i].required ||
		    fl_probe_tracepoint(probe, fl_tracepoints[i].name) >= 0)
			continue;
		snprintf(text, sizeof(text),
			 "this kernel's BTF has no tracepoint %s, which is needed for %s; use a kernel whose KVM was built with CONFIG_TRACEPOINTS=y and BTF (for modules CONFIG_DEBUG_INFO_BTF_MODULES=y)",
			 fl_tracepoints[i].name, fl_tracepoints[i].use);
		return text;
	}
	return NULL;
}

const char *fl_probe_obstacle(const struct fl_probe *probe)
{
	char lockdown[32];

	if (access("/sys/module/kvm", F_OK))
		return "KVM is not loaded; load kvm_amd or kvm_intel first";
	fl_host_lockdown(lockdown, sizeof(lockdown));
	if (!strcmp(lockdown, "confidentiality"))
		return "the kernel is locked down for confidentiality, and lets no BPF program read its memory; boot with lockdown=integrity or less";
	return missing_tracepoint(probe);
}

int fl_probe_check(const struct fl_probe *probe)
{
	const char *obstacle = fl_probe_obstacle(probe);

	return obstacle ? fl_fail("%s", obstacle) : 0;
}

/* ---- Privileges ---- */

#define NR_WORDS _LINUX_CAPABILITY_U32S_3

static bool get_capabilities(struct __user_cap_data_struct data[NR_WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	memset(data, 0, NR_WORDS * sizeof(*data));
	return !syscall(SYS_capget, &header, data);
}

static bool has_capability(const struct __user_cap_data_struct *data, int cap)
{
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

bool fl_probe_privileged(void)
{
	struct __user_cap_data_struct data[NR_WORDS];

	return get_capabilities(data) &&
	       (has_capability(data, CAP_SYS_ADMIN) ||
		(has_capability(data, CAP_BPF) && has_capability(data, CAP_PERFMON)));
}

bool fl_probe_sees_modules(void)
{
	struct __user_cap_data_struct data[NR_WORDS];

	return get_capabilities(data) && has_capability(data, CAP_SYS_ADMIN);
}

int fl_probe_drop_privileges(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[NR_WORDS];
	size_t i;

	if (!get_capabilities(data))
		return fl_fail("cannot tell this process's capabilities: %s", strerror(errno));
	for (i = 0; i < NR_WORDS; i++) {
		data[i].permitted &= i == CAP_TO_INDEX(CAP_BPF) ? CAP_TO_MASK(CAP_BPF) : 0;
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_capset, &header, data))
		return fl_fail("cannot drop privileges: %s", strerror(errno));
	return 0;
}

int fl_probe_privileges(void)
{
	return fl_probe_privileged() ? 0 : fl_fail("%s", fl_probe_no_privileges);
}
