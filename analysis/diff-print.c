// SPDX-License-Identifier: GPL-2.0
/* What was found by comparing runs, printed. See diff.h. */
#include <math.h>
#include <string.h>

#include <json-c/json.h>

#include "diff.h"

/* Classes that make less of a change than this part of all changes explain nothing. */
#define EXPLAINS 0.05

/* ---- What is compared ---- */

const char *fl_diff_title(const struct fl_cell *cell, char *title, size_t size)
{
	const char *const *label;
	size_t used = 0;
	char changes[256] = "";

	*title = '\0';
	for (label = fl_cell_labels; *label; label++) {
		const char *a = fl_run_label(cell->a[0], *label), *b = fl_run_label(cell->b[0], *label);
		size_t length = strlen(changes);

		if (strcmp(a, b))
			snprintf(changes + length, sizeof(changes) - length, "%s%s %s -> %s",
				 length ? ", " : "", *label, a, b);
		else if (*a && used < size)
			used += snprintf(title + used, size - used, "%s%s", used ? " " : "", a);
	}
	if (*changes && used < size)
		snprintf(title + used, size - used, "%s%s", used ? ": " : "", changes);
	return title;
}

static bool compare(const struct fl_diff *diff, const struct fl_cell *cell,
		    const struct fl_quantity *quantity, struct fl_change *change, enum fl_unit *unit)
{
	return fl_quantity_compare(quantity, cell->a, cell->nr_a, cell->b, cell->nr_b,
				   diff->confidence, change, unit);
}

/* ---- A table ---- */

static const char *verdict(const struct fl_change *change, char *text, size_t size)
{
	if (change->verdict == FL_UNTESTED)
		return "one run a side: not tested";
	if (change->verdict == FL_NO_DIFFERENCE)
		snprintf(text, size, "no difference can be shown (p = %.2f)", change->p);
	else if (change->p < 0.001)
		snprintf(text, size, "differs (p < 0.001)");
	else
		snprintf(text, size, "differs (p = %.3f)", change->p);
	return text;
}

static void print_row(const struct fl_quantity *quantity, const struct fl_change *change, FILE *out)
{
	int decimals = fl_quantity_decimals(quantity);
	char relative[16] = "", interval[48] = "", text[64];

	if (change->a)
		snprintf(relative, sizeof(relative), "%+.1f%%", 100 * change->change / change->a);
	if (change->verdict != FL_UNTESTED)
		snprintf(interval, sizeof(interval), "%+.*f to %+.*f", decimals, change->low, decimals,
			 change->high);
	fprintf(out, "  %-26s %13.*f %13.*f %+13.*f %8s  %-22s %s\n", quantity->name, decimals, change->a,
		decimals, change->b, decimals, change->change, relative, interval,
		verdict(change, text, sizeof(text)));
}

static void print_rows(const struct fl_diff *diff, const struct fl_cell *cell, FILE *out)
{
	struct fl_quantity quantity;
	struct fl_change change;
	enum fl_unit unit;
	size_t i;

	fprintf(out, "  %-26s %13s %13s %13s %8s  %.4g%% interval\n", "", "A", "B", "change", "",
		100 * diff->confidence);
	for (i = 0; fl_quantity_at(i, &quantity); i++) {
		/* Classes that neither side has are not worth a line. */
		if (compare(diff, cell, &quantity, &change, &unit) && (change.a || change.b))
			print_row(&quantity, &change, out);
	}
}

/* The classes that make most of a change: "refault -1.000, unsync +0.002". */
static void print_explanation(const struct fl_diff *diff, const struct fl_cell *cell, FILE *out)
{
	struct fl_quantity quantity;
	struct fl_change change;
	const char *separator = "";
	enum fl_unit unit;
	double sum = 0;
	size_t i;

	for (i = 0; fl_quantity_at(i, &quantity); i++) {
		if (fl_quantity_is_part(&quantity) && compare(diff, cell, &quantity, &change, &unit))
			sum += fabs(change.change);
	}
	for (i = 0; fl_quantity_at(i, &quantity); i++) {
		if (!fl_quantity_is_part(&quantity) || !compare(diff, cell, &quantity, &change, &unit) ||
		    fabs(change.change) <= EXPLAINS * sum)
			continue;
		fprintf(out, "%s%s %+.3f", separator, fl_class_name(quantity.class), change.change);
		separator = ", ";
	}
}

static void print_conclusion(const struct fl_diff *diff, const struct fl_cell *cell, FILE *out)
{
	struct fl_quantity quantity;
	struct fl_change change;
	enum fl_unit unit;

	fl_quantity_at(0, &quantity);
	if (!compare(diff, cell, &quantity, &change, &unit)) {
		fputs("\n  A side has no exits per guest fault.\n", out);
		return;
	}
	fputs("\n  Exits per guest fault: ", out);
	if (change.verdict == FL_DIFFERENT) {
		fprintf(out, "%+.3f, by ", change.change);
		print_explanation(diff, cell, out);
	} else {
		fputs(change.verdict == FL_UNTESTED ? "not tested" : "no difference can be shown", out);
	}
	if (unit == FL_BY_RUN)
		fprintf(out, ".\n  Welch's t-test; observations are the runs, %zu and %zu.\n", cell->nr_a, cell->nr_b);
	else
		fputs(".\n  Welch's t-test; observations are the guest faults of the runs.\n", out);
}

static void print_unmatched(const struct fl_cell *cell, FILE *out)
{
	const struct fl_run *run = cell->nr_a ? cell->a[0] : cell->b[0];
	const char *const *label;

	fprintf(out, "\nOnly %c has", cell->nr_a ? 'A' : 'B');
	for (label = fl_cell_labels; *label; label++)
		fprintf(out, " %s", fl_run_label(run, *label));
	fputs(".\n", out);
}

int fl_diff_print_table(const struct fl_diff *diff, FILE *out)
{
	char title[256];
	size_t i;

	for (i = 0; i < diff->cells.nr; i++) {
		const struct fl_cell *cell = &diff->cells.cells[i];

		if (!cell->nr_a || !cell->nr_b) {
			print_unmatched(cell, out);
			continue;
		}
		fprintf(out, "\n%s\n\n", fl_diff_title(cell, title, sizeof(title)));
		print_rows(diff, cell, out);
		print_conclusion(diff, cell, out);
	}
	fputc('\n', out);
	return fl_run_flush(out);
}

/* ---- JSON ---- */

static void add_text(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *key, double value)
{
	char text[32];

	snprintf(text, sizeof(text), "%.9g", value);
	json_object_object_add(object, key, json_object_new_double_s(value, text));
}

/* The labels of the runs of a side, and how many they are; NULL if there are none. */
static struct json_object *side_to_json(const struct fl_run **runs, size_t nr)
{
	struct json_object *object = nr ? json_object_new_object() : NULL;
	const char *const *label;

	for (label = fl_cell_labels; nr && *label; label++)
		add_text(object, *label, fl_run_label(runs[0], *label));
	if (nr)
		json_object_object_add(object, "runs", json_object_new_uint64(nr));
	return object;
}

static struct json_object *change_to_json(const struct fl_change *change, enum fl_unit unit)
{
	static const char *const verdicts[] = { "untested", "no difference", "different" };
	struct json_object *object = json_object_new_object();

	add_number(object, "a", change->a);
	add_number(object, "b", change->b);
	add_number(object, "change", change->change);
	add_text(object, "verdict", verdicts[change->verdict]);
	if (change->verdict == FL_UNTESTED)
		return object;
	add_number(object, "low", change->low);
	add_number(object, "high", change->high);
	add_number(object, "p", change->p);
	add_text(object, "test", "Welch's t-test");
	add_text(object, "unit", unit == FL_BY_RUN ? "run" : "guest fault");
	return object;
}

static struct json_object *cell_to_json(const struct fl_diff *diff, const struct fl_cell *cell)
{
	struct json_object *object = json_object_new_object(), *changes;
	struct fl_quantity quantity;
	struct fl_change change;
	enum fl_unit unit;
	size_t i;

	json_object_object_add(object, "a", side_to_json(cell->a, cell->nr_a));
	json_object_object_add(object, "b", side_to_json(cell->b, cell->nr_b));
	if (!cell->nr_a || !cell->nr_b)
		return object;
	changes = json_object_new_object();
	for (i = 0; fl_quantity_at(i, &quantity); i++) {
		if (compare(diff, cell, &quantity, &change, &unit))
			json_object_object_add(changes, quantity.name, change_to_json(&change, unit));
	}
	json_object_object_add(object, "quantities", changes);
	return object;
}

int fl_diff_print_json(const struct fl_diff *diff, FILE *out)
{
	struct json_object *object = json_object_new_object(), *cells = json_object_new_array();
	size_t i;

	add_text(object, "schema", "faultline.diff/1");
	add_number(object, "confidence", diff->confidence);
	for (i = 0; i < diff->cells.nr; i++)
		json_object_array_add(cells, cell_to_json(diff, &diff->cells.cells[i]));
	json_object_object_add(object, "comparisons", cells);
	fprintf(out, "%s\n", json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return fl_run_flush(out);
}
