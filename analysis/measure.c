// SPDX-License-Identifier: GPL-2.0
/* A measurement from beginning to end. See measure.h. */
#include "measure.h"
#include "session.h"

/* How often the policy is looked at: a change that is undone sooner is missed. */
#define POLICY_PERIOD_NS 500000000ULL

struct measurement {
	const struct fl_measurement *what;
	struct fl_session session;
	int records_fd;			/* -1: none */
	int more_records;		/* are waiting already */
	__u64 next_ns;			/* when the interval ends, since the beginning */
	struct fl_run *run;		/* the whole */
	struct fl_run part;		/* the interval that is going on */
	struct fl_snapshot before;	/* when it began */
};

/* ---- Intervals ---- */

static void begin_interval(struct measurement *m, const struct fl_snapshot *now)
{
	m->part.interval++;
	m->part.start_ns = now->time_ns - m->session.start_ns;
	fl_run_begin_policy(&m->part);
	fl_snapshot_free(&m->before);
	m->before = *now;
}

static int fetch_records(struct measurement *m)
{
	if (m->what->handle_record)
		m->more_records = fl_collector_poll_records(m->session.collector,
							    m->what->handle_record, m->what->data);
	return m->more_records < 0 ? -1 : 0;
}

static int end_interval(struct measurement *m)
{
	struct fl_snapshot now;
	int ret;

	if (fetch_records(m))
		return -1;
	if (fl_collector_read(m->session.collector, false, &now))
		return -1;
	if (fl_snapshot_since(&now, &m->before, &m->part.snapshot)) {
		fl_snapshot_free(&now);
		return -1;
	}
	m->part.duration_ns = now.time_ns - m->before.time_ns;
	ret = m->what->handle(&m->part, m->what->data);
	fl_snapshot_free(&m->part.snapshot);
	begin_interval(m, &now);
	return ret;
}

static int end_interval_if_due(struct measurement *m)
{
	__u64 elapsed = fl_session_elapsed(&m->session), interval = m->what->interval_ns;

	if (!interval || elapsed < m->next_ns)
		return 0;
	m->next_ns += interval * ((elapsed - m->next_ns) / interval + 1);
	return end_interval(m);
}

/* How long nothing needs to be done. */
static __u64 time_to_wait(const struct measurement *m)
{
	__u64 elapsed = fl_session_elapsed(&m->session), left;

	if (m->more_records)
		return 0;
	if (!m->what->interval_ns)
		return POLICY_PERIOD_NS;
	left = m->next_ns > elapsed ? m->next_ns - elapsed : 0;
	return left < POLICY_PERIOD_NS ? left : POLICY_PERIOD_NS;
}

/* ---- From beginning to end ---- */

static int begin(struct measurement *m)
{
	struct fl_snapshot now;

	m->records_fd = -1;
	if (m->what->handle_record) {
		m->records_fd = fl_collector_records_fd(m->session.collector);
		if (m->records_fd < 0)
			return -1;
	}
	if (fl_collector_read(m->session.collector, false, &now))
		return -1;
	m->session.start_ns = now.time_ns;
	begin_interval(m, &now);
	return 0;
}

static int observe(struct measurement *m)
{
	while (!fl_session_is_over(&m->session)) {
		if (fl_session_wait_fd(&m->session, time_to_wait(m), m->records_fd))
			return -1;
		fl_run_observe_policy(m->run);
		fl_run_observe_policy(&m->part);
		if (fetch_records(m) || end_interval_if_due(m))
			return -1;
	}
	return 0;
}

static int finish(struct measurement *m)
{
	struct fl_collector *collector = m->session.collector;
	struct fl_run *run = m->run;

	/* The last interval is cut short, and nothing comes after it that the whole has. */
	fl_collector_stop(collector);
	if (m->what->interval_ns && end_interval(m))
		return -1;
	if (m->what->handle_record &&
	    (fetch_records(m) ||
	     fl_collector_settle_records(collector, m->what->handle_record, m->what->data)))
		return -1;
	if (fl_collector_read(collector, true, &run->snapshot))
		return -1;
	run->duration_ns = m->what->selection->window ?
			   run->snapshot.total.window_ns :
			   run->snapshot.time_ns - m->session.start_ns;
	return m->what->handle(run, m->what->data);
}

int fl_measure(const struct fl_measurement *what, struct fl_run *run)
{
	struct measurement m = {
		.what = what,
		.next_ns = what->interval_ns,
		.run = run,
		.part = *run,
	};
	int ret = -1;

	if (fl_session_open(&m.session, what->selection,
			    what->handle_record ? what->records_size : 0))
		return -1;
	if (!begin(&m) && !observe(&m) && !finish(&m))
		ret = fl_session_judge(&m.session, &run->snapshot);
	fl_session_close(&m.session);
	fl_snapshot_free(&m.before);
	return ret;
}
