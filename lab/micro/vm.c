// SPDX-License-Identifier: GPL-2.0
/* The VMM's machine: everything that talks to KVM. Used by micro and torture. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "error.h"
#include "vm.h"

#define PAGE_SIZE	4096

#define CR0_PE		(1UL << 0)
#define CR0_ET		(1UL << 4)
#define CR0_NE		(1UL << 5)
#define CR0_WP		(1UL << 16)
#define CR0_PG		(1UL << 31)
#define CR4_PSE		(1UL << 4)
#define CR4_PAE		(1UL << 5)
#define EFER_LME	(1UL << 8)
#define EFER_LMA	(1UL << 10)

/* Three pages below 4 GiB that VMX hosts without real mode support need. */
#define TSS_ADDRESS		0xfffbd000
#define IDENTITY_MAP_ADDRESS	0xfffbc000

#define TSS_LIMIT	0x67
#define RESET_PORT	0x64	/* of the keyboard controller */
#define GATE_INTERRUPT	0xee00	/* present, 32-bit or 64-bit interrupt gate, DPL 3 */

extern const char guest_image_64[], guest_image_64_end[];
extern const char guest_image_32[], guest_image_32_end[];

/* ---- creation ---- */

int vm_set_slot(const struct vm *vm, unsigned int slot, const struct vm_memory *memory)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = memory->flags,
		.guest_phys_addr = memory->address,
		.memory_size = memory->size,
		.userspace_addr = (unsigned long)memory->host,
	};

	if (ioctl(vm->vm, KVM_SET_USER_MEMORY_REGION, &region))
		return fl_fail("KVM doesn't take the guest's memory: %s", strerror(errno));
	return 0;
}

static int add_memory(struct vm *vm, bool resident)
{
	struct vm_memory memory = { .size = vm->size };
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (resident ? MAP_POPULATE : 0);

	vm->memory = mmap(NULL, vm->size, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (vm->memory == MAP_FAILED)
		return fl_fail("cannot get %zu MiB of memory for the guest; use fewer --faults",
			       vm->size >> 20);
	memory.host = vm->memory;
	return vm_set_slot(vm, 0, &memory);
}

long vm_count_dirty(const struct vm *vm)
{
	size_t words = (vm->size / PAGE_SIZE + 63) / 64, i;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	struct kvm_dirty_log log = { .dirty_bitmap = bitmap };
	long nr = 0;

	if (!bitmap || ioctl(vm->vm, KVM_GET_DIRTY_LOG, &log))
		nr = fl_fail("cannot get the log of dirty pages: %s", strerror(errno));
	for (i = 0; nr >= 0 && i < words; i++)
		nr += __builtin_popcountll(bitmap[i]);
	free(bitmap);
	return nr;
}

/* The guest sees the CPU that the host has. */
static int set_cpuid(const struct vcpu *vcpu)
{
	enum { MAX_ENTRIES = 256 };
	struct kvm_cpuid2 *cpuid;
	int failed;

	cpuid = calloc(1, sizeof(*cpuid) + MAX_ENTRIES * sizeof(cpuid->entries[0]));
	if (!cpuid)
		return fl_fail("out of memory");
	cpuid->nent = MAX_ENTRIES;
	failed = ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) ||
		 ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return failed ? fl_fail("cannot set the guest's CPUID: %s", strerror(errno)) : 0;
}

static int add_vcpu(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];
	int size;

	vcpu->vm = vm;
	vcpu->fd = ioctl(vm->vm, KVM_CREATE_VCPU, vm->nr_vcpus);
	size = ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vcpu->fd < 0 || size < 0)
		return fl_fail("cannot create a vCPU: %s", strerror(errno));
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		return fl_fail("cannot map the vCPU: %s", strerror(errno));
	vm->nr_vcpus++;
	return set_cpuid(vcpu);
}

static int add_vcpus(struct vm *vm, unsigned int nr)
{
	unsigned long identity = IDENTITY_MAP_ADDRESS;

	if (ioctl(vm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) ||
	    ioctl(vm->vm, KVM_SET_TSS_ADDR, TSS_ADDRESS))
		return fl_fail("cannot place KVM's own pages: %s", strerror(errno));
	while (vm->nr_vcpus < nr) {
		if (add_vcpu(vm))
			return -1;
	}
	return 0;
}

static int add_chips(struct vm *vm)
{
	struct kvm_pit_config timer = { .flags = 0 };

	if (!vm->chips)
		return 0;
	if (ioctl(vm->vm, KVM_CREATE_IRQCHIP, 0) || ioctl(vm->vm, KVM_CREATE_PIT2, &timer))
		return fl_fail("KVM doesn't create the chips of a PC: %s", strerror(errno));
	return 0;
}

int vm_create(struct vm *vm, unsigned int nr_vcpus, size_t size, bool resident)
{
	vm->size = size;
	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		return fl_fail("cannot open /dev/kvm: %s; load KVM, or run as root", strerror(errno));
	vm->vm = ioctl(vm->kvm, KVM_CREATE_VM, 0);
	if (vm->vm < 0)
		return fl_fail("cannot create a virtual machine: %s", strerror(errno));
	return add_memory(vm, resident) || add_chips(vm) ? -1 : add_vcpus(vm, nr_vcpus);
}

/* ---- boot ---- */

static struct kvm_segment code_segment(bool long_mode)
{
	return (struct kvm_segment){
		.selector = GUEST_KERNEL_CS, .limit = 0xffffffff, .type = 11,
		.present = 1, .s = 1, .g = 1, .l = long_mode, .db = !long_mode,
	};
}

static struct kvm_segment data_segment(void)
{
	return (struct kvm_segment){
		.selector = GUEST_KERNEL_DS, .limit = 0xffffffff, .type = 3,
		.present = 1, .s = 1, .g = 1, .db = 1,
	};
}

/*
 * The descriptors of the segments above, the same for CPL 3, and a TSS, whose
 * second half in 64-bit mode is zero.
 */
static void write_gdt(struct vm *vm, unsigned int vcpu, bool long_mode)
{
	uint64_t *gdt = (uint64_t *)(vm->memory + GUEST_GDT(vcpu)), tss = GUEST_TSS(vcpu);
	uint64_t code = long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	uint64_t data = 0x00cf93000000ffff, dpl3 = 0x0000600000000000;

	gdt[GUEST_TSS_SELECTOR / 8] = 0x0000890000000000 | tss << 16 | TSS_LIMIT;
	gdt[GUEST_KERNEL_CS / 8] = code;
	gdt[GUEST_KERNEL_DS / 8] = data;
	gdt[GUEST_USER_CS / 8] = code | dpl3;
	gdt[GUEST_USER_DS / 8] = data | dpl3;
}

static void write_idt(struct vm *vm, bool long_mode, uint32_t stubs)
{
	uint64_t *idt = (uint64_t *)(vm->memory + GUEST_IDT);
	unsigned int words = long_mode ? 2 : 1, i;

	for (i = 0; i < GUEST_NR_VECTORS; i++) {
		uint64_t handler = stubs + i * GUEST_STUB_SIZE;

		idt[i * words] = (handler & 0xffff) | GUEST_KERNEL_CS << 16 |
				 (uint64_t)GATE_INTERRUPT << 32 | handler >> 16 << 48;
	}
}

/* The only use of the TSS is to say which stack an exception at CPL 3 gets. */
static void write_tss(struct vm *vm, unsigned int vcpu, bool long_mode)
{
	uint32_t *tss = (uint32_t *)(vm->memory + GUEST_TSS(vcpu));

	tss[1] = GUEST_KERNEL_STACK(vcpu);
	tss[2] = long_mode ? 0 : GUEST_KERNEL_DS;
}

static void set_segments(struct kvm_sregs *sregs, unsigned int vcpu, bool long_mode)
{
	sregs->cs = code_segment(long_mode);
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data_segment();
	sregs->tr = (struct kvm_segment){
		.selector = GUEST_TSS_SELECTOR, .base = GUEST_TSS(vcpu), .limit = TSS_LIMIT,
		.type = 11, .present = 1,
	};
	sregs->ldt = (struct kvm_segment){ .unusable = 1 };
	sregs->gdt = (struct kvm_dtable){ .base = GUEST_GDT(vcpu), .limit = GUEST_GDT_SIZE - 1 };
	sregs->idt = (struct kvm_dtable){
		.base = GUEST_IDT,
		.limit = GUEST_NR_VECTORS * (long_mode ? 16 : 8) - 1,
	};
}

int vm_start_at(struct vm *vm, unsigned int vcpu, const struct paging *paging, uint32_t entry)
{
	bool long_mode = paging->mode == PAGING_64;
	struct kvm_regs regs = { .rip = entry, .rsp = GUEST_KERNEL_STACK(vcpu), .rflags = 2 };
	struct kvm_sregs sregs;
	int fd = vm->vcpus[vcpu].fd;

	if (ioctl(fd, KVM_GET_SREGS, &sregs))
		return fl_fail("cannot get the vCPU's registers: %s", strerror(errno));
	set_segments(&sregs, vcpu, long_mode);
	sregs.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	sregs.cr3 = paging->root;
	sregs.cr4 = paging->mode == PAGING_32 ? CR4_PSE : CR4_PAE;
	sregs.efer = long_mode ? EFER_LME | EFER_LMA : 0;
	if (ioctl(fd, KVM_SET_SREGS, &sregs) || ioctl(fd, KVM_SET_REGS, &regs))
		return fl_fail("KVM doesn't take the vCPU's registers: %s", strerror(errno));
	return 0;
}

int vm_boot(struct vm *vm, const struct paging *paging)
{
	bool long_mode = paging->mode == PAGING_64;
	const char *image = long_mode ? guest_image_64 : guest_image_32;
	const char *end = long_mode ? guest_image_64_end : guest_image_32_end;
	struct guest_header header;
	unsigned int i;

	memcpy(&header, image, sizeof(header));
	memcpy(vm->memory + GUEST_IMAGE, image, end - image);
	write_idt(vm, long_mode, header.stubs);
	for (i = 0; i < vm->nr_vcpus; i++) {
		write_gdt(vm, i, long_mode);
		write_tss(vm, i, long_mode);
		if (vm_start_at(vm, i, &paging[i], header.entry))
			return -1;
	}
	return 0;
}

/* ---- running ---- */

/* For the alarm, whose handler gets nothing else to tell it what to end. */
static struct vm *running;

/* The vCPU that this thread runs. */
static __thread struct vcpu *current;

/* By number: the thread may have ended, and have been waited for. */
void vm_interrupt(const struct vcpu *vcpu)
{
	if (__atomic_load_n(&vcpu->started, __ATOMIC_SEQ_CST))
		tgkill(getpid(), vcpu->thread, VM_SIGNAL_PAUSE);
}

/*
 * Have all vCPUs end, also those that are about to begin. True for the first who
 * asks, whose reason is the one to be told.
 */
static bool stop_all(struct vm *vm)
{
	bool first = !__atomic_exchange_n(&vm->stopping, 1, __ATOMIC_SEQ_CST);
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		vm_interrupt(&vm->vcpus[i]);
	return first;
}

static bool is_stopping(const struct vm *vm)
{
	return __atomic_load_n(&vm->stopping, __ATOMIC_SEQ_CST);
}

static void end_time(int signal)
{
	(void)signal;
	stop_all(running);
}

/* Ends KVM_RUN even if it comes just before it. */
static void end_run(int signal)
{
	(void)signal;
	if (current)
		current->run->immediate_exit = 1;
}

static enum vm_end run_failed(struct vm *vm, int error)
{
	if (stop_all(vm))
		fl_fail("KVM cannot run the guest: %s", strerror(error));
	return VM_ERROR;
}

/* Say why the guest has stopped, where it shouldn't have. */
static void explain_stop(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		fl_fail("the guest used I/O port 0x%x, which it should not", run->io.port);
		break;
	case KVM_EXIT_SHUTDOWN:
		fl_fail("the guest shut down: an exception that it could not handle");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		fl_fail("the CPU refused to enter the guest: reason 0x%llx",
			run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		fl_fail("KVM ran into an internal error, suberror %u", run->internal.suberror);
		break;
	default:
		fl_fail("the guest stopped for KVM exit reason %u, which it should not",
			run->exit_reason);
	}
}

int vm_written(const struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason != KVM_EXIT_IO || run->io.port != GUEST_PORT ||
	    run->io.direction != KVM_EXIT_IO_OUT)
		return -1;
	return ((const unsigned char *)run)[run->io.data_offset];
}

static bool was_reset(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_IO && run->io.port == RESET_PORT &&
	       run->io.direction == KVM_EXIT_IO_OUT;
}

static enum vm_end guest_stopped(struct vcpu *vcpu)
{
	int written = vm_written(vcpu);

	if (was_reset(vcpu->run))
		return VM_GUEST_RESET;
	if (written >= 0) {
		if (written == GUEST_DONE)
			return VM_GUEST_DONE;
		stop_all(vcpu->vm);
		return VM_GUEST_FAILED;
	}
	if (stop_all(vcpu->vm))
		explain_stop(vcpu->run);
	return VM_ERROR;
}

static enum vm_end run_vcpu(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	int error;

	while (!is_stopping(vm)) {
		if (vm->interrupted)
			vm->interrupted(vcpu);
		error = ioctl(vcpu->fd, KVM_RUN, 0) ? errno : 0;
		if (!error && !(vm->handle_exit && vm->handle_exit(vcpu)))
			return guest_stopped(vcpu);
		if (error && error != EINTR)
			return run_failed(vm, error);
		vcpu->run->immediate_exit = 0;
	}
	return VM_STOPPED;
}

static void *run_thread(void *argument)
{
	struct vcpu *vcpu = argument;

	current = vcpu;
	vcpu->thread = gettid();
	__atomic_store_n(&vcpu->started, 1, __ATOMIC_SEQ_CST);
	vcpu->end = run_vcpu(vcpu);
	if (vcpu->vm->left)
		vcpu->vm->left(vcpu);
	return NULL;
}

static void handle_signals(struct vm *vm, unsigned int timeout)
{
	struct sigaction pause = { .sa_handler = end_run }, alarmed = { .sa_handler = end_time };

	running = vm;
	sigaction(VM_SIGNAL_PAUSE, &pause, NULL);
	sigaction(SIGALRM, &alarmed, NULL);
	alarm(timeout);
}

/* The worst end of any vCPU's. If none gave a reason to stop, the alarm did. */
static enum vm_end join_all(struct vm *vm, pthread_t *threads, unsigned int nr)
{
	enum vm_end end = vm->vcpus[0].end;
	unsigned int i;

	for (i = 1; i < nr; i++) {
		pthread_join(threads[i], NULL);
		if (vm->vcpus[i].end > end)
			end = vm->vcpus[i].end;
	}
	alarm(0);
	if (end != VM_STOPPED)
		return end;
	fl_fail("the guest has not ended in time; give it a longer --timeout if it is only slow");
	return VM_ERROR;
}

enum vm_end vm_run(struct vm *vm, unsigned int timeout)
{
	pthread_t threads[GUEST_MAX_VCPUS];
	unsigned int nr;

	handle_signals(vm, timeout);
	for (nr = 1; nr < vm->nr_vcpus; nr++) {
		if (!pthread_create(&threads[nr], NULL, run_thread, &vm->vcpus[nr]))
			continue;
		if (stop_all(vm))
			fl_fail("cannot create a thread for a vCPU; free some memory");
		vm->vcpus[0].end = VM_ERROR;
		return join_all(vm, threads, nr);
	}
	run_thread(&vm->vcpus[0]);
	return join_all(vm, threads, nr);
}

/* ---- a guest hypervisor's window ---- */

static void mark(unsigned int which)
{
	unsigned int a, b, c, d;

	__cpuid_count(MARK_LEAF, which, a, b, c, d);
}

void vm_stay_on_cpu(unsigned int n)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(n % sysconf(_SC_NPROCESSORS_ONLN), &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

void vm_mark_start(unsigned int vcpu)
{
	vm_stay_on_cpu(vcpu);
	mark(MARK_START);
}

void vm_mark_stop(void)
{
	mark(MARK_STOP);
}
