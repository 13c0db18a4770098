// SPDX-License-Identifier: GPL-2.0
/* Quantities by which runs are compared. See quantity.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "quantity.h"

/* ---- Values ---- */

static double per_fault(const struct fl_tally *tally, double value)
{
	__u64 faults = tally->counts.guest_faults;

	return faults && !fl_tally_lacks_ratio(tally) ? value / faults : NAN;
}

static double exits_per_fault(const struct fl_run *run, enum fl_class class)
{
	const struct fl_tally *total = &run->snapshot.total;

	(void)class;
	return per_fault(total, fl_tally_exits_in_episodes(total));
}

static double class_per_fault(const struct fl_run *run, enum fl_class class)
{
	const struct fl_tally *total = &run->snapshot.total;

	return per_fault(total, total->counts.in_episodes[class]);
}

/* That of all exits of the class, in episodes or not. */
static double class_mean_ns(const struct fl_run *run, enum fl_class class)
{
	const struct fl_durations *durations = &run->snapshot.total.durations[class];

	return durations->count ? (double)durations->sum_ns / durations->count : NAN;
}

/* Exits in episodes, each taken to last as long as one of its class does on average. */
static double exit_ns_per_fault(const struct fl_run *run, enum fl_class class)
{
	const struct fl_tally *total = &run->snapshot.total;
	double sum = 0;
	int i;

	(void)class;
	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (total->counts.in_episodes[i])
			sum += total->counts.in_episodes[i] * class_mean_ns(run, i);
	}
	return per_fault(total, sum);
}

static double guest_faults(const struct fl_run *run, enum fl_class class)
{
	(void)class;
	return fl_tally_guest_faults(&run->snapshot.total);
}

static double exits_total(const struct fl_run *run, enum fl_class class)
{
	(void)class;
	return fl_tally_lacks_exits(&run->snapshot.total) ? NAN : run->snapshot.total.counts.exits;
}

static double duration_ns(const struct fl_run *run, enum fl_class class)
{
	(void)class;
	return run->duration_ns;
}

/* ---- How much guest faults vary ---- */

/* Of episodes in the last bucket, only how many exits they have together is known. */
static struct fl_sample exits_by_episode(const struct fl_tally *tally, enum fl_class class)
{
	const __u64 *histogram = tally->counts.histogram;
	double mean = fl_tally_exits_per_guest_fault(tally), squares = 0, nr = 0;
	double rest = fl_tally_exits_in_episodes(tally);
	int i;

	(void)class;
	for (i = 1; i < FL_HISTOGRAM; i++) {
		double exits = i;

		if (i == FL_HISTOGRAM - 1 && histogram[i])
			exits = rest / histogram[i];
		rest -= exits * histogram[i];
		squares += histogram[i] * (exits - mean) * (exits - mean);
		nr += histogram[i];
	}
	return (struct fl_sample){ .nr = nr, .mean = mean, .variance = squares / (nr - 1) };
}

/*
 * A guest fault has one inject or one reflect, and one refault or none. Of other exits, how they
 * spread over the episodes wasn't counted; if they came by chance, they would vary
 * as much as there are (Poisson).
 */
static struct fl_sample class_by_episode(const struct fl_tally *tally, enum fl_class class)
{
	double nr = tally->counts.guest_faults, mean = tally->counts.in_episodes[class] / nr;
	bool at_most_one = class == FL_INJECT || class == FL_REFLECT || class == FL_REFAULT;
	double variance = at_most_one ? mean * (1 - mean) * nr / (nr - 1) : mean;

	return (struct fl_sample){ .nr = nr, .mean = mean, .variance = variance };
}

/* ---- The list ---- */

static const struct kind {
	const char *name;	/* with @of_class, after the class's */
	bool of_class;
	int decimals;
	double (*of)(const struct fl_run *run, enum fl_class class);
	/* NULL: guest faults don't tell how much it varies from run to run. */
	struct fl_sample (*by_episode)(const struct fl_tally *tally, enum fl_class class);
} kinds[] = {
	{ "exits_per_guest_fault", false, 3, exits_per_fault, exits_by_episode },
	{ "_per_guest_fault", true, 3, class_per_fault, class_by_episode },
	{ "exit_ns_per_guest_fault", false, 0, exit_ns_per_fault, NULL },
	{ "_mean_ns", true, 0, class_mean_ns, NULL },
	{ "guest_faults", false, 0, guest_faults, NULL },
	{ "exits_total", false, 0, exits_total, NULL },
	{ "duration_ns", false, 0, duration_ns, NULL },
};

#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool fl_quantity_at(size_t index, struct fl_quantity *quantity)
{
	size_t kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		size_t nr = kinds[kind].of_class ? FL_NR_CLASSES : 1;

		if (index >= nr) {
			index -= nr;
			continue;
		}
		quantity->kind = kind;
		quantity->class = index;
		snprintf(quantity->name, sizeof(quantity->name), "%s%s",
			 kinds[kind].of_class ? fl_class_name(index) : "", kinds[kind].name);
		return true;
	}
	return false;
}

bool fl_quantity_find(const char *name, struct fl_quantity *quantity)
{
	size_t i;

	for (i = 0; fl_quantity_at(i, quantity); i++) {
		if (!strcmp(quantity->name, name))
			return true;
	}
	return false;
}

bool fl_quantity_is_part(const struct fl_quantity *quantity)
{
	return kinds[quantity->kind].of == class_per_fault;
}

int fl_quantity_decimals(const struct fl_quantity *quantity)
{
	return kinds[quantity->kind].decimals;
}

double fl_quantity_of(const struct fl_quantity *quantity, const struct fl_run *run)
{
	return kinds[quantity->kind].of(run, quantity->class);
}

/* ---- Comparing ---- */

static struct fl_sample sample_runs(const struct fl_quantity *quantity,
				    const struct fl_run *const *runs, size_t nr)
{
	struct fl_sample sample = { .mean = NAN };
	double *values = calloc(nr + 1, sizeof(*values));
	size_t i;

	if (!values)
		return sample;
	for (i = 0; i < nr; i++)
		values[i] = fl_quantity_of(quantity, runs[i]);
	sample = fl_sample_of(values, nr);
	free(values);
	return sample;
}

static struct fl_sample sample_episodes(const struct fl_quantity *quantity,
					const struct fl_run *const *runs, size_t nr)
{
	struct fl_tally *sum = calloc(1, sizeof(*sum));
	struct fl_sample sample = { .variance = -1 };
	size_t i;

	if (!sum)
		return sample;
	for (i = 0; i < nr; i++)
		fl_tally_add(sum, &runs[i]->snapshot.total);
	sample = kinds[quantity->kind].by_episode(sum, quantity->class);
	free(sum);
	return sample;
}

bool fl_quantity_compare(const struct fl_quantity *quantity, const struct fl_run *const *a,
			 size_t nr_a, const struct fl_run *const *b, size_t nr_b,
			 double confidence, struct fl_change *change, enum fl_unit *unit)
{
	struct fl_sample first = sample_runs(quantity, a, nr_a);
	struct fl_sample second = sample_runs(quantity, b, nr_b);

	if (!isfinite(first.mean) || !isfinite(second.mean))
		return false;
	*unit = FL_BY_RUN;
	if ((nr_a < 2 || nr_b < 2) && kinds[quantity->kind].by_episode) {
		*unit = FL_BY_EPISODE;
		first = sample_episodes(quantity, a, nr_a);
		second = sample_episodes(quantity, b, nr_b);
	}
	*change = fl_compare(&first, &second, confidence);
	return true;
}
