// SPDX-License-Identifier: GPL-2.0
/*
 * micro: a VMM that runs a guest which does nothing but take page faults, a
 * known number of them, and tells how many its handler saw. That is the truth
 * that the collector is compared with.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "options.h"
#include "vm.h"

#define PAGE_SIZE	4096
#define MAX_FAULTS	100000000
#define MAX_PAGES	20000	/* of all vCPUs; more faults take them again */
#define MAX_READS	1000000

static const char *const workload_names[NR_WORKLOADS] = {
	"anon", "cow", "nested", "nested-sparse", "nested-reuse",
};

/* What the host has of the page frames before the window. */
enum frames { FRAMES_RESIDENT, FRAMES_SHARED, FRAMES_ABSENT };

struct options {
	int workload, paging, frames;
	unsigned int faults, vcpus, vms, timeout, device_reads;
	bool separate, pae_halves, dirty_log;
	const char *json;
};

static const char help[] =
"usage: micro [OPTION]...\n"
"\n"
"Run a guest that takes a known number of page faults.\n"
"\n"
"  --workload NAME    anon: first touch of unmapped pages (default);\n"
"                     cow: writes to pages that are mapped read-only;\n"
"                     nested, nested-sparse, nested-reuse: as anon, on a host that\n"
"                     is a guest itself, in frames that it has yet to map: in a row,\n"
"                     from nested page table to table, mapped before and given back\n"
"  --paging MODE      32, pae or 64 (default)\n"
"  --faults N         that each vCPU takes, 1 to 100000000, default 1999; from\n"
"                     20000 on, vCPUs together, on the same pages again\n"
"  --vcpus N          1 to 8 that fault at once, default 1; they share an address\n"
"                     space and its page tables\n"
"  --separate         an address space for each vCPU\n"
"  --vms N            that many such machines at once, 1 to 8, default 1\n"
"  --not-resident     leave it to the guest to touch its page frames first\n"
"  --zero-pages       the host has one page of zeros for all of them before\n"
"  --dirty-log        the host logs what the guest writes to in its window\n"
"  --device-reads N   read a device's register that often, too\n"
"  --pae-halves       write PAE entries in two halves, not by CMPXCHG8B\n"
"  --timeout SECONDS  give up on the guest, default 60\n"
"  --json FILE        write what the guest did (faultline.guest/1)\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 the guest did all it should, 1 it didn't, 2 usage.\n";

/* ---- options ---- */

static int set_option(void *context, int option, const char *value)
{
	struct options *options = context;

	switch (option) {
	case 'w':
		options->workload = option_word(workload_names, NR_WORKLOADS, value);
		return options->workload < 0 ?
			option_error("unknown --workload '%s'; known: anon cow nested nested-sparse nested-reuse", value) : 0;
	case 'p':
		options->paging = option_word(paging_names, NR_PAGING_MODES, value);
		return options->paging < 0 ?
			option_error("unknown --paging '%s'; known: 32 pae 64", value) : 0;
	case 'n':
		options->faults = option_number(value, MAX_FAULTS);
		return options->faults ? 0 :
			option_error("--faults '%s' is not a number from 1 to 100000000", value);
	case 'v':
		options->vcpus = option_number(value, GUEST_MAX_VCPUS);
		return options->vcpus ? 0 :
			option_error("--vcpus '%s' is not a number from 1 to 8", value);
	case 'V':
		options->vms = option_number(value, GUEST_MAX_VCPUS);
		return options->vms ? 0 :
			option_error("--vms '%s' is not a number from 1 to 8", value);
	case 't':
		options->timeout = option_number(value, 86400);
		return options->timeout ? 0 :
			option_error("--timeout '%s' is not a number of seconds from 1 to 86400", value);
	case 's':
		options->separate = true;
		return 0;
	case 'r':
		options->frames = FRAMES_ABSENT;
		return 0;
	case 'z':
		options->frames = FRAMES_SHARED;
		return 0;
	case 'd':
		options->dirty_log = true;
		return 0;
	case 'D':
		options->device_reads = option_number(value, MAX_READS);
		return options->device_reads ? 0 :
			option_error("--device-reads '%s' is not a number from 1 to 1000000", value);
	case 'H':
		options->pae_halves = true;
		return 0;
	default:
		options->json = value;
		return 0;
	}
}

static int check_options(const struct options *options)
{
	if (guest_is_nested(options->workload) && options->faults > MAX_PAGES / options->vcpus)
		return option_error("--workload %s can't take faults on a page again; give fewer --faults",
				    workload_names[options->workload]);
	if (options->pae_halves && options->paging != PAGING_PAE)
		return option_error("--pae-halves goes with --paging pae, not %s",
				   paging_names[options->paging]);
	if (options->vcpus > 1 && (options->dirty_log || options->device_reads || options->vms > 1))
		return option_error("%s goes with one vCPU", options->dirty_log ? "--dirty-log" :
				    options->device_reads ? "--device-reads" : "--vms");
	return 0;
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "workload", required_argument, NULL, 'w' },
		{ "paging", required_argument, NULL, 'p' },
		{ "faults", required_argument, NULL, 'n' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "separate", no_argument, NULL, 's' },
		{ "vms", required_argument, NULL, 'V' },
		{ "not-resident", no_argument, NULL, 'r' },
		{ "zero-pages", no_argument, NULL, 'z' },
		{ "dirty-log", no_argument, NULL, 'd' },
		{ "device-reads", required_argument, NULL, 'D' },
		{ "pae-halves", no_argument, NULL, 'H' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct command_line line = { "micro", help, long_options, set_option };
	int ret = parse_command_line(&line, argc, argv, options);

	return ret ? ret : check_options(options);
}

/* ---- the guest's memory ---- */

static struct guest_info *guest_info(const struct vm *vm)
{
	return (struct guest_info *)(vm->memory + GUEST_INFO);
}

static struct guest_vcpu *guest_vcpu(const struct vm *vm, unsigned int vcpu)
{
	return (struct guest_vcpu *)(vm->memory + GUEST_VCPU(vcpu));
}

/* Where the frame of @vcpu's area's page @n is, in the VMM's own memory. */
static char *frame(const struct vm *vm, const struct guest_vcpu *vcpu, uint32_t base, uint32_t n)
{
	uint32_t index = guest_frame_index(guest_info(vm)->workload, vcpu->nr_pages * vcpu->step, n);

	return vm->memory + base + (size_t)index * PAGE_SIZE;
}

/* That each vCPU has, to fault on. */
static unsigned int count_pages(const struct options *options)
{
	unsigned int room = MAX_PAGES / options->vcpus;

	return options->faults < room ? options->faults : room;
}

/* Tables needed for pages up to the one reserved behind the area's last. */
static unsigned int count_tables(const struct paging *paging, unsigned int pages)
{
	unsigned int last = guest_page_index(pages - 1) | (GUEST_ENTRIES_PER_SHADOW_PAGE - 1);

	return last / paging_entries(paging) + 1;
}

/*
 * Generous: frames twice over, an eighth for tables, what is at fixed addresses,
 * and what is left free before a nested guest's frames and in their last nested
 * page table; in whole large pages of every mode.
 */
static size_t memory_size(const struct options *options)
{
	size_t pages = (size_t)count_pages(options) * options->vcpus;
	size_t size = pages * PAGE_SIZE * 17 / 8 + (16 << 20) + options->vcpus * (4 << 20);

	return (size + (4 << 20) - 1) >> 22 << 22;
}

/* Map a frame of its own where each shadow page's reserved page is. */
static void map_reserved_pages(const struct paging *paging, const struct guest_vcpu *vcpu,
			       uint32_t reserved_frame)
{
	unsigned int nr = vcpu->nr_tables * paging_entries(paging), index;

	for (index = GUEST_PAGES_PER_SHADOW_PAGE; index < nr; index += GUEST_ENTRIES_PER_SHADOW_PAGE)
		paging_set(paging, vcpu->leaf_tables, index, reserved_frame | PTE_MAPPED);
}

/* What is in page @n of the area, at word @word, before it is copied. */
static uint32_t original_word(uint32_t n, uint32_t word)
{
	return n * 2654435761U + word;
}

static void map_shared_pages(const struct vm *vm, const struct paging *paging,
			     const struct guest_vcpu *vcpu, unsigned int nr)
{
	uint32_t n, word;

	for (n = 0; n < nr; n++) {
		uint32_t *words = (uint32_t *)frame(vm, vcpu, vcpu->frames, n);

		for (word = 0; word < PAGE_SIZE / sizeof(*words); word++)
			words[word] = original_word(n, word);
		paging_set(paging, vcpu->leaf_tables, guest_page_index(n),
			   (vcpu->frames + n * PAGE_SIZE) | PTE_SHARED);
	}
}

/* What the nested page tables map that the frames of @nr pages are in, in bytes. */
static uint32_t frames_span(unsigned int nr)
{
	return guest_nested_tables(nr) * GUEST_ENTRIES_PER_SHADOW_PAGE * PAGE_SIZE;
}

/* The first address from @free on that a nested page table starts with. */
static uint32_t nested_table_start(uint32_t free)
{
	uint32_t span = GUEST_ENTRIES_PER_SHADOW_PAGE * PAGE_SIZE;

	return (free + span - 1) / span * span;
}

/*
 * An address space with an area of @nr pages, whose tables and frames are at
 * @address and what follows it. Notes in @vcpu where they are. Returns the
 * address after them.
 */
static uint32_t set_up_space(const struct vm *vm, struct paging *paging, uint32_t address,
			     unsigned int nr, struct guest_vcpu *vcpu)
{
	const struct guest_info *info = guest_info(vm);
	uint32_t reserved_frame;

	paging_init(paging, paging->mode, vm->memory, address);
	paging_map_identity(paging, 0, vm->size, true);
	if (info->device_reads)
		paging_map_identity(paging, GUEST_DEVICE, GUEST_DEVICE + PAGE_SIZE, true);
	vcpu->nr_tables = count_tables(paging, nr);
	vcpu->leaf_tables = paging_add_leaf_tables(paging, GUEST_AREA, vcpu->nr_tables);

	reserved_frame = paging->next_table;
	map_reserved_pages(paging, vcpu, reserved_frame);
	if (guest_is_nested(info->workload)) {
		vcpu->frames = nested_table_start(reserved_frame + PAGE_SIZE);
		return vcpu->frames + frames_span(nr);
	}
	vcpu->frames = reserved_frame + PAGE_SIZE;
	vcpu->copies = vcpu->frames + nr * PAGE_SIZE;
	if (info->workload != WORKLOAD_COW)
		return vcpu->copies;
	map_shared_pages(vm, paging, vcpu, nr);
	return vcpu->copies + nr * PAGE_SIZE;
}

static void set_up_vcpus(const struct vm *vm, struct paging *paging,
			 const struct options *options)
{
	unsigned int sharing = options->separate ? 1 : options->vcpus;
	unsigned int pages = count_pages(options), i;
	uint32_t address = GUEST_TABLES;

	for (i = 0; i < options->vcpus; i++) {
		struct guest_vcpu *vcpu = guest_vcpu(vm, i);

		paging[i].mode = options->paging;
		if (i % sharing) {
			paging[i] = paging[0];
			*vcpu = *guest_vcpu(vm, 0);
		} else {
			address = set_up_space(vm, &paging[i], address, pages * sharing, vcpu);
		}
		vcpu->faults = options->faults;
		vcpu->nr_pages = pages;
		vcpu->first = i % sharing;
		vcpu->step = sharing;
	}
}

/* A nested guest's frames are to be faulted on, unless they are given back. */
static enum guest_warmth find_warmth(const struct options *options)
{
	static const enum guest_warmth warmth[] = {
		[FRAMES_RESIDENT] = FRAMES_WRITTEN,
		[FRAMES_SHARED] = FRAMES_READ,
		[FRAMES_ABSENT] = FRAMES_COLD,
	};

	if (!guest_is_nested(options->workload))
		return warmth[options->frames];
	return options->workload == WORKLOAD_NESTED_REUSE ? FRAMES_WRITTEN : FRAMES_COLD;
}

static void set_up(const struct vm *vm, struct paging *paging, const struct options *options)
{
	struct guest_info *info = guest_info(vm);

	info->workload = options->workload;
	info->nr_vcpus = options->vcpus;
	info->entry_size = options->paging == PAGING_32 ? 4 : 8;
	info->pte_halves = options->pae_halves;
	info->warm_frames = find_warmth(options);
	info->announce = options->dirty_log;
	info->device_reads = options->device_reads;
	set_up_vcpus(vm, paging, options);
}

/* ---- what a nested guest asks for ---- */

static void give_back(const struct vm *vm, unsigned int id)
{
	const struct guest_vcpu *vcpu = guest_vcpu(vm, id);

	madvise(vm->memory + vcpu->frames, frames_span(vcpu->nr_pages * vcpu->step), MADV_DONTNEED);
}

/* ---- the machine around it ---- */

struct machine {
	struct vm vm;			/* comes first: vCPUs know it */
	unsigned int first_cpu;		/* of the host, for its vCPUs */
	unsigned int device_reads;	/* that the guest has made */
	long dirty_pages;		/* that it wrote to in its window */
	bool failed;			/* and has told the user */
};

static bool log_dirty_pages(struct machine *machine)
{
	struct vm_memory memory = {
		.size = machine->vm.size, .host = machine->vm.memory,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
	};

	machine->failed = vm_set_slot(&machine->vm, 0, &memory);
	return !machine->failed;
}

/* What the guest asked for by a write to its port. True to go on with the guest. */
static bool handle_request(struct vcpu *vcpu)
{
	unsigned int id = vcpu - vcpu->vm->vcpus;

	switch (vm_written(vcpu)) {
	case GUEST_MARK_START:
		vm_mark_start(((struct machine *)vcpu->vm)->first_cpu + id);
		return true;
	case GUEST_MARK_STOP:
		vm_mark_stop();
		return true;
	case GUEST_GIVE_BACK:
		give_back(vcpu->vm, id);
		return true;
	case GUEST_READY:
		return log_dirty_pages((struct machine *)vcpu->vm);
	default:
		return false;
	}
}

/* True to go on with the guest. */
static bool handle_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == GUEST_DEVICE) {
		((struct machine *)vcpu->vm)->device_reads++;
		return true;
	}
	return handle_request(vcpu);
}

/* ---- what came out ---- */

/* Whether the area's page @n is mapped where it should be, and has what it should have. */
static bool page_is_right(const struct vm *vm, const struct paging *paging,
			  const struct guest_vcpu *vcpu, uint32_t n)
{
	bool cow = guest_info(vm)->workload == WORKLOAD_COW;
	uint32_t base = cow ? vcpu->copies : vcpu->frames;
	const char *page = frame(vm, vcpu, base, n);
	const uint32_t *words = (const uint32_t *)page;
	uint32_t written = guest_page_offset(n) / sizeof(*words), word;

	if (paging_get(paging, vcpu->leaf_tables, guest_page_index(n)) !=
	    ((uint64_t)(page - vm->memory) | PTE_MAPPED))
		return false;
	for (word = 0; word < PAGE_SIZE / sizeof(*words); word++) {
		uint32_t wanted = word == written ? guest_page_value(n) :
				  cow ? original_word(n, word) : 0;

		if (words[word] != wanted)
			return false;
	}
	return true;
}

static int check_vcpu(const struct vm *vm, const struct paging *paging, unsigned int id)
{
	const struct guest_vcpu *vcpu = guest_vcpu(vm, id);
	uint32_t i;

	if (vcpu->faults_handled != vcpu->faults)
		return fl_fail("the guest's handler saw %u faults instead of %u on vCPU %u",
			       vcpu->faults_handled, vcpu->faults, id);
	for (i = 0; i < vcpu->nr_pages; i++) {
		if (!page_is_right(vm, paging, vcpu, guest_page(vcpu, i)))
			return fl_fail("page %u of the guest's vCPU %u is not as it should be", i, id);
	}
	return 0;
}

static unsigned long long count_handled(const struct vm *vm)
{
	unsigned long long handled = 0;
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		handled += guest_vcpu(vm, i)->faults_handled;
	return handled;
}

static int check_result(struct machine *machine, const struct paging *paging)
{
	const struct vm *vm = &machine->vm;
	const struct guest_info *info = guest_info(vm);
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		if (check_vcpu(vm, &paging[i], i))
			return -1;
	}
	if (machine->device_reads != info->device_reads)
		return fl_fail("the guest read the device %u times instead of %u",
			       machine->device_reads, info->device_reads);
	if (info->announce)
		machine->dirty_pages = vm_count_dirty(vm);
	return machine->dirty_pages < 0 ? -1 : 0;
}

static int guest_failed(const struct vm *vm)
{
	const struct guest_vcpu *vcpu = guest_vcpu(vm, 0);

	while (!vcpu->failed && vcpu < guest_vcpu(vm, vm->nr_vcpus - 1))
		vcpu = (const void *)((const char *)vcpu + GUEST_VCPU_SIZE);
	return fl_fail("the guest took an exception that it should not, after %u faults: vector %u, error code 0x%x, address 0x%llx, instruction 0x%llx",
		       vcpu->faults_handled, vcpu->failed_vector, vcpu->failed_error_code,
		       (unsigned long long)vcpu->failed_address,
		       (unsigned long long)vcpu->failed_ip);
}

struct result {
	const struct options *options;
	const struct machine *machine;
	unsigned long long handled;	/* faults, by all machines */
};

static void print_vcpus(FILE *file, const struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		const struct guest_vcpu *vcpu = guest_vcpu(vm, i);

		fprintf(file, "%s{\"id\":%u,\"faults_handled\":%u,\"window_ticks\":%llu}",
			i ? "," : "", i, vcpu->faults_handled,
			(unsigned long long)vcpu->window_ticks);
	}
}

/* Flat and without text to be escaped, so printf does. */
static void print_json(FILE *file, const void *context)
{
	const struct result *result = context;
	const struct options *options = result->options;
	const struct vm *vm = &result->machine->vm;

	fprintf(file,
		"{\"schema\":\"faultline.guest/1\",\"workload\":\"%s\",\"paging\":\"%s\","
		"\"faults_asked\":%llu,\"faults_handled\":%llu,\"resident\":%s,\"pae_halves\":%s,"
		"\"device_reads\":%u,\"dirty_pages\":%ld,\"window_ticks\":%llu,\"vcpus\":[",
		workload_names[options->workload], paging_names[options->paging],
		(unsigned long long)options->faults * options->vcpus * options->vms,
		result->handled, options->frames == FRAMES_RESIDENT ? "true" : "false",
		options->pae_halves ? "true" : "false", result->machine->device_reads,
		result->machine->dirty_pages, (unsigned long long)guest_vcpu(vm, 0)->window_ticks);
	print_vcpus(file, vm);
	fprintf(file, "]}\n");
}

static int report(const struct result *result)
{
	const struct options *options = result->options;

	printf("%s, %s paging: the guest handled %llu page faults\n",
	       workload_names[options->workload], paging_names[options->paging], result->handled);
	return options->json ? write_whole(options->json, print_json, result) : 0;
}

/* 0 if the guest did all it should. */
static int run_machine(struct machine *machine, const struct options *options)
{
	struct paging paging[GUEST_MAX_VCPUS];
	struct vm *vm = &machine->vm;

	if (options->vms > 1)	/* or it would be seen in the window of another */
		vm_stay_on_cpu(machine->first_cpu);
	if (vm_create(vm, options->vcpus, memory_size(options), options->frames == FRAMES_RESIDENT))
		return -1;
	set_up(vm, paging, options);
	if (vm_boot(vm, paging))
		return -1;
	switch (vm_run(vm, options->timeout)) {
	case VM_GUEST_DONE:
		return check_result(machine, paging);
	case VM_GUEST_FAILED:
		return machine->failed ? -1 : guest_failed(vm);
	default:
		return -1;
	}
}

/* In a process of its own, which ends with this one. What it has handled goes to @handled. */
static pid_t start_other(const struct options *options, unsigned int id,
			 unsigned long long *handled)
{
	struct machine machine = {
		.vm.handle_exit = handle_exit, .first_cpu = id,
	};
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (run_machine(&machine, options))
		_exit(EXIT_FAILURE);
	*handled = count_handled(&machine.vm);
	_exit(EXIT_SUCCESS);
}

static int wait_for_others(unsigned int nr)
{
	int status, ret = 0;

	while (nr--) {
		if (wait(&status) < 0)
			return fl_fail("cannot wait for another machine: %s", strerror(errno));
		if (status)
			ret = -1;
		if (WIFSIGNALED(status))	/* one that ends by itself says why */
			fl_fail("another machine was ended by signal %d; has it enough memory?", WTERMSIG(status));
	}
	return ret;
}

static int run(const struct options *options)
{
	struct machine machine = { .vm.handle_exit = handle_exit };
	struct result result = { .options = options, .machine = &machine };
	unsigned long long *handled;
	unsigned int i;
	int ret;

	handled = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (handled == MAP_FAILED)
		return fl_fail("cannot get memory: %s", strerror(errno));
	for (i = 1; i < options->vms; i++) {
		if (start_other(options, i, &handled[i]) < 0)
			return fl_fail("cannot start another machine: %s", strerror(errno));
	}
	ret = run_machine(&machine, options);
	if (ret)	/* which ends the others */
		return ret;
	if (wait_for_others(options->vms - 1))
		return -1;
	handled[0] = count_handled(&machine.vm);
	for (i = 0; i < options->vms; i++)
		result.handled += handled[i];
	return report(&result);
}

int main(int argc, char **argv)
{
	struct options options = {
		.workload = WORKLOAD_ANON, .paging = PAGING_64,
		.faults = 1999, .vcpus = 1, .vms = 1, .timeout = 60,
	};
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
