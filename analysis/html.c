// SPDX-License-Identifier: GPL-2.0
/* Runs as a page of HTML. See html.h. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "error.h"
#include "html.h"

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
