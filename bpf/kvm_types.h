/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few kernel types that the BPF programs look into, each cut down to the
 * members they read. CO-RE finds those in the running kernel's BTF, so nothing
 * here depends on the kernel that faultline was built on. What differs between
 * kernels is behind one accessor each, at the end of the file.
 */
#ifndef FAULTLINE_KVM_TYPES_H
#define FAULTLINE_KVM_TYPES_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "host_fault.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live;
};

struct task_struct {
	int tgid;
	struct signal_struct *signal;
	char comm[16];
	struct task_struct *group_leader;
	unsigned long min_flt, maj_flt;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	struct file *vm_file;
};

struct kvm_queued_exception {
	unsigned long payload;
	bool has_payload;
};

/* Indexes of kvm_vcpu_arch.regs. */
#define REG_RAX	0
#define REG_RIP	16

struct kvm_mmu_root_info {
	__u64 pgd;
};

struct kvm_mmu {
	struct kvm_mmu_root_info root;
};

struct kvm_mmu___pgd {
	__u64 root_pgd;
};

struct kvm_vcpu_arch {
	struct kvm_mmu *mmu;
	struct kvm_mmu guest_mmu;
	unsigned long regs[17];
	unsigned long cr2;
	unsigned long cr3;
	struct kvm_queued_exception exception;
};

struct kvm_vcpu_stat {
	__u64 exits;
	__u64 pf_fixed;
	__u64 pf_spurious;
};

struct kvm_arch {
	__u64 shadow_nonpresent_value;
};

struct kvm {
	struct kvm_arch arch;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	struct kvm_vcpu_arch arch;
	struct kvm_vcpu_stat stat;
};

struct kvm_memory_slot {
	__u64 base_gfn;
	unsigned long userspace_addr;
};

/* As tracepoints pass it, since 5.16. */
struct kvm_page_fault {
	bool prefetch;
	bool is_private;
	__u8 goal_level;
	__u64 gfn;
	struct kvm_memory_slot *slot;
};

struct x86_exception {
	__u64 address;
};

struct vmcb_control_area {
	__u32 exit_code;
};

struct vmcb {
	struct vmcb_control_area control;
};

struct vcpu_svm {
	struct vmcb *vmcb;
};

union vmx_exit_reason {
	__u32 full;
};

struct vcpu_vmx {
	union vmx_exit_reason exit_reason;
};

struct vcpu_vt {
	union vmx_exit_reason exit_reason;
};

struct vcpu_vmx___vt {
	struct vcpu_vt vt;
};

/* PVM, as in the series posted to the KVM list in 2024. */
struct vcpu_pvm {
	unsigned long switch_flags;
	__u32 exit_vector;
	unsigned long msr_retu_rip_plus2;
};

union kvm_mmu_page_role {
	__u32 word;
	struct {
		unsigned int level : 4;
		unsigned int has_4_byte_gpte : 1;
	};
};

struct kvm_mmu_page {
	union kvm_mmu_page_role role;
};

#pragma clang attribute pop

/* Only kernels with the series have it. */
enum kvm_mmu_pte_write_action {
	KVM_MMU_PTE_WRITE_ZAPPED,
	KVM_MMU_PTE_WRITE_UPDATED,
};

#define NO_EXIT_REASON	(~0U)

/*
 * struct kvm_vcpu is the first member of struct vcpu_svm, vcpu_vmx and vcpu_pvm,
 * and KVM asserts that it is. A kernel built for one vendor has one of them.
 */
static __always_inline __u32 svm_exit_code(void *vcpu)
{
	struct vcpu_svm *svm = vcpu;

	if (bpf_core_type_exists(struct vcpu_svm))
		return BPF_CORE_READ(svm, vmcb, control.exit_code);
	return NO_EXIT_REASON;
}

/* Newer kernels, 7.2 among them, keep what VMX and TDX share in a vcpu_vt. */
static __always_inline __u32 vmx_exit_reason(void *vcpu)
{
	struct vcpu_vmx___vt *vmx_vt = vcpu;
	struct vcpu_vmx *vmx = vcpu;

	if (bpf_core_field_exists(vmx_vt->vt))
		return BPF_CORE_READ(vmx_vt, vt.exit_reason.full);
	if (bpf_core_field_exists(vmx->exit_reason))
		return BPF_CORE_READ(vmx, exit_reason.full);
	return NO_EXIT_REASON;
}

#define PVM_SUPERVISOR_MODE	1UL
#define PVM_SYSCALL_VECTOR	1024
#define PVM_FAILED_VECTOR	1025
#define PVM_HC_FIRST		0x17088200UL

/* A guest kernel's SYSCALL is a hypercall, with the number in RAX, or a return. */
static __always_inline __u32 pvm_syscall_code(struct vcpu_pvm *pvm, struct kvm_vcpu *vcpu)
{
	unsigned long number = BPF_CORE_READ(vcpu, arch.regs[REG_RAX]) - PVM_HC_FIRST;

	if (!(BPF_CORE_READ(pvm, switch_flags) & PVM_SUPERVISOR_MODE))
		return FL_PVM_SYSCALL;
	if (BPF_CORE_READ(vcpu, arch.regs[REG_RIP]) == BPF_CORE_READ(pvm, msr_retu_rip_plus2))
		return FL_PVM_ERETU;
	if (number <= FL_PVM_HC_LAST - FL_PVM_HC_FIRST)
		return FL_PVM_HC_FIRST + number;
	return FL_PVM_HYPERCALL;
}

/* There is more than one PVM; this is about one that has all of these fields. */
static __always_inline __u32 pvm_exit_code(void *vcpu)
{
	struct vcpu_pvm *pvm = vcpu;
	__u32 vector;

	if (!bpf_core_field_exists(pvm->exit_vector) ||
	    !bpf_core_field_exists(pvm->switch_flags) ||
	    !bpf_core_field_exists(pvm->msr_retu_rip_plus2))
		return NO_EXIT_REASON;
	vector = BPF_CORE_READ(pvm, exit_vector);
	if (vector == PVM_SYSCALL_VECTOR)
		return pvm_syscall_code(pvm, vcpu);
	if (vector == PVM_FAILED_VECTOR)
		return FL_PVM_FAILED_ENTRY;
	if (vector < 32 || vector == FL_PVM_INT80)
		return vector;
	return vector < 256 ? FL_PVM_INTERRUPT : NO_EXIT_REASON;
}

static __always_inline __u32 exit_reason(__u32 isa, void *vcpu)
{
	switch (isa) {
	case FL_ISA_SVM:
		return svm_exit_code(vcpu);
	case FL_ISA_VMX:
		return vmx_exit_reason(vcpu);
	case FL_ISA_PVM:
		return pvm_exit_code(vcpu);
	default:
		return NO_EXIT_REASON;
	}
}

/*
 * The address of the #PF that KVM is about to deliver. It becomes CR2 only after
 * kvm_inj_exception, unless it was put there before, e.g. by user space.
 */
static __always_inline __u64 queued_pf_address(struct kvm_vcpu *vcpu)
{
	if (BPF_CORE_READ(vcpu, arch.exception.has_payload))
		return BPF_CORE_READ(vcpu, arch.exception.payload);
	return BPF_CORE_READ(vcpu, arch.cr2);
}

/* Where the page tables start that L1 has for its L2. Before 5.18 it was root_pgd. */
static __always_inline __u64 nested_root(struct kvm_vcpu *vcpu)
{
	struct kvm_mmu___pgd *old = (void *)vcpu + bpf_core_field_offset(vcpu->arch.guest_mmu);

	if (bpf_core_field_exists(vcpu->arch.guest_mmu.root))
		return BPF_CORE_READ(vcpu, arch.guest_mmu.root.pgd);
	return bpf_core_field_exists(old->root_pgd) ? BPF_CORE_READ(old, root_pgd) : FL_NO_ROOT;
}

/* The page tables that the guest is on: those of L1, or those that L1 has for L2. */
static __always_inline __u64 guest_root(struct kvm_vcpu *vcpu)
{
	__u64 guest_mmu = (__u64)vcpu + bpf_core_field_offset(vcpu->arch.guest_mmu);

	return (__u64)vcpu->arch.mmu == guest_mmu ? nested_root(vcpu) : vcpu->arch.cr3;
}

/* What the kernel has counted up to now. */
static __always_inline void read_host_stat(struct kvm_vcpu *vcpu, struct fl_host_stat *stat)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	stat->fixed = BPF_CORE_READ(vcpu, stat.pf_fixed);
	stat->spurious = 0;
	if (bpf_core_field_exists(vcpu->stat.pf_spurious))
		stat->spurious = BPF_CORE_READ(vcpu, stat.pf_spurious);
	stat->minor = BPF_CORE_READ(task, min_flt);
	stat->major = BPF_CORE_READ(task, maj_flt);
}

/*
 * Where the page that @fault is about is in the VMM's memory; 0 if nowhere, as
 * with a guest's private memory (guest_memfd, since 6.8).
 */
static __always_inline __u64 host_address(struct kvm_page_fault *fault)
{
	struct kvm_memory_slot *slot = BPF_CORE_READ(fault, slot);

	if (!slot || (bpf_core_field_exists(fault->is_private) &&
		      BPF_CORE_READ(fault, is_private)))
		return 0;
	return BPF_CORE_READ(slot, userspace_addr) +
		((BPF_CORE_READ(fault, gfn) - BPF_CORE_READ(slot, base_gfn)) << 12);
}

/*
 * Whether the CPU may deliver page faults to the guest without telling KVM. On a
 * kernel with our series, shadow entries that map nothing are present then.
 */
static __always_inline bool faults_bypass(struct kvm *kvm)
{
	if (!bpf_core_field_exists(kvm->arch.shadow_nonpresent_value))
		return false;
	return BPF_CORE_READ(kvm, arch.shadow_nonpresent_value) & 1;
}

#endif /* FAULTLINE_KVM_TYPES_H */
