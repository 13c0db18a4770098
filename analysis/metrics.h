/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics that `faultline export` serves: a ledger and the host's data, as a
 * page of text. docs/METRICS.md lists them.
 */
#ifndef FAULTLINE_METRICS_H
#define FAULTLINE_METRICS_H

#include <stdio.h>

#include "exposition.h"
#include "host.h"
#include "ledger.h"

struct fl_metrics {
	const struct fl_ledger *ledger;
	struct fl_host host;	/* with the policy of this moment */
	const char *vendor;	/* "svm", "vmx", "pvm" or "unknown" */
	const char *mmu;	/* "shadow", "tdp" or "unknown" */
};

/* Write the page to @out. */
void fl_metrics_print(const struct fl_metrics *metrics, enum fl_exposition format, FILE *out);

#endif /* FAULTLINE_METRICS_H */
