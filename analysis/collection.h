/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs that were loaded, all of them in memory: for what looks at several at once.
 * Of each there are the labels and the total, not its VMs and vCPUs.
 */
#ifndef FAULTLINE_COLLECTION_H
#define FAULTLINE_COLLECTION_H

#include "load.h"

struct fl_collection {
	struct fl_run *runs;
	size_t nr;
};

/* Add the runs of the file @path that @where selects (NULL: all). 0 or -1. */
int fl_collection_load(struct fl_collection *collection, const char *path,
		       const struct fl_where *where);

void fl_collection_free(struct fl_collection *collection);

#endif /* FAULTLINE_COLLECTION_H */
