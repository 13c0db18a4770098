/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs, printed in the format that the user chose: what `stat` measured, and what
 * `report` read, look the same.
 */
#ifndef FAULTLINE_PRINTER_H
#define FAULTLINE_PRINTER_H

#include "output.h"
#include "run.h"

enum fl_format { FL_TABLE, FL_JSON, FL_CSV };

struct fl_printer {
	struct fl_output output;
	enum fl_format format;
	bool printed;		/* it is not the first run */
};

/* Their help. */
#define FL_PRINTER_HELP \
"      --json         one JSON object a line (schema faultline.run/1)\n" \
"      --csv          comma-separated values: a line for each VM, one for all\n"

/* Choose a format, for @subcommand. FL_DONE, or FL_USAGE if another was chosen. */
int fl_printer_choose(struct fl_printer *printer, enum fl_format format, const char *subcommand);

/* Print @run to the printer @data: an fl_run_handler. 0 or -1. */
int fl_printer_print(const struct fl_run *run, void *data);

#endif /* FAULTLINE_PRINTER_H */
