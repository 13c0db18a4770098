// SPDX-License-Identifier: GPL-2.0
/*
 * The first program of a Linux guest: runs one workload between the marks of
 * the window, on one vCPU or on all at once, tells what the guest's own kernel
 * counted meanwhile, and leaves.
 *
 * The kernel's command line says which: lab.workload=NAME lab.amount=N
 * lab.vcpus=N; the amount is for each vCPU. What comes out at the second serial
 * port is one line of JSON, an object of schema faultline.linux-guest/1, read by
 * linuxvm.
 */
#include <cpuid.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "error.h"
#include "faultline.h"
#include "machine.h"
#include "workloads.h"

#define MAX_VCPUS	8

/* What the kernel has counted, for whom it counts it, and when. */
struct counts {
	long minor, major;	/* page faults */
	long long ns;
};

/* A vCPU's part in a workload, and what the kernel counted on it in the window. */
struct part {
	const struct workload *workload;
	unsigned int amount, vcpu, nr;
	pthread_t thread;
	struct counts counts;
	int ret;
};

static pthread_barrier_t barrier;

static void mark(unsigned int which)
{
	unsigned int a, b, c, d;

	__cpuid_count(FL_MARK_LEAF, which, a, b, c, d);
}

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* For this program and its children. The clock comes first: its first reading faults. */
static struct counts count(void)
{
	struct rusage self, children;
	long long ns = now_ns();

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return (struct counts){ self.ru_minflt + children.ru_minflt,
				self.ru_majflt + children.ru_majflt, ns };
}

/* For this thread. */
static struct counts count_own(void)
{
	struct rusage own;
	long long ns = now_ns();

	getrusage(RUSAGE_THREAD, &own);
	return (struct counts){ own.ru_minflt, own.ru_majflt, ns };
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

static struct counts since(const struct counts *before, const struct counts *after)
{
	return (struct counts){ after->minor - before->minor, after->major - before->major,
				after->ns - before->ns };
}

/* ---- on one vCPU ---- */

static void run_alone(struct part *part)
{
	struct counts before = count(), after;

	mark(FL_MARK_START);
	part->ret = part->workload->run(part->amount);
	mark(FL_MARK_STOP);
	after = count();
	part->counts = since(&before, &after);
}

/* ---- on several ---- */

/*
 * A thread a vCPU, of one address space. The barriers keep what is not to be
 * measured, threads that begin and end, out of every vCPU's window.
 */
static void *run_part(void *data)
{
	struct part *part = data;
	struct counts before, after;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(part->vcpu, &cpus);
	part->ret = sched_setaffinity(0, sizeof(cpus), &cpus) ?
		fl_fail("there is no CPU %u", part->vcpu) : 0;
	pthread_barrier_wait(&barrier);
	before = count_own();
	mark(FL_MARK_START);
	if (!part->ret)
		part->ret = part->workload->run_share(part->amount, part->vcpu, part->nr);
	mark(FL_MARK_STOP);
	after = count_own();
	part->counts = since(&before, &after);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static int run_together(struct part *parts, unsigned int nr)
{
	unsigned int i;

	pthread_barrier_init(&barrier, NULL, nr);
	for (i = 1; i < nr; i++) {
		/* Those that are there wait for ever, so there is no way back. */
		if (pthread_create(&parts[i].thread, NULL, run_part, &parts[i]))
			return fl_fail("cannot start a thread");
	}
	run_part(&parts[0]);
	for (i = 1; i < nr; i++)
		pthread_join(parts[i].thread, NULL);
	return 0;
}

/* ---- all of it ---- */

/* Run @workload; the counts of @parts are those of the window. 0 or -1. */
static int run(const struct workload *workload, unsigned int amount, struct part *parts,
	       unsigned int nr)
{
	unsigned int i;

	if (workload->prepare && workload->prepare(amount * nr))
		return -1;
	for (i = 0; i < nr; i++)
		parts[i] = (struct part){ .workload = workload, .amount = amount * nr, .vcpu = i, .nr = nr };
	if (nr == 1)
		run_alone(parts);
	else if (run_together(parts, nr))
		return -1;
	for (i = 0; i < nr; i++) {
		if (parts[i].ret)
			return -1;
	}
	return 0;
}

static void print_result(FILE *port, const struct workload *workload, unsigned int amount,
			 const struct part *parts, unsigned int nr)
{
	struct counts total = { 0 };
	unsigned int i;

	for (i = 0; i < nr; i++) {
		total.minor += parts[i].counts.minor;
		total.major += parts[i].counts.major;
		total.ns = parts[i].counts.ns > total.ns ? parts[i].counts.ns : total.ns;
	}
	fprintf(port, "{\"schema\":\"faultline.linux-guest/1\",\"workload\":\"%s\",\"amount\":%u,"
		"\"faults_counted\":%ld,\"major_faults\":%ld,\"duration_ns\":%lld,\"vcpus\":[",
		workload->name, amount, total.minor + total.major, total.major, total.ns);
	for (i = 0; i < nr; i++)
		fprintf(port, "%s{\"id\":%u,\"faults_counted\":%ld}", i ? "," : "", i,
			parts[i].counts.minor + parts[i].counts.major);
	fputs("]}\n", port);
}

static int measure(FILE *port)
{
	char line[4096];
	const struct workload *workload = workload_find(parameter("lab.workload=", line, sizeof(line)));
	unsigned int amount = strtoul(parameter("lab.amount=", line, sizeof(line)), NULL, 10);
	unsigned int vcpus = strtoul(parameter("lab.vcpus=", line, sizeof(line)), NULL, 10);
	struct part parts[MAX_VCPUS];

	if (!workload || !amount || !vcpus || vcpus > MAX_VCPUS)
		return fl_fail("the command line asks for no workload that is known here");
	if (vcpus > 1 && !workload->run_share)
		return fl_fail("%s is for one vCPU only", workload->name);
	if (run(workload, amount, parts, vcpus))
		return -1;
	print_result(port, workload, amount, parts, vcpus);
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
