/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How every program of the project reports what went wrong: libfaultline and
 * the command, and the lab's.
 */
#ifndef FAULTLINE_ERROR_H
#define FAULTLINE_ERROR_H

#include <stddef.h>

/* Exit statuses of the faultline command; an interface, see the man page. */
enum fl_status {
	FL_DONE = 0,
	FL_FAILED = 1,
	FL_USAGE = 2,
};

/*
 * Print "PROGRAM: MESSAGE" on stderr: one line that says what is wrong and
 * what to do about it. Returns -1, for the caller to pass on; whoever gets -1
 * from a function knows that the user has been told.
 */
int fl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * How many letters have to be changed, added or left out to make @b of @a, to
 * find what a user may have meant. Long words are never near.
 */
size_t fl_word_distance(const char *a, const char *b);

/*
 * The one of @nr words that is nearest to @word, or NULL if none is near. They are
 * the first members, const char *, of structs of @size bytes each.
 */
const char *fl_nearest_word(const char *word, const void *words, size_t nr, size_t size);

/* Have @prepare called before an error is said, e.g. to give the terminal back. */
void fl_before_errors(void (*prepare)(void));

#endif /* FAULTLINE_ERROR_H */
