/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SIGINT, SIGTERM and SIGHUP end a measurement, not the program: what was
 * measured is printed first. They, and SIGCHLD, arrive only during
 * fl_interrupt_wait(), so none is missed between looking and waiting.
 */
#ifndef FAULTLINE_INTERRUPT_H
#define FAULTLINE_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/types.h>

/* From here on, signals are held back until fl_interrupt_wait(). */
void fl_interrupt_catch(void);

/* Signals as they were: in a child, before it executes something, or in the end. */
void fl_interrupt_release(void);

/* Pass signals on to process @pid, too; 0 for none. */
void fl_interrupt_forward(pid_t pid);

/* Whether one has arrived. */
bool fl_interrupted(void);

/*
 * Wait for @ns nanoseconds, a signal, or until one of the @nr descriptors @fds is
 * ready, whichever comes first. Their revents tell which are; -1 stands for none.
 */
void fl_interrupt_wait(__u64 ns, struct pollfd *fds, size_t nr);

#endif /* FAULTLINE_INTERRUPT_H */
