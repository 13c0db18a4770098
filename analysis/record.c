// SPDX-License-Identifier: GPL-2.0
/* faultline record: measure as `stat` does, into a run file. */
#include <getopt.h>

#include "commands.h"
#include "error.h"
#include "interrupt.h"
#include "measure.h"
#include "options.h"
#include "runfile.h"

#define DEFAULT_INTERVAL_NS 1000000000ULL

/* Room for what a busy host does in some tenths of a second. */
#define RECORDS_SIZE (16 << 20)

struct options {
	struct fl_selection selection;
	const char *output;
	bool append, episodes;
	__u64 interval_ns;
};

const char fl_record_help[] =
"usage: faultline record [OPTION]... -- COMMAND [ARGUMENT]...\n"
"       faultline record [OPTION]... -p PID | --vm NAME | -a [-- COMMAND [ARGUMENT]...]\n"
"\n"
"Count the VM exits of virtual machines as 'faultline stat' does, and keep the counts\n"
"in a run file (SQLite; docs/RUNFILE.md), for 'faultline report' to print.\n"
"\n"
FL_SELECTION_HELP
"\n"
"Output:\n"
"  -o, --output FILE  the run file (" FL_DEFAULT_RUNFILE "); it must not exist yet\n"
"      --append       add a run to FILE, if it exists\n"
"  -i, --interval SECONDS  write what happened every so often (1): if recording is\n"
"                     cut off, or the disk is full, no more than that is lost\n"
"      --episodes     keep each guest fault's exits, too: 100 bytes for each fault\n"
"      --set KEY=VALUE  label the run: line, policy, workload, paging, clock\n"
"  -h, --help         print this help\n"
"\n"
"Exit status: 0 recorded, 1 not recorded, incomplete, or COMMAND failed, 2 usage.\n";

/* ---- Options ---- */

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options, struct fl_run *run)
{
	switch (option) {
	case 'i':
		return fl_parse_seconds("-i", optarg, &options->interval_ns);
	case 'o':
		options->output = optarg;
		return FL_DONE;
	case 'A':
		options->append = true;
		return FL_DONE;
	case 'e':
		options->episodes = true;
		return FL_DONE;
	case 's':
		return fl_run_set_label(run, optarg) ? FL_USAGE : FL_DONE;
	case 'h':
		fputs(fl_record_help, stdout);
		return -1;
	case ':':
	case '?':
		return fl_bad_option("record", option, argv);
	default:
		return fl_selection_take(&options->selection, "record", option);
	}
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options, struct fl_run *run)
{
	static const struct option long_options[] = {
		FL_SELECTION_LONG,
		{ "interval", required_argument, NULL, 'i' },
		{ "output", required_argument, NULL, 'o' },
		{ "append", no_argument, NULL, 'A' },
		{ "episodes", no_argument, NULL, 'e' },
		{ "set", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = FL_DONE;

	while (!ret && (option = fl_next_option(argc, argv, "+:" FL_SELECTION_SHORT "i:o:h", long_options)) != -1)
		ret = parse_option(option, argv, options, run);
	return ret ? ret : fl_selection_end(&options->selection, "record", argc, argv);
}

/* ---- Recording ---- */

struct recorder {
	struct fl_runfile *file;
	const char *path;
	bool failed;		/* and has told the user */
};

static void add_episode(const struct fl_episode_record *record, void *data)
{
	struct recorder *recorder = data;

	if (!recorder->failed)
		recorder->failed = fl_runfile_add_episode(recorder->file, record);
}

static int add_run(const struct fl_run *run, void *data)
{
	const struct fl_tally *total = &run->snapshot.total;
	struct recorder *recorder = data;

	if (recorder->failed || fl_runfile_add(recorder->file, run))
		return -1;
	if (run->interval)
		return 0;
	printf("%s: run %lld, %.3f s, %llu guest faults", recorder->path,
	       fl_runfile_run(recorder->file), run->duration_ns / 1e9, fl_tally_guest_faults(total));
	if (!fl_tally_lacks_ratio(total))
		printf(", %.3f exits per guest fault", fl_tally_exits_per_guest_fault(total));
	putchar('\n');
	if (run->snapshot.lost_records)
		return fl_fail("%llu episodes were lost; all exits are counted, but record fewer VMs at once",
			       run->snapshot.lost_records);
	return 0;
}

static int record(const struct options *options, struct fl_run *run)
{
	struct recorder recorder = { .path = options->output };
	const struct fl_measurement measurement = {
		.selection = &options->selection,
		.interval_ns = options->interval_ns,
		.handle = add_run,
		.records_size = RECORDS_SIZE,
		.handle_record = options->episodes ? add_episode : NULL,
		.data = &recorder,
	};
	int ret;

	recorder.file = fl_runfile_create(options->output, options->append);
	if (!recorder.file)
		return -1;
	ret = fl_measure(&measurement, run);
	fl_runfile_close(recorder.file);
	fl_snapshot_free(&run->snapshot);
	return ret;
}

int fl_cmd_record(int argc, char **argv)
{
	struct options options = {
		.selection = FL_SELECTION_DEFAULTS,
		.output = FL_DEFAULT_RUNFILE,
		.interval_ns = DEFAULT_INTERVAL_NS,
	};
	struct fl_run run;
	int ret;

	fl_run_init(&run);
	fl_run_set_command(&run, argc, argv);
	/* Where KVM emits no kvm_exit, there are no episodes to keep. */
	options.selection.filter.min_exits = 1;
	ret = parse(argc, argv, &options, &run);
	if (ret)
		return ret < 0 ? FL_DONE : ret;
	fl_interrupt_catch();
	return record(&options, &run) ? FL_FAILED : FL_DONE;
}
