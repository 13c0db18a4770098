/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether two samples differ: Welch's t-test, and the confidence interval of the
 * difference of their means. The distribution is R's, from its library of them: GSL's
 * licence (GPL 3) doesn't go with ours.
 */
#ifndef FAULTLINE_STATISTICS_H
#define FAULTLINE_STATISTICS_H

#include <stddef.h>

/* Observations of one side. */
struct fl_sample {
	double nr;
	double mean;
	double variance;	/* between observations; negative: not known */
};

enum fl_verdict {
	FL_UNTESTED,		/* nothing is known of how much the samples vary */
	FL_NO_DIFFERENCE,	/* can be shown */
	FL_DIFFERENT,
};

/* What became of a figure from side A to side B. */
struct fl_change {
	double a, b;
	double change;		/* b - a */
	double low, high;	/* its confidence interval; only if tested */
	double p;		/* how likely such a change is without a difference */
	enum fl_verdict verdict;
};

/* The sample of @values. */
struct fl_sample fl_sample_of(const double *values, size_t nr);

/*
 * Compare @a and @b at @confidence (0 to 1), by Welch's t-test. Of samples that
 * don't vary at all, any difference is one.
 */
struct fl_change fl_compare(const struct fl_sample *a, const struct fl_sample *b,
			    double confidence);

#endif /* FAULTLINE_STATISTICS_H */
