// SPDX-License-Identifier: GPL-2.0
/*
 * micro: a VMM that runs a guest which does nothing but take page faults, a
 * known number of them, and tells how many its handler saw. That is the truth
 * that the collector is compared with.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "options.h"
#include "vm.h"

#define PAGE_SIZE	4096
#define MAX_FAULTS	20000

static const char *const workload_names[NR_WORKLOADS] = { "anon", "cow" };

struct options {
	int workload, paging;
	unsigned int faults, timeout;
	bool resident, pae_halves;
	const char *json;
};

static const char help[] =
"usage: micro [OPTION]...\n"
"\n"
"Run a guest that takes a known number of page faults.\n"
"\n"
"  --workload NAME    anon: first touch of unmapped pages (default);\n"
"                     cow: writes to pages that are mapped read-only\n"
"  --paging MODE      32, pae or 64 (default)\n"
"  --faults N         1 to 20000, default 1999\n"
"  --not-resident     leave it to the guest to touch its page frames first\n"
"  --pae-halves       write PAE entries in two halves, not by CMPXCHG8B\n"
"  --timeout SECONDS  give up on the guest, default 60\n"
"  --json FILE        write what the guest did (faultline.guest/1)\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 the guest did all it should, 1 it didn't, 2 usage.\n";

/* ---- options ---- */

static int set_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case 'w':
		options->workload = option_word(workload_names, NR_WORKLOADS, value);
		return options->workload < 0 ?
			option_error("unknown --workload '%s'; known: anon cow", value) : 0;
	case 'p':
		options->paging = option_word(paging_names, NR_PAGING_MODES, value);
		return options->paging < 0 ?
			option_error("unknown --paging '%s'; known: 32 pae 64", value) : 0;
	case 'n':
		options->faults = option_number(value, MAX_FAULTS);
		return options->faults ? 0 :
			option_error("--faults '%s' is not a number from 1 to 20000", value);
	case 't':
		options->timeout = option_number(value, 86400);
		return options->timeout ? 0 :
			option_error("--timeout '%s' is not a number of seconds from 1 to 86400", value);
	case 'r':
		options->resident = false;
		return 0;
	case 'H':
		options->pae_halves = true;
		return 0;
	default:
		options->json = value;
		return 0;
	}
}

static int check_options(const struct options *options, int argc, char **argv)
{
	if (optind < argc)
		return option_error("unexpected '%s'; see 'micro --help'", argv[optind]);
	if (options->pae_halves && options->paging != PAGING_PAE)
		return option_error("--pae-halves goes with --paging pae, not %s",
				   paging_names[options->paging]);
	return 0;
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "workload", required_argument, NULL, 'w' },
		{ "paging", required_argument, NULL, 'p' },
		{ "faults", required_argument, NULL, 'n' },
		{ "not-resident", no_argument, NULL, 'r' },
		{ "pae-halves", no_argument, NULL, 'H' },
		{ "timeout", required_argument, NULL, 't' },
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return -1;
		}
		if (option == ':')
			return option_error("%s needs a value; see 'micro --help'", argv[optind - 1]);
		if (option == '?')
			return option_error("unknown option %s; see 'micro --help'", argv[optind - 1]);
		if (set_option(options, option, optarg))
			return FL_USAGE;
	}
	return check_options(options, argc, argv);
}

/* ---- the guest's memory ---- */

static struct guest_info *guest_info(const struct vm *vm)
{
	return (struct guest_info *)(vm->memory + GUEST_INFO);
}

/* Where page frame @n of the workload is, in the VMM's own memory. */
static char *frame(const struct vm *vm, uint32_t base, uint32_t n)
{
	return vm->memory + base + (size_t)n * PAGE_SIZE;
}

/* Tables needed for pages up to the one reserved behind the workload's last. */
static unsigned int count_tables(const struct paging *paging, unsigned int faults)
{
	unsigned int last = guest_page_index(faults - 1) | (GUEST_ENTRIES_PER_SHADOW_PAGE - 1);

	return last / paging_entries(paging) + 1;
}

/*
 * Generous: frames twice over, an eighth for tables, and what is at fixed
 * addresses; in whole large pages of every mode.
 */
static size_t memory_size(const struct options *options)
{
	size_t size = (size_t)options->faults * PAGE_SIZE * 17 / 8 + (16 << 20);

	return (size + (4 << 20) - 1) >> 22 << 22;
}

/* Map a frame of its own where each shadow page's reserved page is. */
static void map_reserved_pages(const struct paging *paging, const struct guest_info *info,
			       uint32_t reserved_frame)
{
	unsigned int nr = info->nr_tables * paging_entries(paging), index;

	for (index = GUEST_PAGES_PER_SHADOW_PAGE; index < nr; index += GUEST_ENTRIES_PER_SHADOW_PAGE)
		paging_set(paging, info->leaf_tables, index, reserved_frame | PTE_MAPPED);
}

/* What is in page @n, at word @word, before it is copied. */
static uint32_t original_word(uint32_t n, uint32_t word)
{
	return n * 2654435761U + word;
}

static void map_shared_pages(const struct vm *vm, const struct paging *paging,
			     const struct guest_info *info)
{
	uint32_t n, word;

	for (n = 0; n < info->nr_pages; n++) {
		uint32_t *words = (uint32_t *)frame(vm, info->frames, n);

		for (word = 0; word < PAGE_SIZE / sizeof(*words); word++)
			words[word] = original_word(n, word);
		paging_set(paging, info->leaf_tables, guest_page_index(n),
			   (info->frames + n * PAGE_SIZE) | PTE_SHARED);
	}
}

static void set_up(struct vm *vm, struct paging *paging, const struct options *options)
{
	struct guest_info *info = guest_info(vm);
	uint32_t reserved_frame;

	paging_init(paging, options->paging, vm->memory, GUEST_TABLES);
	paging_map_identity(paging, 0, vm->size, true);

	info->workload = options->workload;
	info->nr_pages = options->faults;
	info->entry_size = paging->entry_size;
	info->pte_halves = options->pae_halves;
	info->warm_frames = options->resident;
	info->nr_tables = count_tables(paging, options->faults);
	info->leaf_tables = paging_add_leaf_tables(paging, GUEST_AREA, info->nr_tables);

	reserved_frame = paging->next_table;
	info->frames = reserved_frame + PAGE_SIZE;
	info->copies = info->frames + options->faults * PAGE_SIZE;
	map_reserved_pages(paging, info, reserved_frame);
	if (options->workload == WORKLOAD_COW)
		map_shared_pages(vm, paging, info);
}

/* ---- what came out ---- */

/* Whether page @n is mapped where it should be, and has what it should have. */
static bool page_is_right(const struct vm *vm, const struct paging *paging, uint32_t n)
{
	const struct guest_info *info = guest_info(vm);
	bool cow = info->workload == WORKLOAD_COW;
	uint32_t base = cow ? info->copies : info->frames;
	const uint32_t *words = (const uint32_t *)frame(vm, base, n);
	uint32_t written = guest_page_offset(n) / sizeof(*words), word;

	if (paging_get(paging, info->leaf_tables, guest_page_index(n)) !=
	    ((base + (uint64_t)n * PAGE_SIZE) | PTE_MAPPED))
		return false;
	for (word = 0; word < PAGE_SIZE / sizeof(*words); word++) {
		uint32_t wanted = word == written ? guest_page_value(n) :
				  cow ? original_word(n, word) : 0;

		if (words[word] != wanted)
			return false;
	}
	return true;
}

static int check_result(const struct vm *vm, const struct paging *paging)
{
	const struct guest_info *info = guest_info(vm);
	uint32_t n;

	if (info->faults_handled != info->nr_pages)
		return fl_fail("the guest's handler saw %u faults instead of %u",
			       info->faults_handled, info->nr_pages);
	for (n = 0; n < info->nr_pages; n++) {
		if (!page_is_right(vm, paging, n))
			return fl_fail("page %u of the guest is not as it should be", n);
	}
	return 0;
}

static int guest_failed(const struct guest_info *info)
{
	return fl_fail("the guest took an exception that it should not, after %u faults: vector %u, error code 0x%x, address 0x%llx, instruction 0x%llx",
		       info->faults_handled, info->failed_vector, info->failed_error_code,
		       (unsigned long long)info->failed_address,
		       (unsigned long long)info->failed_ip);
}

struct result {
	const struct options *options;
	uint64_t window_ticks;
};

/* Flat and without text to be escaped, so printf does. */
static void print_json(FILE *file, const void *context)
{
	const struct result *result = context;
	const struct options *options = result->options;

	fprintf(file,
		"{\"schema\":\"faultline.guest/1\",\"workload\":\"%s\",\"paging\":\"%s\","
		"\"faults_asked\":%u,\"faults_handled\":%u,\"resident\":%s,\"pae_halves\":%s,"
		"\"window_ticks\":%llu}\n",
		workload_names[options->workload], paging_names[options->paging],
		options->faults, options->faults, options->resident ? "true" : "false",
		options->pae_halves ? "true" : "false",
		(unsigned long long)result->window_ticks);
}

static int run(const struct options *options)
{
	struct result result = { .options = options };
	struct paging paging;
	struct vm vm = { 0 };

	if (vm_create(&vm, memory_size(options), options->resident))
		return -1;
	set_up(&vm, &paging, options);
	if (vm_boot(&vm, &paging))
		return -1;
	switch (vm_run(&vm, options->timeout)) {
	case VM_GUEST_DONE:
		break;
	case VM_GUEST_FAILED:
		return guest_failed(guest_info(&vm));
	default:
		return -1;
	}
	if (check_result(&vm, &paging))
		return -1;
	printf("%s, %s paging: the guest handled %u page faults\n",
	       workload_names[options->workload], paging_names[options->paging],
	       guest_info(&vm)->faults_handled);
	result.window_ticks = guest_info(&vm)->window_ticks;
	return options->json ? write_whole(options->json, print_json, &result) : 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.workload = WORKLOAD_ANON, .paging = PAGING_64,
		.faults = 1999, .timeout = 60, .resident = true,
	};
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
