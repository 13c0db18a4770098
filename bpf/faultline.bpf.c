// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF side of the collector: turns KVM's tracepoints into events and steps
 * the episode state machine of the vCPU that they are about.
 *
 * All events of a vCPU come from the thread that runs it, one after the other, so
 * its slot needs neither lock nor atomics and no event is dropped.
 * The counts are aggregated here; user space has the slots mapped and reads them
 * when it wants to.
 */
#include <linux/bpf.h>

#include "kvm_types.h"
#include "faultline.h"

char LICENSE[] SEC("license") = "GPL";

#define PF_VECTOR 14

/*
 * All data is in maps, none in global variables: libbpf finds out whether a
 * kernel can do those by loading a socket filter, and so takes one that was
 * built without networking, as the lab's is, for one that can't.
 *
 * User space sets the sizes that are 1 here when it loads.
 */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_control);
} control SEC(".maps");

/* Processes to be measured, until they end: those asked for, and what they fork. Key: tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_TARGETS);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_vcpu_entry);
} vcpus SEC(".maps");

/* The slots that are free, filled by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_slots SEC(".maps");

/*
 * The slot of a vCPU, by its struct kvm_vcpu; or of a thread, by its id, where
 * no event tells the vCPU.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} slots SEC(".maps");

/* The slot of the vCPU that a thread ran last, for events that don't name it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} threads SEC(".maps");

/*
 * The thread that ran a vCPU on this CPU last, and its slot: saves looking them
 * up as long as the thread stays here.
 */
struct running {
	__u32 tid;
	__u32 slot;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct running);
} here SEC(".maps");

/*
 * The host's own page faults, by vCPU, under the same number as in `vcpus`. What
 * is here changes while the sequence there is odd. Of one slot, and not used,
 * where KVM shadows page tables.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_host_faults);
} host_faults SEC(".maps");

/* The first touches among them, by area of host memory; vCPUs share it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_AREAS);
	__type(key, struct fl_area_key);
	__type(value, struct fl_area);
} areas SEC(".maps");

/* Records of episodes, if asked for. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

/* ---- Slots ---- */

static __always_inline struct fl_control *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline void count_lost_exit(void)
{
	struct fl_control *ctl = get_control();

	if (ctl)
		__sync_fetch_and_add(&ctl->lost_exits, 1);
}

static __always_inline __u32 this_thread(void)
{
	return bpf_get_current_pid_tgid();
}

/* Bracket what changes a slot; see struct fl_vcpu_entry. */
static __always_inline void begin(struct fl_vcpu_entry *entry)
{
	entry->sequence++;
	barrier();
}

static __always_inline void end(struct fl_vcpu_entry *entry)
{
	barrier();
	entry->sequence++;
}

static __always_inline struct running *get_running(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&here, &zero);
}

/* @slot if it is that of the vCPU that thread @tid runs, or NULL. */
static __always_inline struct fl_vcpu_entry *slot_of(const __u32 *slot, __u32 tid)
{
	struct fl_vcpu_entry *entry = bpf_map_lookup_elem(&vcpus, slot);

	return entry && entry->tid == tid ? entry : NULL;
}

/*
 * The slot of the vCPU that this thread runs. What this CPU remembers may be
 * out of date: then the thread isn't the one that the slot names.
 */
static __always_inline struct fl_vcpu_entry *this_vcpu(void)
{
	struct running *running = get_running();
	__u32 tid = this_thread(), *slot;
	struct fl_vcpu_entry *entry = NULL;

	if (!running)
		return NULL;
	if (running->tid == tid)
		entry = slot_of(&running->slot, tid);
	if (entry)
		return entry;
	slot = bpf_map_lookup_elem(&threads, &tid);
	if (!slot)
		return NULL;
	running->slot = *slot;
	running->tid = tid;
	return slot_of(slot, tid);
}

/* The same if an exit of it is open, i.e. if events are to be counted. */
static __always_inline struct fl_vcpu_entry *this_open_vcpu(void)
{
	struct fl_vcpu_entry *entry = this_vcpu();

	return entry && entry->vcpu.exit_open ? entry : NULL;
}

/*
 * This thread runs the vCPU of @entry now, and no longer the one before. The
 * thread that ran it until now finds it no more, as the slot names this one.
 */
static __always_inline void bind_thread(struct fl_vcpu_entry *entry, __u32 slot)
{
	struct fl_vcpu_entry *before = this_vcpu();
	struct running *running = get_running();
	__u32 tid = this_thread();

	if (before)
		before->tid = 0;
	entry->tid = bpf_map_update_elem(&threads, &tid, &slot, BPF_ANY) ? 0 : tid;
	if (!entry->tid)
		count_lost_exit();
	if (running) {
		running->tid = entry->tid;
		running->slot = slot;
	}
}

static __always_inline bool is_target(const struct fl_control *ctl, __s32 vcpu_id)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (ctl->vcpu_id != FL_ANY_VCPU && ctl->vcpu_id != vcpu_id)
		return false;
	return ctl->all || bpf_map_lookup_elem(&targets, &tgid);
}

static __always_inline void label(struct fl_vcpu_entry *entry, const struct fl_control *ctl)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	entry->pid = bpf_get_current_pid_tgid() >> 32;
	BPF_CORE_READ_STR_INTO(&entry->comm, task, group_leader, comm);
	entry->seen_ns = bpf_ktime_get_ns();
	entry->use_window = ctl->use_window;
	entry->in_window = !ctl->use_window;
	entry->records = ctl->records;
	entry->vcpu.keep_ended = !!ctl->records;
}

/* A slot for vCPU @key, which has none yet or has taken the place of another. */
static __noinline struct fl_vcpu_entry *new_slot(__u64 key, __u64 kvm, __s32 vcpu_id)
{
	struct fl_control *ctl = get_control();
	struct fl_vcpu_entry *entry;
	__u32 slot = 0;

	if (!ctl || !is_target(ctl, vcpu_id))
		return NULL;
	if (bpf_map_pop_elem(&free_slots, &slot)) {
		count_lost_exit();
		return NULL;
	}
	entry = bpf_map_lookup_elem(&vcpus, &slot);
	if (!entry)
		return NULL;
	begin(entry);
	label(entry, ctl);
	entry->kvm = kvm;
	entry->faults_bypass = kvm && faults_bypass((void *)kvm);
	entry->kvm_vcpu = key;
	entry->vcpu_id = vcpu_id;
	entry->slot = slot + 1;
	end(entry);
	bpf_map_update_elem(&slots, &key, &slot, BPF_ANY);
	bind_thread(entry, slot);
	return entry;
}

/*
 * The slot of vCPU @key, which this thread has begun to run. Memory of a vCPU that
 * is gone may be used for a new one: then KVM's count of its exits starts anew,
 * and what the slot has is of the old one.
 */
static __noinline struct fl_vcpu_entry *find_slot(__u64 key, __u64 exits)
{
	__u32 *slot = bpf_map_lookup_elem(&slots, &key);
	struct fl_vcpu_entry *entry;

	if (!slot)
		return NULL;
	entry = bpf_map_lookup_elem(&vcpus, slot);
	if (!entry || exits < entry->stat_exits)
		return NULL;
	bind_thread(entry, *slot);
	return entry;
}

/* The slot of @vcpu, which this thread is running: mostly, the one it ran before. */
static __always_inline struct fl_vcpu_entry *vcpu_slot(struct kvm_vcpu *vcpu)
{
	__u64 key = (__u64)vcpu, exits = vcpu->stat.exits;
	struct fl_vcpu_entry *entry = this_vcpu();

	if (!entry || entry->kvm_vcpu != key || exits < entry->stat_exits) {
		entry = find_slot(key, exits);
		if (!entry)
			entry = new_slot(key, (__u64)vcpu->kvm, vcpu->vcpu_id);
	}
	if (entry)
		entry->stat_exits = exits;
	return entry;
}

/* Where KVM emits no kvm_exit, a thread stands for the vCPU that it runs. */
static __always_inline struct fl_vcpu_entry *this_vcpu_or_thread(void)
{
	struct fl_vcpu_entry *entry = this_vcpu();
	struct fl_control *ctl;

	if (entry)
		return entry;
	ctl = get_control();
	return ctl && ctl->no_exits ? new_slot(this_thread(), 0, -1) : NULL;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	__u32 tgid = parent->tgid;
	__u32 *target = bpf_map_lookup_elem(&targets, &tgid);

	/* What was named by its pid doesn't bring along what it forks. */
	if (!target || !*target || (__u32)child->tgid == tgid)
		return 0;
	tgid = child->tgid;
	if (bpf_map_update_elem(&targets, &tgid, target, BPF_ANY))
		count_lost_exit();
	return 0;
}

/* The last thread of a process ends: make room, and its pid may be another's soon. */
SEC("tp_btf/sched_process_exit")
int on_exit(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	__u32 tgid = task->tgid;

	if (!task->signal->live.counter)
		bpf_map_delete_elem(&targets, &tgid);
	return 0;
}

/* ---- Records ---- */

/* Room for a record of @entry's vCPU, to be filled in and submitted, or NULL. */
static __always_inline struct fl_episode_record *
new_record(const struct fl_vcpu_entry *entry, struct fl_control *ctl)
{
	struct fl_episode_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		__sync_fetch_and_add(&ctl->lost_records, 1);
		return NULL;
	}
	record->kvm = entry->kvm;
	record->pid = entry->pid;
	record->tid = entry->tid;
	record->vcpu_id = entry->vcpu_id;
	record->slot = entry->slot - 1;
	__builtin_memcpy(record->comm, entry->comm, FL_COMM);
	return record;
}

/* Waking the reader costs the vCPU time; it comes now and then without. */
static __always_inline void submit(struct fl_episode_record *record,
				   const struct fl_control *ctl)
{
	bool wake = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= ctl->wake_bytes;

	bpf_ringbuf_submit(record, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __noinline int write_record(struct fl_vcpu_entry *entry, __u32 index)
{
	struct fl_control *ctl = get_control();
	struct fl_episode_record *record;

	if (!entry || !ctl || index >= FL_MAX_OPEN ||
	    !fl_filter_passes(&ctl->filter, &entry->vcpu.ended[index]))
		return 0;
	record = new_record(entry, ctl);
	if (!record)
		return 0;
	record->episode = entry->vcpu.ended[index];
	submit(record, ctl);
	return 0;
}

/* Where KVM emits no kvm_exit, a guest fault is all that is known of an episode. */
static __always_inline void write_fault(struct fl_vcpu_entry *entry, __u32 error_code)
{
	struct fl_episode *episode = &entry->vcpu.ended[0];

	if (entry->isa || !entry->records || !entry->in_window)
		return;
	episode->page = FL_NO_PAGE;
	episode->start_ns = episode->end_ns = bpf_ktime_get_ns();
	episode->error_code = error_code;
	episode->outcome = FL_NOT_FOLLOWED;
	write_record(entry, 0);
}

static __always_inline void write_records(struct fl_vcpu_entry *entry)
{
	__u32 i, nr = entry->vcpu.nr_ended;

	if (!nr)
		return;
	for (i = 0; i < FL_MAX_OPEN; i++) {
		if (i < nr)
			write_record(entry, i);
	}
	entry->vcpu.nr_ended = 0;
}

/* ---- The host's own page faults ---- */

/* The area that the touch was in, or the one that stands for all others. */
static __always_inline struct fl_area *touched_area(const struct fl_vcpu_entry *entry)
{
	struct fl_area_key elsewhere = { 0 }, key = entry->area;
	struct fl_area *area = bpf_map_lookup_elem(&areas, &key);

	return area ? area : bpf_map_lookup_elem(&areas, &elsewhere);
}

static __always_inline void count_touch(const struct fl_vcpu_entry *entry, __u32 kind, __u64 ns)
{
	struct fl_area *area = touched_area(entry);

	if (!area)
		return;
	__sync_fetch_and_add(&area->touches, 1);
	__sync_fetch_and_add(&area->ns, ns);
	if (kind == FL_HOST_TOUCH_MINOR)
		__sync_fetch_and_add(&area->minor, 1);
	if (kind == FL_HOST_TOUCH_MAJOR)
		__sync_fetch_and_add(&area->major, 1);
}

/* Before the exit it belongs to is closed. @now is as for fl_entry(). */
static __noinline int close_host_fault(struct fl_vcpu_entry *entry, __u64 now)
{
	struct fl_host_faults *counts;
	struct fl_host_stat stat;
	__u64 start, ns;
	__u32 slot, kind;

	if (!entry)
		return 0;
	slot = entry->slot - 1;
	counts = bpf_map_lookup_elem(&host_faults, &slot);
	if (!counts)
		return 0;
	start = entry->vcpu.exit_ns;
	ns = now > start ? now - start : 0;
	read_host_stat((void *)entry->kvm_vcpu, &stat);
	fl_host_verdict(&entry->host, &stat);
	kind = fl_host_close(counts, &entry->host, entry->vcpu.facts, ns);
	if (fl_host_is_touch(kind))
		count_touch(entry, kind, ns);
	return 0;
}

static __always_inline void open_host_fault(struct fl_vcpu_entry *entry, struct kvm_vcpu *vcpu)
{
	struct fl_host_stat stat;

	read_host_stat(vcpu, &stat);
	fl_host_exit(&entry->host, &stat);
	__builtin_memset(&entry->area, 0, sizeof(entry->area));
}

/* ---- Exits and entries ---- */

/*
 * The arguments of some tracepoints differ between kernels. There is a program
 * for each variant; user space loads the one that fits, going by the number of
 * arguments in the kernel's BTF (variants[] in collector.c).
 */

static __always_inline int handle_exit(struct kvm_vcpu *vcpu, __u32 isa)
{
	struct fl_vcpu_entry *entry = vcpu_slot(vcpu);
	__u32 reason, slot;

	if (!entry)
		return 0;
	begin(entry);
	entry->isa = isa;
	if (!entry->in_window)
		goto out;

	if (entry->host.open)
		close_host_fault(entry, 0);
	entry->pf_address_known = 0;
	reason = exit_reason(isa, vcpu);
	fl_exit(&entry->vcpu, fl_exit_kind(isa, reason), guest_root(vcpu), bpf_ktime_get_ns());
	write_records(entry);
	if (fl_is_host_fault(isa, reason))
		open_host_fault(entry, vcpu);

	slot = fl_reason_slot(isa, reason);
	entry->reason_slot = slot;
	if (slot < FL_NR_REASONS)
		entry->reasons[slot]++;
out:
	end(entry);
	return 0;
}

SEC("tp_btf/kvm_exit")
int on_kvm_exit(__u64 *ctx)
{
	return handle_exit((void *)ctx[0], ctx[1]);
}

/* Before 5.17: kvm_exit(exit_reason, vcpu, isa). */
SEC("tp_btf/kvm_exit")
int on_kvm_exit_3(__u64 *ctx)
{
	return handle_exit((void *)ctx[1], ctx[2]);
}

SEC("tp_btf/kvm_entry")
int on_kvm_entry(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();
	__u64 now;

	if (!entry)
		return 0;
	begin(entry);
	now = bpf_ktime_get_ns();
	if (entry->host.open)
		close_host_fault(entry, now);
	fl_entry(&entry->vcpu, now);
	write_records(entry);
	end(entry);
	return 0;
}

/* ---- What happens in between ---- */

static __always_inline int handle_page_fault(__u64 address, __u64 error_code)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();

	if (!entry)
		return 0;
	begin(entry);
	fl_page_fault(&entry->vcpu, address);
	if (entry->host.open)
		fl_host_error(&entry->host, entry->isa, address, error_code);
	end(entry);
	return 0;
}

/* As in 6.1: kvm_page_fault(vcpu, address, error_code). */
SEC("tp_btf/kvm_page_fault")
int on_kvm_page_fault(__u64 *ctx)
{
	return handle_page_fault(ctx[1], ctx[2]);
}

/* Once: kvm_page_fault(address, error_code). */
SEC("tp_btf/kvm_page_fault")
int on_kvm_page_fault_2(__u64 *ctx)
{
	return handle_page_fault(ctx[0], ctx[1]);
}

/* With our series: kvm_inject_page_fault(vcpu, mmu, fault), when it is queued. */
SEC("tp_btf/kvm_inject_page_fault")
int on_kvm_inject_page_fault(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();
	struct x86_exception *fault = (void *)ctx[2];

	if (!entry)
		return 0;
	begin(entry);
	entry->pf_address = fault->address;
	entry->pf_address_known = 1;
	end(entry);
	return 0;
}

static __always_inline __u64 pf_address(const struct fl_vcpu_entry *entry)
{
	if (entry->pf_address_known)
		return entry->pf_address;
	return queued_pf_address((void *)entry->kvm_vcpu);
}

static __always_inline int handle_inject(__u32 vector, __u32 error_code)
{
	struct fl_vcpu_entry *entry;

	if (vector != PF_VECTOR)
		return 0;
	entry = this_vcpu_or_thread();
	if (!entry)
		return 0;
	begin(entry);
	if (entry->in_window)
		entry->events.injected++;
	if (entry->vcpu.exit_open)
		fl_inject_pf(&entry->vcpu, pf_address(entry), error_code);
	else
		write_fault(entry, error_code);
	end(entry);
	return 0;
}

/* As in 6.1: kvm_inj_exception(vector, has_error, error_code, reinjected). */
SEC("tp_btf/kvm_inj_exception")
int on_kvm_inj_exception(__u64 *ctx)
{
	bool reinjected = ctx[3] & 1;

	return reinjected ? 0 : handle_inject(ctx[0], ctx[2]);
}

/* Once, without the last argument: not called for a reinjection. */
SEC("tp_btf/kvm_inj_exception")
int on_kvm_inj_exception_3(__u64 *ctx)
{
	return handle_inject(ctx[0], ctx[2]);
}

SEC("tp_btf/kvm_mmu_unsync_page")
int on_kvm_mmu_unsync_page(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_vcpu_or_thread();

	if (!entry)
		return 0;
	begin(entry);
	if (entry->in_window)
		entry->events.unsynced++;
	fl_saw(&entry->vcpu, FL_SAW_UNSYNC);
	end(entry);
	return 0;
}

SEC("tp_btf/kvm_emulate_insn")
int on_kvm_emulate_insn(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_vcpu_or_thread();

	if (!entry)
		return 0;
	begin(entry);
	if (entry->in_window)
		entry->events.emulated++;
	fl_saw(&entry->vcpu, FL_SAW_EMULATION);
	end(entry);
	return 0;
}

/* Loaded only where KVM may not emit kvm_exit: an exit tells as much. */
SEC("tp_btf/kvm_mmu_spte_requested")
int on_kvm_mmu_spte_requested(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_vcpu_or_thread();

	if (!entry)
		return 0;
	begin(entry);
	if (entry->in_window)
		entry->events.mapped++;
	end(entry);
	return 0;
}

static __always_inline int saw(enum fl_fact fact)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();

	if (!entry)
		return 0;
	begin(entry);
	fl_saw(&entry->vcpu, fact);
	end(entry);
	return 0;
}

SEC("tp_btf/kvm_mmio")
int on_kvm_mmio(__u64 *ctx)
{
	return saw(FL_SAW_MMIO);
}

/* An access that an eventfd was waiting for, which KVM need not emulate. */
SEC("tp_btf/kvm_fast_mmio")
int on_kvm_fast_mmio(__u64 *ctx)
{
	return saw(FL_SAW_MMIO);
}

SEC("tp_btf/kvm_nested_vmexit")
int on_kvm_nested_vmexit(__u64 *ctx)
{
	return saw(FL_SAW_NESTED);
}

/*
 * kvm_nested_vmexit_inject(exit_code, info1, info2, int_info, int_info_err, isa).
 * The address of a #PF is in info1 on VMX, and in info2 on SVM.
 */
SEC("tp_btf/kvm_nested_vmexit_inject")
int on_kvm_nested_vmexit_inject(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();
	/* Each read here, as the verifier knows no choice of two arguments. */
	__u64 info1 = FL_READ_BACK(ctx[1]), info2 = FL_READ_BACK(ctx[2]);
	__u32 isa = ctx[5], reason = ctx[0];
	enum fl_fact fact = fl_reflected(isa, reason, info1, ctx[3]);

	if (fact != FL_SAW_REFLECT)
		return saw(fact);
	if (!entry)
		return 0;
	begin(entry);
	fl_reflect(&entry->vcpu, fl_is_host_fault(isa, reason) ? 0 :
		   isa == FL_ISA_VMX ? info1 : info2);
	end(entry);
	return 0;
}

/* With our series: kvm_nested_prefault(vcpu, gpa, error_code, fixed) */
SEC("tp_btf/kvm_nested_prefault")
int on_kvm_nested_prefault(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();
	bool fixed = ctx[3] & 1;

	if (!entry || !fixed)
		return 0;
	begin(entry);
	fl_prefault(&entry->vcpu, ctx[1], nested_root((void *)ctx[0]));
	end(entry);
	return 0;
}

/* A kernel with a part of the series may have the tracepoint, but not the update. */
static __always_inline bool is_update(__u32 action)
{
	return bpf_core_enum_value_exists(enum kvm_mmu_pte_write_action,
					  KVM_MMU_PTE_WRITE_UPDATED) &&
		action == bpf_core_enum_value(enum kvm_mmu_pte_write_action,
					      KVM_MMU_PTE_WRITE_UPDATED);
}

/* kvm_mmu_pte_write(vcpu, sp, gpa, bytes, gpte, old_spte, new_spte, action) */
SEC("tp_btf/kvm_mmu_pte_write")
int on_kvm_mmu_pte_write(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();
	struct kvm_mmu_page *sp = (void *)ctx[1];

	if (!is_update(ctx[7]))
		return saw(FL_SAW_PTE_WRITE);
	if (!entry)
		return 0;
	begin(entry);
	fl_pte_updated(&entry->vcpu, ctx[2],
		       BPF_CORE_READ_BITFIELD_PROBED(sp, role.has_4_byte_gpte) ? 4 : 8);
	end(entry);
	return 0;
}

/* ---- How the host's own page faults are dealt with: with NPT or EPT only ---- */

/* The same as this_open_vcpu() if the exit is for one. */
static __always_inline struct fl_vcpu_entry *this_host_fault(void)
{
	struct fl_vcpu_entry *entry = this_open_vcpu();

	return entry && entry->host.open ? entry : NULL;
}

struct area_found {
	struct fl_area_key key;
	struct fl_area area;
};

static long on_area(struct task_struct *task, struct vm_area_struct *vma,
		    struct area_found *found)
{
	struct file *file = vma->vm_file;

	found->key.start = vma->vm_start;
	found->key.end = vma->vm_end;
	if (file)
		BPF_CORE_READ_STR_INTO(&found->area.name, file, f_path.dentry, d_name.name);
	return 0;
}

/*
 * Find the area that @address is in. It stays unknown if someone is changing the
 * process's areas right now, for which we can't wait.
 */
static __noinline int find_area(struct fl_vcpu_entry *entry, __u64 address)
{
	struct area_found found = { 0 };

	if (!entry || !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma))
		return 0;
	if (bpf_find_vma(bpf_get_current_task_btf(), address, on_area, &found, 0))
		return 0;
	found.key.pid = entry->pid;
	bpf_map_update_elem(&areas, &found.key, &found.area, BPF_NOEXIST);
	entry->area = found.key;
	return 0;
}

static __always_inline void handle_mapping(struct fl_vcpu_entry *entry, __u8 level)
{
	struct fl_host_stat stat;

	read_host_stat((void *)entry->kvm_vcpu, &stat);
	fl_host_mapping(&entry->host, level, &stat);
}

static __always_inline bool is_prefetch(struct kvm_page_fault *fault)
{
	return bpf_core_field_exists(fault->prefetch) && BPF_CORE_READ(fault, prefetch);
}

/* Since 5.16: kvm_mmu_spte_requested(fault), and in 7.2 an argument more. */
SEC("tp_btf/kvm_mmu_spte_requested")
int on_host_mapping(__u64 *ctx)
{
	struct kvm_page_fault *fault = (void *)ctx[0];
	struct fl_vcpu_entry *entry = this_host_fault();
	__u64 address;

	if (!entry)
		return 0;
	begin(entry);
	if (is_prefetch(fault)) {
		fl_host_prefetch(&entry->host);
		goto out;
	}
	handle_mapping(entry, BPF_CORE_READ(fault, goal_level));
	address = host_address(fault);
	if (address && !(entry->host.facts & FL_HOST_WAS_PRESENT))
		find_area(entry, address);
out:
	end(entry);
	return 0;
}

/* Before: kvm_mmu_spte_requested(address, level, pfn), which tells no memslot. */
SEC("tp_btf/kvm_mmu_spte_requested")
int on_host_mapping_3(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_host_fault();

	if (!entry)
		return 0;
	begin(entry);
	handle_mapping(entry, ctx[1]);
	end(entry);
	return 0;
}

SEC("tp_btf/kvm_try_async_get_page")
int on_kvm_try_async_get_page(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_host_fault();

	if (!entry)
		return 0;
	begin(entry);
	fl_host_deferred(&entry->host);
	end(entry);
	return 0;
}

/* ---- The guest's marks ---- */

static __always_inline void forget_exit(struct fl_vcpu_entry *entry)
{
	__u32 slot = entry->reason_slot;

	if (entry->vcpu.exit_open && slot < FL_NR_REASONS)
		entry->reasons[slot]--;
	entry->host.open = 0;
	fl_forget_exit(&entry->vcpu);
}

static __always_inline void mark(struct fl_vcpu_entry *entry, __u32 index)
{
	if (index == FL_MARK_START && !entry->in_window) {
		entry->in_window = 1;
		entry->window_start_ns = bpf_ktime_get_ns();
	} else if (index == FL_MARK_STOP && entry->in_window) {
		entry->in_window = 0;
		entry->window_ns += bpf_ktime_get_ns() - entry->window_start_ns;
		forget_exit(entry);
	}
}

/* The exits by which the guest marks its window are not part of it. */
SEC("tp_btf/kvm_cpuid")
int on_kvm_cpuid(__u64 *ctx)
{
	struct fl_vcpu_entry *entry;

	if ((__u32)ctx[0] != FL_MARK_LEAF)
		return 0;
	entry = this_vcpu();
	if (!entry || !entry->use_window)
		return 0;
	begin(entry);
	mark(entry, ctx[1]);
	end(entry);
	return 0;
}
