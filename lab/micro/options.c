// SPDX-License-Identifier: GPL-2.0
/* Words and numbers of a command line, and a file to write. See options.h. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "options.h"

const char *const paging_names[NR_PAGING_MODES] = { "32", "pae", "64" };

int option_error(const char *format, const char *word)
{
	fl_fail(format, word);
	return FL_USAGE;
}

/* Say what is wrong about @word, and where to look. Returns FL_USAGE. */
static int usage_error(const struct command_line *line, const char *before, const char *word,
		       const char *after)
{
	fl_fail("%s%s%s; see '%s --help'", before, word, after, line->program);
	return FL_USAGE;
}

int parse_command_line(const struct command_line *line, int argc, char **argv, void *context)
{
	int option, ret;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", line->options, NULL)) != -1) {
		if (option == 'h') {
			fputs(line->help, stdout);
			return -1;
		}
		if (option == ':')
			return usage_error(line, "", argv[optind - 1], " needs a value");
		if (option == '?')
			return usage_error(line, "unknown option ", argv[optind - 1], "");
		ret = line->set(context, option, optarg);
		if (ret)
			return ret;
	}
	return optind < argc ? usage_error(line, "unexpected '", argv[optind], "'") : 0;
}

int option_word(const char *const *words, int nr, const char *word)
{
	int i;

	for (i = 0; i < nr; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	return -1;
}

uint64_t option_number(const char *text, uint64_t max)
{
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || value > max ? 0 : value;
}

int write_whole(const char *path, void (*print)(FILE *file, const void *context),
		const void *context)
{
	char temporary[4096];
	FILE *file;
	int failed;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "w");
	if (!file)
		return fl_fail("cannot write %s: %s", temporary, strerror(errno));
	print(file, context);
	failed = ferror(file);
	if ((fclose(file) || failed) || rename(temporary, path)) {
		fl_fail("cannot write %s: %s", path, strerror(errno));
		unlink(temporary);
		return -1;
	}
	return 0;
}
