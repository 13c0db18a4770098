/* SPDX-License-Identifier: GPL-2.0 */
/* Results in JSON, read back: faultline.run/1, and faultline.results/1 of the lab. */
#ifndef FAULTLINE_JSON_READ_H
#define FAULTLINE_JSON_READ_H

#include "run.h"

/*
 * Call @handle for the runs of @path as fl_load() does. Of the duration of exits it
 * has what was printed of it, and a histogram from which the same follows. What the
 * results have besides runs that were measured is passed over. 0 or -1.
 */
int fl_json_load(const char *path, bool intervals, fl_run_handler *handle, void *data);

#endif /* FAULTLINE_JSON_READ_H */
