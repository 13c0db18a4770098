// SPDX-License-Identifier: GPL-2.0
/*
 * The first program of a Linux guest: runs one workload between the marks of
 * the window, tells what the guest's own kernel counted meanwhile, and leaves.
 *
 * The kernel's command line says which: lab.workload=NAME lab.amount=N. What
 * comes out at the second serial port is one line of JSON, an object of schema
 * faultline.linux-guest/1, read by linuxvm.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "error.h"
#include "faultline.h"
#include "machine.h"
#include "workloads.h"

/* Page faults that the kernel has handled for this program and its children. */
struct counts {
	long minor, major;
};

static void mark(unsigned int which)
{
	unsigned int a, b, c, d;

	__cpuid_count(FL_MARK_LEAF, which, a, b, c, d);
}

static struct counts count_faults(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return (struct counts){ self.ru_minflt + children.ru_minflt,
				self.ru_majflt + children.ru_majflt };
}

/* The value of @key ("lab.amount=") on the kernel's command line; "" if none. */
static const char *parameter(const char *key, char *line, size_t size)
{
	FILE *file = fopen("/proc/cmdline", "r");
	char *value = "";

	if (file && fgets(line, size, file) && strstr(line, key)) {
		value = strstr(line, key) + strlen(key);
		value[strcspn(value, " \n")] = '\0';
	}
	if (file)
		fclose(file);
	return value;
}

/* Run @workload; the counts are those of the window. 0 or -1. */
static int run(const struct workload *workload, unsigned int amount, struct counts *counts)
{
	struct counts before, after;
	int ret;

	if (workload->prepare && workload->prepare(amount))
		return -1;
	before = count_faults();
	mark(FL_MARK_START);
	ret = workload->run(amount);
	mark(FL_MARK_STOP);
	after = count_faults();
	counts->minor = after.minor - before.minor;
	counts->major = after.major - before.major;
	return ret;
}

static int measure(FILE *port)
{
	char line[4096];
	const struct workload *workload = workload_find(parameter("lab.workload=", line, sizeof(line)));
	unsigned int amount = strtoul(parameter("lab.amount=", line, sizeof(line)), NULL, 10);
	struct counts counts;

	if (!workload || !amount)
		return fl_fail("the command line asks for no workload that is known here");
	if (run(workload, amount, &counts))
		return -1;
	fprintf(port, "{\"schema\":\"faultline.linux-guest/1\",\"workload\":\"%s\",\"amount\":%u,"
		"\"faults_counted\":%ld,\"major_faults\":%ld}\n",
		workload->name, amount, counts.minor + counts.major, counts.major);
	return 0;
}

int main(void)
{
	FILE *port;

	machine_mount_all();
	port = machine_open_port();
	setenv("PATH", "/usr/sbin:/usr/bin", 1);
	measure(port);
	machine_leave(port);
	return EXIT_FAILURE;
}
