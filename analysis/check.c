// SPDX-License-Identifier: GPL-2.0
/* faultline check: what can be measured on this host, and what to do about the rest. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <json-c/json.h>

#include "collector.h"
#include "commands.h"
#include "error.h"
#include "host.h"
#include "options.h"
#include "probe.h"
#include "run.h"

#define MAX_ADVICE 16

const char fl_check_help[] =
"usage: faultline check [--json]\n"
"\n"
"Tell what faultline can measure on this host: its KVM, the kernel's tracepoints\n"
"and BTF, and this process's privileges; and for what is missing, what to do.\n"
"\n"
"      --json  print one JSON object (schema faultline.check/1)\n"
"  -h, --help  print this help\n"
"\n"
"The level is one of\n"
"  series  exits per guest fault, and what KVM did about each page table write\n"
"  exits   the same, where a write to a page table is inferred from emulation\n"
"  tdp     exits by cause, and the host's own page faults by kind; with NPT or EPT\n"
"          guest faults are invisible\n"
"  faults  guest faults and MMU events; whether exits, only measuring shows (PVM)\n"
"  none    nothing\n"
"\n"
"Exit status: 0 if it can measure, 1 if not, 2 usage.\n";

/* What was found out; NULL for what this host doesn't have. */
struct findings {
	struct fl_host host;
	__u32 isa;
	const char *level;
	bool privileged, has_btf, kvm_btf_is_module, loads;
	char lockdown[32];
	int arguments[32];	/* of each of fl_tracepoints, or -1 */
	char obstacle[512];
	const char *advice[MAX_ADVICE];
	size_t nr_advice;
};

/* The parameters that decide how page tables are kept. */
static const struct {
	const char *module, *name;
} parameters[] = {
	{ "kvm_amd", "npt" },
	{ "kvm_intel", "ept" },
	{ "kvm", "tdp_mmu" },
	{ "kvm", "oos_shadow" },
	{ "kvm", "pte_update" },
	{ "kvm", "bypass_guest_pf" },
	{ "kvm", "nested_prefault" },
	{ "kvm", "sticky_unsync" },
};

#define NR_PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static bool read_parameter(size_t i, char *value, size_t size)
{
	return fl_host_parameter(parameters[i].module, parameters[i].name, value, size);
}

/* ---- Finding out ---- */

static void advise(struct findings *f, const char *advice)
{
	if (f->nr_advice < MAX_ADVICE)
		f->advice[f->nr_advice++] = advice;
}

/* As fl_probe_tracepoint(). */
static int count_arguments(const struct findings *f, const char *name)
{
	size_t i;

	for (i = 0; i < fl_nr_tracepoints; i++) {
		if (!strcmp(fl_tracepoints[i].name, name))
			return f->arguments[i];
	}
	return -1;
}

static bool has_tracepoint(const struct findings *f, const char *name)
{
	return count_arguments(f, name) >= 0;
}

static void probe_kernel(struct findings *f)
{
	struct fl_probe probe;
	const char *obstacle;
	size_t i;

	for (i = 0; i < fl_nr_tracepoints; i++)
		f->arguments[i] = -1;
	f->has_btf = fl_probe_has_btf();
	if (!f->has_btf || fl_probe_open(&probe)) {
		snprintf(f->obstacle, sizeof(f->obstacle), "%s", fl_probe_no_btf);
		return;
	}
	f->kvm_btf_is_module = probe.kvm;
	for (i = 0; i < fl_nr_tracepoints; i++)
		f->arguments[i] = fl_probe_tracepoint(&probe, fl_tracepoints[i].name);
	obstacle = fl_probe_obstacle(&probe);
	if (obstacle)
		snprintf(f->obstacle, sizeof(f->obstacle), "%s", obstacle);
	fl_probe_close(&probe);
}

/* The proof: load and attach the programs. */
static void try_to_load(struct findings *f)
{
	struct fl_collector_options options = FL_COLLECTOR_DEFAULTS;
	struct fl_collector *collector;

	if (*f->obstacle)
		return;
	collector = fl_collector_open(&options);
	f->loads = collector;
	if (!collector)
		snprintf(f->obstacle, sizeof(f->obstacle),
			 "the BPF programs can't be loaded, as said on standard error");
	fl_collector_close(collector);
}

static const char *find_level(const struct findings *f)
{
	if (*f->obstacle)
		return "none";
	if (f->isa == FL_ISA_PVM)
		return "faults";
	if (!strcmp(fl_mmu_name(f->isa), "tdp"))
		return "tdp";
	return has_tracepoint(f, "kvm_mmu_pte_write") ? "series" : "exits";
}

/* What can't be told of the host's own page faults. */
static void advise_on_host_faults(struct findings *f)
{
	int nr = count_arguments(f, "kvm_mmu_spte_requested");

	if (nr < 0)
		advise(f, "without kvm_mmu_spte_requested, neither page sizes nor host memory can be told; use a kernel that has it");
	else if (nr > 2)
		advise(f, "this kernel doesn't tell where in the host's memory a guest's page is; use Linux 5.17 or later");
}

static void find_advice(struct findings *f)
{
	if (*f->obstacle)
		advise(f, f->obstacle);
	if (!f->isa)
		advise(f, "no KVM is in use on this host; load kvm_amd or kvm_intel, and allow virtualization in the firmware");
	if (f->isa == FL_ISA_PVM)
		advise(f, "a PVM may emit no kvm_exit: exits, and how many a fault costs, are then not to be told; use one with trace_kvm_exit(), or a host with SVM or VMX");
	if (f->isa && !strcmp(fl_mmu_name(f->isa), "tdp"))
		advise(f, f->isa == FL_ISA_SVM ?
			       "with NPT, guest faults are invisible except to nested guests' hosts; to shadow page tables, reload kvm_amd with npt=0" :
			       "with EPT, guest faults are invisible except to nested guests' hosts; to shadow page tables, reload kvm_intel with ept=0");
	if (f->level && !strcmp(f->level, "tdp"))
		advise_on_host_faults(f);
	if (!has_tracepoint(f, "kvm_mmu_pte_write") && f->isa != FL_ISA_PVM)
		advise(f, "without kvm_mmu_pte_write, an emulated instruction counts as a write to a page table; for certainty, use a kernel with faultline's series (patches/)");
	if (fl_host_bypass())
		advise(f, "with kvm.bypass_guest_pf, guest faults on pages that the guest has not mapped bypass KVM, and can't be counted; for exits per guest fault, write N to it before the guest is made");
	if (!has_tracepoint(f, "kvm_mmu_unsync_page"))
		advise(f, "without kvm_mmu_unsync_page, unsyncs are counted as fills; use a kernel that has it");
	if (!has_tracepoint(f, "kvm_emulate_insn") && !has_tracepoint(f, "kvm_mmu_pte_write"))
		advise(f, "without kvm_emulate_insn, writes to page tables are counted as fills; use a kernel that has it");
}

static void find_out(struct findings *f)
{
	memset(f, 0, sizeof(*f));
	fl_host_read(&f->host);
	f->isa = fl_host_vendor();
	f->privileged = fl_probe_privileged();
	fl_host_lockdown(f->lockdown, sizeof(f->lockdown));
	probe_kernel(f);
	if (!*f->obstacle && !f->privileged)
		snprintf(f->obstacle, sizeof(f->obstacle), "%s", fl_probe_no_privileges);
	try_to_load(f);
	f->level = find_level(f);
	find_advice(f);
}

/* ---- Printing ---- */

static void print_row(const char *what, const char *value)
{
	printf("  %-24s %s\n", what, value);
}

static void print_tracepoint(const struct findings *f, size_t i)
{
	const struct fl_tracepoint *tracepoint = &fl_tracepoints[i];
	char text[256];

	snprintf(text, sizeof(text), "%s: %s%s",
		 f->arguments[i] >= 0 ? "yes" : tracepoint->required ? "MISSING" : "no",
		 tracepoint->use, tracepoint->series ? " (the series)" : "");
	print_row(tracepoint->name, text);
}

static void print_text(const struct findings *f)
{
	char value[64], name[64];
	size_t i;

	printf("\nLinux %s\n\n", f->host.kernel);
	print_row("KVM", fl_vendor_name(f->isa));
	print_row("guests' page tables", fl_mmu_name(f->isa));
	for (i = 0; i < NR_PARAMETERS; i++) {
		snprintf(name, sizeof(name), "%s.%s", parameters[i].module, parameters[i].name);
		print_row(name, read_parameter(i, value, sizeof(value)) ? value : "-");
	}
	print_row("policy", f->host.policy);
	print_row("privileges", f->privileged ? "yes" : "MISSING");
	print_row("lockdown", f->lockdown);
	print_row("BTF", !f->has_btf ? "MISSING" : f->kvm_btf_is_module ?
		  "yes, and of the kvm module" : "yes");
	for (i = 0; i < fl_nr_tracepoints; i++)
		print_tracepoint(f, i);
	print_row("BPF programs", f->loads ? "load and attach" : "not loaded");
	printf("\nLevel of measurement: %s\n", f->level);
	for (i = 0; i < f->nr_advice; i++)
		printf("- %s\n", f->advice[i]);
	putchar('\n');
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *parameters_to_json(void)
{
	struct json_object *object = json_object_new_object();
	char value[64], name[64];
	size_t i;

	for (i = 0; i < NR_PARAMETERS; i++) {
		snprintf(name, sizeof(name), "%s.%s", parameters[i].module, parameters[i].name);
		if (read_parameter(i, value, sizeof(value)))
			add_text(object, name, value);
		else
			json_object_object_add(object, name, NULL);
	}
	return object;
}

static struct json_object *tracepoints_to_json(const struct findings *f)
{
	struct json_object *object = json_object_new_object();
	size_t i;

	for (i = 0; i < fl_nr_tracepoints; i++)
		json_object_object_add(object, fl_tracepoints[i].name,
				       json_object_new_boolean(f->arguments[i] >= 0));
	return object;
}

static void print_json(const struct findings *f)
{
	struct json_object *object = json_object_new_object();
	struct json_object *advice = json_object_new_array();
	size_t i;

	add_text(object, "schema", "faultline.check/1");
	add_text(object, "kernel", f->host.kernel);
	add_text(object, "vendor", fl_vendor_name(f->isa));
	add_text(object, "mmu", fl_mmu_name(f->isa));
	add_text(object, "policy", f->host.policy);
	json_object_object_add(object, "parameters", parameters_to_json());
	json_object_object_add(object, "privileged", json_object_new_boolean(f->privileged));
	add_text(object, "lockdown", f->lockdown);
	json_object_object_add(object, "btf", json_object_new_boolean(f->has_btf));
	json_object_object_add(object, "tracepoints", tracepoints_to_json(f));
	json_object_object_add(object, "loads", json_object_new_boolean(f->loads));
	add_text(object, "level", f->level);
	for (i = 0; i < f->nr_advice; i++)
		json_object_array_add(advice, json_object_new_string(f->advice[i]));
	json_object_object_add(object, "advice", advice);
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = fl_next_option(argc, argv, "h", options)) != -1) {
		if (option == 'h') {
			fputs(fl_check_help, stdout);
			return -1;
		}
		if (option != 'j')
			return fl_bad_option("check", option, argv);
		*json = true;
	}
	if (optind == argc)
		return FL_DONE;
	return fl_usage_error("check", "unknown argument %s", argv[optind]);
}

int fl_cmd_check(int argc, char **argv)
{
	struct findings findings;
	bool json = false;
	int ret = parse(argc, argv, &json);

	if (ret)
		return ret < 0 ? FL_DONE : ret;
	find_out(&findings);
	if (json)
		print_json(&findings);
	else
		print_text(&findings);
	if (fl_run_flush(stdout))
		return FL_FAILED;
	if (strcmp(findings.level, "none"))
		return FL_DONE;
	fl_fail("%s", findings.obstacle);
	return FL_FAILED;
}
