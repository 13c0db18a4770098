// SPDX-License-Identifier: GPL-2.0
/* Whether two samples differ. See statistics.h. */
#include <math.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>

#include "statistics.h"

/* Less than that, in proportion, is what rounding makes of equal figures. */
#define ROUNDING 1e-12

struct fl_sample fl_sample_of(const double *values, size_t nr)
{
	struct fl_sample sample = { .nr = nr, .variance = -1 };

	if (nr)
		sample.mean = gsl_stats_mean(values, 1, nr);
	if (nr > 1)
		sample.variance = gsl_stats_variance(values, 1, nr);
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
	return 2 * gsl_cdf_tdist_Q(fabs(t), freedom);
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
	half = error * gsl_cdf_tdist_Qinv((1 - confidence) / 2, freedom);
	change.low = change.change - half;
	change.high = change.change + half;
	change.p = likelihood(change.change / error, freedom);
	change.verdict = change.p < 1 - confidence ? FL_DIFFERENT : FL_NO_DIFFERENCE;
	return change;
}
