// SPDX-License-Identifier: GPL-2.0
/* What most episodes of a run file were like. See runfile.h. */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "runfile-reader.h"
#include "runfile.h"

/* Kinds of episodes that are told apart: the first that there are. */
#define MAX_KINDS 64

/* Episodes with the same sequence of exits. */
struct kind {
	unsigned int nr_steps;
	__u32 classes[FL_MAX_STEPS];
	__u64 nr, ns;
	__u64 step_start[FL_MAX_STEPS], step_ns[FL_MAX_STEPS];
};

static int class_of(const char *name, size_t length)
{
	int i;

	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (strlen(fl_class_name(i)) == length && !strncmp(fl_class_name(i), name, length))
			return i;
	}
	return -1;
}

/* One step, of which @text becomes what follows it. False if it isn't one. */
static bool parse_step(const char **text, struct kind *episode)
{
	size_t length = strcspn(*text, "@");
	int class = class_of(*text, length);
	char *end;

	if (class < 0 || !(*text)[length])
		return false;
	episode->classes[episode->nr_steps] = class;
	episode->step_start[episode->nr_steps] = strtoull(*text + length + 1, &end, 10);
	if (*end != '+')
		return false;
	episode->step_ns[episode->nr_steps++] = strtoull(end + 1, &end, 10);
	*text = end + strspn(end, " ");
	return true;
}

/* One episode, from "inject@0+5230 refault@9100+7410". False if it isn't that. */
static bool parse_steps(const char *steps, struct kind *episode)
{
	memset(episode, 0, sizeof(*episode));
	while (*steps && episode->nr_steps < FL_MAX_STEPS) {
		if (!parse_step(&steps, episode))
			return false;
	}
	return episode->nr_steps && !*steps;
}

/* Add an episode to those of its kind. */
static void add(struct kind *kinds, size_t *nr, const struct kind *episode)
{
	struct kind *kind = kinds;
	unsigned int i;

	while (kind < kinds + *nr && (kind->nr_steps != episode->nr_steps ||
				      memcmp(kind->classes, episode->classes, sizeof(kind->classes))))
		kind++;
	if (kind == kinds + MAX_KINDS)
		return;
	if (kind == kinds + *nr) {
		memset(kind, 0, sizeof(*kind));
		kind->nr_steps = episode->nr_steps;
		memcpy(kind->classes, episode->classes, sizeof(kind->classes));
		(*nr)++;
	}
	kind->nr++;
	kind->ns += episode->ns;
	for (i = 0; i < kind->nr_steps; i++) {
		kind->step_start[i] += episode->step_start[i];
		kind->step_ns[i] += episode->step_ns[i];
	}
}

static void choose(const struct kind *kinds, size_t nr, struct fl_typical *typical)
{
	const struct kind *most = kinds;
	unsigned int i;

	for (; nr--; kinds++) {
		if (kinds->nr > most->nr)
			most = kinds;
	}
	typical->nr_like = most->nr;
	typical->nr_steps = most->nr_steps;
	typical->ns = most->ns / most->nr;
	for (i = 0; i < most->nr_steps; i++) {
		typical->steps[i].class = most->classes[i];
		typical->steps[i].exit_ns = most->step_start[i] / most->nr;
		typical->steps[i].ns = most->step_ns[i] / most->nr;
	}
}

/* Go through those whose exits are all there, and whose end was seen. */
static int sort(struct fl_reader *r, long long run, struct kind *kinds, struct fl_typical *typical)
{
	struct kind episode;
	size_t nr = 0;
	int ret;

	if (fl_reader_ask(r, "SELECT steps, end_ns - start_ns FROM episodes WHERE run = ?1"
			  " AND exits <= ?2 AND outcome IN ('refault', 'update')", run, FL_MAX_STEPS))
		return -1;
	while ((ret = fl_reader_next(r)) == 1) {
		if (!parse_steps(fl_reader_text(r, 0), &episode))
			return fl_reader_fail(r, "it has episodes that are none");
		episode.ns = fl_reader_number(r, 1);
		add(kinds, &nr, &episode);
		typical->nr++;
	}
	if (!ret && nr)
		choose(kinds, nr, typical);
	return ret;
}

int fl_runfile_typical(const char *path, long long run, struct fl_typical *typical)
{
	struct kind *kinds;
	struct fl_reader r;
	int ret;

	memset(typical, 0, sizeof(*typical));
	if (fl_reader_open(&r, path))
		return -1;
	kinds = calloc(MAX_KINDS, sizeof(*kinds));
	ret = kinds ? sort(&r, run, kinds, typical) : fl_fail("out of memory; free some and try again");
	free(kinds);
	fl_reader_close(&r);
	return ret;
}
