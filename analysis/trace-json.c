// SPDX-License-Identifier: GPL-2.0
/*
 * Episodes as JSON, an object a line, schema faultline.episode/1. Written piece
 * by piece, as there may be a million; what needs quoting was quoted before.
 */
#include "run.h"
#include "trace-format.h"

static void begin(struct fl_trace *trace)
{
	(void)trace;
}

static void print_steps(const struct fl_episode *episode, FILE *out)
{
	unsigned int nr = fl_nr_steps(episode), i;

	fputs(",\"steps\":[", out);
	for (i = 0; i < nr; i++) {
		const struct fl_step *step = &episode->steps[i];

		fprintf(out, "%s{\"class\":\"%s\",\"start_ns\":%llu,\"ns\":%u}", i ? "," : "",
			fl_class_name(step->class), step->exit_ns - episode->start_ns, step->ns);
	}
	fprintf(out, "],\"steps_left_out\":%llu", episode->exits - nr);
}

static void print_place(const struct fl_track *track, const struct fl_episode_record *record,
			FILE *out)
{
	fprintf(out, "\"vm\":%s,\"pid\":%u,\"tid\":%u", track->vm->json_name, record->pid, record->tid);
	if (record->vcpu_id >= 0)
		fprintf(out, ",\"vcpu\":%d", record->vcpu_id);
	else
		fputs(",\"vcpu\":null", out);
	/* A number of 64 bits is more than many readers of JSON can take. */
	if (record->episode.page == FL_NO_PAGE)
		fputs(",\"page\":null", out);
	else
		fprintf(out, ",\"page\":\"0x%llx\"", record->episode.page << 12);
}

static void print(struct fl_trace *trace, struct fl_track *track,
		  const struct fl_episode_record *record)
{
	const struct fl_episode *episode = &record->episode;
	char access[FL_ACCESS_NAME];

	fprintf(trace->out, "{\"schema\":\"faultline.episode/1\",\"time_ns\":%llu,", episode->start_ns);
	print_place(track, record, trace->out);
	fprintf(trace->out, ",\"error_code\":%u,\"access\":\"%s\",\"exits\":%llu,\"duration_ns\":%llu,\"outcome\":\"%s\"",
		episode->error_code, fl_access_name(episode->error_code, access), episode->exits,
		episode->end_ns - episode->start_ns, fl_outcome_name(episode->outcome));
	print_steps(episode, trace->out);
	fputs("}\n", trace->out);
}

static void end(struct fl_trace *trace, const struct fl_snapshot *last)
{
	(void)trace;
	(void)last;
}

const struct fl_trace_format fl_trace_json = { "json", begin, print, end };
