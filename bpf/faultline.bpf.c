// SPDX-License-Identifier: GPL-2.0
/*
 * The BPF side of the collector: turns KVM's tracepoints into events and steps
 * the episode state machine of the vCPU thread that they happen on.
 *
 * All events of a vCPU come from its own thread, with preemption disabled, so
 * its map entry needs neither lock nor atomics and no event is dropped. The
 * counts are aggregated here; user space reads the map when it wants them.
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
 */

/* Processes to be measured: the command, and what it forks. Key: tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_VCPUS);
	__type(key, __u32);
	__type(value, struct fl_target);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_VCPUS);
	__type(key, __u32);
	__type(value, struct fl_vcpu_entry);
} vcpus SEC(".maps");

/* What a new entry starts as: zeroes. It is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fl_vcpu_entry);
} new_vcpu SEC(".maps");

/* One counter: exits that found the map `vcpus` full. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost_exits SEC(".maps");

static __always_inline struct fl_vcpu_entry *this_vcpu(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&vcpus, &tid);
}

/* The vCPU if an exit of it is open, i.e. if events are to be counted. */
static __always_inline struct fl_vcpu *this_open_vcpu(void)
{
	struct fl_vcpu_entry *entry = this_vcpu();

	return entry && entry->vcpu.exit_open ? &entry->vcpu : NULL;
}

static __always_inline void count_lost_exit(void)
{
	__u32 zero = 0;
	__u64 *lost = bpf_map_lookup_elem(&lost_exits, &zero);

	if (lost)
		__sync_fetch_and_add(lost, 1);
}

static __always_inline struct fl_vcpu_entry *add_vcpu(const struct fl_target *target)
{
	__u32 tid = bpf_get_current_pid_tgid(), zero = 0;
	struct fl_vcpu_entry *entry = bpf_map_lookup_elem(&new_vcpu, &zero);

	if (!entry)
		return NULL;
	bpf_map_update_elem(&vcpus, &tid, entry, BPF_NOEXIST);
	entry = this_vcpu();
	if (!entry) {
		count_lost_exit();
		return NULL;
	}
	entry->use_window = target->use_window;
	entry->in_window = !target->use_window;
	return entry;
}

static __always_inline struct fl_vcpu_entry *this_or_new_vcpu(void)
{
	struct fl_vcpu_entry *entry = this_vcpu();
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct fl_target *target;

	if (entry)
		return entry;
	target = bpf_map_lookup_elem(&targets, &tgid);
	return target ? add_vcpu(target) : NULL;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (void *)ctx[0], *child = (void *)ctx[1];
	__u32 tgid = BPF_CORE_READ(parent, tgid);
	struct fl_target *target = bpf_map_lookup_elem(&targets, &tgid);

	if (!target)
		return 0;
	tgid = BPF_CORE_READ(child, tgid);
	bpf_map_update_elem(&targets, &tgid, target, BPF_ANY);
	return 0;
}

/*
 * The arguments of some tracepoints differ between kernels. There is a program
 * for each variant; user space loads the one that fits, going by the number of
 * arguments in the kernel's BTF (variants[] in collector.c).
 */

static __always_inline int handle_exit(void *vcpu, __u32 isa)
{
	struct fl_vcpu_entry *entry = this_or_new_vcpu();
	__u32 reason, slot;

	if (!entry)
		return 0;
	entry->isa = isa;
	entry->kvm_vcpu = (__u64)vcpu;
	if (!entry->in_window)
		return 0;

	reason = exit_reason(isa, vcpu);
	fl_exit(&entry->vcpu, fl_exit_kind(isa, reason));

	slot = fl_reason_slot(isa, reason);
	entry->reason_slot = slot;
	if (slot < FL_NR_REASONS)
		entry->reasons[slot]++;
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
	struct fl_vcpu *v = this_open_vcpu();

	if (v)
		fl_entry(v);
	return 0;
}

static __always_inline int handle_page_fault(__u64 address)
{
	struct fl_vcpu *v = this_open_vcpu();

	if (v)
		fl_page_fault(v, address);
	return 0;
}

/* As in 6.1: kvm_page_fault(vcpu, address, error_code). */
SEC("tp_btf/kvm_page_fault")
int on_kvm_page_fault(__u64 *ctx)
{
	return handle_page_fault(ctx[1]);
}

/* Once: kvm_page_fault(address, error_code). */
SEC("tp_btf/kvm_page_fault")
int on_kvm_page_fault_2(__u64 *ctx)
{
	return handle_page_fault(ctx[0]);
}

static __always_inline int handle_inject(__u32 vector, __u32 error_code)
{
	struct fl_vcpu_entry *entry = this_vcpu();

	if (vector == PF_VECTOR && entry && entry->vcpu.exit_open)
		fl_inject_pf(&entry->vcpu,
			     queued_pf_address((void *)entry->kvm_vcpu), error_code);
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

static __always_inline int saw(enum fl_fact fact)
{
	struct fl_vcpu *v = this_open_vcpu();

	if (v)
		fl_saw(v, fact);
	return 0;
}

SEC("tp_btf/kvm_mmu_unsync_page")
int on_kvm_mmu_unsync_page(__u64 *ctx)
{
	return saw(FL_SAW_UNSYNC);
}

SEC("tp_btf/kvm_emulate_insn")
int on_kvm_emulate_insn(__u64 *ctx)
{
	return saw(FL_SAW_EMULATION);
}

SEC("tp_btf/kvm_mmio")
int on_kvm_mmio(__u64 *ctx)
{
	return saw(FL_SAW_MMIO);
}

/* kvm_mmu_pte_write(vcpu, sp, gpa, bytes, gpte, old_spte, new_spte, action) */
SEC("tp_btf/kvm_mmu_pte_write")
int on_kvm_mmu_pte_write(__u64 *ctx)
{
	struct fl_vcpu *v = this_open_vcpu();
	struct kvm_mmu_page *sp = (void *)ctx[1];
	bool updated = (__u32)ctx[7] ==
		bpf_core_enum_value(enum kvm_mmu_pte_write_action,
				    KVM_MMU_PTE_WRITE_UPDATED);

	if (!v)
		return 0;
	if (!updated)
		return saw(FL_SAW_PTE_WRITE);
	fl_pte_updated(v, ctx[2],
		       BPF_CORE_READ_BITFIELD_PROBED(sp, role.has_4_byte_gpte) ? 4 : 8);
	return 0;
}

static __always_inline void forget_exit(struct fl_vcpu_entry *entry)
{
	__u32 slot = entry->reason_slot;

	if (entry->vcpu.exit_open && slot < FL_NR_REASONS)
		entry->reasons[slot]--;
	fl_forget_exit(&entry->vcpu);
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
	if ((__u32)ctx[1] == FL_MARK_START && !entry->in_window) {
		entry->in_window = 1;
		entry->window_start_ns = bpf_ktime_get_ns();
	} else if ((__u32)ctx[1] == FL_MARK_STOP && entry->in_window) {
		entry->in_window = 0;
		entry->window_ns += bpf_ktime_get_ns() - entry->window_start_ns;
		forget_exit(entry);
	}
	return 0;
}
