/* SPDX-License-Identifier: GPL-2.0 */
/* What `faultline diff` found, and how it is printed: diff.c, diff-print.c. */
#ifndef FAULTLINE_DIFF_H
#define FAULTLINE_DIFF_H

#include "cells.h"
#include "gate.h"

struct fl_diff {
	struct fl_cells cells;
	double confidence;
};

/* "svm 6.12 anon 64: policy zap -> update", what is compared in @cell. */
const char *fl_diff_title(const struct fl_cell *cell, char *title, size_t size);

/* Print it for people. 0 or -1. */
int fl_diff_print_table(const struct fl_diff *diff, FILE *out);

/* Print it as one JSON object (schema faultline.diff/1). 0 or -1. */
int fl_diff_print_json(const struct fl_diff *diff, FILE *out);

#endif /* FAULTLINE_DIFF_H */
