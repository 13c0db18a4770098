// SPDX-License-Identifier: GPL-2.0
/* Which metrics there are. See metrics.h. */
#include "metrics.h"
#include "run.h"
#include "version.h"

struct page {
	FILE *out;
	enum fl_exposition format;
	const struct fl_ledger *ledger;
};

static void begin(const struct page *page, enum fl_metric_type type, const char *name,
		  const char *unit, const char *help)
{
	fl_family_begin(page->out, page->format, type, name, unit, help);
}

/* ---- Labels of the host ---- */

static void print_build(const struct page *page)
{
	begin(page, FL_METRIC_INFO, "build", "", "The faultline that serves these metrics.");
	fprintf(page->out, "faultline_build_info{version=\"%s\"} 1\n", fl_version);
}

static void print_host(const struct page *page, const struct fl_metrics *metrics)
{
	const struct fl_tally *total = &page->ledger->total;
	const struct {
		const char *name, *value;
	} labels[] = {
		{ "kernel", metrics->host.kernel },
		{ "line", metrics->host.line },
		{ "vendor", metrics->vendor },
		{ "mmu", metrics->mmu },
		{ "policy", metrics->host.policy },
		{ "level", fl_tally_lacks_exits(total) ? "faults" : "exits" },
	};
	size_t i;

	begin(page, FL_METRIC_INFO, "host", "",
	      "The kernel, its KVM, and what that does about writes to page tables.");
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		fputs(i ? "," : "faultline_host_info{", page->out);
		fl_label_print(page->out, labels[i].name, labels[i].value);
	}
	fputs("} 1\n", page->out);
}

/* ---- Counts of the host ---- */

static void print_count(const struct page *page, const char *name, __u64 count, const char *help)
{
	begin(page, FL_METRIC_COUNTER, name, "", help);
	fprintf(page->out, "faultline_%s_total %llu\n", name, count);
}

static void print_classes(const struct page *page, const char *name, const __u64 *counts,
			  const char *help)
{
	int class;

	begin(page, FL_METRIC_COUNTER, name, "", help);
	for (class = 0; class < FL_NR_CLASSES; class++)
		fprintf(page->out, "faultline_%s_total{class=\"%s\"} %llu\n", name,
			fl_class_name(class), counts[class]);
}

static void print_events(const struct page *page)
{
	const struct fl_mmu_events *events = &page->ledger->total.events;
	const struct {
		const char *name;
		__u64 count;
	} rows[] = {
		{ "injected", events->injected },
		{ "unsynced", events->unsynced },
		{ "mapped", events->mapped },
		{ "emulated", events->emulated },
	};
	size_t i;

	begin(page, FL_METRIC_COUNTER, "mmu_events", "",
	      "What KVM's MMU did, whether an exit is known to be the cause or not.");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(page->out, "faultline_mmu_events_total{event=\"%s\"} %llu\n",
			rows[i].name, rows[i].count);
}

static void print_host_faults(const struct page *page)
{
	int kind;

	begin(page, FL_METRIC_COUNTER, "host_faults", "",
	      "Page faults of the host's own, with EPT or NPT, by kind.");
	for (kind = 0; kind < FL_NR_HOST_KINDS; kind++)
		fprintf(page->out, "faultline_host_faults_total{kind=\"%s\"} %llu\n",
			fl_host_kind_name(kind), page->ledger->total.host.kinds[kind]);
}

static void print_exit_times(const struct page *page)
{
	char label[32];
	int class;

	begin(page, FL_METRIC_HISTOGRAM, "exit_seconds", "seconds",
	      "How long exits took, from exit to entry.");
	for (class = 0; class < FL_NR_CLASSES; class++) {
		snprintf(label, sizeof(label), "class=\"%s\"", fl_class_name(class));
		fl_durations_print(page->out, "exit_seconds", label,
				   &page->ledger->total.durations[class]);
	}
}

static void print_fault_times(const struct page *page)
{
	begin(page, FL_METRIC_HISTOGRAM, "fault_seconds", "seconds",
	      "How long guest faults took, from the exit that injects one to the entry after it is fixed.");
	fl_durations_print(page->out, "fault_seconds", "",
			   &page->ledger->total.fault_durations);
}

/* How many exits those in the last bucket had, only the sum of all tells. */
static void print_fault_exits(const struct page *page)
{
	const struct fl_tally *total = &page->ledger->total;
	__u64 faults = 0;
	char end[8];
	int exits;

	begin(page, FL_METRIC_HISTOGRAM, "fault_exits", "",
	      "How many exits guest faults cost that are over; the sum has those of the others, too.");
	for (exits = 1; exits < FL_HISTOGRAM - 1; exits++) {
		faults += total->counts.histogram[exits];
		snprintf(end, sizeof(end), "%d.0", exits);
		fl_bucket_print(page->out, "fault_exits", "", end, faults);
	}
	faults += total->counts.histogram[exits];
	fl_bucket_print(page->out, "fault_exits", "", "+Inf", faults);
	fl_sum_print(page->out, "fault_exits", "", fl_tally_exits_in_episodes(total), faults);
}

/* ---- Counts of each VM ---- */

/* Write the samples of one VM; @vm is NULL for all that have none of their own. */
typedef void print_vm(const struct page *page, const struct fl_ledger_vm *vm,
		      const struct fl_tally *tally);

static void for_each_vm(const struct page *page, print_vm *print)
{
	const struct fl_ledger *ledger = page->ledger;
	size_t i;

	for (i = 0; i < ledger->nr_vms; i++) {
		if (ledger->vms[i].tally)
			print(page, &ledger->vms[i], ledger->vms[i].tally);
	}
	print(page, NULL, &ledger->others);
}

/* The beginning of a sample, up to and with the labels of its VM. */
static void print_name(const struct page *page, const char *name, const struct fl_ledger_vm *vm)
{
	fprintf(page->out, "faultline_vm_%s{", name);
	fl_label_print(page->out, "vm", vm ? vm->name : "other");
	if (vm)
		fprintf(page->out, ",pid=\"%u\"", vm->pid);
}

static void print_by_class(const struct page *page, const char *name,
			   const struct fl_ledger_vm *vm, const __u64 *counts)
{
	int class;

	for (class = 0; class < FL_NR_CLASSES; class++) {
		print_name(page, name, vm);
		fprintf(page->out, ",class=\"%s\"} %llu\n", fl_class_name(class), counts[class]);
	}
}

static void print_vm_exits(const struct page *page, const struct fl_ledger_vm *vm,
			   const struct fl_tally *tally)
{
	print_by_class(page, "exits_total", vm, tally->counts.classes);
}

static void print_vm_episode_exits(const struct page *page, const struct fl_ledger_vm *vm,
				 const struct fl_tally *tally)
{
	print_name(page, "episode_exits_total", vm);
	fprintf(page->out, "} %llu\n", fl_tally_exits_in_episodes(tally));
}

static void print_vm_faults(const struct page *page, const struct fl_ledger_vm *vm,
			    const struct fl_tally *tally)
{
	print_name(page, "guest_faults_total", vm);
	fprintf(page->out, "} %llu\n", fl_tally_guest_faults(tally));
}

static void print_vm_times(const struct page *page, const struct fl_ledger_vm *vm,
			   const struct fl_tally *tally)
{
	int class;

	for (class = 0; class < FL_NR_CLASSES; class++) {
		print_name(page, "exit_seconds_total", vm);
		fprintf(page->out, ",class=\"%s\"} %.15g\n", fl_class_name(class),
			tally->durations[class].sum_ns / 1e9);
	}
}

static void print_vm_vcpus(const struct page *page, const struct fl_ledger_vm *vm,
			   const struct fl_tally *tally)
{
	(void)tally;
	if (!vm)
		return;
	print_name(page, "vcpus", vm);
	fprintf(page->out, "} %u\n", vm->nr_vcpus);
}

static void print_vms(const struct page *page)
{
	begin(page, FL_METRIC_COUNTER, "vm_exits", "", "VM exits of a virtual machine, by class.");
	for_each_vm(page, print_vm_exits);
	begin(page, FL_METRIC_COUNTER, "vm_episode_exits", "", "Exits that its guest faults cost.");
	for_each_vm(page, print_vm_episode_exits);
	begin(page, FL_METRIC_COUNTER, "vm_guest_faults", "", "Page faults that KVM delivered to it.");
	for_each_vm(page, print_vm_faults);
	begin(page, FL_METRIC_COUNTER, "vm_exit_seconds", "seconds", "How long its exits took together.");
	for_each_vm(page, print_vm_times);
	begin(page, FL_METRIC_GAUGE, "vm_vcpus", "", "Its vCPUs that were seen to exit; 0 when it has ended.");
	for_each_vm(page, print_vm_vcpus);
}

/* VMs that run, with counts of their own and without. */
static void print_vm_numbers(const struct page *page)
{
	const struct fl_ledger *ledger = page->ledger;
	size_t own = 0, other = 0, i;

	for (i = 0; i < ledger->nr_vms; i++) {
		if (ledger->vms[i].ended_ns)
			continue;
		if (ledger->vms[i].tally)
			own++;
		else
			other++;
	}
	begin(page, FL_METRIC_GAUGE, "vms", "", "Virtual machines that run: with series of their own, or in \"other\".");
	fprintf(page->out, "faultline_vms{series=\"own\"} %zu\n", own);
	fprintf(page->out, "faultline_vms{series=\"other\"} %zu\n", other);
}

void fl_metrics_print(const struct fl_metrics *metrics, enum fl_exposition format, FILE *out)
{
	const struct fl_ledger *ledger = metrics->ledger;
	const struct fl_tally *total = &ledger->total;
	const struct page page = { .out = out, .format = format, .ledger = ledger };

	print_build(&page);
	print_host(&page, metrics);
	print_classes(&page, "exits", total->counts.classes, "VM exits, by class.");
	print_classes(&page, "episode_exits", total->counts.in_episodes,
		      "Those of them that guest faults cost.");
	print_count(&page, "guest_faults", fl_tally_guest_faults(total),
		    "Page faults that KVM delivered to guests.");
	print_events(&page);
	print_host_faults(&page);
	print_exit_times(&page);
	print_fault_times(&page);
	print_fault_exits(&page);
	print_count(&page, "lost_events", ledger->lost_events,
		    "Events that were lost: if not 0, counts are too low.");
	print_vm_numbers(&page);
	print_vms(&page);
	fl_exposition_end(out, format);
}
