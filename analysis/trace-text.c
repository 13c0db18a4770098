// SPDX-License-Identifier: GPL-2.0
/* Episodes as text, one a line. See trace-format.h. */
#include "run.h"
#include "trace-format.h"

/* Lines that start with a # are no episodes. */
static void begin(struct fl_trace *trace)
{
	fprintf(trace->out, "# %10s  %-16s %8s %5s  %-18s %5s  %-22s %5s %10s  %-8s exits, us each\n",
		"time s", "virtual machine", "pid", "vcpu", "page", "code", "access", "exits",
		"us", "outcome");
}

static void print_steps(const struct fl_episode *episode, FILE *out)
{
	unsigned int nr = fl_nr_steps(episode), i;

	for (i = 0; i < nr; i++)
		fprintf(out, "%s%s %.2f", i ? ", " : "", fl_class_name(episode->steps[i].class),
			episode->steps[i].ns / 1e3);
	if (episode->exits > nr)
		fprintf(out, ", and %llu more", episode->exits - nr);
}

static void print_place(const struct fl_track *track, const struct fl_episode *episode, FILE *out)
{
	fprintf(out, "  %-16s %8u ", track->vm->name, track->vm->pid);
	if (track->vcpu_id >= 0)
		fprintf(out, "%5d", track->vcpu_id);
	else
		fprintf(out, "%5s", "-");
	if (episode->page == FL_NO_PAGE)
		fprintf(out, "  %-18s", "-");
	else
		fprintf(out, "  0x%016llx", episode->page << 12);
}

static void print(struct fl_trace *trace, struct fl_track *track,
		  const struct fl_episode_record *record)
{
	const struct fl_episode *episode = &record->episode;
	char access[FL_ACCESS_NAME];

	fprintf(trace->out, "%12.6f", (episode->start_ns - trace->start_ns) / 1e9);
	print_place(track, episode, trace->out);
	fprintf(trace->out, " %#5x  %-22s %5llu %10.2f  %-8s ", episode->error_code,
		fl_access_name(episode->error_code, access), episode->exits,
		(episode->end_ns - episode->start_ns) / 1e3, fl_outcome_name(episode->outcome));
	print_steps(episode, trace->out);
	fputc('\n', trace->out);
}

static void end(struct fl_trace *trace, const struct fl_snapshot *last)
{
	fprintf(trace->out, "# %llu episodes of %llu guest faults", trace->nr_episodes,
		fl_tally_guest_faults(&last->total));
	if (last->lost_records)
		fprintf(trace->out, ", %llu LOST", last->lost_records);
	if (fl_tally_lacks_exits(&last->total))
		fputs("; this KVM emits no kvm_exit, so their exits can't be told", trace->out);
	fputc('\n', trace->out);
}

const struct fl_trace_format fl_trace_text = { "text", begin, print, end };
