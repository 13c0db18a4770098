/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel offers: looks tracepoints up in the kernel's BTF,
 * and in the kvm module's if KVM is one. Used by the collector before it loads.
 */
#ifndef FAULTLINE_PROBE_H
#define FAULTLINE_PROBE_H

struct btf;

struct fl_probe {
	struct btf *vmlinux;
	struct btf *kvm;	/* NULL if KVM is built in or not loaded */
};

/* 0, or -1 if the kernel has no BTF. */
int fl_probe_open(struct fl_probe *probe);
void fl_probe_close(struct fl_probe *probe);

/*
 * The number of arguments that tracepoint @name passes, or -1 if there is no
 * such tracepoint.
 */
int fl_probe_tracepoint(const struct fl_probe *probe, const char *name);

/* 0, or -1 if this process may not load BPF programs. */
int fl_probe_privileges(void);

#endif /* FAULTLINE_PROBE_H */
