// SPDX-License-Identifier: GPL-2.0
/*
 * faultline export: serve the counts to Prometheus. A program of its own, which
 * `faultline export` becomes: what only measures needs no HTTP server, with all
 * the libraries that one comes with.
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "http.h"
#include "interrupt.h"
#include "ledger.h"
#include "listen.h"
#include "metrics.h"
#include "options.h"
#include "probe.h"
#include "run.h"
#include "session.h"
#include "vmm.h"

#define DEFAULT_LISTEN		"127.0.0.1:10753"
#define DEFAULT_MAX_VMS		64
#define DEFAULT_KEEP_NS		(300 * NS_PER_SECOND)
#define NS_PER_SECOND		1000000000ULL

/* A page is as old as that at most; who asks more often gets the same again. */
#define MAX_AGE_NS		NS_PER_SECOND

/* Counts are read at least as often, so that VMs are seen while they have a name. */
#define MAX_SILENCE_NS		(5 * NS_PER_SECOND)

struct options {
	struct fl_selection selection;
	const char *listen;
	bool remote;
	int max_vms;
	__u64 keep_ns;
};

static const char help[] =
"usage: faultline export [OPTION]... [-p PID | --vm NAME | -a] [-- COMMAND [ARGUMENT]...]\n"
"\n"
"Serve the counts of VM exits and guest page faults to Prometheus, over HTTP at\n"
"/metrics, as OpenMetrics or in Prometheus's text format, until a signal (Ctrl-C).\n"
"\n"
"      --listen ADDRESS:PORT  where; default " DEFAULT_LISTEN ". Port 0 is one that\n"
"                     is free; which one, is printed\n"
"      --remote       let it be an address that other machines can connect to:\n"
"                     there is neither encryption nor a password\n"
"      --max-vms N    series of their own for N virtual machines at most (64);\n"
"                     further ones are counted together, as vm=\"other\"\n"
"      --keep SECONDS  how long a VM that has ended is shown (300)\n"
"  -h, --help         print this help\n"
"\n"
FL_SELECTION_HELP
"\n"
"If nothing is selected, all virtual machines of this host are (-a).\n"
"\n"
"Exit status: 0 ended by a signal or after all was measured, 1 failed, 2 usage.\n";

/* ---- Options ---- */

/* One option. FL_DONE, FL_USAGE, or -1 after --help. */
static int parse_option(int option, char **argv, struct options *options)
{
	switch (option) {
	case 'l':
		options->listen = optarg;
		return FL_DONE;
	case 'r':
		options->remote = true;
		return FL_DONE;
	case 'm':
		return fl_parse_number("export", "--max-vms", optarg, 0, &options->max_vms);
	case 'k':
		return fl_parse_seconds("--keep", optarg, &options->keep_ns);
	case 'h':
		fputs(help, stdout);
		return -1;
	case ':':
	case '?':
		return fl_bad_option("export", option, argv);
	default:
		return fl_selection_take(&options->selection, "export", option);
	}
}

/* FL_DONE to go on, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		FL_SELECTION_LONG,
		{ "listen", required_argument, NULL, 'l' },
		{ "remote", no_argument, NULL, 'r' },
		{ "max-vms", required_argument, NULL, 'm' },
		{ "keep", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct fl_selection *selection = &options->selection;
	int option, ret = FL_DONE;

	while (!ret && (option = fl_next_option(argc, argv, "+:" FL_SELECTION_SHORT "h", long_options)) != -1)
		ret = parse_option(option, argv, options);
	if (ret)
		return ret;
	if (optind == argc && !selection->pid && !selection->vm)
		selection->all = true;
	return fl_selection_end(selection, "export", argc, argv);
}

/* Where to listen. FL_DONE or FL_USAGE. */
static int find_address(const struct options *options, struct fl_address *address)
{
	int ret = fl_address_parse("export", options->listen, address);

	if (ret)
		return ret;
	if (!options->remote && !fl_address_is_loopback(address))
		return fl_usage_error("export", "other machines can connect to %s; --remote if they shall",
				      options->listen);
	return FL_DONE;
}

/* ---- Pages ---- */

struct exporter {
	struct fl_session session;
	struct fl_ledger ledger;
	struct fl_http *http;
	__u64 read_ns;		/* when the counts were read last */
};

/* As far as it can be told. */
static bool lives(pid_t pid)
{
	return fl_vm_pids_differ() || fl_vm_lives(pid);
}

static int read_counts(struct exporter *exporter)
{
	struct fl_snapshot now;

	if (fl_collector_read(exporter->session.collector, false, &now))
		return -1;
	exporter->read_ns = now.time_ns;
	if (fl_ledger_add(&exporter->ledger, &now))
		return -1;
	fl_collector_forget(exporter->session.collector);
	return 0;
}

static int read_if_older(struct exporter *exporter, __u64 ns)
{
	return fl_now_ns() - exporter->read_ns >= ns ? read_counts(exporter) : 0;
}

/* All of it at this moment, as modules may be loaded anew. */
static void describe_host(struct fl_metrics *metrics)
{
	__u32 isa = metrics->ledger->total.isa;

	if (!isa)
		isa = fl_host_vendor();
	fl_host_read(&metrics->host);
	metrics->vendor = fl_vendor_name(isa);
	metrics->mmu = fl_mmu_name(isa);
}

static char *make_page(enum fl_exposition format, size_t *size, void *data)
{
	struct exporter *exporter = data;
	struct fl_metrics metrics = { .ledger = &exporter->ledger };
	char *page = NULL;
	FILE *out;

	if (read_if_older(exporter, MAX_AGE_NS))
		return NULL;
	out = open_memstream(&page, size);
	if (!out)
		return NULL;
	describe_host(&metrics);
	fl_metrics_print(&metrics, format, out);
	if (fclose(out)) {
		free(page);
		return NULL;
	}
	return page;
}

/* ---- From beginning to end ---- */

static int begin(struct exporter *exporter, const struct fl_address *address)
{
	if (fl_probe_drop_privileges() || read_counts(exporter))
		return -1;
	printf("serving http://%s/metrics\n", address->text);
	return fl_run_flush(stdout);
}

static int serve(struct exporter *exporter)
{
	struct fl_http *http = exporter->http;
	struct fl_session *session = &exporter->session;

	while (!fl_session_is_over(session)) {
		if (fl_session_wait_fd(session, fl_http_time_left(http, NS_PER_SECOND), fl_http_fd(http)) ||
		    fl_http_run(http) || read_if_older(exporter, MAX_SILENCE_NS))
			return -1;
	}
	return 0;
}

/* A host on which nothing happens is no failure, but a command that fails is. */
static int judge(struct exporter *exporter)
{
	struct fl_snapshot last;
	int ret;

	if (!exporter->session.selection->command)
		return 0;
	if (fl_collector_read(exporter->session.collector, true, &last))
		return -1;
	ret = fl_session_judge(&exporter->session, &last);
	fl_snapshot_free(&last);
	return ret;
}

static int export(const struct options *options, struct fl_address *address)
{
	struct exporter exporter = {
		.ledger = {
			.max_vms = options->max_vms,
			.keep_ns = options->keep_ns,
			.lives = lives,
		},
	};
	int ret = -1, fd = fl_listen(address);

	if (fd < 0)
		return -1;
	exporter.http = fl_http_open(fd, make_page, &exporter);
	if (!exporter.http)
		return -1;
	if (!fl_session_open(&exporter.session, &options->selection, 0)) {
		ret = begin(&exporter, address) || serve(&exporter) || judge(&exporter) ? -1 : 0;
		fl_session_close(&exporter.session);
	}
	fl_http_close(exporter.http);
	fl_ledger_free(&exporter.ledger);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.selection = FL_SELECTION_DEFAULTS,
		.listen = DEFAULT_LISTEN,
		.max_vms = DEFAULT_MAX_VMS,
		.keep_ns = DEFAULT_KEEP_NS,
	};
	struct fl_address address;
	int ret;

	signal(SIGPIPE, SIG_IGN);
	ret = parse(argc, argv, &options);
	if (!ret)
		ret = find_address(&options, &address);
	if (ret > 0)
		return ret;
	if (ret < 0)
		return fl_run_flush(stdout) ? FL_FAILED : FL_DONE;
	fl_interrupt_catch();
	return export(&options, &address) ? FL_FAILED : FL_DONE;
}
