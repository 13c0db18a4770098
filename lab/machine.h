/* SPDX-License-Identifier: GPL-2.0 */
/* What the first program on an emulated machine, or in its guest, has to do. */
#ifndef LAB_MACHINE_H
#define LAB_MACHINE_H

#include <stdio.h>

/* Mount /proc, /sys, /dev, debugfs and a /tmp; says so if one can't be. */
void machine_mount_all(void);

/* Start the CPUs that the kernel was told to leave alone; /sys is mounted. */
void machine_start_cpus(void);

/*
 * Open the second serial port such that what is written there comes out on the
 * other side byte for byte. Without one the machine is left.
 */
FILE *machine_open_port(void);

/* Leave the machine when all of @port has gone out. Doesn't return. */
void machine_leave(FILE *port);

#endif /* LAB_MACHINE_H */
