/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command that `faultline stat -- COMMAND` measures: forked first, so that
 * its pid can be made a target, and executed only then.
 */
#ifndef FAULTLINE_COMMAND_H
#define FAULTLINE_COMMAND_H

#include <sys/types.h>

struct fl_command {
	pid_t pid;
	int go;		/* a byte written here lets the child execute */
	int failed;	/* the child's errno comes here if it can't */
};

/*
 * Fork a child that waits to be started. From here on, SIGINT, SIGTERM and
 * SIGHUP don't end this process; they are passed on to the child. 0 or -1.
 */
int fl_command_fork(struct fl_command *command, char *const argv[]);

/* Let it execute @argv[0]. 0, or -1 if it can't; then it is gone. */
int fl_command_start(struct fl_command *command, const char *name);

/*
 * Wait for it. Returns its exit status, or 128 plus the number of the signal
 * that ended it, or -1.
 */
int fl_command_wait(struct fl_command *command);

/* Get rid of a command that was never started. */
void fl_command_kill(struct fl_command *command);

#endif /* FAULTLINE_COMMAND_H */
