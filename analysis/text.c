// SPDX-License-Identifier: GPL-2.0
/* Runs as charts for a terminal. See text.h. */
#include "text.h"

/* The bars' room, between a label and a figure. */
#define WIDTH 52

/* All classes, in the order in which their exits come in an episode. */
static const struct {
	enum fl_class class;
	char letter;
} parts[] = {
	{ FL_INJECT, 'I' },
	{ FL_REFLECT, 'N' },
	{ FL_UNSYNC, 'U' },
	{ FL_PTE_WRITE, 'P' },
	{ FL_INVLPG, 'L' },
	{ FL_REFAULT, 'R' },
	/* Those from here on are in no episode. */
	{ FL_FILL, 'F' },
	{ FL_CR, 'C' },
	{ FL_MMIO, 'M' },
	{ FL_ASYNC, 'A' },
	{ FL_OTHER, 'O' },
	{ FL_VMENTRY, 'E' },
	{ FL_VMEXIT, 'X' },
	{ FL_VIRT, 'V' },
};

#define NR_PARTS (sizeof(parts) / sizeof(parts[0]))
_Static_assert(NR_PARTS == FL_NR_CLASSES, "each class has a letter");

static double exits_of(const struct fl_tally *tally, size_t part)
{
	__u64 faults = tally->counts.guest_faults;

	return faults ? (double)tally->counts.in_episodes[parts[part].class] / faults : 0;
}

static double ns_of(const struct fl_tally *tally, size_t part)
{
	return exits_of(tally, part) * fl_durations_mean(&tally->durations[parts[part].class]);
}

static double sum_of(const struct fl_tally *tally, double (*of)(const struct fl_tally *, size_t))
{
	double sum = 0;
	size_t i;

	for (i = 0; i < NR_PARTS; i++)
		sum += of(tally, i);
	return sum;
}

void fl_text_see(struct fl_text_scale *scale, const struct fl_run *run)
{
	double exits = sum_of(&run->snapshot.total, exits_of), ns = sum_of(&run->snapshot.total, ns_of);

	if (exits > scale->exits)
		scale->exits = exits;
	if (ns > scale->ns)
		scale->ns = ns;
}

/* A letter for each part of @of, in proportion; @longest is as long as there is room. */
static void draw_parts(const struct fl_tally *tally, double (*of)(const struct fl_tally *, size_t),
		       double longest, FILE *out)
{
	double sum = 0;
	int drawn = 0;
	size_t i;

	for (i = 0; i < NR_PARTS; i++) {
		sum += of(tally, i);
		for (; longest > 0 && drawn < WIDTH && drawn + 0.5 < WIDTH * sum / longest; drawn++)
			fputc(parts[i].letter, out);
	}
	fprintf(out, "%*s", WIDTH - drawn, "");
}

static void draw_histogram(const struct fl_counts *counts, FILE *out)
{
	char name[8];
	int i, drawn;

	for (i = 1; i < FL_HISTOGRAM; i++) {
		double share = counts->guest_faults ? (double)counts->histogram[i] / counts->guest_faults : 0;

		if (!counts->histogram[i])
			continue;
		fprintf(out, "  %3s %-5s  ", fl_bucket_name(name, sizeof(name), i), i == 1 ? "exit" : "exits");
		for (drawn = 0; drawn < WIDTH && drawn + 0.5 < WIDTH * share; drawn++)
			fputc('#', out);
		fprintf(out, "%*s %9llu\n", WIDTH - drawn, "", counts->histogram[i]);
	}
}

static void print_word(const char *word, FILE *out)
{
	if (*word)
		fprintf(out, " %s", word);
}

static void print_title(const struct fl_run *run, FILE *out)
{
	fprintf(out, "\n%s", fl_vendor_name(fl_run_isa(run)));
	print_word(run->line, out);
	print_word(run->workload, out);
	print_word(run->paging, out);
	fprintf(out, ", policy %s", run->policy);
}

static void print_letters(FILE *out)
{
	const char *separator = "\nExits:";
	size_t i;

	for (i = 0; parts[i].class != FL_FILL; i++) {
		fprintf(out, "%s %c %s", separator, parts[i].letter, fl_class_name(parts[i].class));
		separator = ",";
	}
	fputs(".\nHow many a guest fault cost, how long they took, and how many guest faults cost\n"
	      "that many.\n", out);
}

int fl_text_add(const struct fl_text_scale *scale, const struct fl_run *run, bool first, FILE *out)
{
	const struct fl_tally *total = &run->snapshot.total;

	if (first)
		print_letters(out);
	print_title(run, out);
	if (fl_tally_lacks_ratio(total) || !total->counts.guest_faults) {
		fprintf(out, ": %llu guest faults, and no exits that are known to be theirs\n",
			fl_tally_guest_faults(total));
		return fl_run_flush(out);
	}
	fputs("\n  exits      ", out);
	draw_parts(total, exits_of, scale->exits, out);
	fprintf(out, " %9.3f\n  time       ", sum_of(total, exits_of));
	draw_parts(total, ns_of, scale->ns, out);
	fprintf(out, " %6.2f us\n", sum_of(total, ns_of) / 1e3);
	draw_histogram(&total->counts, out);
	return fl_run_flush(out);
}
