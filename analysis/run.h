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
	__u32 host_isa;		/* the host's vendor, for want of an exit */
	struct fl_snapshot snapshot;
	__u64 duration_ns;
	__u64 start_ns;		/* since the measurement began; of an interval */
	unsigned int interval;	/* its number, from 1; 0: the whole measurement */
	long long number;	/* in the run file that it is from; 0: from none */
	/* Labels; fl_run_set_label() changes them. */
	char line[16], policy[16], workload[64], paging[16], clock[16];
	bool policy_is_set;	/* by the user, who knows */
	char mmu[16];		/* "": what this host has; see fl_run_mmu() */
	char command[256];	/* by which it was measured */
};

/* Takes a run: an interval, or (run->interval is 0) the whole. 0 or -1. */
typedef int fl_run_handler(const struct fl_run *run, void *data);

/* A class's name in tables and JSON, e.g. "pte-write". */
const char *fl_class_name(enum fl_class class);

/* What ended an episode, e.g. "refault". */
const char *fl_outcome_name(enum fl_outcome outcome);

/* The name of a kind of host fault, e.g. "touch-major". */
const char *fl_host_kind_name(enum fl_host_kind kind);

/* "4K", "2M" or "1G", or for level 0 "unknown". */
const char *fl_page_size_name(unsigned int level);

/* What an area of host memory is called: by the file that is mapped there. */
const char *fl_area_name(const struct fl_area_snapshot *area);

/* Label @run with what is known without asking: the host's data, "wall" clock. */
void fl_run_init(struct fl_run *run);

/* A label that is text in struct fl_run. */
struct fl_label {
	const char *name;
	size_t place, size;	/* of the text */
	bool can_be_set;	/* by --set */
};

/* All of them, and one without a name. What keeps runs keeps these. */
extern const struct fl_label fl_labels[];

/*
 * Set a label from "KEY=VALUE": line, policy, workload, paging or clock.
 * 0 or -1.
 */
int fl_run_set_label(struct fl_run *run, const char *assignment);

/*
 * Remember the command line of the subcommand that measures, for who wants to do it
 * again. What is too long ends in "...".
 */
void fl_run_set_command(struct fl_run *run, int argc, char *const argv[]);

/* The value of label @key: one of fl_labels, or vendor. NULL if there is no such label. */
const char *fl_run_label(const struct fl_run *run, const char *key);

/*
 * Begin to observe the policy, and go on observing it: what KVM does now. The
 * label becomes "mixed" if it has changed in between.
 */
void fl_run_begin_policy(struct fl_run *run);
void fl_run_observe_policy(struct fl_run *run);

/* The instruction set that exits were of, or else the host's. */
__u32 fl_run_isa(const struct fl_run *run);

/* How page tables are kept: "shadow", "tdp" or "unknown". */
const char *fl_run_mmu(const struct fl_run *run);

/* "exits", or "faults" if KVM told only of guest faults. */
const char *fl_run_level(const struct fl_run *run);

/* The name of bucket @bucket of an episode histogram: "3", or "16+". */
const char *fl_bucket_name(char *name, size_t size, int bucket);

/* Write @run as one JSON object and a newline. 0 or -1. */
int fl_run_print_json(const struct fl_run *run, FILE *out);

/* Print @run as a table for people. 0 or -1. */
int fl_run_print_table(const struct fl_run *run, FILE *out);

/*
 * Write @run as comma-separated values: a line for each VM, and one for all of
 * them; before the first, the columns' names. 0 or -1.
 */
int fl_run_print_csv(const struct fl_run *run, FILE *out, bool first);

/* Whether all that was printed to @out arrived. 0 or -1. */
int fl_run_flush(FILE *out);

#endif /* FAULTLINE_RUN_H */
