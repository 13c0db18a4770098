/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The two text formats in which Prometheus takes metrics: how they differ, which
 * one a client wants, and how names, labels and histograms are written down.
 * Which metrics there are is in metrics.c.
 */
#ifndef FAULTLINE_EXPOSITION_H
#define FAULTLINE_EXPOSITION_H

#include <stdio.h>

#include "duration.h"

enum fl_exposition {
	FL_EXPOSITION_TEXT,		/* Prometheus text format 0.0.4 */
	FL_EXPOSITION_OPENMETRICS,	/* OpenMetrics 1.0.0 */
	FL_NR_EXPOSITIONS,
};

enum fl_metric_type {
	FL_METRIC_COUNTER,
	FL_METRIC_GAUGE,
	FL_METRIC_HISTOGRAM,
	FL_METRIC_INFO,
};

/* The HTTP content type of @format. */
const char *fl_exposition_content_type(enum fl_exposition format);

/* The format that an HTTP Accept header, or NULL, likes best. */
enum fl_exposition fl_exposition_choose(const char *accept);

/*
 * Begin the family of metrics @name, of which the samples follow. @unit is ""
 * or the end of its name, as in "exit_seconds".
 */
void fl_family_begin(FILE *out, enum fl_exposition format, enum fl_metric_type type,
		     const char *name, const char *unit, const char *help);

/* Write NAME="VALUE", whatever bytes @value is made of. */
void fl_label_print(FILE *out, const char *name, const char *value);

/*
 * Write a histogram's samples in seconds; @label is "" or what all of them bear.
 * Its buckets are some of those of @durations, so nothing is estimated.
 */
void fl_durations_print(FILE *out, const char *name, const char *label,
			const struct fl_durations *durations);

/* The samples of a histogram one by one, for others: buckets, then the sum. */
void fl_bucket_print(FILE *out, const char *name, const char *label,
		     const char *end, __u64 count);
void fl_sum_print(FILE *out, const char *name, const char *label, double sum, __u64 count);

/* End the page. */
void fl_exposition_end(FILE *out, enum fl_exposition format);

#endif /* FAULTLINE_EXPOSITION_H */
