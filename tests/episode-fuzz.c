// SPDX-License-Identifier: GPL-2.0
/*
 * Drives the episode state machine (bpf/episode.h), and what gives the host's own
 * page faults their kinds (bpf/host_fault.h), with whatever events libFuzzer comes
 * up with, and checks after each what must hold whatever the events are.
 * Run by `make fuzz`, and shortly, with the corpus, by tests/episode-fuzz.t.
 *
 * Input: the first byte's lowest bit says whether records are asked for; then
 * events of three bytes: what, and two bytes of argument.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "episode.h"
#include "host_fault.h"

#define EVENT_SIZE 3

/* The machine, and what it must agree with, counted in a plainer way. */
struct world {
	struct fl_vcpu v;
	__u64 now, exits, injects, forgotten, ended;
	int inject_pending;		/* or a reflection */

	struct fl_host_fault host;
	struct fl_host_faults host_counts;
	struct fl_host_stat stat;	/* the kernel's */
	__u64 host_faults;		/* exits for them that were closed */
};

static void require(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "violated: %s\n", what);
	abort();
}

#define REQUIRE(condition) require(condition, #condition)

static __u64 sum(const __u64 *counts, int nr)
{
	__u64 total = 0;

	while (nr--)
		total += counts[nr];
	return total;
}

static void check_counts(const struct world *w)
{
	const struct fl_counts *counts = &w->v.counts;
	int i;

	REQUIRE(counts->exits == w->exits - w->forgotten);
	REQUIRE(sum(counts->classes, FL_NR_CLASSES) + w->v.exit_open == counts->exits);
	REQUIRE(counts->guest_faults == counts->classes[FL_INJECT] + counts->classes[FL_REFLECT]);
	REQUIRE(counts->guest_faults == w->injects);
	REQUIRE(counts->in_episodes[FL_INJECT] == counts->classes[FL_INJECT]);
	REQUIRE(counts->in_episodes[FL_REFLECT] == counts->classes[FL_REFLECT]);
	REQUIRE(counts->in_episodes[FL_REFAULT] == counts->classes[FL_REFAULT]);
	REQUIRE(sum(counts->histogram, FL_HISTOGRAM) + w->v.nr_open == counts->guest_faults);
	REQUIRE(!counts->histogram[0]);
	for (i = 0; i < FL_NR_CLASSES; i++)
		REQUIRE(counts->in_episodes[i] <= counts->classes[i]);
	for (i = FL_FILL; i < FL_NR_CLASSES; i++)
		REQUIRE(i == FL_REFLECT || !counts->in_episodes[i]);
}

static void check_durations(const struct world *w)
{
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++) {
		const struct fl_durations *durations = &w->v.durations[i];

		REQUIRE(durations->count <= w->v.counts.classes[i]);
		REQUIRE(sum(durations->buckets, FL_DURATION_BUCKETS) == durations->count);
		REQUIRE(durations->max_ns <= durations->sum_ns);
	}
}

static void check_host_faults(const struct world *w)
{
	const struct fl_host_faults *counts = &w->host_counts;
	int i;

	REQUIRE(sum(counts->kinds, FL_NR_HOST_KINDS) == w->host_faults);
	REQUIRE(sum(counts->pages, FL_HOST_LEVELS) <= w->host_faults);
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		REQUIRE(counts->durations[i].count <= counts->kinds[i]);
}

/* Exits in episodes are those of the open ones and of the ended ones. */
static void check_episodes(const struct world *w)
{
	__u64 ended = 0, open = 0, many = 0;
	int i;

	REQUIRE(w->v.nr_open <= FL_MAX_OPEN);
	REQUIRE(w->v.nr_ended <= FL_MAX_OPEN);
	for (i = 0; i < w->v.nr_open; i++) {
		REQUIRE(w->v.open[i].exits);
		open += w->v.open[i].exits;
	}
	for (i = 1; i < FL_HISTOGRAM; i++)
		ended += i * w->v.counts.histogram[i];
	many = w->v.counts.histogram[FL_HISTOGRAM - 1];
	REQUIRE(sum(w->v.counts.in_episodes, FL_NR_CLASSES) >= ended + open);
	REQUIRE(many || sum(w->v.counts.in_episodes, FL_NR_CLASSES) == ended + open);
}

/* Records say what the histogram says. */
static void take_records(struct world *w)
{
	int i;

	for (i = 0; i < w->v.nr_ended; i++) {
		const struct fl_episode *episode = &w->v.ended[i];

		REQUIRE(w->v.keep_ended);
		REQUIRE(episode->outcome < FL_NR_OUTCOMES);
		REQUIRE(episode->exits);
		REQUIRE(episode->steps[0].class == (episode->nested ? FL_REFLECT : FL_INJECT));
		REQUIRE(episode->start_ns <= episode->end_ns);
	}
	w->ended += w->v.nr_ended;
	w->v.nr_ended = 0;
	if (w->v.keep_ended)
		REQUIRE(w->ended == sum(w->v.counts.histogram, FL_HISTOGRAM));
}

static void check(struct world *w)
{
	check_counts(w);
	check_host_faults(w);
	check_episodes(w);
	take_records(w);
}

static void close_host_fault(struct world *w, __u64 ns)
{
	__u32 was_open = w->host.open, kind;

	fl_host_verdict(&w->host, &w->stat);
	kind = fl_host_close(&w->host_counts, &w->host, w->v.facts, ns);
	REQUIRE((kind < FL_NR_HOST_KINDS) == was_open);
	w->host_faults += was_open;
}

/* Whatever closes an exit settles whether it was an inject. */
static void closed(struct world *w, __u64 ns)
{
	close_host_fault(w, ns);
	w->injects += w->inject_pending;
	w->inject_pending = 0;
}

static void exit_guest(struct world *w, uint8_t isa, uint16_t argument)
{
	__u32 reason = argument & 0xfff;

	closed(w, 0);
	fl_exit(&w->v, fl_exit_kind(isa & 3, reason), (argument >> 12) << 12, w->now);
	if (fl_is_host_fault(isa & 3, reason))
		fl_host_exit(&w->host, &w->stat);
	w->exits++;
}

/* What the kernel does about a fault of the host's own. */
static void deal_with_host_fault(struct world *w, uint8_t how, uint16_t argument)
{
	__u64 *const counters[] = {
		&w->stat.fixed, &w->stat.spurious, &w->stat.minor, &w->stat.major,
	};

	if (how & 4)
		*counters[how & 3] += 1;
	else if (how == 0)
		fl_host_mapping(&w->host, argument & 7, &w->stat);
	else if (how == 1)
		fl_host_prefetch(&w->host);
	else
		fl_host_deferred(&w->host);
}

/* What KVM does about an exit of L2's, or about an entry. */
static void deal_with_l2(struct world *w, uint8_t how, uint16_t argument)
{
	static const enum fl_fact facts[] = { FL_SAW_NESTED, FL_SAW_DEVICE, FL_SAW_HANDED };

	if (how < 3) {
		fl_saw(&w->v, facts[how]);
	} else if (how < 6) {
		fl_reflect(&w->v, how == 3 ? 0 : (__u64)argument << 8);
		w->inject_pending = 1;
	} else {
		fl_prefault(&w->v, (__u64)argument << 8, argument & 0xf000);
	}
}

static void in_exit(struct world *w, uint8_t what, uint8_t how, uint16_t argument)
{
	/* As the BPF programs do: an event with no exit open is not counted. */
	if (!w->v.exit_open)
		return;
	if (w->host.open && how & 8)
		deal_with_host_fault(w, how & 7, argument);
	if (how & 16)
		deal_with_l2(w, how & 7, argument);
	switch (what) {
	case 0:
		fl_page_fault(&w->v, (__u64)argument << 8);
		if (w->host.open)
			fl_host_error(&w->host, how & 3, (__u64)argument << 8, argument);
		break;
	case 1:
		fl_inject_pf(&w->v, (__u64)argument << 8, argument & 0xff);
		w->inject_pending = 1;
		break;
	case 2:
		fl_pte_updated(&w->v, argument, argument & 1 ? 4 : 8);
		break;
	case 3:
		fl_saw(&w->v, 1U << (argument % 5));
		w->inject_pending |= argument % 5 == 0;
		break;
	default:
		fl_forget_exit(&w->v);
		w->host.open = 0;
		w->forgotten++;
		w->inject_pending = 0;
	}
}

static void step(struct world *w, const uint8_t *event)
{
	uint16_t argument = event[1] | event[2] << 8;
	uint8_t what = event[0] & 7;

	w->now += 1 + argument;
	if (what <= 4) {
		in_exit(w, what, event[0] >> 3, argument);
	} else if (what == 5) {
		closed(w, argument);
		fl_entry(&w->v, w->now);
	} else {
		exit_guest(w, event[0] >> 3, argument);
	}
	check(w);
}

/* A snapshot in between must add up, too, and leaves the machine as it was. */
static void check_snapshot(const struct world *w)
{
	struct world copy = *w;

	closed(&copy, 0);
	REQUIRE(fl_settle(&copy.v) <= FL_MAX_OPEN);
	REQUIRE(!copy.v.exit_open && !copy.v.nr_open);
	check_counts(&copy);
	check_host_faults(&copy);
	check_durations(&copy);
	check_episodes(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	size_t i;

	memset(&w, 0, sizeof(w));
	w.v.keep_ended = size && data[0] & 1;
	for (i = 1; i + EVENT_SIZE <= size; i += EVENT_SIZE)
		step(&w, data + i);
	check_snapshot(&w);
	return 0;
}
