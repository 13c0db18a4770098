// SPDX-License-Identifier: GPL-2.0
/* How errors are said, by every program. See error.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

static void (*prepare_for_error)(void);

void fl_before_errors(void (*prepare)(void))
{
	prepare_for_error = prepare;
}

int fl_fail(const char *format, ...)
{
	va_list args;

	if (prepare_for_error)
		prepare_for_error();

	/* What is on stdout came first; keep it first on a terminal, too. */
	fflush(stdout);
	va_start(args, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return -1;
}

#define MAX_WORD 32

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance, a row at a time. */
size_t fl_word_distance(const char *a, const char *b)
{
	size_t row[MAX_WORD + 1], length = strlen(b), i, j;

	if (strlen(a) > MAX_WORD || length > MAX_WORD)
		return MAX_WORD;
	for (j = 0; j <= length; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= length; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1,
				      diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

/* Two letters are near, but not where that is all there is to a word. */
const char *fl_nearest_word(const char *word, const void *words, size_t nr, size_t size)
{
	size_t best = strlen(word) > 3 ? 3 : 2, distance, i;
	const char *nearest = NULL;

	for (i = 0; i < nr; i++) {
		const char *candidate = *(const char *const *)((const char *)words + i * size);

		distance = fl_word_distance(word, candidate);
		if (distance < best) {
			best = distance;
			nearest = candidate;
		}
	}
	return nearest;
}
