/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command that `faultline stat -- COMMAND` measures: forked first, so that
 * its pid can be made a target, and executed only then.
 */
#ifndef FAULTLINE_COMMAND_H
#define FAULTLINE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct fl_command {
	pid_t pid;	/* 0: there is none, or no more */
	int go;		/* a byte written here lets the child execute */
	int failed;	/* the child's errno comes here if it can't */
	int status;	/* when it has ended: see fl_command_ended() */
};

/*
 * Fork a child that waits to be started. Call fl_interrupt_catch() before. The
 * child gets the signals that arrive here from its start on. 0 or -1.
 */
int fl_command_fork(struct fl_command *command, char *const argv[]);

/* Let it execute @name. 0, or -1 if it can't; then it is gone. */
int fl_command_start(struct fl_command *command, const char *name);

/*
 * Whether it has ended. Its status is its exit status then, or 128 plus the
 * number of the signal that ended it.
 */
bool fl_command_ended(struct fl_command *command);

/* Wait until it has ended, if it hasn't; signals go to it. */
void fl_command_wait(struct fl_command *command);

/* Get rid of a command that was never started. */
void fl_command_kill(struct fl_command *command);

#endif /* FAULTLINE_COMMAND_H */
