/* SPDX-License-Identifier: GPL-2.0 */
/* How everything in libfaultline and the command reports what went wrong. */
#ifndef FAULTLINE_ERROR_H
#define FAULTLINE_ERROR_H

/* Exit statuses of the faultline command; an interface, see the man page. */
enum fl_status {
	FL_DONE = 0,
	FL_FAILED = 1,
	FL_USAGE = 2,
};

/*
 * Print "faultline: MESSAGE" on stderr: one line that says what is wrong and
 * what to do about it. Returns -1, for the caller to pass on; whoever gets -1
 * from a function of libfaultline knows that the user has been told.
 */
int fl_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* FAULTLINE_ERROR_H */
