/* SPDX-License-Identifier: GPL-2.0 */
/* What a Linux guest can be asked to do. */
#ifndef LINUX_WORKLOADS_H
#define LINUX_WORKLOADS_H

struct workload {
	const char *name;
	/*
	 * What has to be done outside of the window, if anything, and what is
	 * measured. @amount is how much of it. 0, or -1 after saying why.
	 */
	int (*prepare)(unsigned int amount);
	int (*run)(unsigned int amount);
	/*
	 * The same for the vCPU of that number, of @nr that do it at once. @amount
	 * is for all of them. NULL: it is for one vCPU only.
	 */
	int (*run_share)(unsigned int amount, unsigned int vcpu, unsigned int nr);
};

/* The workload of that name, or NULL. */
const struct workload *workload_find(const char *name);

#endif /* LINUX_WORKLOADS_H */
