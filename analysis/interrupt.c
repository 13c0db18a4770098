// SPDX-License-Identifier: GPL-2.0
/* Signals that end a measurement. See interrupt.h. */
#include <signal.h>
#include <time.h>

#include "interrupt.h"

static volatile sig_atomic_t interrupted, forward_to;
static sigset_t outside;	/* what was held back before us */

static void take_signal(int number)
{
	if (number == SIGCHLD)
		return;
	interrupted = number;
	if (forward_to)
		kill(forward_to, number);
}

void fl_interrupt_catch(void)
{
	const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_handler = take_signal };
	sigset_t ours;
	size_t i;

	sigemptyset(&ours);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaddset(&ours, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &ours, &outside);
}

void fl_interrupt_release(void)
{
	sigprocmask(SIG_SETMASK, &outside, NULL);
}

void fl_interrupt_forward(pid_t pid)
{
	forward_to = pid;
}

bool fl_interrupted(void)
{
	sigset_t pending;

	/* One that is held back has arrived, too. */
	sigpending(&pending);
	return interrupted || sigismember(&pending, SIGINT) ||
	       sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP);
}

void fl_interrupt_wait(__u64 ns, struct pollfd *fds, size_t nr)
{
	struct timespec timeout = { ns / 1000000000, ns % 1000000000 };
	size_t i;

	if (ppoll(fds, nr, &timeout, &outside) > 0)
		return;
	for (i = 0; i < nr; i++)
		fds[i].revents = 0;
}
