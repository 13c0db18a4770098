// SPDX-License-Identifier: GPL-2.0
/* The first program's chores. See machine.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "error.h"
#include "machine.h"

#define PORT	"/dev/ttyS1"

void machine_mount_all(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tmpfs", "/tmp" },
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			fl_fail("cannot mount %s: %s", mounts[i].where, strerror(errno));
	}
}

/* A process that takes turns with what else runs, and pauses in each of them. */
static pid_t start_pausing(void)
{
	pid_t pid = fork();

	while (!pid)
		__builtin_ia32_pause();
	return pid;
}

/* False if there is no such CPU. */
static bool start_cpu(unsigned int number)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", number);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return false;
	if (write(fd, "1", 1) < 0)
		fl_fail("cannot start CPU %u: %s", number, strerror(errno));
	close(fd);
	return true;
}

/*
 * Of QEMU's CPUs, whose time is counted, one that doesn't pause leaves no time to the
 * others. Kernels such as 6.1 wait in that way for a CPU that they start, forever, so
 * something has to run at the same time that pauses.
 */
void machine_start_cpus(void)
{
	pid_t pausing;
	unsigned int n;

	if (sysconf(_SC_NPROCESSORS_ONLN) == sysconf(_SC_NPROCESSORS_CONF))
		return;
	pausing = start_pausing();
	for (n = 1; start_cpu(n); n++)
		;
	if (pausing > 0) {	/* to signal -1 is to signal all */
		kill(pausing, SIGKILL);
		waitpid(pausing, NULL, 0);
	}
}

FILE *machine_open_port(void)
{
	int fd = open(PORT, O_WRONLY | O_NOCTTY);
	struct termios settings;
	FILE *port;

	if (fd >= 0 && !tcgetattr(fd, &settings)) {
		cfmakeraw(&settings);
		tcsetattr(fd, TCSANOW, &settings);
		port = fdopen(fd, "w");
		if (port)
			return port;
	}
	fl_fail("cannot open %s: %s", PORT, strerror(errno));
	machine_leave(NULL);
	return NULL;
}

/* Without ACPI a PC cannot be switched off; the emulators end on a reboot. */
void machine_leave(FILE *port)
{
	if (port) {
		fflush(port);
		tcdrain(fileno(port));
	}
	sync();
	reboot(RB_AUTOBOOT);
}
