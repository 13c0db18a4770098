/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An output file that is whole or not there: written under another name and
 * renamed when it is complete. Used for every file that a subcommand writes.
 */
#ifndef FAULTLINE_OUTPUT_H
#define FAULTLINE_OUTPUT_H

#include <stdio.h>

struct fl_output {
	FILE *file;
	const char *path;	/* NULL: standard output */
	char *temporary;
};

/* Open @path for writing, or standard output if it is NULL. 0 or -1. */
int fl_output_open(struct fl_output *output, const char *path);

/* Put the file in its place. 0 or -1. */
int fl_output_commit(struct fl_output *output);

/* Leave nothing behind, also after fl_output_commit(). */
void fl_output_close(struct fl_output *output);

#endif /* FAULTLINE_OUTPUT_H */
