// SPDX-License-Identifier: GPL-2.0
/*
 * init: the only program that an emulated host starts. Runs the jobs that
 * lab/run has put into the initramfs, one after the other, sends what each
 * measured over the second serial port, and leaves the machine.
 *
 * /jobs has a line a job: POLICY WORKLOAD PAGING FAULTS [MICRO-OPTION]..., where
 * "-- TRACE-OPTION... --" before the options has it traced, too, or
 * POLICY torture PAGING STEPS [TORTURE-OPTION]..., also for nested-torture, or
 * POLICY selftest 64 1, or POLICY script 64 1, or POLICY boot 64 1. Any other
 * WORKLOAD whose name starts with "nested" is run by a guest hypervisor: QEMU boots
 * the same kernel and this program, with the job as its arguments.
 * The results are lines of JSON, read by lab-results: an object a job, and one
 * with "end", without which the host side takes the run for a failure.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "microvm.h"

#define RUN_JSON	"/tmp/run.json"
#define GUEST_JSON	"/tmp/guest.json"
#define TRACE		"/tmp/trace"
#define ERROR_TEXT	"/tmp/error"
#define NESTED_RESULTS	"/tmp/nested"	/* what the guest hypervisor sent */
#define PARAMETERS	"/sys/module/kvm/parameters/"

/*
 * init_on_free: the kernel writes all of its memory at the start, so that the
 * host has it mapped when the measurement begins. --job comes last of init's
 * arguments before the job, as the kernel adds what it doesn't know.
 */
#define NESTED_JOB	"--job"
#define NESTED_CMDLINE	MICROVM_CMDLINE " loglevel=4 init_on_free=1 -- " NESTED_JOB

#define MAX_WORDS	32

struct job {
	char *policy, *workload, *paging;
	char *amount;		/* of faults, or of steps */
	char **trace;		/* options for faultline trace, or NULL if it isn't traced */
	char **options;		/* for micro or torture; both end with NULL */
};

/* Whether this is a guest hypervisor: its host has the collector and the policy. */
static bool is_guest;

/* ---- a job ---- */

enum { NR_PARAMETERS = 5 };

/* The parameters that make a policy, and what a kernel does that lacks one. */
static const struct {
	const char *name, *standard;
} parameters[NR_PARAMETERS] = {
	{ "oos_shadow", "Y" }, { "pte_update", "Y" }, { "bypass_guest_pf", "N" },
	{ "nested_prefault", "N" }, { "sticky_unsync", "0" },
};

/* What lab/run's STICKY says; init gets the command line's words for no parameter as variables. */
#define STICKY NULL

static int set_parameter(const char *name, const char *value)
{
	char path[128];
	int fd, failed;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	failed = write(fd, value, strlen(value)) < 0;
	close(fd);
	return -failed;
}

static int set_parameters(const char *const *values)
{
	size_t i;

	for (i = 0; i < NR_PARAMETERS; i++) {
		const char *value = values[i] == STICKY ? getenv("sticky_unsync") : values[i];

		if (!value || (set_parameter(parameters[i].name, value) &&
			       (errno != ENOENT || strcmp(value, parameters[i].standard))))
			return -1;
	}
	return 0;
}

/*
 * A stock kernel has no parameters, and one policy: unsync. Whether faults
 * bypass KVM is up to the parameter when a guest is made, i.e. to each job's.
 */
static int set_policy(const char *policy)
{
	static const struct {
		const char *policy, *values[NR_PARAMETERS];
	} policies[] = {
		{ "zap", { "N", "N", "N", "N", "0" } },
		{ "update", { "N", "Y", "N", "N", "0" } },
		{ "unsync", { "Y", "Y", "N", "N", "0" } },
		{ "bypass", { "N", "Y", "Y", "N", "0" } },
		{ "prefault", { "Y", "Y", "N", "Y", "0" } },
		{ "sticky", { "Y", "Y", "N", "N", STICKY } },
		{ "prefault+sticky", { "Y", "Y", "N", "Y", STICKY } },
	};
	size_t i;

	for (i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		if (!strcmp(policies[i].policy, policy))
			return set_parameters(policies[i].values);
	}
	return -1;
}

static const char *policy_error(const char *policy)
{
	if (strcmp(policy, "bypass") || errno == ENOENT)
		return "KVM has no such policy; it lacks a parameter that makes it";
	return "KVM refuses bypass_guest_pf, see the console for its reason; VENDOR=vmx can do it";
}

/* Append words to a NULL-terminated argument vector. */
static void add_words(char **argv, size_t *nr, ...)
{
	va_list args;
	char *word;

	va_start(args, nr);
	while ((word = va_arg(args, char *)))
		argv[(*nr)++] = word;
	va_end(args);
	argv[*nr] = NULL;
}

static void add_options(char **argv, size_t *nr, char **options)
{
	for (; *options; options++)
		add_words(argv, nr, *options, NULL);
}

/* What runs a workload: the VMM of the micro guest, or that of a Linux guest. */
static char *program_of(const char *workload)
{
	return !strncmp(workload, "linux-", 6) || !strcmp(workload, "kbuild") ? "linuxvm" : "micro";
}

static void add_program(char **argv, size_t *nr, const struct job *job)
{
	add_words(argv, nr, program_of(job->workload), "--json", GUEST_JSON, "--workload",
		  job->workload, "--paging", job->paging, "--faults", job->amount, NULL);
	add_options(argv, nr, job->options);
}

static bool is_nested(const struct job *job)
{
	return !strncmp(job->workload, "nested", strlen("nested"));
}

/* What the guest hypervisor's kernel hands to its init are the job's words. */
static void make_command_line(char *text, size_t size, const struct job *job)
{
	size_t length = snprintf(text, size, NESTED_CMDLINE " %s %s %s %s", microvm_tsc_khz(),
				 job->policy, job->workload, job->paging, job->amount);
	char **option;

	for (option = job->options; *option && length < size; option++)
		length += snprintf(text + length, size - length, " %s", *option);
}

/* In MiB. All of it is written at its start, so that it isn't given more than needed. */
static const char *memory_of(const struct job *job)
{
	return strcmp(job->workload, "nested-boot") ? "160" : "320";
}

/*
 * The guest hypervisor, with as many CPUs as there are here. What its kernel says
 * goes to this machine's console.
 */
static void add_hypervisor(char **argv, size_t *nr, const struct job *job)
{
	static char command_line[1024], cpus[16];
	const struct microvm vm = {
		.memory = memory_of(job), .cpus = cpus,
		.console = "/dev/console", .results = NESTED_RESULTS,
		.kernel = MICROVM_FILES "bzImage", .initrd = MICROVM_FILES "initrd",
		.command_line = command_line,
	};

	make_command_line(command_line, sizeof(command_line), job);
	snprintf(cpus, sizeof(cpus), "%ld", sysconf(_SC_NPROCESSORS_ONLN));
	microvm_add(argv, nr, &vm);
}

static void execute_measured(const struct job *job)
{
	char *argv[40 + MICROVM_WORDS + MAX_WORDS], policy[32], workload[32], paging[32];
	size_t nr = 0;

	snprintf(policy, sizeof(policy), "policy=%s", job->policy);
	snprintf(workload, sizeof(workload), "workload=%s", job->workload);
	snprintf(paging, sizeof(paging), "paging=%s", job->paging);
	add_words(argv, &nr, "faultline", "stat", "--json", "--window", "-o", RUN_JSON,
		  "--set", policy, "--set", workload, "--set", paging,
		  "--set", "clock=virtual", "--", NULL);
	if (job->trace) {
		add_words(argv, &nr, "faultline", "trace", "--window", "-o", TRACE, NULL);
		add_options(argv, &nr, job->trace);
		add_words(argv, &nr, "--", NULL);
	}
	if (is_nested(job))
		add_hypervisor(argv, &nr, job);
	else
		add_program(argv, &nr, job);
	execv("/bin/faultline", argv);
}

/* In a guest hypervisor, whose host measures. */
static void execute_micro(const struct job *job)
{
	char *argv[32 + MAX_WORDS];
	size_t nr = 0;

	add_program(argv, &nr, job);
	execv("/bin/micro", argv);
}

/*
 * Without the collector: what counts is that nothing goes wrong. nested-torture has
 * no guest hypervisor to run it, but is one.
 */
static void execute_torture(const struct job *job)
{
	char *argv[16 + MAX_WORDS];
	size_t nr = 0;

	add_words(argv, &nr, "torture", "--json", GUEST_JSON, "--paging", job->paging,
		  "--steps", job->amount, NULL);
	if (!strcmp(job->workload, "nested-torture"))
		add_words(argv, &nr, "--nested", NULL);
	add_options(argv, &nr, job->options);
	execv("/bin/torture", argv);
}

/* Linux as the guest, the kernel that runs here. A nested guest's words cost too much. */
static void execute_boot(void)
{
	char *argv[8];
	size_t nr = 0;

	add_words(argv, &nr, "boot", NULL);
	if (is_guest)
		add_words(argv, &nr, "--quiet", NULL);
	add_words(argv, &nr, "/kernel", "/boot-guest.cpio", NULL);
	execv("/bin/boot", argv);
}

/* Says what went wrong on standard output, as TAP. */
static void execute_selftest(void)
{
	char *argv[] = { "/bin/selftest", NULL };	/* which it opens */

	dup2(STDERR_FILENO, STDOUT_FILENO);
	execv(argv[0], argv);
}

/* The shell and what the script runs come from an image. */
static void execute_script(void)
{
	char *argv[] = { "/bin/sh", "/script", NULL };

	setenv("RESULT", GUEST_JSON, 1);
	setenv("PATH", "/usr/sbin:/usr/bin", 1);
	execv(argv[0], argv);
}

static void execute(const struct job *job)
{
	if (!strcmp(job->workload, "torture") || !strcmp(job->workload, "nested-torture"))
		execute_torture(job);
	else if (is_guest && !strcmp(job->workload, "nested-boot"))
		execute_boot();
	else if (is_guest)
		execute_micro(job);
	else if (!strcmp(job->workload, "selftest"))
		execute_selftest();
	else if (!strcmp(job->workload, "script"))
		execute_script();
	else if (!strcmp(job->workload, "boot"))
		execute_boot();
	else
		execute_measured(job);
}

/* The exit status; what the programs say on stderr is kept. */
static int run_job(const struct job *job)
{
	int status, error;
	pid_t pid;

	unlink(RUN_JSON);
	unlink(GUEST_JSON);
	unlink(TRACE);
	unlink(NESTED_RESULTS);
	pid = fork();
	if (pid)
		return pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ?
			-1 : WEXITSTATUS(status);
	error = open(ERROR_TEXT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(error, STDERR_FILENO);
	setenv("PATH", "/bin", 1);
	execute(job);
	fprintf(stderr, "init: cannot run %s: %s\n", job->workload, strerror(errno));
	_exit(127);
}

/* ---- its result ---- */

/* The content of @path without newlines; empty if there is none. */
static const char *read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length = 0;
	int c;

	while (file && length + 1 < size && (c = fgetc(file)) != EOF)
		text[length++] = c == '\n' ? ' ' : c;
	if (file)
		fclose(file);
	text[length] = '\0';
	return text;
}

static void print_json_char(FILE *out, int c)
{
	if (c == '"' || c == '\\' || c == '\n')
		fputc('\\', out);
	fputc(c == '\n' ? 'n' : c < ' ' ? ' ' : c, out);
}

static void print_json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		print_json_char(out, (unsigned char)*text);
	fputc('"', out);
}

static const char *vendor(void)
{
	unsigned int a, b = 0, c, d;

	__get_cpuid(0, &a, &b, &c, &d);
	return b == signature_AMD_ebx ? "svm" : "vmx";
}

/* With what a run without the collector would not tell otherwise. */
static void print_job(FILE *out, const struct job *job)
{
	struct utsname names;

	uname(&names);
	fprintf(out, "{\"kernel\":\"%s\",\"vendor\":\"%s\",\"policy\":\"%s\",\"workload\":\"%s\",\"paging\":\"%s\"}",
		names.release, vendor(), job->policy, job->workload, job->paging);
}

/*
 * A file's object as member @key, if there is one: its first line, or all of it, made
 * one line.
 */
static void send_object(FILE *results, const char *key, const char *path, bool all)
{
	FILE *file = fopen(path, "r");
	int c = file ? fgetc(file) : EOF;

	if (c != EOF)
		fprintf(results, ",\"%s\":", key);
	for (; c != EOF && (all || c != '\n'); c = fgetc(file))
		fputc(c == '\n' ? ' ' : c, results);
	if (file)
		fclose(file);
}

/* The trace, if there is one: text, whatever its format. */
static void send_trace(FILE *results)
{
	FILE *file = fopen(TRACE, "r");
	int c;

	if (!file)
		return;
	fputs(",\"trace\":\"", results);
	while ((c = fgetc(file)) != EOF)
		print_json_char(results, c);
	fputc('"', results);
	fclose(file);
}

/* The other files are JSON objects already, and go into the line as they are. */
static void send_result(FILE *results, const struct job *job, int status, const char *error)
{
	fputs("{\"job\":", results);
	print_job(results, job);
	fprintf(results, ",\"status\":%d", status);
	if (error) {
		fputs(",\"error\":", results);
		print_json_text(results, error);
	}
	send_object(results, "run", RUN_JSON, true);
	send_object(results, "guest", GUEST_JSON, true);
	send_object(results, "nested", NESTED_RESULTS, false);	/* an end comes behind it */
	send_trace(results);
	fputs("}\n", results);
	fflush(results);
}

static void do_job(FILE *results, const struct job *job)
{
	char error[1024];
	int status;

	if (!is_guest && set_policy(job->policy)) {
		send_result(results, job, 1, policy_error(job->policy));
		return;
	}
	status = run_job(job);
	send_result(results, job, status,
		    status ? read_text(ERROR_TEXT, error, sizeof(error)) : NULL);
}

/* ---- all jobs ---- */

/* Set those apart that are for the trace. */
static void split_options(struct job *job)
{
	char **word = job->options;

	if (!*word || strcmp(*word, "--"))
		return;
	job->trace = ++word;
	while (*word && strcmp(*word, "--"))
		word++;
	job->options = *word ? word + 1 : word;
	*word = NULL;
}

/* Split @line into words. False if it is not a job. */
static bool parse_job(char *line, struct job *job, char **words)
{
	size_t nr = 0;
	char *word;

	for (word = strtok(line, " \n"); word && nr < MAX_WORDS; word = strtok(NULL, " \n"))
		words[nr++] = word;
	words[nr] = NULL;
	if (nr < 4)
		return false;
	*job = (struct job){ words[0], words[1], words[2], words[3], NULL, words + 4 };
	split_options(job);
	return true;
}

/* The words of a guest hypervisor's only job, or NULL on a host. */
static char **find_argument_job(int argc, char **argv)
{
	int i;

	for (i = 1; i + 4 < argc; i++) {
		if (!strcmp(argv[i], NESTED_JOB))
			return argv + i + 1;
	}
	return NULL;
}

static unsigned int do_argument_job(FILE *results, char **words)
{
	struct job job = { words[0], words[1], words[2], words[3], NULL, words + 4 };

	do_job(results, &job);
	return 1;
}

static unsigned int do_jobs(FILE *results)
{
	char line[512], *words[MAX_WORDS + 1];
	FILE *jobs = fopen("/jobs", "r");
	unsigned int nr = 0;
	struct job job;

	while (jobs && fgets(line, sizeof(line), jobs)) {
		if (!parse_job(line, &job, words))
			continue;
		do_job(results, &job);
		nr++;
	}
	return nr;
}

/* What lab/run's PHASE says: the kernel's timer interrupts fall elsewhere in the jobs then. */
static void shift_phase(void)
{
	const char *microseconds = getenv("phase_us");

	if (microseconds)
		usleep(atoi(microseconds));
}

int main(int argc, char **argv)
{
	FILE *results;
	unsigned int nr;
	char **words;

	machine_mount_all();
	machine_start_cpus();
	shift_phase();
	results = machine_open_port();
	words = find_argument_job(argc, argv);
	is_guest = words;
	nr = words ? do_argument_job(results, words) : do_jobs(results);
	fprintf(results, "{\"end\":true,\"runs\":%u}\n", nr);
	machine_leave(results);
	return EXIT_FAILURE;
}
