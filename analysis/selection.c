// SPDX-License-Identifier: GPL-2.0
/* The options by which a measurement is selected. See selection.h. */
#include "error.h"
#include "options.h"
#include "selection.h"

int fl_selection_take(struct fl_selection *selection, const char *subcommand, int option)
{
	switch (option) {
	case 'a':
		selection->all = true;
		return FL_DONE;
	case 'p':
		return fl_parse_number(subcommand, "-p", optarg, 1, &selection->pid);
	case 'N':
		selection->vm = optarg;
		return FL_DONE;
	case 'v':
		return fl_parse_number(subcommand, "-v", optarg, 0, &selection->vcpu_id);
	case 'd':
		return fl_parse_seconds("-d", optarg, &selection->duration_ns);
	case 'w':
		selection->window = true;
		return FL_DONE;
	default:
		return -1;
	}
}

int fl_selection_end(struct fl_selection *selection, const char *subcommand,
		     int argc, char **argv)
{
	selection->command = optind < argc ? argv + optind : NULL;
	if (selection->all + !!selection->pid + !!selection->vm > 1)
		return fl_usage_error(subcommand, "-p, --vm and -a exclude each other");
	if (!selection->command && !selection->all && !selection->pid && !selection->vm)
		return fl_usage_error(subcommand, "no COMMAND to measure, and no -p, --vm or -a");
	if (selection->command && selection->duration_ns)
		return fl_usage_error(subcommand, "-d and COMMAND exclude each other: a command is measured to its end");
	return FL_DONE;
}
