// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the made-up run of crafted.h, for tests of the command.
 * usage: craft FILE [LABEL=VALUE]...	FILE.json: as JSON, else into a run file
 */
#include <stdio.h>

#include "crafted.h"
#include "error.h"
#include "runfile.h"

static int write_json(const struct fl_run *run, const char *path)
{
	FILE *file = fopen(path, "w");
	int ret = file ? fl_run_print_json(run, file) : -1;

	return file && !fclose(file) ? ret : -1;
}

static int add_episode(struct fl_runfile *file)
{
	const struct fl_episode_record record = {
		.pid = 70,
		.episode = {
			.exits = 3,
			.start_ns = 1000,
			.end_ns = 31000,
			.outcome = FL_ENDED_BY_REFAULT,
			.steps = {
				{ .exit_ns = 1000, .class = FL_INJECT, .ns = 4000 },
				{ .exit_ns = 7000, .class = FL_PTE_WRITE, .ns = 14000 },
				{ .exit_ns = 23000, .class = FL_REFAULT, .ns = 8000 },
			},
		},
	};

	return fl_runfile_add_episode(file, &record);
}

/* Two intervals with an episode in each, and the whole. */
static int write_run_file(struct fl_run *run, const char *path)
{
	struct fl_runfile *file = fl_runfile_create(path, true);
	int ret = file ? 0 : -1;

	for (run->interval = 1; !ret && run->interval <= 2; run->interval++)
		ret = add_episode(file) || fl_runfile_add(file, run) ? -1 : 0;
	run->interval = 0;
	if (!ret)
		ret = fl_runfile_add(file, run);
	fl_runfile_close(file);
	return ret;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "";
	struct fl_run run;
	int i, ret = 0;

	if (!*path || !craft_run(&run))
		return FL_USAGE;
	for (i = 2; !ret && i < argc; i++)
		ret = fl_run_set_label(&run, argv[i]);
	if (!ret)
		ret = strstr(path, ".json") ? write_json(&run, path) : write_run_file(&run, path);
	fl_snapshot_free(&run.snapshot);
	return ret ? FL_FAILED : FL_DONE;
}
