/* SPDX-License-Identifier: GPL-2.0 */
/* The agreement between boot and the init of the Linux that it boots. */
#ifndef BOOT_GUEST_INIT_H
#define BOOT_GUEST_INIT_H

/* In the line that init prints when all went well. */
#define GUEST_INIT_PASSED	"guest-init: passed"

#endif /* BOOT_GUEST_INIT_H */
