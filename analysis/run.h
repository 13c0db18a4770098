/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A run: what one measurement found, with its labels, ready to be shown.
 * The JSON is schema faultline.run/1; see docs/METHOD.md for each figure.
 */
#ifndef FAULTLINE_RUN_H
#define FAULTLINE_RUN_H

#include <stdio.h>

#include "collector.h"
#include "host.h"

struct fl_run {
	struct fl_host host;
	struct fl_snapshot snapshot;
	__u64 duration_ns;
	/* Labels; fl_run_set_label() changes them. */
	char line[16], policy[16], workload[64], paging[16], clock[16];
};

/* A class's name in tables and JSON, e.g. "pte-write". */
const char *fl_class_name(enum fl_class class);

/* Label @run with what is known without asking: the host's data, "wall" clock. */
void fl_run_init(struct fl_run *run);

/*
 * Set a label from "KEY=VALUE": line, policy, workload, paging or clock.
 * 0 or -1.
 */
int fl_run_set_label(struct fl_run *run, const char *assignment);

/* Exits that belong to an episode. */
__u64 fl_run_exits_in_episodes(const struct fl_run *run);

/* Exits in episodes over guest faults; 0 if there was no guest fault. */
double fl_run_exits_per_guest_fault(const struct fl_run *run);

/* Write @run as one JSON object and a newline. 0 or -1. */
int fl_run_print_json(const struct fl_run *run, FILE *out);

/* Print @run as a table for people. 0 or -1. */
int fl_run_print_table(const struct fl_run *run, FILE *out);

#endif /* FAULTLINE_RUN_H */
