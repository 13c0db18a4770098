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

static volatile sig_atomic_t running_child, interrupted;

static void pass_on(int signal)
{
	interrupted = signal;
	if (running_child)
		kill(running_child, signal);
}

static void catch_signals(void)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = pass_on };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

static void run_child(int go, int failed, char *const argv[])
{
	char byte;
	int err;

	signal(SIGPIPE, SIG_DFL);
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

	catch_signals();
	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return fl_fail("cannot make a pipe: %s", strerror(errno));
	command->pid = fork();
	if (command->pid < 0)
		return fl_fail("cannot fork: %s", strerror(errno));
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

	running_child = command->pid;
	if (interrupted || write(command->go, "", 1) != 1) {
		fl_command_kill(command);
		return fl_fail("interrupted before %s was started", name);
	}
	close(command->go);
	do
		size = read(command->failed, &err, sizeof(err));
	while (size < 0 && errno == EINTR);
	close(command->failed);
	if (size != sizeof(err))
		return 0;
	waitpid(command->pid, NULL, 0);
	return fl_fail("cannot run %s: %s", name, strerror(err));
}

int fl_command_wait(struct fl_command *command)
{
	int status;

	while (waitpid(command->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fl_fail("lost the command: %s", strerror(errno));
	}
	running_child = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void fl_command_kill(struct fl_command *command)
{
	close(command->go);
	close(command->failed);
	waitpid(command->pid, NULL, 0);
}
