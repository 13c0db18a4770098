// SPDX-License-Identifier: GPL-2.0
/* Runs, printed in the format that the user chose. See printer.h. */
#include "error.h"
#include "options.h"
#include "printer.h"

int fl_printer_choose(struct fl_printer *printer, enum fl_format format, const char *subcommand)
{
	if (printer->format != FL_TABLE && printer->format != format)
		return fl_usage_error(subcommand, "--json and --csv exclude each other");
	printer->format = format;
	return FL_DONE;
}

int fl_printer_print(const struct fl_run *run, void *data)
{
	struct fl_printer *printer = data;
	bool first = !printer->printed;

	printer->printed = true;
	switch (printer->format) {
	case FL_JSON:
		return fl_run_print_json(run, printer->output.file);
	case FL_CSV:
		return fl_run_print_csv(run, printer->output.file, first);
	default:
		return fl_run_print_table(run, printer->output.file);
	}
}
