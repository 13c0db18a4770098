// SPDX-License-Identifier: GPL-2.0
/*
 * guest-init: the only program of the Linux that boot boots. Has processes fork,
 * execute this program anew, touch memory for the first time, break copy-on-write
 * and exit; looks at all that they leave behind, and resets the machine.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest-init.h"

#define NR_CHILDREN	10
#define NR_PAGES	64
#define PAGE_SIZE	4096
#define EXIT_RIGHT	42	/* what a child that was right exits with */

static uint32_t shared[NR_PAGES][PAGE_SIZE / 4];

static void say(const char *line)
{
	int fd = open("/dev/kmsg", O_WRONLY);

	if (fd >= 0 && write(fd, line, strlen(line)) >= 0)
		close(fd);
}

static void leave(void)
{
	reboot(RB_AUTOBOOT);
}

/* Whether all pages have @first and what comes after it, one a page. */
static bool are(uint32_t (*pages)[PAGE_SIZE / 4], uint32_t first)
{
	uint32_t i;

	for (i = 0; i < NR_PAGES; i++) {
		if (pages[i][i] != first + i)
			return false;
	}
	return true;
}

static void fill(uint32_t (*pages)[PAGE_SIZE / 4], uint32_t first)
{
	uint32_t i;

	for (i = 0; i < NR_PAGES; i++)
		pages[i][i] = first + i;
}

/* First touches, after exec(): memory must be new, and keep what is put there. */
static int touch(uint32_t seed)
{
	uint32_t (*pages)[PAGE_SIZE / 4];

	pages = mmap(NULL, sizeof(shared), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || pages[1][1])
		return EXIT_FAILURE;
	fill(pages, seed);
	return are(pages, seed) ? EXIT_RIGHT : EXIT_FAILURE;
}

/* What the parent has is there; what is written is the child's own. */
static void be_child(uint32_t number)
{
	char text[16];

	if (!are(shared, 0))
		_exit(EXIT_FAILURE);
	fill(shared, number);
	if (!are(shared, number))
		_exit(EXIT_FAILURE);
	snprintf(text, sizeof(text), "%u", number);
	execl("/init", "/init", text, NULL);
	_exit(EXIT_FAILURE);
}

static bool make_child(uint32_t number)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		be_child(number);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == EXIT_RIGHT && are(shared, 0);
}

int main(int argc, char **argv)
{
	struct rusage own, children;
	char line[128];
	uint32_t i;

	/* What the kernel doesn't know of its command line are init's arguments. */
	if (getpid() != 1)
		return argc > 1 ? touch(strtoul(argv[1], NULL, 10)) : EXIT_FAILURE;
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	fill(shared, 0);
	for (i = 1; i <= NR_CHILDREN; i++) {
		if (make_child(i))
			continue;
		snprintf(line, sizeof(line), "guest-init: FAILED in child %u\n", i);
		say(line);
		leave();
	}
	getrusage(RUSAGE_SELF, &own);
	getrusage(RUSAGE_CHILDREN, &children);
	snprintf(line, sizeof(line), GUEST_INIT_PASSED ": %u children, %ld page faults\n",
		 NR_CHILDREN, own.ru_minflt + children.ru_minflt);
	say(line);
	leave();
	return EXIT_FAILURE;
}
