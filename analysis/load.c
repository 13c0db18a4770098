// SPDX-License-Identifier: GPL-2.0
/* Results read back from whatever they are in. See load.h. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "json-read.h"
#include "load.h"
#include "runfile.h"

/* ---- Selecting ---- */

int fl_where_push(struct fl_where *where, const char *condition)
{
	if (where->nr == FL_MAX_CONDITIONS)
		return fl_fail("more than %d conditions for labels; leave some out", FL_MAX_CONDITIONS);
	where->conditions[where->nr++] = condition;
	return 0;
}

int fl_where_add(struct fl_where *where, char *conditions)
{
	static const struct fl_run any;
	char *condition, *rest;

	for (condition = strtok_r(conditions, ",", &rest); condition;
	     condition = strtok_r(NULL, ",", &rest)) {
		size_t length = strcspn(condition, "=");
		char key[32];

		snprintf(key, sizeof(key), "%.*s", (int)length, condition);
		if (!condition[length] || !fl_run_label(&any, key))
			return fl_fail("%s is not LABEL=VALUE with a known LABEL: line, kernel, vendor, mmu, policy, workload, paging or clock",
				       condition);
		if (fl_where_push(where, condition))
			return -1;
	}
	return 0;
}

static bool matches(const struct fl_where *where, const struct fl_run *run)
{
	size_t i;

	for (i = 0; i < where->nr; i++) {
		const char *condition = where->conditions[i];
		size_t length = strcspn(condition, "=");
		char key[32];

		snprintf(key, sizeof(key), "%.*s", (int)length, condition);
		if (strcmp(fl_run_label(run, key), condition + length + 1))
			return false;
	}
	return true;
}

struct selector {
	const struct fl_where *where;
	fl_run_handler *handle;
	void *data;
};

static int select_run(const struct fl_run *run, void *data)
{
	const struct selector *selector = data;

	return matches(selector->where, run) ? selector->handle(run, selector->data) : 0;
}

/* ---- Loading ---- */

/* The first bytes of @path, NUL where there are none. 0, or -1 if it can't be read. */
static int peek(const char *path, char *start, size_t size)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	size_t got;

	if (!file)
		return fl_fail("cannot read %s: %s; name a file that 'faultline record' or 'stat --json' wrote",
			       path, strerror(errno));
	if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode)) {
		fclose(file);
		return fl_fail("%s is %s; name a file", path,
			       S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
	}
	memset(start, 0, size);
	got = fread(start, 1, size, file);
	fclose(file);
	return got ? 0 : fl_fail("%s is empty; was what wrote it cut off?", path);
}

int fl_load(const char *path, const struct fl_where *where, bool intervals,
	    fl_run_handler *handle, void *data)
{
	static const char magic[] = "SQLite format 3";
	struct selector selector = { where, handle, data };
	char start[sizeof(magic)];

	if (peek(path, start, sizeof(start)))
		return -1;
	if (where) {
		handle = select_run;
		data = &selector;
	}
	if (!memcmp(start, magic, sizeof(magic)))
		return fl_runfile_load(path, intervals, handle, data);
	if (start[strspn(start, " \t\r\n")] == '{')
		return fl_json_load(path, intervals, handle, data);
	return fl_fail("%s is neither a run file nor JSON of faultline's; 'faultline record' writes a run file",
		       path);
}

/* ---- What is loaded ---- */

bool fl_run_is_sound(const struct fl_run *run)
{
	const struct fl_snapshot *snapshot = &run->snapshot;
	bool sound = fl_tally_is_sound(&snapshot->total);
	size_t i;

	for (i = 0; sound && i < snapshot->nr_vms; i++)
		sound = fl_tally_is_sound(&snapshot->vms[i].tally);
	for (i = 0; sound && i < snapshot->nr_vcpus; i++)
		sound = fl_tally_is_sound(&snapshot->vcpus[i].tally);
	return sound;
}

void fl_load_text(char *label, size_t size, const char *text)
{
	snprintf(label, size, "%s", text);
	for (; *label; label++) {
		if ((unsigned char)*label < ' ' || *label == 0x7f)
			*label = '?';
	}
}
