/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel offers: looks tracepoints up in the kernel's BTF, and
 * in the kvm module's if KVM is one. Used by the collector before it loads, and
 * by `faultline check`.
 */
#ifndef FAULTLINE_PROBE_H
#define FAULTLINE_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct btf;

struct fl_probe {
	struct btf *vmlinux;
	struct btf *kvm;	/* NULL if KVM is built in or not loaded */
};

/* A tracepoint that faultline uses. */
struct fl_tracepoint {
	const char *name;
	bool required;		/* nothing can be measured without it */
	bool series;		/* comes with faultline's patches */
	const char *use;	/* what it is for */
};

extern const struct fl_tracepoint fl_tracepoints[];
extern const size_t fl_nr_tracepoints;

/* 0, or -1 if the kernel has no BTF, and has told the user. */
int fl_probe_open(struct fl_probe *probe);
void fl_probe_close(struct fl_probe *probe);

/*
 * The number of arguments that tracepoint @name passes, or -1 if there is no
 * such tracepoint.
 */
int fl_probe_tracepoint(const struct fl_probe *probe, const char *name);

/*
 * What keeps this kernel from being measured, as one line that says what to do
 * about it; NULL if nothing does. The line is valid until the next call.
 */
const char *fl_probe_obstacle(const struct fl_probe *probe);

/* 0, or -1 if this kernel can't be measured, and has told the user why. */
int fl_probe_check(const struct fl_probe *probe);

/* Whether the kernel has BTF, without a word. */
bool fl_probe_has_btf(void);

/* What to do if there is no BTF. */
extern const char fl_probe_no_btf[];

/* Whether this process may load BPF programs; what to do if not. */
bool fl_probe_privileged(void);
extern const char fl_probe_no_privileges[];

/* 0, or -1 if this process may not load BPF programs, and has told the user. */
int fl_probe_privileges(void);

/* Whether it may also look for modules' BTF, as libbpf does; what to do if not. */
bool fl_probe_sees_modules(void);
extern const char fl_probe_no_modules[];

/*
 * Give up, for good, what is not needed once the programs are attached: all but
 * CAP_BPF, by which maps are read. 0 or -1.
 */
int fl_probe_drop_privileges(void);

#endif /* FAULTLINE_PROBE_H */
