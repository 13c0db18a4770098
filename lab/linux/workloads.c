// SPDX-License-Identifier: GPL-2.0
/* The workloads of a Linux guest. See workloads.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "workloads.h"

#define PAGE_SIZE	4096
#define FILE_PATH	"/tmp/file"

/* Pages a started program touches, more or less: linux-forkexec starts fewer. */
#define FAULTS_PER_PROGRAM	100

static volatile char *area;

static int failed(const char *what)
{
	return fl_fail("%s: %s", what, strerror(errno));
}

static int map_area(unsigned int pages, int flags, int fd)
{
	void *memory = mmap(NULL, (size_t)pages * PAGE_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (memory == MAP_FAILED)
		return failed("cannot map memory");
	area = memory;
	return 0;
}

/*
 * Every @nr-th page, so that all vCPUs have their entries in the same page tables.
 * The emulated host's CPUs take turns, at each PAUSE, too.
 */
static int write_share(unsigned int pages, unsigned int vcpu, unsigned int nr)
{
	unsigned int i;

	for (i = vcpu; i < pages; i += nr) {
		if (nr > 1)
			__builtin_ia32_pause();
		area[(size_t)i * PAGE_SIZE] = 1;
	}
	return 0;
}

static int write_area(unsigned int pages)
{
	return write_share(pages, 0, 1);
}

/* ---- linux-anon: first touch of anonymous memory ---- */

static int prepare_anon(unsigned int pages)
{
	return map_area(pages, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* ---- linux-cow: writes to memory that is shared with a child ---- */

static pid_t child;

/* The child does nothing but have the same pages, until it is ended. */
static int prepare_cow(unsigned int pages)
{
	if (prepare_anon(pages))
		return -1;
	write_area(pages);
	child = fork();
	if (child < 0)
		return failed("cannot fork");
	while (!child)
		pause();
	return 0;
}

/* ---- linux-file: pages of a file that the page cache has ---- */

static int prepare_file(unsigned int pages)
{
	int fd = open(FILE_PATH, O_RDWR | O_CREAT, 0600);
	char page[PAGE_SIZE] = "";
	unsigned int i;

	if (fd < 0)
		return failed("cannot create " FILE_PATH);
	for (i = 0; i < pages; i++) {
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return failed("cannot write " FILE_PATH);
	}
	return map_area(pages, MAP_SHARED, fd);
}

static int read_area(unsigned int pages)
{
	unsigned int i;

	for (i = 0; i < pages; i++)
		(void)area[(size_t)i * PAGE_SIZE];
	return 0;
}

/* ---- programs ---- */

/* Run @argv to its end. 0, or -1 if that wasn't a success. */
static int execute(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		failed(argv[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return failed("cannot run a program");
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 :
		fl_fail("%s failed, wait status 0x%x", argv[0], status);
}

/* ---- linux-forkexec: small programs, one after the other ---- */

static int execute_programs(unsigned int faults)
{
	char *argv[] = { "/usr/bin/true", NULL };
	unsigned int i;

	for (i = 0; i < (faults + FAULTS_PER_PROGRAM - 1) / FAULTS_PER_PROGRAM; i++) {
		if (execute(argv))
			return -1;
	}
	return 0;
}

/* Once, so that the page cache has it. */
static int prepare_forkexec(unsigned int faults)
{
	(void)faults;
	return execute_programs(1);
}

/* ---- kbuild: the first @nr targets of /src/targets ---- */

#define MAKE_LOG	"/tmp/make.log"

static char **targets;
static unsigned int nr_targets;

static int read_targets(void)
{
	FILE *file = fopen("/src/targets", "r");
	char *target;

	if (!file)
		return failed("cannot read /src/targets");
	while (fscanf(file, "%ms", &target) == 1) {
		targets = reallocarray(targets, nr_targets + 1, sizeof(*targets));
		if (!targets)
			return failed("cannot read /src/targets");
		targets[nr_targets++] = target;
	}
	fclose(file);
	return 0;
}

/* On the console, for who runs the guest. */
static void show_log(void)
{
	char *argv[] = { "cat", MAKE_LOG, NULL };

	execute(argv);
}

/* "TARGETS=", and the first @nr of them. NULL if there is no memory for that. */
static char *list_targets(unsigned int nr)
{
	char *list = NULL;
	size_t size;
	FILE *file = open_memstream(&list, &size);
	unsigned int i;

	if (!file)
		return NULL;
	fputs("TARGETS=", file);
	for (i = 0; i < nr; i++)
		fprintf(file, " %s", targets[i]);
	fclose(file);
	return list;
}

static int make_targets(unsigned int nr)
{
	char *argv[] = { "sh", "-c", "exec make -C /src \"$0\" >" MAKE_LOG " 2>&1", NULL, NULL };
	int ret;

	if (nr > nr_targets)
		return fl_fail("the source has %u targets, not %u", nr_targets, nr);
	argv[3] = list_targets(nr);
	if (!argv[3])
		return failed("cannot list the targets");
	ret = execute(argv);
	free(argv[3]);
	if (ret)
		show_log();
	return ret;
}

/* Builds the first one, so that the caches have what it takes. */
static int prepare_kbuild(unsigned int nr)
{
	char path[512];

	(void)nr;
	if (read_targets() || make_targets(1))
		return -1;
	snprintf(path, sizeof(path), "/src/%s", targets[0]);
	return unlink(path) ? failed(path) : 0;
}

static const struct workload workloads[] = {
	{ "kbuild", prepare_kbuild, make_targets, NULL },
	{ "linux-anon", prepare_anon, write_area, write_share },
	{ "linux-cow", prepare_cow, write_area, NULL },
	{ "linux-file", prepare_file, read_area, NULL },
	{ "linux-forkexec", prepare_forkexec, execute_programs, NULL },
};

const struct workload *workload_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(workloads) / sizeof(workloads[0]); i++) {
		if (!strcmp(workloads[i].name, name))
			return &workloads[i];
	}
	return NULL;
}
