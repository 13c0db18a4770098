// SPDX-License-Identifier: GPL-2.0
/*
 * boot: a VMM that boots a Linux kernel, as the 64-bit boot protocol says, with
 * an initramfs whose init (guest-init.c) makes processes and says how it went.
 * Linux has the interrupt controllers and the timer of a PC, all in KVM, and of a
 * serial port what earlyprintk needs: its console is what this prints.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <getopt.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "error.h"
#include "guest-init.h"
#include "options.h"
#include "vm.h"

#define MEMORY		(128UL << 20)

/* Where things are in the guest's memory; Linux takes what it needs below. */
#define BOOT_PARAMETERS	0x10000
#define COMMAND_LINE	0x20000
#define PAGE_TABLES	0x30000
#define KERNEL		0x1000000
#define INITRD		0x6000000
#define LOW_END		0x9f000		/* of memory below 1 MiB */
#define HIGH		0x100000	/* where it goes on */

#define SETUP_SECTOR	512
#define ENTRY_64	0x200		/* from the start of the 64-bit kernel */

#define SERIAL		0x3f8		/* the first of its 8 ports */
#define SERIAL_STATUS	(SERIAL + 5)
#define SERIAL_IDLE	0x60		/* ready for the next character */
#define KEYBOARD	0x64
#define KEYBOARD_RESET	0xfe

#define KERNEL_OPTIONS \
	"earlyprintk=ttyS0 keep_bootcon panic=-1 tsc=reliable random.trust_cpu=on noxsave"

/* What init says is a warning to the kernel. */
static const char kernel_options[] = KERNEL_OPTIONS;
static const char quiet_options[] = KERNEL_OPTIONS " loglevel=5";

static const char help[] =
"usage: boot [--timeout SECONDS] [--quiet] KERNEL INITRD\n"
"\n"
"Boot KERNEL, a Linux bzImage, with INITRD on KVM, and print its console.\n"
"\n"
"  --timeout SECONDS  give up on the guest, default 3600\n"
"  --quiet            of its console, only what matters: each character is an exit\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 the guest said that all went well, 1 it didn't, 2 usage.\n";

/* What the guest has said of itself, by the lines of its console. */
static struct {
	char line[256];
	size_t length;
	bool passed;
} console;

/* ---- the guest's devices ---- */

static void print_character(char c)
{
	putchar(c);
	if (c != '\n') {
		if (console.length < sizeof(console.line) - 1)
			console.line[console.length++] = c;
		return;
	}
	console.line[console.length] = '\0';
	console.length = 0;
	if (strstr(console.line, GUEST_INIT_PASSED))
		console.passed = true;
}

static void write_port(const struct kvm_run *run, const unsigned char *data)
{
	unsigned int i;

	for (i = 0; run->io.port == SERIAL && i < run->io.count; i++)
		print_character(data[i]);
}

static void read_port(struct kvm_run *run, unsigned char *data)
{
	bool serial = run->io.port >= SERIAL && run->io.port < SERIAL + 8;
	int value = run->io.port == SERIAL_STATUS ? SERIAL_IDLE : serial ||
		    run->io.port == KEYBOARD ? 0 : 0xff;

	memset(data, value, (size_t)run->io.size * run->io.count);
}

/* True to go on: it isn't how Linux resets the machine. */
static bool handle_io(struct kvm_run *run)
{
	unsigned char *data = (unsigned char *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_IN)
		read_port(run, data);
	else if (run->io.port == KEYBOARD && *data == KEYBOARD_RESET)
		return false;
	else
		write_port(run, data);
	return true;
}

/* There are no devices in memory. */
static bool handle_exit(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (run->exit_reason == KVM_EXIT_IO)
		return handle_io(run);
	if (run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
	return run->exit_reason == KVM_EXIT_MMIO;
}

/* ---- loading ---- */

/* All of a file, into @to, which has room for @room bytes. Its size, or -1. */
static long read_file(const char *path, char *to, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file)
		return fl_fail("cannot read %s: %s", path, strerror(errno));
	size = fread(to, 1, room, file);
	if (ferror(file) || size == room) {
		fclose(file);
		return fl_fail("cannot read %s, or it is larger than the guest's memory allows", path);
	}
	fclose(file);
	return size;
}

/*
 * The file begins with a sector for a BIOS, and setup_sects for real mode. Both
 * are skipped, but for the header in them.
 */
static int load_kernel(struct vm *vm, const char *path)
{
	struct boot_params *params = (struct boot_params *)(vm->memory + BOOT_PARAMETERS);
	struct setup_header *header = &params->hdr;
	char *kernel = vm->memory + KERNEL;
	long size = read_file(path, kernel, INITRD - KERNEL);
	size_t skip;

	if (size < 0)
		return -1;
	if ((size_t)size < sizeof(*params))
		return fl_fail("%s is no Linux kernel", path);
	memcpy(header, kernel + offsetof(struct boot_params, hdr), sizeof(*header));
	skip = (header->setup_sects + 1UL) * SETUP_SECTOR;
	if (header->header != 0x53726448 || !(header->xloadflags & XLF_KERNEL_64) ||
	    skip >= (size_t)size)
		return fl_fail("%s is no 64-bit Linux kernel, a bzImage", path);
	memmove(kernel, kernel + skip, size - skip);
	return 0;
}

static void add_memory(struct boot_params *params, uint64_t start, uint64_t end)
{
	struct boot_e820_entry *entry = &params->e820_table[params->e820_entries++];

	entry->addr = start;
	entry->size = end - start;
	entry->type = 1;
}

static int load(struct vm *vm, char **files, bool quiet)
{
	struct boot_params *params = (struct boot_params *)(vm->memory + BOOT_PARAMETERS);
	long size;

	if (load_kernel(vm, files[0]))
		return -1;
	size = read_file(files[1], vm->memory + INITRD, MEMORY - INITRD);
	if (size < 0)
		return -1;
	strcpy(vm->memory + COMMAND_LINE, quiet ? quiet_options : kernel_options);
	params->hdr.type_of_loader = 0xff;	/* one without a number */
	params->hdr.cmd_line_ptr = COMMAND_LINE;
	params->hdr.ramdisk_image = INITRD;
	params->hdr.ramdisk_size = size;
	add_memory(params, 0, LOW_END);
	add_memory(params, HIGH, MEMORY);
	return 0;
}

/* RSI is where Linux looks for its parameters. */
static int start(struct vm *vm)
{
	struct paging paging;
	struct kvm_regs regs;

	paging_init(&paging, PAGING_64, vm->memory, PAGE_TABLES);
	paging_map_identity(&paging, 0, MEMORY, false);
	if (vm_start_at(vm, 0, &paging, KERNEL + ENTRY_64))
		return -1;
	if (ioctl(vm->vcpus[0].fd, KVM_GET_REGS, &regs))
		return fl_fail("cannot get the vCPU's registers: %s", strerror(errno));
	regs.rsi = BOOT_PARAMETERS;
	if (ioctl(vm->vcpus[0].fd, KVM_SET_REGS, &regs))
		return fl_fail("KVM doesn't take the vCPU's registers: %s", strerror(errno));
	return 0;
}

/* ---- main ---- */

struct options {
	unsigned int timeout;
	bool quiet;
	char **files;		/* the kernel and the initramfs */
};

static int run(const struct options *options)
{
	struct vm vm = { .handle_exit = handle_exit, .chips = true };
	enum vm_end end;

	if (vm_create(&vm, 1, MEMORY, true) || load(&vm, options->files, options->quiet) || start(&vm))
		return -1;
	vm_mark_start(0);
	end = vm_run(&vm, options->timeout);
	vm_mark_stop();
	if (end != VM_GUEST_RESET)
		return -1;
	return console.passed ? 0 :
		fl_fail("Linux has left without a word that its processes did as they should");
}

/* 0 to go on, 1 if all is done, or FL_USAGE. */
static int set_option(struct options *options, int option)
{
	switch (option) {
	case 't':
		options->timeout = option_number(optarg, 86400);
		return options->timeout ? 0 :
			option_error("--timeout '%s' is not a number of seconds from 1 to 86400", optarg);
	case 'q':
		options->quiet = true;
		return 0;
	case 'h':
		fputs(help, stdout);
		return 1;
	default:
		fl_fail("unknown option, or one without its value; see 'boot --help'");
		return FL_USAGE;
	}
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .timeout = 3600 };
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+h", long_options, NULL)) != -1) {
		ret = set_option(&options, option);
		if (ret)
			return ret == 1 ? EXIT_SUCCESS : ret;
	}
	options.files = argv + optind;
	if (argc != optind + 2) {
		fl_fail("KERNEL and INITRD are needed, and nothing else; see 'boot --help'");
		return FL_USAGE;
	}
	return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
