// SPDX-License-Identifier: GPL-2.0
/* Virtual machines found in /proc. See vmm.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "error.h"
#include "vmm.h"

/* What a file descriptor of a VM is a link to. */
#define VM_LINK "anon_inode:kvm-vm"

/* ---- One process ---- */

/* PROC_PID_INIT_INO is what the host's namespace has. */
bool fl_vm_pids_differ(void)
{
	enum { INITIAL_PID_NAMESPACE = 0xeffffffc };
	struct stat namespace;

	return !stat("/proc/self/ns/pid", &namespace) &&
		namespace.st_ino != (unsigned int)INITIAL_PID_NAMESPACE;
}

bool fl_vm_lives(pid_t pid)
{
	return !kill(pid, 0) || errno != ESRCH;
}

bool fl_vm_is(pid_t pid)
{
	char path[64], link[sizeof(VM_LINK) + 1];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		ssize_t length = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link));

		found = length == sizeof(VM_LINK) - 1 && !memcmp(link, VM_LINK, length);
	}
	if (dir)
		closedir(dir);
	return found;
}

int fl_vm_check(pid_t pid)
{
	if (fl_vm_is(pid))
		return 0;
	if (!fl_vm_lives(pid))
		return fl_fail("there is no process %d; 'pgrep -a qemu' lists QEMU's", pid);
	return fl_fail("process %d runs no virtual machine; -a measures all there are", pid);
}

static size_t read_file(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	size_t length;
	FILE *stream;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	stream = fopen(path, "r");
	if (!stream)
		return 0;
	length = fread(text, 1, size - 1, stream);
	fclose(stream);
	text[length] = '\0';
	return length;
}

/* From the value of -name: "guest=NAME,debug-threads=on" or "NAME,process=..." */
static bool name_from_option(const char *value, char *name, size_t size)
{
	const char *guest = strstr(value, "guest=");
	int length;

	if (guest && (guest == value || guest[-1] == ','))
		value = guest + strlen("guest=");
	length = strcspn(value, ",");
	return length && snprintf(name, size, "%.*s", length, value) > 0;
}

/* @arguments is a process's command line, its words ended by NUL. */
static bool name_from_arguments(const char *arguments, size_t length, char *name, size_t size)
{
	const char *end = arguments + length, *word, *next;

	for (word = arguments; word < end; word = next) {
		next = word + strlen(word) + 1;
		if ((!strcmp(word, "-name") || !strcmp(word, "--name")) && next < end)
			return name_from_option(next, name, size);
	}
	return false;
}

static bool process_name(pid_t pid, char *name, size_t size)
{
	char comm[32];
	size_t length = read_file(pid, "comm", comm, sizeof(comm));

	if (!length)
		return false;
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(name, size, "%s", comm);
	return true;
}

void fl_vm_clean_name(char *name)
{
	/* If there is no such locale, what is no ASCII can't be shown. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	locale_t before = uselocale(utf8);
	size_t length, rest;
	wchar_t c;

	for (; *name; name += length) {
		mbstate_t state = { 0 };

		rest = strlen(name);
		length = mbrtowc(&c, name, rest, &state);
		if (length > rest || !iswprint(c)) {
			*name = '?';
			length = 1;
		}
	}
	uselocale(before);
	if (utf8)
		freelocale(utf8);
}

bool fl_vm_name(pid_t pid, char *name, size_t size)
{
	static char arguments[65536];
	size_t length = read_file(pid, "cmdline", arguments, sizeof(arguments));

	return name_from_arguments(arguments, length, name, size) ||
	       process_name(pid, name, size);
}

void fl_vm_label(pid_t pid, const char *comm, char *name, size_t size)
{
	if (fl_vm_pids_differ() || !fl_vm_name(pid, name, size))
		snprintf(name, size, "%s", comm);
	fl_vm_clean_name(name);
}

/* ---- All processes ---- */

struct search {
	const char *name;
	pid_t found;
	size_t nr;
	char pids[128];		/* all that were found, in words */
};

static bool is_called(pid_t pid, const char *wanted)
{
	char name[256];

	return (fl_vm_name(pid, name, sizeof(name)) && !strcmp(name, wanted)) ||
	       (process_name(pid, name, sizeof(name)) && !strcmp(name, wanted));
}

static void look_at(pid_t pid, struct search *search)
{
	size_t used = strlen(search->pids);

	if (!is_called(pid, search->name) || !fl_vm_is(pid))
		return;
	search->found = pid;
	search->nr++;
	snprintf(search->pids + used, sizeof(search->pids) - used, "%s%d",
		 used ? ", " : "", pid);
}

pid_t fl_vm_find(const char *name)
{
	struct search search = { .name = name };
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (isdigit((unsigned char)*entry->d_name))
			look_at(atoi(entry->d_name), &search);
	}
	if (dir)
		closedir(dir);
	if (!search.nr)
		return fl_fail("no virtual machine is called '%s'; -a measures all there are", name);
	if (search.nr > 1)
		return fl_fail("%zu processes run a virtual machine called '%s': %s; choose one by -p",
			       search.nr, name, search.pids);
	return search.found;
}
