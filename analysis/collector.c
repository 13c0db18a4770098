// SPDX-License-Identifier: GPL-2.0
/* The BPF programs, loaded and attached, and their counts read. See collector.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "collector.h"
#include "error.h"
#include "faultline.skel.h"
#include "host.h"
#include "probe.h"
#include "vmm.h"

/* How often a slot that changes while it is read is read again. */
#define MAX_READS 100000

/* How long records are passed on: there may be no end of them. */
#define MAX_POLL_NS 100000000ULL

struct fl_collector {
	struct faultline_bpf *bpf;
	struct fl_collector_options options;
	bool may_lack_exits;
	bool has_host_faults;	/* EPT or NPT is in use */
	const struct fl_vcpu_entry *slots; /* the map `vcpus` */
	const struct fl_host_faults *host_faults; /* that map, or NULL */
	size_t nr_slots;
	struct fl_control control;
	struct ring_buffer *ring;
	fl_record_handler *handle;
	void *handle_data;
	__u64 poll_ns;		/* when records began to be passed on */
	bool stopped;

	/* The names of VMs, by slot of their vCPUs: they outlive the process. */
	char (*names)[FL_VM_NAME];

	/* vCPUs of processes that have ended, whose slots were needed. */
	struct gone {
		struct fl_vcpu_snapshot open, settled;
		char name[FL_VM_NAME];
	} *gone;
	size_t nr_gone;
};

static int quiet(enum libbpf_print_level level, const char *format, va_list args)
{
	/* libbpf's chatter, for whoever has to find out why a load failed. */
	if (getenv("FAULTLINE_DEBUG"))
		return vfprintf(stderr, format, args);
	(void)level;
	return 0;
}

/* ---- What this kernel has ---- */

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
	{ "on_host_mapping", 1 },
	{ "on_host_mapping", 2 },
	{ "on_host_mapping_3", 3 },
};

/* Whether @program is for a tracepoint that passes @nr_arguments. */
static bool fits(const struct bpf_program *program, int nr_arguments)
{
	bool is_variant = false;
	size_t i;

	if (nr_arguments < 0)
		return false;
	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (strcmp(variants[i].program, bpf_program__name(program)))
			continue;
		if (variants[i].nr_arguments == nr_arguments)
			return true;
		is_variant = true;
	}
	return !is_variant;
}

/* Load only what this kernel has the tracepoint for, and what is of use here. */
static void select_programs(struct fl_collector *collector, const struct fl_probe *probe)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, collector->bpf->obj) {
		const char *tracepoint = strchr(bpf_program__section_name(program), '/') + 1;

		bpf_program__set_autoload(program,
					  fits(program, fl_probe_tracepoint(probe, tracepoint)));
	}
	if (!collector->may_lack_exits)
		bpf_program__set_autoload(collector->bpf->progs.on_kvm_mmu_spte_requested, false);
	if (!collector->has_host_faults) {
		bpf_program__set_autoload(collector->bpf->progs.on_host_mapping, false);
		bpf_program__set_autoload(collector->bpf->progs.on_host_mapping_3, false);
		bpf_program__set_autoload(collector->bpf->progs.on_kvm_try_async_get_page, false);
	}
	if (collector->options.all) {
		bpf_program__set_autoload(collector->bpf->progs.on_fork, false);
		bpf_program__set_autoload(collector->bpf->progs.on_exit, false);
	}
}

/*
 * A VM has a few vCPUs for each CPU there is, at most; a slot is 20 KiB, and
 * with EPT or NPT 14 more.
 */
static __u32 count_slots(const struct fl_collector_options *options)
{
	long nr = 8 * sysconf(_SC_NPROCESSORS_ONLN);

	if (options->max_vcpus)
		return options->max_vcpus;
	return nr < 256 ? 256 : nr > 4096 ? 4096 : nr;
}

static void size_maps(struct fl_collector *collector)
{
	struct faultline_bpf *bpf = collector->bpf;
	__u32 nr = count_slots(&collector->options);

	collector->nr_slots = nr;
	bpf_map__set_max_entries(bpf->maps.vcpus, nr);
	bpf_map__set_max_entries(bpf->maps.free_slots, nr);
	bpf_map__set_max_entries(bpf->maps.slots, nr);
	if (collector->has_host_faults)
		bpf_map__set_max_entries(bpf->maps.host_faults, nr);
	/* Threads come and go; a vCPU may be run by many in turn. */
	bpf_map__set_max_entries(bpf->maps.threads, 8 * nr);
	if (collector->options.records_size)
		bpf_map__set_max_entries(bpf->maps.records, collector->options.records_size);
}

static int configure(struct fl_collector *collector)
{
	struct fl_probe probe;
	int ret;

	collector->may_lack_exits = fl_host_vendor() == FL_ISA_PVM;
	collector->has_host_faults = fl_host_has_tdp();
	if (fl_probe_open(&probe))
		return -1;
	ret = fl_probe_check(&probe);
	select_programs(collector, &probe);
	fl_probe_close(&probe);
	size_maps(collector);
	return ret;
}

/* ---- Loading ---- */

static int load(struct fl_collector *collector)
{
	int err = faultline_bpf__load(collector->bpf);

	if (err == -EPERM && !fl_probe_sees_modules())
		return fl_fail("%s", fl_probe_no_modules);
	if (err == -EPERM)
		return fl_fail("the kernel doesn't allow BPF programs to read its memory; turn lockdown off, or allow it to root");
	if (err)
		return fl_fail("the kernel refused the BPF programs: %s; set FAULTLINE_DEBUG=1 to see its reasons",
			       strerror(-err));
	return 0;
}

/* What the maps have before the first event. */
static int fill_maps(struct fl_collector *collector)
{
	const struct fl_collector_options *options = &collector->options;
	struct fl_control *control = &collector->control;
	struct fl_area_key elsewhere = { 0 };
	struct fl_area area = { 0 };
	__u32 zero = 0, slot;

	control->all = options->all;
	control->vcpu_id = options->vcpu_id;
	control->use_window = options->use_window;
	control->records = !!options->records_size;
	control->no_exits = collector->may_lack_exits;
	control->wake_bytes = options->records_size / 4;
	control->filter = options->filter;
	if (bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.control), &zero, control, BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.areas), &elsewhere, &area, BPF_ANY))
		return fl_fail("cannot set up the BPF maps: %s; set FAULTLINE_DEBUG=1 to see more",
			       strerror(errno));
	for (slot = 0; slot < collector->nr_slots; slot++)
		bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.free_slots), NULL, &slot, BPF_ANY);
	return 0;
}

/* The values of array @map, as the BPF programs see them; NULL if there is no memory. */
static void *map_values(const struct bpf_map *map, size_t size)
{
	void *values = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);

	return values == MAP_FAILED ? NULL : values;
}

static int map_slots(struct fl_collector *collector)
{
	const struct faultline_bpf *bpf = collector->bpf;
	size_t nr = collector->nr_slots;

	collector->names = calloc(nr, sizeof(*collector->names));
	collector->slots = map_values(bpf->maps.vcpus, nr * sizeof(*collector->slots));
	if (collector->has_host_faults)
		collector->host_faults = map_values(bpf->maps.host_faults,
						    nr * sizeof(*collector->host_faults));
	if (!collector->slots || !collector->names ||
	    (collector->has_host_faults && !collector->host_faults))
		return fl_fail("cannot map the counts: %s; free some memory", strerror(errno));
	return 0;
}

static int attach(struct fl_collector *collector)
{
	int err = faultline_bpf__attach(collector->bpf);

	if (err)
		return fl_fail("cannot attach to KVM's tracepoints: %s; set FAULTLINE_DEBUG=1 to see the reasons",
			       strerror(-err));
	return 0;
}

struct fl_collector *fl_collector_open(const struct fl_collector_options *options)
{
	struct fl_collector *collector;

	if (fl_probe_privileges())
		return NULL;
	collector = calloc(1, sizeof(*collector));
	if (!collector) {
		fl_fail("out of memory; free some and try again");
		return NULL;
	}
	collector->options = *options;
	libbpf_set_print(quiet);
	collector->bpf = faultline_bpf__open();
	if (!collector->bpf)
		fl_fail("cannot open the BPF object: %s; build faultline again", strerror(errno));
	if (!collector->bpf || configure(collector) || load(collector) ||
	    map_slots(collector) || fill_maps(collector) || attach(collector)) {
		fl_collector_close(collector);
		return NULL;
	}
	return collector;
}

bool fl_collector_may_lack_exits(const struct fl_collector *collector)
{
	return collector->may_lack_exits;
}

int fl_collector_add_target(struct fl_collector *collector, pid_t pid, bool follow)
{
	__u32 key = pid, value = follow;

	if (fl_vm_pids_differ())
		return fl_fail("PIDs mean something else in this PID namespace (a container?); "
			       "run in the host's, e.g. by 'nsenter -t 1 -p', or measure all by -a");
	if (bpf_map__update_elem(collector->bpf->maps.targets, &key, sizeof(key),
				 &value, sizeof(value), BPF_ANY))
		return fl_fail("cannot select process %d: %s; measure fewer at once",
			       pid, strerror(errno));
	return 0;
}

/* ---- Reading ---- */

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

static bool is_used(const struct fl_collector *collector, size_t index)
{
	return *(const volatile __u32 *)&collector->slots[index].slot;
}

/* What the maps have of a vCPU, at one moment. */
struct slot_copy {
	struct fl_vcpu_entry entry;
	struct fl_host_faults host;
};

static void copy_slot(const struct fl_collector *collector, size_t index, struct slot_copy *copy)
{
	memcpy(&copy->entry, &collector->slots[index], sizeof(copy->entry));
	if (collector->host_faults)
		memcpy(&copy->host, &collector->host_faults[index], sizeof(copy->host));
}

/* A state that slot @index was in, though its vCPU may be running. 0 or -1. */
static int read_slot(const struct fl_collector *collector, size_t index, struct slot_copy *copy)
{
	const volatile __u64 *sequence = &collector->slots[index].sequence;
	unsigned int tries;
	__u64 before;

	for (tries = 0; tries < MAX_READS; tries++) {
		before = *sequence;
		__asm__ volatile("" ::: "memory");
		copy_slot(collector, index, copy);
		__asm__ volatile("" ::: "memory");
		if (!(before & 1) && *sequence == before)
			return 0;
	}
	return fl_fail("the counts of a vCPU change faster than they can be read; measure on a less busy host");
}

/* Leave the exit that is open out, so that what is left adds up. */
static void drop_open_exit(struct fl_vcpu_entry *entry)
{
	if (!entry->vcpu.exit_open)
		return;
	entry->reasons[entry->reason_slot]--;
	fl_forget_exit(&entry->vcpu);
}

static void fill_vcpu(struct fl_vcpu_snapshot *vcpu, struct slot_copy *copy, bool settle)
{
	struct fl_vcpu_entry *entry = &copy->entry;

	memset(vcpu, 0, sizeof(*vcpu));
	vcpu->kvm = entry->kvm;
	vcpu->kvm_vcpu = entry->kvm_vcpu;
	vcpu->seen_ns = entry->seen_ns;
	vcpu->slot = entry->slot - 1;
	vcpu->pid = entry->pid;
	vcpu->tid = entry->tid;
	vcpu->id = entry->vcpu_id;
	memcpy(vcpu->comm, entry->comm, sizeof(vcpu->comm));
	if (settle) {
		fl_host_close(&copy->host, &entry->host, entry->vcpu.facts, 0);
		vcpu->tally.open_episodes = fl_settle(&entry->vcpu);
	} else {
		drop_open_exit(entry);
		vcpu->tally.open_episodes = entry->vcpu.nr_open;
	}
	vcpu->tally.counts = entry->vcpu.counts;
	vcpu->tally.host = copy->host;
	vcpu->tally.events = entry->events;
	vcpu->tally.window_ns = entry->window_ns;
	vcpu->tally.isa = entry->isa;
	vcpu->tally.faults_bypass = entry->faults_bypass;
	memcpy(vcpu->tally.reasons, entry->reasons, sizeof(entry->reasons));
	memcpy(vcpu->tally.durations, entry->vcpu.durations, sizeof(entry->vcpu.durations));
	vcpu->tally.fault_durations = entry->vcpu.fault_durations;
}

static int read_vcpus(struct fl_collector *collector, bool settle, struct fl_snapshot *snapshot)
{
	struct slot_copy *copy = calloc(1, sizeof(*copy));
	size_t i;
	int ret = copy ? 0 : fl_fail("out of memory; free some and try again");

	for (i = 0; !ret && i < collector->nr_slots; i++) {
		if (!is_used(collector, i))
			continue;
		ret = read_slot(collector, i, copy);
		fill_vcpu(&snapshot->vcpus[snapshot->nr_vcpus++], copy, settle);
	}
	free(copy);
	return ret;
}

static const struct gone *find_gone(const struct fl_collector *collector,
				    const struct fl_vcpu_snapshot *vcpu)
{
	const struct gone *gone = collector->gone;

	while (gone->open.kvm_vcpu != vcpu->kvm_vcpu || gone->open.seen_ns != vcpu->seen_ns)
		gone++;
	return gone;
}

/* Ask for a VM's name once, while its process is likely to be there. */
static const char *name_vm(struct fl_collector *collector, const struct fl_vcpu_snapshot *vcpu)
{
	char *name;

	if (vcpu->slot == FL_NO_SLOT)
		return find_gone(collector, vcpu)->name;
	name = collector->names[vcpu->slot];
	if (!*name)
		fl_vm_label(vcpu->pid, vcpu->comm, name, FL_VM_NAME);
	return name;
}

static void name_vms(struct fl_collector *collector, struct fl_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < snapshot->nr_vcpus; i++)
		memcpy(snapshot->vms[snapshot->vcpus[i].vm].name,
		       name_vm(collector, &snapshot->vcpus[i]), FL_VM_NAME);
}

static void add_gone(const struct fl_collector *collector, bool settle,
		     struct fl_snapshot *snapshot)
{
	size_t i;

	for (i = 0; i < collector->nr_gone; i++)
		snapshot->vcpus[snapshot->nr_vcpus++] = settle ? collector->gone[i].settled :
								 collector->gone[i].open;
}

static int read_areas(const struct fl_collector *collector, struct fl_snapshot *snapshot)
{
	int map = bpf_map__fd(collector->bpf->maps.areas);
	struct fl_area_key *key = NULL;

	snapshot->areas = calloc(FL_MAX_AREAS, sizeof(*snapshot->areas));
	if (!snapshot->areas)
		return fl_fail("out of memory; free some and try again");
	while (snapshot->nr_areas < FL_MAX_AREAS) {
		struct fl_area_snapshot *next = &snapshot->areas[snapshot->nr_areas];

		if (bpf_map_get_next_key(map, key, &next->key))
			break;
		key = &next->key;
		if (!bpf_map_lookup_elem(map, key, &next->area))
			snapshot->nr_areas++;
	}
	return 0;
}

static int read_lost(struct fl_collector *collector, struct fl_snapshot *snapshot)
{
	struct fl_control control;
	__u32 zero = 0;

	if (bpf_map__lookup_elem(collector->bpf->maps.control, &zero, sizeof(zero),
				 &control, sizeof(control), 0))
		return fl_fail("cannot read the counts: %s; try again", strerror(errno));
	snapshot->lost_events = control.lost_exits + count_missed(collector->bpf);
	snapshot->lost_records = control.lost_records;
	return 0;
}

int fl_collector_read(struct fl_collector *collector, bool settle,
		      struct fl_snapshot *snapshot)
{
	memset(snapshot, 0, sizeof(*snapshot));
	snapshot->time_ns = fl_now_ns();
	snapshot->vcpus = calloc(collector->nr_slots + collector->nr_gone, sizeof(*snapshot->vcpus));
	if (!snapshot->vcpus)
		return fl_fail("out of memory; free some and try again");
	if (read_lost(collector, snapshot) || read_areas(collector, snapshot) ||
	    read_vcpus(collector, settle, snapshot)) {
		fl_snapshot_free(snapshot);
		return -1;
	}
	add_gone(collector, settle, snapshot);
	if (fl_snapshot_sum_up(snapshot))
		return -1;
	name_vms(collector, snapshot);
	return 0;
}

/* ---- Records ---- */

static int pass_record(void *data, void *record, size_t size)
{
	struct fl_collector *collector = data;

	if (size >= sizeof(struct fl_episode_record))
		collector->handle(record, collector->handle_data);
	return !collector->stopped && fl_now_ns() - collector->poll_ns > MAX_POLL_NS ? -EAGAIN : 0;
}

static int open_ring(struct fl_collector *collector)
{
	if (!collector->ring)
		collector->ring = ring_buffer__new(bpf_map__fd(collector->bpf->maps.records),
						   pass_record, collector, NULL);
	if (!collector->ring)
		return fl_fail("cannot open the ring buffer: %s; free some memory", strerror(errno));
	return 0;
}

int fl_collector_records_fd(struct fl_collector *collector)
{
	return open_ring(collector) ? -1 : ring_buffer__epoll_fd(collector->ring);
}

int fl_collector_poll_records(struct fl_collector *collector, fl_record_handler *handle, void *data)
{
	int ret;

	collector->handle = handle;
	collector->handle_data = data;
	collector->poll_ns = fl_now_ns();
	if (open_ring(collector))
		return -1;
	ret = ring_buffer__consume(collector->ring);
	if (ret == -EAGAIN)
		return 1;
	if (ret < 0)
		return fl_fail("cannot read the ring buffer: %s; try again", strerror(-ret));
	return 0;
}

/* Pass on what has just been ended of @entry's episodes, as BPF would have done. */
static void pass_ended(struct fl_collector *collector, const struct fl_vcpu_entry *entry)
{
	struct fl_episode_record record = {
		.kvm = entry->kvm,
		.pid = entry->pid,
		.tid = entry->tid,
		.vcpu_id = entry->vcpu_id,
		.slot = entry->slot - 1,
	};
	int i;

	memcpy(record.comm, entry->comm, sizeof(record.comm));
	for (i = 0; i < entry->vcpu.nr_ended; i++) {
		record.episode = entry->vcpu.ended[i];
		if (fl_filter_passes(&collector->options.filter, &record.episode))
			collector->handle(&record, collector->handle_data);
	}
}

/* Pass on what is open on the vCPU of slot @index, which doesn't run any more. */
static int pass_open(struct fl_collector *collector, size_t index, struct slot_copy *copy)
{
	struct fl_vcpu_entry *entry = &copy->entry;

	if (read_slot(collector, index, copy))
		return -1;
	fl_entry(&entry->vcpu, 0);
	pass_ended(collector, entry);
	fl_settle(&entry->vcpu);
	pass_ended(collector, entry);
	return 0;
}

int fl_collector_settle_records(struct fl_collector *collector,
				fl_record_handler *handle, void *data)
{
	struct slot_copy *copy = calloc(1, sizeof(*copy));
	size_t i;
	int ret = 0;

	if (!copy)
		return fl_fail("out of memory; free some and try again");
	collector->handle = handle;
	collector->handle_data = data;
	for (i = 0; !ret && i < collector->nr_slots; i++) {
		if (is_used(collector, i))
			ret = pass_open(collector, i, copy);
	}
	free(copy);
	return ret;
}

/* ---- Making room ---- */

static bool is_scarce(const struct fl_collector *collector)
{
	size_t used = 0, i;

	for (i = 0; i < collector->nr_slots; i++)
		used += is_used(collector, i);
	return used > collector->nr_slots / 2;
}

static int put_aside(struct fl_collector *collector, size_t index, struct slot_copy *copy)
{
	struct gone *all = realloc(collector->gone, (collector->nr_gone + 1) * sizeof(*all));
	struct gone *gone;

	if (!all)
		return fl_fail("out of memory; free some and try again");
	collector->gone = all;
	gone = &all[collector->nr_gone];
	if (read_slot(collector, index, copy))
		return -1;
	fill_vcpu(&gone->open, copy, false);
	if (read_slot(collector, index, copy))
		return -1;
	fill_vcpu(&gone->settled, copy, true);
	if (collector->handle && pass_open(collector, index, copy))
		return -1;
	memcpy(gone->name, name_vm(collector, &gone->open), sizeof(gone->name));
	gone->open.slot = gone->settled.slot = FL_NO_SLOT;
	collector->nr_gone++;
	return 0;
}

/* Its vCPU is gone, so nobody writes to it. */
static void free_slot(struct fl_collector *collector, __u32 index, struct slot_copy *copy)
{
	__u64 key = collector->slots[index].kvm_vcpu;
	int slots = bpf_map__fd(collector->bpf->maps.slots);
	__u32 slot;

	/* Another vCPU may have taken its place in memory, and be found by its key. */
	if (!bpf_map_lookup_elem(slots, &key, &slot) && slot == index)
		bpf_map_delete_elem(slots, &key);
	memset(copy, 0, sizeof(*copy));
	*collector->names[index] = '\0';
	if (collector->host_faults)
		bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.host_faults), &index,
				    &copy->host, BPF_ANY);
	bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.vcpus), &index, &copy->entry, BPF_ANY);
	bpf_map_update_elem(bpf_map__fd(collector->bpf->maps.free_slots), NULL, &index, BPF_ANY);
}

int fl_collector_tidy(struct fl_collector *collector)
{
	struct slot_copy *copy;
	size_t i;
	int ret = 0;

	/* Who has ended can't be told where the host's PIDs are none. */
	if (!is_scarce(collector) || fl_vm_pids_differ())
		return 0;
	copy = calloc(1, sizeof(*copy));
	if (!copy)
		return fl_fail("out of memory; free some and try again");
	for (i = 0; !ret && i < collector->nr_slots; i++) {
		pid_t pid = collector->slots[i].pid;

		if (!is_used(collector, i) || !pid || fl_vm_lives(pid))
			continue;
		ret = put_aside(collector, i, copy);
		if (!ret)
			free_slot(collector, i, copy);
	}
	free(copy);
	return ret;
}

void fl_collector_forget(struct fl_collector *collector)
{
	free(collector->gone);
	collector->gone = NULL;
	collector->nr_gone = 0;
}

/* ---- Ending ---- */

void fl_collector_stop(struct fl_collector *collector)
{
	faultline_bpf__detach(collector->bpf);
	collector->stopped = true;
	/* Programs run with RCU's read lock held, and this waits for who holds it. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void fl_collector_close(struct fl_collector *collector)
{
	if (!collector)
		return;
	ring_buffer__free(collector->ring);
	if (collector->slots)
		munmap((void *)collector->slots, collector->nr_slots * sizeof(*collector->slots));
	if (collector->host_faults)
		munmap((void *)collector->host_faults,
		       collector->nr_slots * sizeof(*collector->host_faults));
	faultline_bpf__destroy(collector->bpf);
	free(collector->names);
	free(collector->gone);
	free(collector);
}
