// SPDX-License-Identifier: GPL-2.0
/* The BPF programs, loaded and attached, and their counts read. See collector.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "collector.h"
#include "error.h"
#include "faultline.skel.h"
#include "probe.h"

struct fl_collector {
	struct faultline_bpf *bpf;
	struct fl_target target;	/* what to do about each target */
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	/* libbpf's chatter, for whoever has to find out why a load failed. */
	if (getenv("FAULTLINE_DEBUG"))
		return vfprintf(stderr, format, args);
	(void)level;
	return 0;
}

/*
 * Programs of which a kernel takes only the one whose tracepoint has that many
 * arguments; see faultline.bpf.c. Others do with what they find.
 */
static const struct {
	const char *program;
	int nr_arguments;
} variants[] = {
	{ "on_kvm_exit", 2 },
	{ "on_kvm_exit_3", 3 },
	{ "on_kvm_page_fault", 3 },
	{ "on_kvm_page_fault_2", 2 },
	{ "on_kvm_inj_exception", 4 },
	{ "on_kvm_inj_exception_3", 3 },
};

/* Whether @program is for a tracepoint that passes @nr_arguments. */
static bool fits(const struct bpf_program *program, int nr_arguments)
{
	size_t i;

	if (nr_arguments < 0)
		return false;
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (!strcmp(variants[i].program, bpf_program__name(program)))
			return variants[i].nr_arguments == nr_arguments;
	}
	return true;
}

/* Load only what this kernel has the tracepoint for. */
static void select_programs(struct faultline_bpf *bpf, const struct fl_probe *probe)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, bpf->obj) {
		const char *tracepoint = strchr(bpf_program__section_name(program), '/') + 1;

		bpf_program__set_autoload(program,
					  fits(program, fl_probe_tracepoint(probe, tracepoint)));
	}
}

static int configure(struct faultline_bpf *bpf)
{
	struct fl_probe probe;
	int ret = 0;

	if (fl_probe_open(&probe))
		return -1;
	if (fl_probe_tracepoint(&probe, "kvm_exit") < 0) {
		struct stat st;

		ret = stat("/sys/module/kvm", &st) ?
			fl_fail("KVM is not loaded; load kvm_amd or kvm_intel first") :
			fl_fail("this kernel's BTF has no kvm_exit tracepoint; it is needed to count exits");
	}
	select_programs(bpf, &probe);
	fl_probe_close(&probe);
	return ret;
}

static int load_and_attach(struct faultline_bpf *bpf)
{
	int err = faultline_bpf__load(bpf);

	if (err)
		return fl_fail("the kernel refused the BPF programs: %s; set FAULTLINE_DEBUG=1 to see its reasons",
			       strerror(-err));
	err = faultline_bpf__attach(bpf);
	if (err)
		return fl_fail("cannot attach to KVM's tracepoints: %s; set FAULTLINE_DEBUG=1 to see the reasons",
			       strerror(-err));
	return 0;
}

struct fl_collector *fl_collector_open(bool use_window)
{
	struct fl_collector *collector;

	if (fl_probe_privileges())
		return NULL;
	collector = calloc(1, sizeof(*collector));
	if (!collector) {
		fl_fail("out of memory; free some and try again");
		return NULL;
	}
	libbpf_set_print(quiet);
	collector->bpf = faultline_bpf__open();
	if (!collector->bpf) {
		fl_fail("cannot open the BPF object: %s", strerror(errno));
		goto failed;
	}
	collector->target.use_window = use_window;
	if (configure(collector->bpf) || load_and_attach(collector->bpf))
		goto failed;
	return collector;
failed:
	fl_collector_close(collector);
	return NULL;
}

int fl_collector_add_target(struct fl_collector *collector, pid_t pid)
{
	__u32 key = pid;

	if (bpf_map__update_elem(collector->bpf->maps.targets, &key, sizeof(key),
				 &collector->target, sizeof(collector->target), BPF_ANY))
		return fl_fail("cannot select process %d: %s", pid, strerror(errno));
	return 0;
}

/* Events that hit a program while it was running already on that CPU. */
static __u64 count_missed(const struct faultline_bpf *bpf)
{
	struct bpf_program *program;
	__u64 missed = 0;

	bpf_object__for_each_program(program, bpf->obj) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (bpf_program__fd(program) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			missed += info.recursion_misses;
	}
	return missed;
}

/* Add up arrays of counters, or structs of nothing but counters. */
static void add_counts(void *sum, const void *counts, size_t size)
{
	const __u64 *from = counts;
	__u64 *to = sum;
	size_t i;

	for (i = 0; i < size / sizeof(*to); i++)
		to[i] += from[i];
}

static void add_vcpu(struct fl_snapshot *snapshot, struct fl_vcpu_entry *entry)
{
	fl_entry(&entry->vcpu);
	snapshot->open_episodes += entry->vcpu.nr_open;
	fl_end_episodes(&entry->vcpu, 0);
	add_counts(&snapshot->counts, &entry->vcpu.counts, sizeof(snapshot->counts));
	add_counts(snapshot->reasons, entry->reasons, sizeof(snapshot->reasons));
	snapshot->nr_vcpus++;
	snapshot->isa = entry->isa;
	if (entry->window_ns > snapshot->window_ns)
		snapshot->window_ns = entry->window_ns;
}

int fl_collector_read(struct fl_collector *collector, struct fl_snapshot *snapshot)
{
	struct bpf_map *map = collector->bpf->maps.vcpus;
	struct fl_vcpu_entry entry;
	__u32 tid, *previous = NULL, zero = 0;

	memset(snapshot, 0, sizeof(*snapshot));
	while (!bpf_map__get_next_key(map, previous, &tid, sizeof(tid))) {
		if (bpf_map__lookup_elem(map, &tid, sizeof(tid), &entry,
					 sizeof(entry), 0))
			return fl_fail("cannot read the counts: %s", strerror(errno));
		add_vcpu(snapshot, &entry);
		previous = &tid;
	}
	if (bpf_map__lookup_elem(collector->bpf->maps.lost_exits, &zero, sizeof(zero),
				 &snapshot->lost_events, sizeof(snapshot->lost_events), 0))
		return fl_fail("cannot read the counts: %s", strerror(errno));
	snapshot->lost_events += count_missed(collector->bpf);
	return 0;
}

void fl_collector_close(struct fl_collector *collector)
{
	if (!collector)
		return;
	faultline_bpf__destroy(collector->bpf);
	free(collector);
}
