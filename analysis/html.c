// SPDX-License-Identifier: GPL-2.0
/* Runs as a page of HTML. See html.h. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "html.h"
#include "runfile.h"

/* The halves of the page, from html/page.S. */
extern const char fl_page_head[], fl_page_head_end[], fl_page_tail[], fl_page_tail_end[];

/* JSON within a script: what might end the script is written in another way. */
static void print_escaped(const char *json, FILE *out)
{
	for (; *json; json++) {
		if (*json == '<')
			fputs("\\u003c", out);
		else
			fputc(*json, out);
	}
}

void fl_html_begin(FILE *out)
{
	fwrite(fl_page_head, 1, fl_page_head_end - fl_page_head, out);
	fputc('[', out);
}

/* The run's typical episode, if it has one. 0 or -1. */
static int print_typical(const struct fl_run *run, const char *path, FILE *out)
{
	struct fl_typical typical = { .nr = 0 };
	unsigned int i;

	if (run->number && fl_runfile_typical(path, run->number, &typical))
		return -1;
	if (!typical.nr)
		return 0;
	fprintf(out, ",\"episode\":{\"like\":%llu,\"of\":%llu,\"ns\":%llu,\"steps\":[", typical.nr_like,
		typical.nr, typical.ns);
	for (i = 0; i < typical.nr_steps; i++)
		fprintf(out, "%s{\"name\":\"%s\",\"start\":%llu,\"ns\":%u}", i ? "," : "",
			fl_class_name(typical.steps[i].class), typical.steps[i].exit_ns, typical.steps[i].ns);
	fputs("]}", out);
	return 0;
}

int fl_html_add(const struct fl_run *run, const char *path, bool first, FILE *out)
{
	struct json_object *source = json_object_new_string(basename(path));
	char *json = NULL;
	size_t size;
	FILE *text = open_memstream(&json, &size);
	int ret = text ? fl_run_print_json(run, text) : fl_fail("out of memory; free some and try again");

	if (text)
		fclose(text);
	if (!ret) {
		fputs(first ? "{\"source\":" : ",{\"source\":", out);
		print_escaped(json_object_to_json_string_ext(source, JSON_C_TO_STRING_PLAIN), out);
		fputs(",\"run\":", out);
		print_escaped(json, out);
		ret = print_typical(run, path, out);
		fputc('}', out);
	}
	json_object_put(source);
	free(json);
	return ret;
}

int fl_html_end(FILE *out)
{
	fputs("]\n", out);
	fwrite(fl_page_tail, 1, fl_page_tail_end - fl_page_tail, out);
	return fl_run_flush(out);
}
