// SPDX-License-Identifier: GPL-2.0
/* The command that is measured: forked, started, waited for. See command.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "interrupt.h"

static void run_child(int go, int failed, char *const argv[])
{
	char byte;
	int err;

	signal(SIGPIPE, SIG_DFL);
	fl_interrupt_release();
	/* End of file instead of a byte: the parent has given up. */
	if (read(go, &byte, 1) != 1)
		_exit(0);
	execvp(argv[0], argv);
	err = errno;
	if (write(failed, &err, sizeof(err)) < 0)
		err = EIO;
	_exit(127);
}

int fl_command_fork(struct fl_command *command, char *const argv[])
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return fl_fail("cannot make a pipe: %s; close some files", strerror(errno));
	command->pid = fork();
	if (command->pid < 0)
		return fl_fail("cannot fork: %s; end some processes", strerror(errno));
	if (!command->pid) {
		close(go[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_child(go[0], failed[1], argv);
	}
	close(go[0]);
	close(failed[1]);
	command->go = go[1];
	command->failed = failed[0];
	return 0;
}

int fl_command_start(struct fl_command *command, const char *name)
{
	ssize_t size;
	int err;

	if (fl_interrupted() || write(command->go, "", 1) != 1) {
		fl_command_kill(command);
		return fl_fail("interrupted before %s was started", name);
	}
	close(command->go);
	size = read(command->failed, &err, sizeof(err));
	close(command->failed);
	if (size != sizeof(err)) {
		fl_interrupt_forward(command->pid);
		return 0;
	}
	waitpid(command->pid, NULL, 0);
	command->pid = 0;
	return fl_fail("cannot run %s: %s; name a program that is in PATH, or where it is", name, strerror(err));
}

static void take_status(struct fl_command *command, int status)
{
	fl_interrupt_forward(0);
	command->pid = 0;
	command->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool fl_command_ended(struct fl_command *command)
{
	int status;

	if (!command->pid || !waitpid(command->pid, &status, WNOHANG))
		return !command->pid;
	take_status(command, status);
	return true;
}

void fl_command_wait(struct fl_command *command)
{
	pid_t pid;
	int status;

	if (!command->pid)
		return;
	fl_interrupt_release();
	do
		pid = waitpid(command->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	take_status(command, status);
}

void fl_command_kill(struct fl_command *command)
{
	close(command->go);
	close(command->failed);
	waitpid(command->pid, NULL, 0);
	command->pid = 0;
}
