// SPDX-License-Identifier: GPL-2.0
/*
 * Damages a run file and a file of JSON, again and again, and reads what is left:
 * that must end with all of it printed and no message, or with one line of message,
 * and never in a crash. Built with ASan and UBSan.
 * usage: results-mutate COUNT
 *
 * Mutations follow from their number: the file is changed byte by byte from its
 * start to its end, every other time, cut off, and overwritten in parts with others
 * of its own.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sanitizer/common_interface_defs.h>

#include "crafted.h"
#include "load.h"
#include "runfile.h"

struct victim {
	const char *name;
	char path[64];
	unsigned char *whole;	/* before it is damaged */
	size_t size;
	unsigned long nr_read, nr_refused;
};

static FILE *null;
static int messages;		/* what stderr has become */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- Damage ---- */

static void damage(unsigned char *bytes, size_t *size, unsigned long i, unsigned long count)
{
	uint64_t state = 0x9e3779b97f4a7c15 * (i + 1), place, from, length;

	place = next_random(&state) % *size;
	switch (i % 8) {
	case 6:
		*size = place;
		break;
	case 7:
		from = next_random(&state) % *size;
		length = next_random(&state) % (*size - (place > from ? place : from));
		memmove(bytes + place, bytes + from, length % 512);
		break;
	default:
		bytes[(unsigned __int128)*size * i / count] ^= 1 + next_random(&state) % 255;
	}
}

static void write_bytes(const char *path, const unsigned char *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		abort();
	close(fd);
}

/* ---- Reading ---- */

static int print(const struct fl_run *run, void *data)
{
	const struct victim *victim = data;
	struct fl_typical typical;

	if (run->number && fl_runfile_typical(victim->path, run->number, &typical))
		return -1;
	return fl_run_print_table(run, null) || fl_run_print_json(run, null) ||
	       fl_run_print_csv(run, null, true) ? -1 : 0;
}

/* Lines on stderr since the last time, in @text; -1 if the last one has no end. */
static int count_messages(char *text, size_t room)
{
	ssize_t size = pread(messages, text, room - 1, 0), i;
	int lines = 0;

	for (i = 0; i < size; i++)
		lines += text[i] == '\n';
	if (size > 0 && text[size - 1] != '\n')
		lines = -1;
	text[size < 0 ? 0 : size] = '\0';
	if (ftruncate(messages, 0) || lseek(messages, 0, SEEK_SET))
		abort();
	return lines;
}

static bool read_back(struct victim *victim, unsigned long i)
{
	int ret = fl_load(victim->path, NULL, true, print, victim);
	char text[4096];
	int lines = count_messages(text, sizeof(text));

	if (lines != (ret ? 1 : 0)) {
		printf("# %s, mutation %lu: status %d, and %d lines of message: %s\n", victim->name, i,
		       ret, lines, text);
		return false;
	}
	if (ret)
		victim->nr_refused++;
	else
		victim->nr_read++;
	return true;
}

static bool mutate(struct victim *victim, unsigned long count)
{
	unsigned char *bytes = malloc(victim->size);
	bool well = read_back(victim, 0) && victim->nr_read == 1;
	unsigned long i;
	size_t size;

	for (i = 0; well && i < count; i++) {
		memcpy(bytes, victim->whole, victim->size);
		size = victim->size;
		damage(bytes, &size, i, count);
		write_bytes(victim->path, bytes, size);
		well = read_back(victim, i);
	}
	free(bytes);
	printf("# %s: %zu bytes; %lu were read, %lu were refused\n", victim->name, victim->size,
	       victim->nr_read, victim->nr_refused);
	return well && victim->nr_read > 1 && victim->nr_refused;
}

/* ---- What is damaged ---- */

/* Less of the same, so that what a run file is made of besides is hit more often. */
static void thin_out(struct fl_tally *tally)
{
	int i, bucket;

	memset(tally->reasons + 8, 0, sizeof(tally->reasons) - 8 * sizeof(*tally->reasons));
	for (i = 0; i < FL_NR_CLASSES; i++) {
		struct fl_durations *durations = &tally->durations[i];

		for (bucket = 8; bucket < FL_DURATION_BUCKETS; bucket++) {
			durations->count -= durations->buckets[bucket];
			durations->buckets[bucket] = 0;
		}
	}
}

static void craft_run_file(struct fl_run *run, const char *path)
{
	struct fl_runfile *file = fl_runfile_create(path, false);
	const struct fl_episode_record record = { .pid = 70, .episode.exits = 3 };

	for (run->interval = 1; run->interval <= 2; run->interval++) {
		if (!file || fl_runfile_add_episode(file, &record) || fl_runfile_add(file, run))
			abort();
	}
	run->interval = 0;
	if (fl_runfile_add(file, run))
		abort();
	fl_runfile_close(file);
}

static void craft_json(const struct fl_run *run, const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out || fl_run_print_json(run, out) || fl_run_print_json(run, out))
		abort();
	fclose(out);
}

static void read_whole(struct victim *victim)
{
	FILE *file = fopen(victim->path, "r");

	if (!file || fseek(file, 0, SEEK_END))
		abort();
	victim->size = ftell(file);
	rewind(file);
	victim->whole = malloc(victim->size);
	if (fread(victim->whole, 1, victim->size, file) != victim->size)
		abort();
	fclose(file);
}

int main(int argc, char **argv)
{
	char directory[] = "/tmp/results-mutate.XXXXXX";
	struct victim victims[] = { { .name = "run file" }, { .name = "JSON" } };
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	struct fl_run run;
	int failed = 0, i;

	null = fopen("/dev/null", "w");
	if (!mkdtemp(directory) || !craft_run(&run) || !null)
		abort();
	for (i = 0; i < (int)run.snapshot.nr_vcpus; i++)
		thin_out(&run.snapshot.vcpus[i].tally);
	for (i = 0; i < 2; i++)
		snprintf(victims[i].path, sizeof(victims[i].path), "%s/%d", directory, i);
	craft_run_file(&run, victims[0].path);
	craft_json(&run, victims[1].path);
	fl_snapshot_free(&run.snapshot);

	/* What the sanitizers find goes where stderr was. */
	__sanitizer_set_report_fd((void *)(intptr_t)dup(STDERR_FILENO));
	messages = memfd_create("messages", 0);
	dup2(messages, STDERR_FILENO);
	printf("1..2\n");
	for (i = 0; i < 2; i++) {
		bool well;

		read_whole(&victims[i]);
		well = mutate(&victims[i], count);
		printf("%s %d - %s: %lu mutations end well\n", well ? "ok" : "not ok", i + 1,
		       victims[i].name, count);
		failed |= !well;
		unlink(victims[i].path);
		free(victims[i].whole);
	}
	fclose(null);
	rmdir(directory);
	return failed;
}
