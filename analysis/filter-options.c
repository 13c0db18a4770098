// SPDX-License-Identifier: GPL-2.0
/* The options by which episodes are filtered. See filter-options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "filter-options.h"
#include "options.h"
#include "run.h"

/* ---- Lists of words ---- */

struct list {
	const char *subcommand, *option;
	__u32 *bits;		/* set for the words, but by take_fault() */
	struct fl_filter *filter;
};

/* Call @take for each word of @text, "a,b,c". FL_DONE or FL_USAGE. */
static int for_each_word(const struct list *list, const char *text,
			 int (*take)(const struct list *list, const char *word))
{
	char *words = strdup(text), *rest = words, *word;
	int ret = FL_DONE;

	if (!words)
		return fl_usage_error(list->subcommand, "%s is too long", list->option);
	while (!ret && (word = strsep(&rest, ",")))
		ret = take(list, word);
	free(words);
	return ret;
}

/* @words are @nr names, each @size bytes after the one before. FL_USAGE. */
static int unknown_word(const struct list *list, const char *word, const void *words, size_t nr, size_t size)
{
	char what[512];

	snprintf(what, sizeof(what), "unknown word '%s' in %s", word, list->option);
	return fl_unknown_word(list->subcommand, what, "", word, words, nr, size);
}

struct bit {
	const char *name;
	__u32 value;
};

static int take_bit(const struct list *list, const char *word, const struct bit *known, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (strcmp(known[i].name, word))
			continue;
		*list->bits |= known[i].value;
		return FL_DONE;
	}
	return unknown_word(list, word, known, nr, sizeof(*known));
}

/* Of those that an episode can have exits of. */
static int take_class(const struct list *list, const char *word)
{
	struct bit known[FL_NR_CLASSES];
	size_t nr = 0;
	int class;

	for (class = 0; class < FL_NR_CLASSES; class++) {
		if (class <= FL_REFAULT || class == FL_REFLECT)
			known[nr++] = (struct bit){ fl_class_name(class), 1U << class };
	}
	return take_bit(list, word, known, nr);
}

static int take_outcome(const struct list *list, const char *word)
{
	struct bit known[FL_NR_OUTCOMES];
	int outcome;

	for (outcome = 0; outcome < FL_NR_OUTCOMES; outcome++)
		known[outcome] = (struct bit){ fl_outcome_name(outcome), 1U << outcome };
	return take_bit(list, word, known, FL_NR_OUTCOMES);
}

static int take_fault(const struct list *list, const char *word)
{
	static const struct {
		const char *word;
		__u32 mask, bits;
	} faults[] = {
		{ "user", FL_PFERR_USER, FL_PFERR_USER },
		{ "kernel", FL_PFERR_USER, 0 },
		{ "read", FL_PFERR_WRITE | FL_PFERR_FETCH, 0 },
		{ "write", FL_PFERR_WRITE | FL_PFERR_FETCH, FL_PFERR_WRITE },
		{ "fetch", FL_PFERR_WRITE | FL_PFERR_FETCH, FL_PFERR_FETCH },
		{ "absent", FL_PFERR_PRESENT, 0 },
		{ "protection", FL_PFERR_PRESENT, FL_PFERR_PRESENT },
		{ "reserved", FL_PFERR_RESERVED, FL_PFERR_RESERVED },
	};
	struct fl_filter *filter = list->filter;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(faults[i].word, word))
			continue;
		if ((filter->error_code ^ faults[i].bits) & filter->error_mask & faults[i].mask)
			return fl_usage_error(list->subcommand, "no fault is all of what %s says", list->option);
		filter->error_mask |= faults[i].mask;
		filter->error_code |= faults[i].bits;
		return FL_DONE;
	}
	return unknown_word(list, word, faults, sizeof(faults) / sizeof(faults[0]), sizeof(faults[0]));
}

/* ---- Numbers ---- */

/* The address that @text begins with; @end is what follows it. */
static bool parse_address(const char *text, const char **end, __u64 *page)
{
	char *rest;

	errno = 0;
	*page = strtoull(text, &rest, 0) >> 12;
	*end = rest;
	return *text >= '0' && *text <= '9' && !errno;
}

static int take_address(struct fl_filter *filter, const char *subcommand, const char *text)
{
	const char *end;

	if (!parse_address(text, &end, &filter->first_page))
		goto bad;
	filter->last_page = filter->first_page;
	if (*end == '-' && !parse_address(end + 1, &end, &filter->last_page))
		goto bad;
	if (!*end && filter->first_page <= filter->last_page)
		return FL_DONE;
bad:
	return fl_usage_error(subcommand, "--address %s is not FIRST or FIRST-LAST, as in 0x400000-0x4fffff", text);
}

int fl_filter_take(struct fl_filter *filter, const char *subcommand, int option)
{
	struct list class = { subcommand, "--class", &filter->with, filter };
	struct list without = { subcommand, "--without", &filter->without, filter };
	struct list outcome = { subcommand, "--outcome", &filter->outcomes, filter };
	struct list fault = { subcommand, "--fault", NULL, filter };
	int number = 0, ret;

	switch (option) {
	case FL_OPTION_CLASS:
		return for_each_word(&class, optarg, take_class);
	case FL_OPTION_WITHOUT:
		return for_each_word(&without, optarg, take_class);
	case FL_OPTION_OUTCOME:
		return for_each_word(&outcome, optarg, take_outcome);
	case FL_OPTION_FAULT:
		return for_each_word(&fault, optarg, take_fault);
	case FL_OPTION_ADDRESS:
		return take_address(filter, subcommand, optarg);
	case FL_OPTION_MIN_EXITS:
		ret = fl_parse_number(subcommand, "--min-exits", optarg, 1, &number);
		filter->min_exits = number;
		return ret;
	case FL_OPTION_MIN_US:
		ret = fl_parse_number(subcommand, "--min-us", optarg, 1, &number);
		filter->min_ns = number * 1000ULL;
		return ret;
	default:
		return -1;
	}
}
