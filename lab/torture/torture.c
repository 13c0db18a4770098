// SPDX-License-Identifier: GPL-2.0
/*
 * torture: a VMM whose guest is a test of KVM's shadow MMU. It runs a random
 * program (guest.c) that knows what its accesses may do (model.c); the VMM
 * provides the machine, answers accesses to where there is no memory, disturbs
 * the guest if asked to (disturb.c), and says what came out.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "disturb.h"
#include "error.h"
#include "options.h"
#include "torture.h"
#include "vm.h"

#define PAGE_SIZE	4096
#define READONLY_SLOT	2
#define ENOUGH_STEPS	1000	/* for something to happen on the host */

struct options {
	uint64_t seed;
	int paging;
	unsigned int steps, vcpus, timeout;
	bool nested, disturb, trace;
	const char *json;
};

static const char help[] =
"usage: torture [OPTION]...\n"
"\n"
"Run a guest that writes, flushes and uses page tables at random, and checks\n"
"that each access does what the architecture allows.\n"
"\n"
"  --paging MODE      32, pae or 64 (default)\n"
"  --nested           the tables are the nested page tables of a nested guest, which\n"
"                     makes the accesses; for SVM with nested paging or VMX with\n"
"                     EPT, --paging 64\n"
"  --vcpus N          1 (default) to 8: the others read and run what is mapped,\n"
"                     while the first changes it; goes with --nested\n"
"  --steps N          1 to 100000000, default 20000\n"
"  --seed S           1 to 4294967295, default 1; the same seed is the same program\n"
"  --disturb          meanwhile flip KVM's parameters, log dirty pages, move\n"
"                     memslots, unmap the guest's memory on the host\n"
"  --trace            after a failure, print what the guest did last\n"
"  --timeout SECONDS  give up on the guest, default 3600\n"
"  --json FILE        write what was done (faultline.torture/1)\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 all was as it must be, 1 something was not, 2 usage.\n";

/* ---- options ---- */

static int set_option(void *context, int option, const char *value)
{
	struct options *options = context;

	switch (option) {
	case 'p':
		options->paging = option_word(paging_names, NR_PAGING_MODES, value);
		return options->paging < 0 ?
			option_error("unknown --paging '%s'; known: 32 pae 64", value) : 0;
	case 'n':
		options->steps = option_number(value, 100000000);
		return options->steps ? 0 :
			option_error("--steps '%s' is not a number from 1 to 100000000", value);
	case 's':
		options->seed = option_number(value, UINT32_MAX);
		return options->seed ? 0 :
			option_error("--seed '%s' is not a number from 1 to 4294967295", value);
	case 't':
		options->timeout = option_number(value, 86400);
		return options->timeout ? 0 :
			option_error("--timeout '%s' is not a number of seconds from 1 to 86400", value);
	case 'v':
		options->vcpus = option_number(value, GUEST_MAX_VCPUS);
		return options->vcpus ? 0 :
			option_error("--vcpus '%s' is not a number from 1 to 8", value);
	case 'N':
		options->nested = true;
		return 0;
	case 'd':
		options->disturb = true;
		return 0;
	case 'T':
		options->trace = true;
		return 0;
	default:
		options->json = value;
		return 0;
	}
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "paging", required_argument, NULL, 'p' },
		{ "nested", no_argument, NULL, 'N' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "steps", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "disturb", no_argument, NULL, 'd' },
		{ "trace", no_argument, NULL, 'T' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct command_line line = { "torture", help, long_options, set_option };
	int ret = parse_command_line(&line, argc, argv, options);

	if (ret)
		return ret;
	if (options->vcpus > 1 && !options->nested)
		return option_error("%s goes with --nested only", "--vcpus");
	return options->nested && options->paging != PAGING_64 ?
		option_error("--nested goes with --paging 64, not %s", paging_names[options->paging]) : 0;
}

/* ---- the guest's memory ---- */

static struct torture_info *guest_info(const struct vm *vm)
{
	return (struct torture_info *)(vm->memory + GUEST_INFO);
}

/* What every page has that may be hit. */
static void fill_page(char *page, uint32_t address)
{
	uint32_t identity = page_identity(address / PAGE_SIZE);
	unsigned char *code = (unsigned char *)page + OFFSET_CODE;

	memcpy(page + OFFSET_IDENTITY, &identity, sizeof(identity));
	code[0] = 0xb8;				/* mov $identity, %eax */
	memcpy(code + 1, &identity, sizeof(identity));
	code[5] = 0xc3;				/* ret */
}

/* Shared memory, whose content stays when the host unmaps it. */
static int add_slot(const struct vm *vm, unsigned int slot, struct vm_memory *memory)
{
	uint32_t offset;

	memory->host = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory->host == MAP_FAILED)
		return fl_fail("cannot get memory for the guest: %s", strerror(errno));
	for (offset = 0; offset < memory->size; offset += PAGE_SIZE)
		fill_page(memory->host + offset, memory->address + offset);
	return vm_set_slot(vm, slot, memory);
}

/* Of what never changes; nested page tables are walked as if at CPL 3. */
static void build_tables(const struct vm *vm, struct paging *paging, enum paging_mode mode,
			 uint32_t first_table, bool nested)
{
	uint32_t user_end;

	paging_init(paging, mode, vm->memory, first_table);
	user_end = USER_CODE + PAGE_SIZE * paging_entries(paging);
	paging_map_identity(paging, 0, USER_CODE, nested);
	paging_map_identity(paging, USER_CODE, user_end, true);
	paging_map_identity(paging, user_end, REGION_END, nested);
}

/*
 * The program's own mappings; it copies their roots into each of its own. A 32-bit
 * program goes from one of its modes to the other now and then. A hypervisor has its
 * nested guest see the same memory; KVM would write-protect tables that the two share.
 */
static void build_all_tables(const struct vm *vm, struct paging *paging, enum paging_mode mode)
{
	struct torture_info *info = guest_info(vm);
	enum paging_mode other = mode == PAGING_32 ? PAGING_PAE : PAGING_32;
	struct paging tables;

	build_tables(vm, paging, mode, GUEST_TABLES, false);
	info->roots[mode] = paging->root;
	if (mode != PAGING_64) {
		build_tables(vm, &tables, other, paging->next_table, false);
		info->roots[other] = tables.root;
	} else if (info->nested) {
		build_tables(vm, &tables, mode, paging->next_table, true);
		info->roots[mode] = tables.root;
	}
}

/* ---- accesses to where there is no memory ---- */

static void serve_mmio(struct vcpu *vcpu)
{
	struct torture_info *info = guest_info(vcpu->vm);
	struct kvm_run *run = vcpu->run;
	uint64_t address = run->mmio.phys_addr, value = 0;
	uint32_t identity = page_identity(address / PAGE_SIZE);

	if (!run->mmio.is_write) {
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		memcpy(run->mmio.data, &identity, sizeof(identity));
		return;
	}
	memcpy(&value, run->mmio.data, run->mmio.len);
	info->mmio_writes++;
	info->mmio_address = address;
	info->mmio_value = value;
}

/* A sign of life for who watches a long run. */
static void show_progress(const struct torture_info *info)
{
	printf("%s paging: %u of %u steps\n", paging_names[info->paging], info->step, info->steps);
	fflush(stdout);
}

static bool handle_exit(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_MMIO) {
		serve_mmio(vcpu);
		return true;
	}
	if (run->exit_reason == KVM_EXIT_IO && run->io.port == PROGRESS_PORT) {
		show_progress(guest_info(vcpu->vm));
		return true;
	}
	return false;
}

/* ---- what came out ---- */

static const char *event_name(uint32_t type)
{
	static const char *const names[] = {
		[EVENT_NONE] = "nothing", [EVENT_WRITE] = "write", [EVENT_READ_AREA] = "  read area",
		[EVENT_WRITE_AREA] = "  write area", [EVENT_FETCH_AREA] = "  fetch area",
		[EVENT_FLUSH_PAGE] = "invlpg", [EVENT_LOAD_CR3] = "cr3",
		[EVENT_SET_CR0] = "cr0", [EVENT_SET_CR4] = "cr4", [EVENT_SET_EFER] = "efer",
		[EVENT_SET_PAGING] = "paging", [EVENT_SET_NESTED] = "nested root",
	};

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "?";
}

static void print_trace(const struct torture_info *info)
{
	uint32_t i = info->next_event < NR_EVENTS ? 0 : info->next_event - NR_EVENTS;

	for (; i < info->next_event; i++) {
		const struct torture_event *event = &info->events[i % NR_EVENTS];

		printf("%8u %-12s %016" PRIx64 " %016" PRIx64 " %4x -> %x\n", event->step,
		       event_name(event->type), event->address, event->value, event->detail,
		       event->result);
	}
	for (i = 0; i < info->nr_walked; i++)
		printf("entry at %08x was %016" PRIx64 "\n", info->walked[i], info->walked_values[i]);
}

static const char *expected_text(const struct torture_info *info)
{
	static char text[MAX_EXPECTED * 32];
	size_t length = 0;
	uint32_t i;

	for (i = 0; i < info->nr_expected && i < MAX_EXPECTED; i++) {
		bool fault = info->expected[i] > UINT32_MAX;

		length += snprintf(text + length, sizeof(text) - length, "%s%s 0x%" PRIx64,
				   i ? " or " : "", fault ? "fault" : "page",
				   fault ? -1 - info->expected[i] : info->expected[i]);
	}
	return text;
}

/* What was wrong, but for where in the program. */
static const char *failure_text(const struct torture_info *info)
{
	static const char *const formats[] = {
		[FAILURE_NO_FAULT] = "access to 0x%" PRIx64 " did not fault",
		[FAILURE_FAULT] = "access to 0x%" PRIx64 " faulted",
		[FAILURE_ERROR_CODE] = "access to 0x%" PRIx64 " faulted with another error code",
		[FAILURE_CR2] = "access to 0x%" PRIx64 " faulted with another address in CR2",
		[FAILURE_FRAME] = "access to 0x%" PRIx64 " hit another page",
		[FAILURE_LOST] = "write to 0x%" PRIx64 " is in no page, or in several",
		[FAILURE_NOT_MARKED] = "accessed or dirty bit of the entry at 0x%" PRIx64 " is not set",
		[FAILURE_ENTRY] = "entry at 0x%" PRIx64 " changed by itself",
		[FAILURE_CONTENT] = "memory at 0x%" PRIx64 " changed by itself",
		[FAILURE_EXCEPTION] = "exception at 0x%" PRIx64 " that is no page fault of an access",
		[FAILURE_VMX] = "VMX refuses 0x%" PRIx64,
		[FAILURE_EXIT] = "nested guest left at 0x%" PRIx64 " for another reason than a fault",
	};
	static char text[160];

	snprintf(text, sizeof(text), formats[info->failure], info->address);
	return text;
}

/* What a program is, besides its paging mode and seed. */
static const char *variant_text(const struct options *options)
{
	static char text[64];
	size_t length = 0;

	*text = '\0';
	if (options->nested)
		length = snprintf(text, sizeof(text), " --nested --vcpus %u", options->vcpus);
	if (options->disturb)
		snprintf(text + length, sizeof(text) - length, " --disturb");
	return text;
}

static int guest_failed(const struct torture_info *info, const struct options *options)
{
	if (info->failure == FAILURE_CPU)
		return fl_fail("the guest's CPU has neither SVM with nested paging nor VMX with EPT, or no 1 GiB pages; load kvm_amd with npt=1 nested=1, or kvm_intel with ept=1 nested=1");
	return fl_fail("%s paging, seed %" PRIu64 ", step %u: %s%s; wanted 0x%" PRIx64 ", found 0x%" PRIx64
		       ", expected %s; see it by --paging %s%s --seed %" PRIu64 " --steps %u --trace",
		       paging_names[options->paging], options->seed, info->step,
		       info->vcpu ? "another vCPU's " : "", failure_text(info),
		       info->wanted, info->found, info->nr_expected ? expected_text(info) : "nothing",
		       paging_names[options->paging], variant_text(options), options->seed,
		       info->step + 1);
}

struct outcome {
	const struct options *options;
	const struct torture_info *info;
	struct disturb_counts disturbed;
};

static void print_disturbances(FILE *file, const struct disturb_counts *counts)
{
	unsigned int i;

	for (i = 0; i < NR_DISTURBANCES; i++)
		fprintf(file, "%s\"%s\":%u", i ? "," : "", disturbance_names[i], counts->done[i]);
}

static void print_json(FILE *file, const void *context)
{
	const struct outcome *outcome = context;
	const struct torture_info *info = outcome->info;

	fprintf(file, "{\"schema\":\"faultline.torture/1\",\"paging\":\"%s\",\"nested\":%s,\"vcpus\":%u,\"seed\":%" PRIu64
		",\"steps\":%u,\"disagreements\":0,\"accesses\":%u,\"must_fault\":%u"
		",\"must_not_fault\":%u,\"may_fault\":%u,\"unpredictable\":%u,\"faults\":%u"
		",\"repaired\":%u,\"table_writes\":%u,\"flushes\":%u,\"helper_accesses\":%u"
		",\"helper_hits\":%u,\"disturbances\":{",
		paging_names[outcome->options->paging], outcome->options->nested ? "true" : "false",
		info->nr_vcpus, outcome->options->seed, info->steps,
		info->accesses, info->must, info->must_not, info->may, info->unpredictable,
		info->faults, info->repaired, info->table_writes, info->flushes,
		info->helper_accesses, info->helper_hits);
	print_disturbances(file, &outcome->disturbed);
	fprintf(file, "},\"logged_pages\":%u}\n", outcome->disturbed.logged);
}

/* A test that nothing disturbs is another one than it was asked for. */
static int check_disturbed(const struct outcome *outcome)
{
	unsigned int i, nr = 0;

	for (i = 0; i < NR_DISTURBANCES; i++)
		nr += outcome->disturbed.done[i];
	if (!outcome->options->disturb || nr || outcome->options->steps < ENOUGH_STEPS)
		return 0;
	return fl_fail("nothing has disturbed the guest in %u steps", outcome->options->steps);
}

static int report(const struct outcome *outcome)
{
	const struct torture_info *info = outcome->info;

	printf("%s paging, seed %" PRIu64 ", %u steps: %u accesses (%u must fault, %u must not, %u may), %u faults, no disagreement\n",
	       paging_names[outcome->options->paging], outcome->options->seed, info->steps,
	       info->accesses, info->must, info->must_not, info->may, info->faults);
	return outcome->options->json ? write_whole(outcome->options->json, print_json, outcome) : 0;
}

/* ---- main ---- */

static int run_guest(struct vm *vm, const struct vm_memory *region, struct outcome *outcome)
{
	const struct options *options = outcome->options;
	struct torture_info *info = guest_info(vm);
	enum vm_end end;
	int ret = 0;

	if (options->disturb && disturb_start(vm, region, info, options->seed))
		return -1;
	end = vm_run(vm, options->timeout);
	if (options->disturb)
		ret = disturb_stop(&outcome->disturbed);
	if (options->trace && (end != VM_GUEST_DONE || ret))
		print_trace(info);
	if (end == VM_GUEST_FAILED)
		return guest_failed(info, options);
	return end == VM_GUEST_DONE ? ret : -1;
}

static int run(const struct options *options)
{
	struct vm vm = { .handle_exit = handle_exit };
	struct vm_memory region = { .address = REGION, .size = REGION_END - REGION };
	struct vm_memory readonly = {
		.address = READONLY, .size = READONLY_END - READONLY, .flags = KVM_MEM_READONLY,
	};
	struct outcome outcome = { .options = options };
	struct paging paging[GUEST_MAX_VCPUS];
	struct torture_info *info;
	unsigned int i;

	if (vm_create(&vm, options->vcpus, LOW_END, true) || add_slot(&vm, REGION_SLOT, &region) ||
	    add_slot(&vm, READONLY_SLOT, &readonly))
		return -1;
	info = guest_info(&vm);
	info->seed = options->seed;
	info->steps = options->steps;
	info->paging = options->paging;
	info->nested = options->nested;
	info->nr_vcpus = options->vcpus;
	build_all_tables(&vm, &paging[0], options->paging);
	for (i = 1; i < options->vcpus; i++)
		paging[i] = paging[0];
	outcome.info = info;
	if (vm_boot(&vm, paging) || run_guest(&vm, &region, &outcome) || check_disturbed(&outcome))
		return -1;
	return report(&outcome);
}

int main(int argc, char **argv)
{
	struct options options = {
		.seed = 1, .paging = PAGING_64, .steps = 20000, .vcpus = 1, .timeout = 3600,
	};
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
