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
 * Argument @n of a tracepoint. In assembly because the verifier wants constant
 * offsets from ctx, and the compiler would merge two branches that read
 * different arguments into one read at a computed offset.
 */
#define ARG(ctx, n) ({							\
	__u64 __value;							\
	asm volatile("%0 = *(u64 *)(%1 + %2)"				\
		     : "=r"(__value) : "r"(ctx), "i"((n) * 8));		\
	__value;							\
})

const volatile struct fl_config config;

/* Exits that found the map full; read by user space. */
__u64 lost_exits;

/* Processes to be measured: the command, and what it forks. Key: tgid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_VCPUS);
	__type(key, __u32);
	__type(value, __u8);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FL_MAX_VCPUS);
	__type(key, __u32);
	__type(value, struct fl_vcpu_entry);
} vcpus SEC(".maps");

static const struct fl_vcpu_entry new_entry;

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

static __always_inline struct fl_vcpu_entry *this_or_new_vcpu(void)
{
	struct fl_vcpu_entry *entry = this_vcpu();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 tid = pid_tgid, tgid = pid_tgid >> 32;

	if (entry || !bpf_map_lookup_elem(&targets, &tgid))
		return entry;
	bpf_map_update_elem(&vcpus, &tid, &new_entry, BPF_NOEXIST);
	entry = this_vcpu();
	if (!entry)
		__sync_fetch_and_add(&lost_exits, 1);
	return entry;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *ctx)
{
	struct task_struct *parent = (void *)ARG(ctx, 0), *child = (void *)ARG(ctx, 1);
	__u32 tgid = BPF_CORE_READ(parent, tgid);
	__u8 one = 1;

	if (!bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	tgid = BPF_CORE_READ(child, tgid);
	bpf_map_update_elem(&targets, &tgid, &one, BPF_ANY);
	return 0;
}

SEC("tp_btf/kvm_exit")
int on_kvm_exit(__u64 *ctx)
{
	struct fl_vcpu_entry *entry = this_or_new_vcpu();
	__u32 reason, slot;
	void *vcpu;

	if (!entry)
		return 0;
	if (config.exit_starts_with_vcpu) {
		vcpu = (void *)ARG(ctx, 0);
		entry->isa = ARG(ctx, 1);
	} else {
		vcpu = (void *)ARG(ctx, 1);
		entry->isa = ARG(ctx, 2);
	}
	entry->kvm_vcpu = (__u64)vcpu;
	if (config.use_window && !entry->in_window)
		return 0;

	reason = exit_reason(entry->isa, vcpu);
	fl_exit(&entry->vcpu, fl_exit_kind(entry->isa, reason));

	slot = fl_reason_slot(entry->isa, reason);
	entry->reason_slot = slot;
	if (slot < FL_NR_REASONS)
		entry->reasons[slot]++;
	return 0;
}

SEC("tp_btf/kvm_entry")
int on_kvm_entry(__u64 *ctx)
{
	struct fl_vcpu *v = this_open_vcpu();

	if (v)
		fl_entry(v);
	return 0;
}

SEC("tp_btf/kvm_page_fault")
int on_kvm_page_fault(__u64 *ctx)
{
	struct fl_vcpu *v = this_open_vcpu();

	if (v)
		fl_page_fault(v, config.page_fault_has_vcpu ? ARG(ctx, 1) : ARG(ctx, 0));
	return 0;
}

SEC("tp_btf/kvm_inj_exception")
int on_kvm_inj_exception(__u64 *ctx)
{
	struct fl_vcpu_entry *entry;

	if ((__u32)ARG(ctx, 0) != PF_VECTOR)
		return 0;
	if (config.inject_tells_reinjected && (ARG(ctx, 3) & 1))
		return 0;
	entry = this_vcpu();
	if (!entry || !entry->vcpu.exit_open)
		return 0;
	fl_inject_pf(&entry->vcpu, queued_pf_address((void *)entry->kvm_vcpu),
		     ARG(ctx, 2));
	return 0;
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
	struct kvm_mmu_page *sp = (void *)ARG(ctx, 1);
	bool updated = (__u32)ARG(ctx, 7) ==
		bpf_core_enum_value(enum kvm_mmu_pte_write_action,
				    KVM_MMU_PTE_WRITE_UPDATED);

	if (!v)
		return 0;
	if (!updated)
		return saw(FL_SAW_PTE_WRITE);
	fl_pte_updated(v, ARG(ctx, 2),
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

	if (!config.use_window || (__u32)ARG(ctx, 0) != FL_MARK_LEAF)
		return 0;
	entry = this_vcpu();
	if (!entry)
		return 0;
	if ((__u32)ARG(ctx, 1) == FL_MARK_START && !entry->in_window) {
		entry->in_window = 1;
		entry->window_start_ns = bpf_ktime_get_ns();
	} else if ((__u32)ARG(ctx, 1) == FL_MARK_STOP && entry->in_window) {
		entry->in_window = 0;
		entry->window_ns += bpf_ktime_get_ns() - entry->window_start_ns;
		forget_exit(entry);
	}
	return 0;
}
