// SPDX-License-Identifier: GPL-2.0
/* Starting Debian's smallest QEMU. See microvm.h. */
#include <stdio.h>

#include "microvm.h"

unsigned long microvm_tsc_khz(void)
{
	FILE *file = fopen("/proc/cpuinfo", "r");
	char line[256];
	double mhz = 0;

	while (file && !mhz && fgets(line, sizeof(line), file))
		sscanf(line, "cpu MHz : %lf", &mhz);
	if (file)
		fclose(file);
	return mhz * 1000;
}

void microvm_add(char **argv, size_t *nr, const struct microvm *vm)
{
	static char console[128], results[128];
	const char *const words[] = {
		MICROVM_QEMU, "-L", MICROVM_FILES, "-accel", "kvm", "-cpu", "host",
		"-M", "microvm,acpi=off,rtc=on,x-option-roms=off", "-m", vm->memory, "-smp", vm->cpus,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-chardev", console, "-serial", "chardev:console", "-chardev", results,
		"-device", "isa-serial,chardev=results,index=1,iobase=0x2f8,irq=3",
		"-kernel", vm->kernel, "-initrd", vm->initrd, "-append", vm->command_line, NULL,
	};
	const char *const *word;

	_Static_assert(sizeof(words) / sizeof(words[0]) <= MICROVM_WORDS, "room for all words");
	snprintf(console, sizeof(console), "file,id=console,path=%s", vm->console);
	snprintf(results, sizeof(results), "file,id=results,path=%s", vm->results);
	for (word = words; *word; word++)
		argv[(*nr)++] = (char *)*word;
	argv[*nr] = NULL;
}
