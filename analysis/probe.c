// SPDX-License-Identifier: GPL-2.0
/* What the running kernel offers, from its BTF; and whether we may use it. See probe.h. */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/btf.h>

#include "error.h"
#include "probe.h"

int fl_probe_open(struct fl_probe *probe)
{
	probe->kvm = NULL;
	probe->vmlinux = btf__load_vmlinux_btf();
	if (!probe->vmlinux)
		return fl_fail("this kernel has no BTF (/sys/kernel/btf/vmlinux); use a kernel built with CONFIG_DEBUG_INFO_BTF=y");
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

static int has_capability(const struct __user_cap_data_struct *data, int cap)
{
	return !!(data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap));
}

int fl_probe_privileges(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (!syscall(SYS_capget, &header, data) &&
	    (has_capability(data, CAP_SYS_ADMIN) ||
	     (has_capability(data, CAP_BPF) && has_capability(data, CAP_PERFMON))))
		return 0;
	return fl_fail("not allowed to load BPF programs; run as root, or with CAP_BPF and CAP_PERFMON");
}
