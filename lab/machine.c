// SPDX-License-Identifier: GPL-2.0
/* The first program's chores. See machine.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
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
