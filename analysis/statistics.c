// SPDX-License-Identifier: GPL-2.0
/* Whether two samples differ. See statistics.h. */
#include <math.h>
#include <stdbool.h>

#define MATHLIB_STANDALONE
#include <Rmath.h>

#include "statistics.h"

/* Less than that, in proportion, is what rounding makes of equal figures. */
#define ROUNDING 1e-12

/* Equal values have a mean that is exactly theirs, and no variance. */
struct fl_sample fl_sample_of(const double *values, size_t nr)
{
	struct fl_sample sample = { .nr = nr, .variance = -1 };
	double squares = 0;
	size_t i;

	for (i = 0; i < nr; i++)
		sample.mean += (values[i] - sample.mean) / (i + 1);
	for (i = 0; i < nr; i++)
		squares += (values[i] - sample.mean) * (values[i] - sample.mean);
	if (nr > 1)
		sample.variance = squares / (nr - 1);
	return sample;
}

/* Welch and Satterthwaite's degrees of freedom; @va and @vb are of the means. */
static double degrees_of_freedom(const struct fl_sample *a, const struct fl_sample *b,
				 double va, double vb)
{
	return (va + vb) * (va + vb) / (va * va / (a->nr - 1) + vb * vb / (b->nr - 1));
}

/* How likely a difference of @t errors is, in either direction. */
static double likelihood(double t, double freedom)
{
	return 2 * pt(fabs(t), freedom, false, false);
}

struct fl_change fl_compare(const struct fl_sample *a, const struct fl_sample *b,
			    double confidence)
{
	struct fl_change change = { .a = a->mean, .b = b->mean, .change = b->mean - a->mean, .p = 1 };
	double va = a->variance / a->nr, vb = b->variance / b->nr, error = sqrt(va + vb), freedom, half;

	if (fabs(change.change) <= ROUNDING * (fabs(change.a) + fabs(change.b)))
		change.change = 0;
	if (!(a->nr > 1 && b->nr > 1 && a->variance >= 0 && b->variance >= 0))
		return change;
	if (error <= ROUNDING * (fabs(change.a) + fabs(change.b))) {
		change.low = change.high = change.change;
		change.p = change.change ? 0 : 1;
		change.verdict = change.change ? FL_DIFFERENT : FL_NO_DIFFERENCE;
		return change;
	}
	freedom = degrees_of_freedom(a, b, va, vb);
	half = error * qt((1 - confidence) / 2, freedom, false, false);
	change.low = change.change - half;
	change.high = change.change + half;
	change.p = likelihood(change.change / error, freedom);
	change.verdict = change.p < 1 - confidence ? FL_DIFFERENT : FL_NO_DIFFERENCE;
	return change;
}
