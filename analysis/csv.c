// SPDX-License-Identifier: GPL-2.0
/* A run as comma-separated values (RFC 4180). See run.h. */
#include <string.h>

#include "run.h"

static void print_time_names(const char *prefix, const char *name, FILE *out)
{
	static const char *const times[] = { "mean", "p50", "p99", "max" };
	size_t i;

	for (i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		fprintf(out, ",%s%s_%s_ns", prefix, name, times[i]);
}

static void print_header(FILE *out)
{
	int i;

	fputs("interval,start_s,duration_s,policy,pid,vm,vcpus,guest_faults,exits_total,exits_in_episodes,exits_per_guest_fault", out);
	for (i = 0; i < FL_NR_CLASSES; i++)
		fprintf(out, ",%s", fl_class_name(i));
	for (i = 0; i < FL_NR_CLASSES; i++)
		print_time_names("", fl_class_name(i), out);
	fputs(",open_episodes,lost_events", out);
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		fprintf(out, ",host_%s", fl_host_kind_name(i));
	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		print_time_names("host_", fl_host_kind_name(i), out);
	for (i = 1; i < FL_HOST_LEVELS; i++)
		fprintf(out, ",host_%s_pages", fl_page_size_name(i));
	fputc('\n', out);
}

/* A field that may hold anything: a VM's name. */
static void print_text(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void print_times(const struct fl_durations *durations, int nr, FILE *out)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!durations[i].count)
			fputs(",,,,", out);
		else
			fprintf(out, ",%llu,%llu,%llu,%llu", fl_durations_mean(&durations[i]),
				fl_durations_quantile(&durations[i], 0.5),
				fl_durations_quantile(&durations[i], 0.99), durations[i].max_ns);
	}
}

static void print_host_faults(const struct fl_host_faults *faults, FILE *out)
{
	int i;

	for (i = 0; i < FL_NR_HOST_KINDS; i++)
		fprintf(out, ",%llu", faults->kinds[i]);
	print_times(faults->durations, FL_NR_HOST_KINDS, out);
	for (i = 1; i < FL_HOST_LEVELS; i++)
		fprintf(out, ",%llu", faults->pages[i]);
}

static void print_tally(const struct fl_run *run, const struct fl_tally *tally, FILE *out)
{
	int i;

	fprintf(out, ",%llu,%llu,%llu,", fl_tally_guest_faults(tally),
		tally->counts.exits, fl_tally_exits_in_episodes(tally));
	if (!fl_tally_lacks_ratio(tally))
		fprintf(out, "%.6f", fl_tally_exits_per_guest_fault(tally));
	for (i = 0; i < FL_NR_CLASSES; i++)
		fprintf(out, ",%llu", tally->counts.classes[i]);
	print_times(tally->durations, FL_NR_CLASSES, out);
	fprintf(out, ",%llu,%llu", tally->open_episodes, run->snapshot.lost_events);
	print_host_faults(&tally->host, out);
	fputc('\n', out);
}

/* What is of the whole measurement has no interval. */
static void print_labels(const struct fl_run *run, FILE *out)
{
	if (run->interval)
		fprintf(out, "%u", run->interval);
	fprintf(out, ",%.3f,%.3f,%s", run->start_ns / 1e9, run->duration_ns / 1e9, run->policy);
}

int fl_run_print_csv(const struct fl_run *run, FILE *out, bool first)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	size_t i;

	if (first)
		print_header(out);
	for (i = 0; i < snapshot->nr_vms; i++) {
		print_labels(run, out);
		fprintf(out, ",%u,", snapshot->vms[i].pid);
		print_text(snapshot->vms[i].name, out);
		fprintf(out, ",%u", snapshot->vms[i].nr_vcpus);
		print_tally(run, &snapshot->vms[i].tally, out);
	}
	print_labels(run, out);
	fprintf(out, ",,\"\",%zu", snapshot->nr_vcpus);
	print_tally(run, &snapshot->total, out);
	return fl_run_flush(out);
}
