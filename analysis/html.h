/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs as one page of HTML that needs nothing else: the page's two halves, made of
 * what is in html/, and the runs in between as JSON.
 */
#ifndef FAULTLINE_HTML_H
#define FAULTLINE_HTML_H

#include "run.h"

/* What comes before the first run. */
void fl_html_begin(FILE *out);

/* Add @run of the file @path; @first if it is the first one. 0 or -1. */
int fl_html_add(const struct fl_run *run, const char *path, bool first, FILE *out);

/* What comes after the last run. 0, or -1 if it didn't all arrive. */
int fl_html_end(FILE *out);

#endif /* FAULTLINE_HTML_H */
