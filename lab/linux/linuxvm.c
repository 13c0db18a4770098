// SPDX-License-Identifier: GPL-2.0
/*
 * linuxvm: runs a workload in a Linux guest under Debian's QEMU, and passes on
 * what the guest tells of it. Runs on an emulated host that has the image
 * linux-host, or else the smallest QEMU, with the guest's kernel and initramfs in
 * /guest, see lab/run; and on real ones, see ci/kbuild.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "error.h"
#include "microvm.h"
#include "options.h"

struct options {
	const char *workload, *json, *kernel, *initrd;
	const char *console, *result;	/* files: what the guest's serial ports said */
	unsigned int amount, memory, vcpus;
};

static const char help[] =
"usage: linuxvm --workload NAME [OPTION]...\n"
"\n"
"Run a workload in a Linux guest.\n"
"\n"
"  --workload NAME  what the guest shall do, see lab/README.md\n"
"  --faults N       how much of it, 1 to 100000, default 1999\n"
"  --vcpus N        of the guest, 1 to 8: each does so much, at once (default 1)\n"
"  --paging 64      a Linux guest has no other\n"
"  --memory MIB     of the guest, default 640\n"
"  --kernel FILE    the guest's, default /guest/kernel\n"
"  --initrd FILE    the guest's, default /guest/initrd\n"
"  --console FILE   gets what the guest says, default /tmp/guest-console\n"
"  --result FILE    gets what it tells, as it comes, default /tmp/guest-result\n"
"  --json FILE      write what the guest told (faultline.linux-guest/1)\n"
"  -h, --help       print this help\n"
"\n"
"Exit status: 0 the guest did all it should, 1 it didn't, 2 usage.\n";

/* ---- options ---- */

static const char **file_of(struct options *options, int option)
{
	switch (option) {
	case 'j':
		return &options->json;
	case 'k':
		return &options->kernel;
	case 'i':
		return &options->initrd;
	case 'c':
		return &options->console;
	default:
		return &options->result;
	}
}

static int set_option(void *context, int option, const char *value)
{
	struct options *options = context;

	switch (option) {
	case 'w':
		options->workload = value;
		return strchr(value, ' ') ? option_error("--workload '%s' is not a word", value) : 0;
	case 'p':
		return strcmp(value, "64") ?
			option_error("--paging '%s': a Linux guest has 64", value) : 0;
	case 'n':
		options->amount = option_number(value, 100000);
		return options->amount ? 0 :
			option_error("--faults '%s' is not a number from 1 to 100000", value);
	case 'm':
		options->memory = option_number(value, 1 << 20);
		return options->memory ? 0 :
			option_error("--memory '%s' is not a number of MiB", value);
	case 'v':
		options->vcpus = option_number(value, 8);
		return options->vcpus ? 0 :
			option_error("--vcpus '%s' is not a number from 1 to 8", value);
	default:
		*file_of(options, option) = value;
		return 0;
	}
}

/* 0, FL_USAGE, or -1 after --help. */
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {
		{ "workload", required_argument, NULL, 'w' },
		{ "faults", required_argument, NULL, 'n' },
		{ "paging", required_argument, NULL, 'p' },
		{ "memory", required_argument, NULL, 'm' },
		{ "vcpus", required_argument, NULL, 'v' },
		{ "json", required_argument, NULL, 'j' },
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "console", required_argument, NULL, 'c' },
		{ "result", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static const struct command_line line = { "linuxvm", help, long_options, set_option };
	int ret = parse_command_line(&line, argc, argv, options);

	if (ret)
		return ret;
	return options->workload ? 0 : option_error("%s is missing; see 'linuxvm --help'", "--workload");
}

/* ---- the guest ---- */

/*
 * As the emulated host itself: no device that is not needed, the same time and the
 * same random numbers each time.
 */
static void execute_qemu(const struct options *options, char *memory, char *vcpus, char *command_line)
{
	char console[4200], result[4200];
	char *argv[] = {
		"qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-smp", vcpus, "-m", memory,
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-rtc", "base=2024-01-01,clock=vm", "-seed", "1",
		"-chardev", console, "-serial", "chardev:console",
		"-chardev", result, "-serial", "chardev:result",
		"-kernel", (char *)options->kernel, "-initrd", (char *)options->initrd,
		"-append", command_line, NULL,
	};

	snprintf(console, sizeof(console), "file,id=console,path=%s", options->console);
	snprintf(result, sizeof(result), "file,id=result,path=%s", options->result);
	execvp(argv[0], argv);
	fl_fail("cannot run %s: %s; the image linux-host has it", argv[0], strerror(errno));
}

static void execute_microvm(const struct options *options, char *memory, char *vcpus, char *command_line)
{
	const struct microvm vm = {
		.memory = memory, .cpus = vcpus, .console = options->console, .results = options->result,
		.kernel = options->kernel, .initrd = options->initrd, .command_line = command_line,
	};
	char *argv[MICROVM_WORDS];
	size_t nr = 0;

	microvm_add(argv, &nr, &vm);
	execv(argv[0], argv);
	fl_fail("cannot run %s: %s", argv[0], strerror(errno));
}

/*
 * What the guest's kernel, mostly the host's own, has to know of its machine. As
 * for a microvm, a 7.2 kernel doesn't get over what TCG says of XSAVE.
 */
static void describe_machine(char *text, size_t size, bool small)
{
	struct utsname host;

	uname(&host);
	if (small)
		snprintf(text, size, MICROVM_CMDLINE, microvm_tsc_khz());
	else
		snprintf(text, size, "console=ttyS0 panic=-1%s",
			 atoi(host.release) >= 7 ? " noxsave" : "");
}

/* norandmaps: gcc's work depends on where its memory is, and the guest's faults on that. */
static void execute_guest(const struct options *options)
{
	char memory[32], vcpus[32], machine[128], command_line[512];
	bool small = !access(MICROVM_QEMU, X_OK);

	snprintf(memory, sizeof(memory), "%u", options->memory);
	/* Without ACPI, a kernel finds the first CPU of each socket only. */
	snprintf(vcpus, sizeof(vcpus), "%u,sockets=%u", options->vcpus, options->vcpus);
	describe_machine(machine, sizeof(machine), small);
	snprintf(command_line, sizeof(command_line),
		 "%s tsc=reliable random.trust_cpu=on rootfstype=ramfs norandmaps "
		 "lab.workload=%s lab.amount=%u lab.vcpus=%u",
		 machine, options->workload, options->amount, options->vcpus);
	if (small)
		execute_microvm(options, memory, vcpus, command_line);
	else
		execute_qemu(options, memory, vcpus, command_line);
	_exit(127);
}

static int run_qemu(const struct options *options)
{
	int status;
	pid_t pid;

	unlink(options->result);
	unlink(options->console);
	pid = fork();
	if (!pid)
		execute_guest(options);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fl_fail("cannot run a guest: %s", strerror(errno));
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 :
		fl_fail("QEMU failed, wait status 0x%x", status);
}

/*
 * How much @line tells of why there is no result: 2, a compiler's or the kernel's
 * word; 1, that of the guest's init, which only knows what failed; or 0.
 */
static int rank_reason(const char *line)
{
	if (strstr(line, " error: ") || strstr(line, "Kernel panic"))
		return 2;
	return !strncmp(line, "init: ", 6);
}

/*
 * All that the guest's console said: the whole of it helps, not the end. The best
 * reason is kept, of several the first.
 */
static void show_console(const char *path, char *reason, size_t size)
{
	FILE *console = fopen(path, "r");
	char line[1024];
	int rank = 0;

	while (console && fgets(line, sizeof(line), console)) {
		line[strcspn(line, "\r\n")] = '\0';
		printf("guest: %s\n", line);
		if (rank_reason(line) > rank) {
			rank = rank_reason(line);
			snprintf(reason, size, ": %.400s", line);
		}
	}
	if (console)
		fclose(console);
	fflush(stdout);
}

/* What the guest has told, or NULL. */
static struct json_object *read_result(const struct options *options)
{
	struct json_object *result = json_object_from_file(options->result), *schema;
	char reason[512] = "";

	if (json_object_object_get_ex(result, "schema", &schema) &&
	    !strcmp(json_object_get_string(schema), "faultline.linux-guest/1"))
		return result;
	show_console(options->console, reason, sizeof(reason));
	fl_fail("the Linux guest ended without a result%s; the console has all that it said", reason);
	json_object_put(result);
	return NULL;
}

static void print_json(FILE *file, const void *result)
{
	fprintf(file, "%s\n", json_object_to_json_string_ext((struct json_object *)result, JSON_C_TO_STRING_PLAIN));
}

static int run(const struct options *options)
{
	struct json_object *result;
	int ret;

	if (run_qemu(options))
		return -1;
	result = read_result(options);
	if (!result)
		return -1;
	printf("%s: the guest's kernel counted %lld page faults\n", options->workload,
	       (long long)json_object_get_int64(json_object_object_get(result, "faults_counted")));
	ret = options->json ? write_whole(options->json, print_json, result) : 0;
	json_object_put(result);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.amount = 1999, .memory = 640, .vcpus = 1,
		.kernel = "/guest/kernel", .initrd = "/guest/initrd",
		.console = "/tmp/guest-console", .result = "/tmp/guest-result",
	};
	int ret = parse(argc, argv, &options);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	return run(&options) ? EXIT_FAILURE : EXIT_SUCCESS;
}
