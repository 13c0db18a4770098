// SPDX-License-Identifier: GPL-2.0
/* A verdict for people, programs and CI systems. See verdict.h. */
#include <stdio.h>

#include <json-c/json.h>

#include "error.h"
#include "json-file.h"
#include "output.h"
#include "verdict.h"

/* ---- for people ---- */

static const char *word(bool regressed)
{
	return regressed ? "REGRESSION" : "pass";
}

static void print_explaining(const char *name, const struct fl_change *change)
{
	printf("  %-24s %16.1f %16.1f %+9.1f\n", name, change->a, change->b, change->change);
}

/* Work and exits, by class: they explain the measures. */
static void print_explanation(const struct verdict *verdict)
{
	int i;

	printf("\n  %-24s %16s %16s %9s\n", "mean of a run", "base", "candidate", "change");
	for (i = 0; i < NR_COUNTS; i++)
		print_explaining(count_name(i), &verdict->counts[i]);
	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (verdict->classes[i].a || verdict->classes[i].b)
			print_explaining(fl_class_name(i), &verdict->classes[i]);
	}
}

void verdict_print(const struct verdict *verdict)
{
	int i;

	printf("%s, %s paging: Linux %s (%s), %zu runs, against Linux %s (%s), %zu runs\n\n"
	       "  %-24s %16s %16s %9s %18s %7s\n", verdict->base->workload, verdict->base->paging,
	       verdict->candidate->host.kernel, verdict->candidate->policy, verdict->nr_candidate,
	       verdict->base->host.kernel, verdict->base->policy, verdict->nr_base,
	       "", "base", "candidate", "change", "99.9 % interval", "limit");
	for (i = 0; i < NR_MEASURES; i++) {
		const struct finding *finding = &verdict->findings[i];
		const struct fl_change *change = &finding->change;
		int decimals = i == MEASURE_EXITS_PER_FAULT ? 3 : 0;

		printf("  %s%-*s %16.*f %16.*f %+8.2f%% %+8.2f%%..%+.2f%% %+6.2f%%  %s\n", finding->name,
		       (int)(24 - snprintf(NULL, 0, "%s", finding->name)), finding->unit,
		       decimals, change->a, decimals, change->b, change_percent(&finding->change),
		       100 * change->low / change->a, 100 * change->high / change->a,
		       100 * finding->limit, word(finding->regressed));
	}
	print_explanation(verdict);
	printf("\nverdict: %s\n", word(verdict->regressed));
}

/* ---- for a merge request ---- */

static void print_markdown_row(const char *name, const struct fl_change *change, FILE *out)
{
	fprintf(out, "| %s | %.1f | %.1f | %+.1f |\n", name, change->a, change->b, change->change);
}

static void print_markdown_explanation(const struct verdict *verdict, FILE *out)
{
	int i;

	fputs("\n| mean of a run | base | candidate | change |\n| --- | ---: | ---: | ---: |\n", out);
	for (i = 0; i < NR_COUNTS; i++)
		print_markdown_row(count_name(i), &verdict->counts[i], out);
	for (i = 0; i < FL_NR_CLASSES; i++) {
		if (verdict->classes[i].a || verdict->classes[i].b)
			print_markdown_row(fl_class_name(i), &verdict->classes[i], out);
	}
}

static void print_markdown(const struct verdict *verdict, FILE *out)
{
	int i;

	fprintf(out, "**faultline gate: %s** (`%s`, Linux %s `%s` against Linux %s `%s`)\n\n"
		"| | base | candidate | change | limit | |\n| --- | ---: | ---: | ---: | ---: | --- |\n",
		word(verdict->regressed), verdict->base->workload, verdict->candidate->host.kernel,
		verdict->candidate->policy, verdict->base->host.kernel, verdict->base->policy);
	for (i = 0; i < NR_MEASURES; i++) {
		const struct finding *finding = &verdict->findings[i];
		int decimals = i == MEASURE_EXITS_PER_FAULT ? 3 : 0;

		fprintf(out, "| %s%s | %.*f | %.*f | %+.2f %% | %+.2f %% | %s |\n", finding->name,
			finding->unit, decimals, finding->change.a, decimals, finding->change.b,
			change_percent(&finding->change), 100 * finding->limit, word(finding->regressed));
	}
	print_markdown_explanation(verdict, out);
	fprintf(out, "\nCycles are instructions, and %.0f for each VM exit: an estimate.\n",
		verdict->exit_cycles);
}

/* ---- for CI systems ---- */

/* Labels come from files, and may have anything in them. */
static void print_escaped(const char *text, FILE *out)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void print_junit(const struct verdict *verdict, FILE *out)
{
	int i, failures = 0;

	for (i = 0; i < NR_MEASURES; i++)
		failures += verdict->findings[i].regressed;
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"faultline gate\" tests=\"%d\" failures=\"%d\">\n", NR_MEASURES, failures);
	for (i = 0; i < NR_MEASURES; i++) {
		const struct finding *finding = &verdict->findings[i];

		fputs("  <testcase classname=\"", out);
		print_escaped(verdict->base->workload, out);
		fprintf(out, "\" name=\"%s\">", finding->name);
		if (finding->regressed)
			fprintf(out, "<failure message=\"%+.2f %%, more than %+.2f %%\"/>",
				change_percent(&finding->change), 100 * finding->limit);
		fputs("</testcase>\n", out);
	}
	fputs("</testsuite>\n", out);
}

/* ---- for programs ---- */

static void add_number(struct json_object *object, const char *key, double value)
{
	json_object_object_add(object, key, json_object_new_double(value));
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static struct json_object *side_json(const struct fl_run *run, size_t nr)
{
	struct json_object *side = json_object_new_object();

	add_text(side, "kernel", run->host.kernel);
	add_text(side, "policy", run->policy);
	json_object_object_add(side, "runs", json_object_new_uint64(nr));
	return side;
}

static void add_change(struct json_object *object, const struct fl_change *change)
{
	add_number(object, "base", change->a);
	add_number(object, "candidate", change->b);
	add_number(object, "change", change->change);
}

static void add_named_change(struct json_object *object, const char *name, const struct fl_change *change)
{
	struct json_object *member = json_object_new_object();

	add_change(member, change);
	json_object_object_add(object, name, member);
}

/* Means of the sides' runs. */
static void add_explanation(struct json_object *object, const struct verdict *verdict)
{
	struct json_object *classes = json_object_new_object();
	int i;

	add_named_change(object, "guest_faults", &verdict->counts[COUNT_GUEST_FAULTS]);
	add_named_change(object, "exits_total", &verdict->counts[COUNT_EXITS]);
	for (i = 0; i < FL_NR_CLASSES; i++)
		add_named_change(classes, fl_class_name(i), &verdict->classes[i]);
	json_object_object_add(object, "classes", classes);
}

static struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "name", finding->name);
	add_change(object, &finding->change);
	add_number(object, "low", finding->change.low);
	add_number(object, "high", finding->change.high);
	add_number(object, "p", finding->change.p);
	add_number(object, "limit", finding->limit);
	json_object_object_add(object, "regressed", json_object_new_boolean(finding->regressed));
	return object;
}

static struct json_object *verdict_json(const struct verdict *verdict)
{
	struct json_object *object = json_object_new_object(), *findings = json_object_new_array();
	int i;

	add_text(object, "schema", "faultline.verdict/1");
	add_text(object, "workload", verdict->base->workload);
	add_text(object, "paging", verdict->base->paging);
	json_object_object_add(object, "base", side_json(verdict->base, verdict->nr_base));
	json_object_object_add(object, "candidate", side_json(verdict->candidate, verdict->nr_candidate));
	add_number(object, "exit_cycles", verdict->exit_cycles);
	json_object_object_add(object, "regressed", json_object_new_boolean(verdict->regressed));
	for (i = 0; i < NR_MEASURES; i++)
		json_object_array_add(findings, finding_json(&verdict->findings[i]));
	json_object_object_add(object, "findings", findings);
	add_explanation(object, verdict);
	return object;
}

/* ---- files ---- */

static int write_text(const struct verdict *verdict, const char *directory, const char *name,
		      void (*print)(const struct verdict *verdict, FILE *out))
{
	struct fl_output output;
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	ret = fl_output_open(&output, path);
	if (!ret) {
		print(verdict, output.file);
		ret = fl_output_commit(&output);
	}
	fl_output_close(&output);
	return ret;
}

int verdict_write(const struct verdict *verdict, const char *directory)
{
	struct json_object *object = verdict_json(verdict);
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/verdict.json", directory);
	ret = json_file_write(object, path);
	json_object_put(object);
	if (ret || write_text(verdict, directory, "junit.xml", print_junit))
		return -1;
	return write_text(verdict, directory, "summary.md", print_markdown);
}
