// SPDX-License-Identifier: GPL-2.0
/*
 * Episodes as Chrome's trace events, which Perfetto and browsers' developer tools
 * show: a process for each virtual machine, a thread for each vCPU, a slice for
 * each episode, with its exits in it. Slices of a thread must not overlap, so
 * episodes that do go into a second thread of the vCPU.
 */
#include "run.h"
#include "trace-format.h"

/*
 * Times are in microseconds, and taken for floating point by some viewers: hence
 * since the trace's start, not the machine's, and episodes a nanosecond longer, so
 * that no rounding can put their last exit outside.
 */
#define EPISODE_MARGIN_NS 1

static void print_us(const char *key, __u64 ns, FILE *out)
{
	fprintf(out, ",\"%s\":%llu.%03llu", key, ns / 1000, ns % 1000);
}

static __u32 thread_id(const struct fl_track *track, unsigned int lane)
{
	return track->id * FL_MAX_LANES + lane + 1;
}

/* ---- Names ---- */

static void print_vm(const struct fl_track_vm *vm, __u32 tid, FILE *out)
{
	fprintf(out, "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":%llu,\"tid\":%u,\"args\":{\"name\":%s}},\n",
		vm->id, tid, vm->json_name);
}

static void print_thread(const struct fl_track *track, unsigned int lane, FILE *out)
{
	__u32 tid = thread_id(track, lane);

	fprintf(out, "{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":%llu,\"tid\":%u,\"args\":{\"name\":\"vCPU ",
		track->vm->id, tid);
	if (track->vcpu_id >= 0)
		fprintf(out, "%d", track->vcpu_id);
	else
		fputc('?', out);
	if (lane)
		fprintf(out, ", overlapping %u", lane);
	fprintf(out, "\"}},\n{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%llu,\"tid\":%u,\"args\":{\"sort_index\":%u}},\n",
		track->vm->id, tid, tid);
}

/* What a viewer has to know of before episodes can go into @lane. */
static void print_names(struct fl_track *track, unsigned int lane, FILE *out)
{
	if (!track->vm->is_named)
		print_vm(track->vm, thread_id(track, lane), out);
	track->vm->is_named = true;
	for (; track->nr_named_lanes <= lane; track->nr_named_lanes++)
		print_thread(track, track->nr_named_lanes, out);
}

/* ---- Events ---- */

/* What all have. */
static void begin_event(const struct fl_track *track, unsigned int lane, const char *category,
			const char *name, FILE *out)
{
	fprintf(out, "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":\"%s\",\"pid\":%llu,\"tid\":%u",
		category, name, track->vm->id, thread_id(track, lane));
}

static void print_episode(const struct fl_trace *trace, const struct fl_track *track,
			  unsigned int lane, const struct fl_episode *episode)
{
	FILE *out = trace->out;
	char access[FL_ACCESS_NAME];

	begin_event(track, lane, "episode", fl_access_name(episode->error_code, access), out);
	print_us("ts", episode->start_ns - trace->start_ns, out);
	print_us("dur", episode->end_ns - episode->start_ns + EPISODE_MARGIN_NS, out);
	fputs(",\"args\":{", out);
	if (episode->page != FL_NO_PAGE)
		fprintf(out, "\"page\":\"0x%llx\",", episode->page << 12);
	fprintf(out, "\"error code\":\"%#x\",\"exits\":%llu,\"exits left out\":%llu,\"outcome\":\"%s\"}}",
		episode->error_code, episode->exits, episode->exits - fl_nr_steps(episode),
		fl_outcome_name(episode->outcome));
}

static void print_step(const struct fl_trace *trace, const struct fl_track *track,
		       unsigned int lane, const struct fl_step *step)
{
	fputs(",\n", trace->out);
	begin_event(track, lane, "exit", fl_class_name(step->class), trace->out);
	print_us("ts", step->exit_ns - trace->start_ns, trace->out);
	print_us("dur", step->ns, trace->out);
	fputc('}', trace->out);
}

static void begin(struct fl_trace *trace)
{
	fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", trace->out);
}

static void print(struct fl_trace *trace, struct fl_track *track,
		  const struct fl_episode_record *record)
{
	const struct fl_episode *episode = &record->episode;
	unsigned int lane = fl_track_lane(track, episode->start_ns,
					  episode->end_ns + EPISODE_MARGIN_NS);
	unsigned int i;

	/* The first one follows an opening bracket. */
	fputs(trace->nr_episodes ? ",\n" : "\n", trace->out);
	print_names(track, lane, trace->out);
	print_episode(trace, track, lane, episode);
	for (i = 0; i < fl_nr_steps(episode); i++)
		print_step(trace, track, lane, &episode->steps[i]);
}

static void end(struct fl_trace *trace, const struct fl_snapshot *last)
{
	fprintf(trace->out, "\n],\"otherData\":{\"schema\":\"faultline.trace/1\",\"clock\":\"CLOCK_MONOTONIC\","
		"\"start_ns\":%llu,\"guest_faults\":%llu,\"episodes\":%llu,\"lost_episodes\":%llu}}\n",
		trace->start_ns, fl_tally_guest_faults(&last->total), trace->nr_episodes, last->lost_records);
}

const struct fl_trace_format fl_trace_chrome = { "chrome", begin, print, end };
