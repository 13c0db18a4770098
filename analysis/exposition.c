// SPDX-License-Identifier: GPL-2.0
/* Prometheus's text formats. See exposition.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exposition.h"

/* ---- Choosing one ---- */

static const struct {
	const char *media_type, *content_type;
} formats[FL_NR_EXPOSITIONS] = {
	[FL_EXPOSITION_TEXT] = { "text/plain", "text/plain; version=0.0.4; charset=utf-8" },
	[FL_EXPOSITION_OPENMETRICS] = { "application/openmetrics-text",
				    "application/openmetrics-text; version=1.0.0; charset=utf-8" },
};

const char *fl_exposition_content_type(enum fl_exposition format)
{
	return formats[format].content_type;
}

/* The q parameter of a media range of @length characters; 1 if it has none. */
static double quality(const char *range, size_t length)
{
	const char *end = range + length, *at = range;

	while ((at = memchr(at, ';', end - at))) {
		at += 1 + strspn(at + 1, " \t");
		if (end - at > 2 && (*at == 'q' || *at == 'Q') && at[1] == '=')
			return strtod(at + 2, NULL);
	}
	return 1;
}

/* How much @accept likes @media_type, by its name: 0 to 1. */
static double liking(const char *accept, const char *media_type)
{
	size_t length = strlen(media_type), size;
	double best = 0, q;

	for (; *accept; accept += size + !!accept[size]) {
		accept += strspn(accept, " \t");
		size = strcspn(accept, ",");
		if (strncasecmp(accept, media_type, length) || !strchr(" \t;,", accept[length]))
			continue;
		q = quality(accept, size);
		if (q > best)
			best = q;
	}
	return best;
}

/* Who asks for neither by its name gets text, which everything can show. */
enum fl_exposition fl_exposition_choose(const char *accept)
{
	double open, text;

	if (!accept)
		return FL_EXPOSITION_TEXT;
	open = liking(accept, formats[FL_EXPOSITION_OPENMETRICS].media_type);
	text = liking(accept, formats[FL_EXPOSITION_TEXT].media_type);
	return open > 0 && open >= text ? FL_EXPOSITION_OPENMETRICS : FL_EXPOSITION_TEXT;
}

/* ---- Families ---- */

static const char *const type_names[] = {
	[FL_METRIC_COUNTER] = "counter",
	[FL_METRIC_GAUGE] = "gauge",
	[FL_METRIC_HISTOGRAM] = "histogram",
	[FL_METRIC_INFO] = "info",
};

/*
 * The formats differ in whether the suffix by which samples tell a counter or an
 * info is part of the family's name, and only one has infos and units.
 */
void fl_family_begin(FILE *out, enum fl_exposition format, enum fl_metric_type type,
		     const char *name, const char *unit, const char *help)
{
	const char *suffix = "", *type_name = type_names[type];

	if (format == FL_EXPOSITION_TEXT && type == FL_METRIC_COUNTER)
		suffix = "_total";
	if (format == FL_EXPOSITION_TEXT && type == FL_METRIC_INFO) {
		suffix = "_info";
		type_name = type_names[FL_METRIC_GAUGE];
	}
	fprintf(out, "# HELP faultline_%s%s %s\n", name, suffix, help);
	fprintf(out, "# TYPE faultline_%s%s %s\n", name, suffix, type_name);
	if (format == FL_EXPOSITION_OPENMETRICS && *unit)
		fprintf(out, "# UNIT faultline_%s %s\n", name, unit);
}

void fl_exposition_end(FILE *out, enum fl_exposition format)
{
	if (format == FL_EXPOSITION_OPENMETRICS)
		fputs("# EOF\n", out);
}

/* ---- Labels ---- */

/* The first byte of a UTF-8 character of @length bytes, and the bounds of its second. */
struct utf8 {
	unsigned char first, last, low, high;
	int length;
};

/* What Unicode calls well-formed: neither longer than need be, nor a surrogate. */
static const struct utf8 utf8[] = {
	{ 0x01, 0x7f, 0x00, 0xff, 1 },
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* The length of the UTF-8 character at @text, or 0 if there is none. */
static int utf8_length(const unsigned char *text)
{
	const struct utf8 *row = utf8, *end = utf8 + sizeof(utf8) / sizeof(utf8[0]);
	int i;

	while (row < end && (*text < row->first || *text > row->last))
		row++;
	if (row == end || text[1] < row->low || text[1] > row->high)
		return 0;
	for (i = 2; i < row->length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return row->length;
}

/* Names come from command lines, where any byte may be. */
static void print_value(FILE *out, const char *value)
{
	int length;

	for (; *value; value += length ? length : 1) {
		length = utf8_length((const unsigned char *)value);
		if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else if (*value == '\n')
			fputs("\\n", out);
		else if (length)
			fwrite(value, 1, length, out);
		else
			fputs("\xef\xbf\xbd", out);	/* U+FFFD, replacement character */
	}
}

void fl_label_print(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	print_value(out, value);
	fputc('"', out);
}

/* ---- Histograms ---- */

/*
 * Upper ends: each power of two from 0.512 us to 0.524 ms, where exits are, and
 * each second one from there to 2.1 s.
 */
#define FIRST_END	9
#define DENSE_END	19
#define LAST_END	31

void fl_bucket_print(FILE *out, const char *name, const char *label,
		     const char *end, __u64 count)
{
	fprintf(out, "faultline_%s_bucket{%s%sle=\"%s\"} %llu\n", name, label,
		*label ? "," : "", end, count);
}

void fl_sum_print(FILE *out, const char *name, const char *label, double sum, __u64 count)
{
	const char *open = *label ? "{" : "", *close = *label ? "}" : "";

	fprintf(out, "faultline_%s_sum%s%s%s %.15g\n", name, open, label, close, sum);
	fprintf(out, "faultline_%s_count%s%s%s %llu\n", name, open, label, close, count);
}

void fl_durations_print(FILE *out, const char *name, const char *label,
			const struct fl_durations *durations)
{
	__u64 below = 0;
	__u32 bucket = 0;
	char end[32];
	int log;

	for (log = FIRST_END; log <= LAST_END; log += log < DENSE_END ? 1 : 2) {
		while (bucket < fl_duration_bucket(1ULL << log))
			below += durations->buckets[bucket++];
		snprintf(end, sizeof(end), "%.10g", (1ULL << log) / 1e9);
		fl_bucket_print(out, name, label, end, below);
	}
	fl_bucket_print(out, name, label, "+Inf", durations->count);
	fl_sum_print(out, name, label, durations->sum_ns / 1e9, durations->count);
}
