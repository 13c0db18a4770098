// SPDX-License-Identifier: GPL-2.0
/* A run as a table for people. See run.h. */
#include "reasons.h"
#include "run.h"

/* Areas of host memory that are listed. */
#define MAX_AREAS 10

/* A duration in microseconds, or nothing if none was measured. */
static void print_us(const struct fl_durations *durations, __u64 ns, FILE *out)
{
	if (durations->count)
		fprintf(out, " %11.2f", ns / 1e3);
	else
		fprintf(out, " %11s", "-");
}

/* Four columns, and the end of the line. */
static void print_times(const struct fl_durations *durations, FILE *out)
{
	print_us(durations, fl_durations_mean(durations), out);
	print_us(durations, fl_durations_quantile(durations, 0.5), out);
	print_us(durations, fl_durations_quantile(durations, 0.99), out);
	print_us(durations, durations->max_ns, out);
	fputc('\n', out);
}

static void print_class(const struct fl_tally *tally, int class, FILE *out)
{
	const struct fl_counts *counts = &tally->counts;

	fprintf(out, "  %-12s %14llu %7.1f%% %14llu", fl_class_name(class), counts->classes[class],
		100.0 * counts->classes[class] / counts->exits, counts->in_episodes[class]);
	print_times(&tally->durations[class], out);
}

static void print_classes(const struct fl_tally *tally, FILE *out)
{
	int i;

	fprintf(out, "  %-12s %14s %8s %14s %11s %11s %11s %11s\n", "class", "exits", "share",
		"in episodes", "mean us", "p50 us", "p99 us", "max us");
	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (tally->counts.classes[i])
			print_class(tally, i, out);
	}
	fprintf(out, "  %-12s %14llu %8s %14llu\n", "total", tally->counts.exits, "",
		fl_tally_exits_in_episodes(tally));
}

static void print_histogram(const __u64 *histogram, FILE *out)
{
	char name[8];
	int i;

	fprintf(out, "\n  %-12s %14s\n", "episode of", "guest faults");
	for (i = 1; i < FL_HISTOGRAM; i++) {
		if (histogram[i])
			fprintf(out, "  %2s %-9s %14llu\n", fl_bucket_name(name, sizeof(name), i),
				i == 1 ? "exit" : "exits", histogram[i]);
	}
}

static void print_reasons(const struct fl_tally *tally, FILE *out)
{
	char name[FL_REASON_NAME];
	__u32 slot;

	fprintf(out, "\n  %-20s %6s\n", "exit reason", "exits");
	for (slot = 0; slot < FL_NR_REASONS; slot++) {
		if (tally->reasons[slot])
			fprintf(out, "  %-18s %8llu\n",
				fl_reason_name(tally->isa, slot, name), tally->reasons[slot]);
	}
}

/* ---- The host's own page faults ---- */

static void print_page_sizes(const struct fl_host_faults *faults, FILE *out)
{
	int level;

	fputs("  pages obtained:", out);
	for (level = 1; level < FL_HOST_LEVELS; level++)
		fprintf(out, "%s %llu of %s", level > 1 ? "," : "", faults->pages[level],
			fl_page_size_name(level));
	fputc('\n', out);
}

static void print_host_faults(const struct fl_tally *tally, FILE *out)
{
	__u64 total = fl_tally_host_faults(tally);
	int i;

	fprintf(out, "\n  %-14s %12s %8s %14s %11s %11s %11s %11s\n", "host fault", "exits",
		"share", "", "mean us", "p50 us", "p99 us", "max us");
	for (i = 0; i < FL_NR_HOST_KINDS; i++) {
		if (!tally->host.kinds[i])
			continue;
		fprintf(out, "  %-14s %12llu %7.1f%% %14s", fl_host_kind_name(i),
			tally->host.kinds[i], 100.0 * tally->host.kinds[i] / total, "");
		print_times(&tally->host.durations[i], out);
	}
	print_page_sizes(&tally->host, out);
}

static void print_area(const struct fl_area_snapshot *area, FILE *out)
{
	fprintf(out, "  %14llu %10llu %10llu %11.2f  %-24s", area->area.touches,
		area->area.minor, area->area.major,
		area->area.ns / 1e3 / area->area.touches, fl_area_name(area));
	if (area->key.end)
		fprintf(out, " %u %llx-%llx", area->key.pid, area->key.start, area->key.end);
	fputc('\n', out);
}

/* Where the memory is that the guests touched first. */
static void print_areas(const struct fl_snapshot *snapshot, FILE *out)
{
	size_t i;

	if (!snapshot->nr_areas)
		return;
	fprintf(out, "\n  %14s %10s %10s %11s  %s\n", "first touches", "minor", "major",
		"mean us", "host memory, process, addresses");
	for (i = 0; i < snapshot->nr_areas && i < MAX_AREAS; i++)
		print_area(&snapshot->areas[i], out);
	if (i < snapshot->nr_areas)
		fprintf(out, "  and %zu areas more; --json has them all\n", snapshot->nr_areas - i);
}

/* ---- All of it ---- */

/* Where there is more than one VM: what is of each. */
static void print_vms(const struct fl_snapshot *snapshot, FILE *out)
{
	size_t i;

	fprintf(out, "\n  %-24s %8s %6s %14s %12s %12s\n", "virtual machine", "pid", "vCPUs",
		"exits", "guest faults", "exits/fault");
	for (i = 0; i < snapshot->nr_vms; i++) {
		const struct fl_vm_snapshot *vm = &snapshot->vms[i];

		fprintf(out, "  %-24.24s %8u %6u %14llu %12llu", vm->name, vm->pid,
			vm->nr_vcpus, vm->tally.counts.exits, fl_tally_guest_faults(&vm->tally));
		if (fl_tally_lacks_ratio(&vm->tally))
			fprintf(out, " %12s\n", "-");
		else
			fprintf(out, " %12.3f\n", fl_tally_exits_per_guest_fault(&vm->tally));
	}
}

/* What a KVM that emits no kvm_exit tells all the same. */
static void print_events(const struct fl_tally *tally, FILE *out)
{
	fprintf(out, "  %-34s %14llu\n", "#PF delivered to the guest", tally->events.injected);
	fprintf(out, "  %-34s %14llu\n", "page faults that KVM fixed", tally->events.mapped);
	fprintf(out, "  %-34s %14llu\n", "page tables gone out of sync", tally->events.unsynced);
	fprintf(out, "  %-34s %14llu\n", "instructions that KVM emulated", tally->events.emulated);
	fputs("\n  This KVM emits no kvm_exit: exits, and how many a fault costs, can't be told.\n", out);
}

static void print_title(const struct fl_run *run, FILE *out)
{
	const struct fl_snapshot *snapshot = &run->snapshot;

	if (run->interval)
		fprintf(out, "\nInterval %u, from %.3f s:", run->interval, run->start_ns / 1e9);
	fprintf(out, "\nLinux %s, %s, %s paging, policy %s, %zu vCPU%s, %.3f s\n\n",
		run->host.kernel, fl_vendor_name(fl_run_isa(run)), fl_run_mmu(run),
		run->policy, snapshot->nr_vcpus, snapshot->nr_vcpus == 1 ? "" : "s",
		run->duration_ns / 1e9);
}

static void print_faults(const struct fl_tally *total, FILE *out)
{
	if (!total->faults_bypass) {
		fprintf(out, "\n  %llu guest faults, %.3f exits per guest fault\n",
			total->counts.guest_faults, fl_tally_exits_per_guest_fault(total));
		return;
	}
	fprintf(out, "\n  %llu guest faults passed through KVM. Others bypass it, as kvm.bypass_guest_pf\n"
		"  was set when the guest was made: only the guest can tell how many there were.\n",
		total->counts.guest_faults);
}

static void print_exits(const struct fl_snapshot *snapshot, FILE *out)
{
	const struct fl_tally *total = &snapshot->total;

	print_classes(total, out);
	if (total->counts.exits)
		print_reasons(total, out);
	if (total->counts.guest_faults)
		print_histogram(total->counts.histogram, out);
	if (fl_tally_host_faults(total)) {
		print_host_faults(total, out);
		print_areas(snapshot, out);
	}
	if (snapshot->nr_vms > 1)
		print_vms(snapshot, out);
	print_faults(total, out);
	if (total->open_episodes)
		fprintf(out, "  %llu of them were still being dealt with at the end\n",
			total->open_episodes);
}

int fl_run_print_table(const struct fl_run *run, FILE *out)
{
	const struct fl_snapshot *snapshot = &run->snapshot;

	print_title(run, out);
	if (fl_tally_lacks_exits(&snapshot->total))
		print_events(&snapshot->total, out);
	else
		print_exits(snapshot, out);
	if (snapshot->lost_events)
		fprintf(out, "  %llu events were LOST: the counts are too low\n",
			snapshot->lost_events);
	fputc('\n', out);
	return fl_run_flush(out);
}
