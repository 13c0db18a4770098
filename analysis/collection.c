// SPDX-License-Identifier: GPL-2.0
/* Runs that were loaded. See collection.h. */
#include <stdlib.h>

#include "collection.h"
#include "error.h"

static int add(const struct fl_run *run, void *data)
{
	struct fl_collection *collection = data;
	struct fl_run *runs = reallocarray(collection->runs, collection->nr + 1, sizeof(*runs));

	if (!runs)
		return fl_fail("out of memory; free some and try again");
	collection->runs = runs;
	runs += collection->nr++;
	*runs = *run;
	runs->snapshot.vms = NULL;
	runs->snapshot.vcpus = NULL;
	return 0;
}

int fl_collection_load(struct fl_collection *collection, const char *path,
		       const struct fl_where *where)
{
	return fl_load(path, where, false, add, collection);
}

void fl_collection_free(struct fl_collection *collection)
{
	free(collection->runs);
	collection->runs = NULL;
	collection->nr = 0;
}
