// SPDX-License-Identifier: GPL-2.0
/* A measurement that is going on. See session.h. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "error.h"
#include "interrupt.h"
#include "session.h"
#include "vmm.h"

/* ---- Beginning ---- */

static int open_target(struct fl_session *session)
{
	const struct fl_selection *selection = session->selection;
	pid_t pid = selection->pid;

	if (selection->vm) {
		pid = fl_vm_find(selection->vm);
		if (pid < 0)
			return -1;
	} else if (pid && fl_vm_check(pid)) {
		return -1;
	}
	if (!pid)
		return 0;
	session->pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (session->pidfd < 0)
		return fl_fail("cannot watch process %d: %s; is it a thread, or has it ended?",
			       pid, strerror(errno));
	return fl_collector_add_target(session->collector, pid, false);
}

static int open_collector(struct fl_session *session, size_t records_size)
{
	const struct fl_selection *selection = session->selection;
	const struct fl_collector_options options = {
		.all = selection->all,
		.use_window = selection->window,
		.vcpu_id = selection->vcpu_id,
		.records_size = records_size,
		.filter = selection->filter,
	};

	session->collector = fl_collector_open(&options);
	if (!session->collector || open_target(session))
		return -1;
	if (!selection->command || selection->all || session->pidfd >= 0)
		return 0;
	return fl_collector_add_target(session->collector, session->command.pid, true);
}

int fl_session_open(struct fl_session *session, const struct fl_selection *selection,
		    size_t records_size)
{
	char **command = selection->command;

	memset(session, 0, sizeof(*session));
	session->selection = selection;
	session->pidfd = -1;
	if (command && fl_command_fork(&session->command, command))
		return -1;
	if (open_collector(session, records_size)) {
		if (command)
			fl_command_kill(&session->command);
		fl_session_close(session);
		return -1;
	}
	if (command && fl_command_start(&session->command, command[0])) {
		fl_session_close(session);
		return -1;
	}
	session->start_ns = fl_now_ns();
	return 0;
}

/* ---- Going on ---- */

__u64 fl_session_elapsed(const struct fl_session *session)
{
	return fl_now_ns() - session->start_ns;
}

bool fl_session_is_over(struct fl_session *session)
{
	const struct fl_selection *selection = session->selection;

	if (fl_interrupted())
		return true;
	if (selection->command)
		return fl_command_ended(&session->command);
	return session->pid_ended ||
	       (selection->duration_ns && fl_session_elapsed(session) >= selection->duration_ns);
}

__u64 fl_session_time_left(const struct fl_session *session, __u64 ns)
{
	__u64 duration = session->selection->duration_ns;
	__u64 elapsed = fl_session_elapsed(session);
	__u64 left = duration > elapsed ? duration - elapsed : 0;

	return duration && left < ns ? left : ns;
}

int fl_session_wait_fd(struct fl_session *session, __u64 ns, int fd)
{
	struct pollfd fds[] = {
		/* What has ended is ready for good, and a command may go on. */
		{ .fd = session->pid_ended ? -1 : session->pidfd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	fl_interrupt_wait(fl_session_time_left(session, ns), fds, 2);
	if (fds[0].revents)
		session->pid_ended = true;
	return fl_collector_tidy(session->collector);
}

int fl_session_wait(struct fl_session *session, __u64 ns)
{
	return fl_session_wait_fd(session, ns, -1);
}

/* ---- Ending ---- */

/* Why nothing was seen, as far as can be told. */
static int fail_unseen(const struct fl_session *session)
{
	const struct fl_selection *selection = session->selection;
	bool may_lack_exits = fl_collector_may_lack_exits(session->collector);

	if (selection->window)
		return fl_fail("no window was seen; does the guest mark one?");
	if (selection->vcpu_id != FL_ANY_VCPU)
		return fl_fail("no VM exit of vCPU %d was seen; %s", selection->vcpu_id, may_lack_exits ?
			       "if this KVM (PVM) emits no kvm_exit, vCPUs can't be told apart: leave -v out" :
			       "leave -v out to see which there are");
	if (may_lack_exits)
		return fl_fail("no VM exit and no guest fault was seen; this KVM (PVM) may tell of neither, 'faultline check' says more");
	return fl_fail("no VM exit was seen; does %s run a virtual machine?",
		       selection->pid || selection->vm ? "the process" :
		       selection->all ? "this host" : "COMMAND");
}

int fl_session_judge(struct fl_session *session, const struct fl_snapshot *last)
{
	const struct fl_selection *selection = session->selection;
	const struct fl_tally *total = &last->total;

	fl_command_wait(&session->command);
	if (selection->command && session->command.status)
		return fl_fail("%s failed with status %d; its counts are not a measurement",
			       selection->command[0], session->command.status);
	if (last->lost_events)
		return fl_fail("%llu events were lost; the counts are too low, measure fewer VMs at once",
			       last->lost_events);
	if (total->counts.exits || total->window_ns || fl_tally_lacks_exits(total))
		return 0;
	return fail_unseen(session);
}

void fl_session_close(struct fl_session *session)
{
	fl_collector_close(session->collector);
	session->collector = NULL;
	/* It has got the signal that ended the measurement, and ends as it likes. */
	if (fl_interrupted())
		fl_command_wait(&session->command);
	if (session->pidfd >= 0)
		close(session->pidfd);
	session->pidfd = -1;
}
