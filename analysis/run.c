// SPDX-License-Identifier: GPL-2.0
/* A run's labels, and what its printers share. See run.h. */
#include <errno.h>
#include <string.h>

#include "error.h"
#include "run.h"

static const char *const class_names[FL_NR_CLASSES] = {
	[FL_INJECT] = "inject",
	[FL_PTE_WRITE] = "pte-write",
	[FL_UNSYNC] = "unsync",
	[FL_INVLPG] = "invlpg",
	[FL_REFAULT] = "refault",
	[FL_FILL] = "fill",
	[FL_CR] = "cr",
	[FL_MMIO] = "mmio",
	[FL_ASYNC] = "async",
	[FL_OTHER] = "other",
	[FL_REFLECT] = "reflect",
	[FL_VMENTRY] = "vmentry",
	[FL_VMEXIT] = "vmexit",
	[FL_VIRT] = "virt",
};

static const char *const outcome_names[FL_NR_OUTCOMES] = {
	[FL_ENDED_BY_REFAULT] = "refault",
	[FL_ENDED_BY_UPDATE] = "update",
	[FL_ENDED_BY_OUTER] = "outer",
	[FL_ENDED_BY_NEXT] = "next",
	[FL_ENDED_BY_DEPTH] = "depth",
	[FL_ENDED_BY_PREFAULT] = "prefault",
	[FL_STILL_OPEN] = "open",
	[FL_NOT_FOLLOWED] = "unknown",
};

static const char *const host_kind_names[FL_NR_HOST_KINDS] = {
	[FL_HOST_TOUCH] = "touch",
	[FL_HOST_TOUCH_MINOR] = "touch-minor",
	[FL_HOST_TOUCH_MAJOR] = "touch-major",
	[FL_HOST_TOUCH_ASYNC] = "touch-async",
	[FL_HOST_WRITE_PROTECT] = "write-protect",
	[FL_HOST_COPY] = "copy",
	[FL_HOST_EXEC] = "exec",
	[FL_HOST_MMIO] = "mmio",
	[FL_HOST_SPURIOUS] = "spurious",
	[FL_HOST_TABLE] = "table",
	[FL_HOST_NESTED] = "nested",
	[FL_HOST_REFLECTED] = "reflected",
	[FL_HOST_OTHER] = "other",
};

static const char *const page_sizes[FL_HOST_LEVELS] = { "unknown", "4K", "2M", "1G" };

const char *fl_class_name(enum fl_class class)
{
	return class_names[class];
}

const char *fl_outcome_name(enum fl_outcome outcome)
{
	return outcome_names[outcome];
}

const char *fl_host_kind_name(enum fl_host_kind kind)
{
	return host_kind_names[kind];
}

const char *fl_page_size_name(unsigned int level)
{
	return page_sizes[level];
}

const char *fl_area_name(const struct fl_area_snapshot *area)
{
	if (!area->key.end)
		return "elsewhere";
	return *area->area.name ? area->area.name : "anonymous";
}

void fl_run_init(struct fl_run *run)
{
	memset(run, 0, sizeof(*run));
	fl_host_read(&run->host);
	run->host_isa = fl_host_vendor();
	snprintf(run->line, sizeof(run->line), "%s", run->host.line);
	snprintf(run->policy, sizeof(run->policy), "%s", run->host.policy);
	snprintf(run->clock, sizeof(run->clock), "wall");
}

#define PLACE(member)	offsetof(struct fl_run, member), sizeof(((struct fl_run *)NULL)->member)

const struct fl_label fl_labels[] = {
	{ "line", PLACE(line), true },
	{ "kernel", PLACE(host.kernel), false },
	{ "cpu", PLACE(host.cpu), false },
	{ "mmu", PLACE(mmu), false },
	{ "policy", PLACE(policy), true },
	{ "workload", PLACE(workload), true },
	{ "paging", PLACE(paging), true },
	{ "clock", PLACE(clock), true },
	{ "command", PLACE(command), false },
	{ NULL, 0, 0, false },
};

int fl_run_set_label(struct fl_run *run, const char *assignment)
{
	size_t length = strcspn(assignment, "=");
	const char *value = assignment + length + 1;
	const struct fl_label *label;

	for (label = fl_labels; assignment[length] && label->name; label++) {
		if (!label->can_be_set || strlen(label->name) != length ||
		    strncmp(label->name, assignment, length))
			continue;
		if (strlen(value) >= label->size)
			return fl_fail("--set %s is too long; %zu characters are the limit",
				       assignment, label->size - 1);
		strcpy((char *)run + label->place, value);
		if (label->place == offsetof(struct fl_run, policy))
			run->policy_is_set = true;
		return 0;
	}
	return fl_fail("--set %s is not KEY=VALUE with a known KEY: line, policy, workload, paging or clock",
		       assignment);
}

/* A word as a shell wants it. */
static void print_word(const char *word, FILE *out)
{
	if (*word && !word[strcspn(word, " \t\n\"'\\$`*?[]{}()<>|&;#~!")]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, '\0' }, out);
	fputc('\'', out);
}

void fl_run_set_command(struct fl_run *run, int argc, char *const argv[])
{
	static const char cut[] = "...";
	FILE *out = fmemopen(run->command, sizeof(run->command), "w");
	int i;

	if (!out)
		return;
	setbuf(out, NULL);
	fputs("faultline", out);
	for (i = 0; i < argc; i++) {
		fputc(' ', out);
		print_word(argv[i], out);
	}
	if (ferror(out))
		memcpy(run->command + sizeof(run->command) - sizeof(cut), cut, sizeof(cut));
	fclose(out);
}

const char *fl_run_label(const struct fl_run *run, const char *key)
{
	const struct fl_label *label;

	if (!strcmp(key, "vendor"))
		return fl_vendor_name(fl_run_isa(run));
	if (!strcmp(key, "mmu"))
		return fl_run_mmu(run);
	for (label = fl_labels; label->name; label++) {
		if (!strcmp(label->name, key))
			return (const char *)run + label->place;
	}
	return NULL;
}

void fl_run_begin_policy(struct fl_run *run)
{
	if (!run->policy_is_set)
		snprintf(run->policy, sizeof(run->policy), "%s", fl_host_policy());
}

void fl_run_observe_policy(struct fl_run *run)
{
	if (!run->policy_is_set && strcmp(run->policy, fl_host_policy()))
		snprintf(run->policy, sizeof(run->policy), "mixed");
}

__u32 fl_run_isa(const struct fl_run *run)
{
	return run->snapshot.total.isa ? run->snapshot.total.isa : run->host_isa;
}

const char *fl_run_mmu(const struct fl_run *run)
{
	return *run->mmu ? run->mmu : fl_mmu_name(fl_run_isa(run));
}

const char *fl_run_level(const struct fl_run *run)
{
	return fl_tally_lacks_exits(&run->snapshot.total) ? "faults" : "exits";
}

const char *fl_bucket_name(char *name, size_t size, int bucket)
{
	snprintf(name, size, bucket == FL_HISTOGRAM - 1 ? "%d+" : "%d", bucket);
	return name;
}

/* A closed pipe or a full disk shows when the buffer goes out. */
int fl_run_flush(FILE *out)
{
	if (fflush(out) || ferror(out))
		return fl_fail("cannot write the result: %s; %s", strerror(errno), errno == EPIPE ?
			       "what reads it has ended, so write to a file first" :
			       "make room, or write elsewhere");
	return 0;
}
