// SPDX-License-Identifier: GPL-2.0
/*
 * What the host does while the guest runs. See disturb.h. What the guest could
 * notice, e.g. that it has no memory for a moment, is done while its vCPUs are
 * paused: interrupted by a signal, and held in vm->interrupted().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "disturb.h"
#include "error.h"

#define PAGE_SIZE	4096
#define PARAMETERS	"/sys/module/kvm/parameters/"
#define OTHER_SLOT	3
#define OTHER_ADDRESS	0xe0000000	/* where the guest never looks */
#define ELSEWHERE	0xe1000000	/* where the region goes when it moves */
#define MAX_STEPS	40		/* of the guest between two disturbances */
#define MOMENT		20000		/* ns, at least, between two looks at the guest's steps */

const char *const disturbance_names[NR_DISTURBANCES] = {
	"oos_shadow", "pte_update", "log", "read_log", "delete", "move", "other_slot",
	"unmap", "protect",
};

static struct {
	struct vm *vm;
	struct vm_memory region;
	struct torture_info *info;
	uint64_t random;
	struct disturb_counts counts;
	pthread_t thread;

	bool other_slot;
	uint32_t log[REGION_PAGES / 32];	/* dirty since the last check */
	uint32_t exempt;	/* info->writing at the last check */
	bool failed;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started, pause_wanted, ended;
	unsigned int nr_running, nr_paused;	/* vCPUs; those that are paused run, too */
} d = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static uint32_t random_below(uint32_t n)
{
	d.random ^= d.random << 13;
	d.random ^= d.random >> 7;
	d.random ^= d.random << 17;
	return (d.random >> 16) % n;
}

/* ---- pausing the vCPUs ---- */

/* In a vCPU's thread. */
static void interrupted(struct vcpu *vcpu)
{
	(void)vcpu;
	pthread_mutex_lock(&d.lock);
	d.nr_paused++;
	if (d.pause_wanted)
		pthread_cond_broadcast(&d.changed);
	while (d.pause_wanted)
		pthread_cond_wait(&d.changed, &d.lock);
	d.nr_paused--;
	pthread_mutex_unlock(&d.lock);
}

static void left(struct vcpu *vcpu)
{
	(void)vcpu;
	pthread_mutex_lock(&d.lock);
	d.nr_running--;
	pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
}

/* One that hasn't started yet looks whether it is to pause when it does. */
static void pause_vcpus(void)
{
	unsigned int i;

	pthread_mutex_lock(&d.lock);
	d.pause_wanted = true;
	for (i = 0; i < d.vm->nr_vcpus; i++)
		vm_interrupt(&d.vm->vcpus[i]);
	while (d.nr_paused < d.nr_running && !d.ended)
		pthread_cond_wait(&d.changed, &d.lock);
	pthread_mutex_unlock(&d.lock);
}

static void resume_vcpus(void)
{
	pthread_mutex_lock(&d.lock);
	d.pause_wanted = false;
	pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
}

/* ---- parameters ---- */

/* A stock kernel doesn't have them. */
static bool flip_parameter(const char *name)
{
	char path[128], value;
	int fd, flipped;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	flipped = pread(fd, &value, 1, 0) == 1 && pwrite(fd, value == 'Y' ? "N" : "Y", 1, 0) == 1;
	close(fd);
	return flipped;
}

/* As they were before, for who uses this machine next. */
static void flip_parameters_back(void)
{
	enum disturbance what;

	for (what = DISTURB_OOS_SHADOW; what <= DISTURB_PTE_UPDATE; what++) {
		if (d.counts.done[what] % 2)
			flip_parameter(disturbance_names[what]);
	}
}

/* ---- the dirty log ---- */

static bool is_logging(void)
{
	return d.region.flags & KVM_MEM_LOG_DIRTY_PAGES;
}

static void set_region(void)
{
	if (vm_set_slot(d.vm, REGION_SLOT, &d.region))
		d.failed = true;
}

/* What the guest has written so far is none of the log's business. */
static void start_log(void)
{
	memset(d.log, 0, sizeof(d.log));
	memset((void *)d.info->written, 0, sizeof(d.info->written));
	d.exempt = d.info->writing;
}

static void toggle_log(void)
{
	pause_vcpus();
	d.region.flags ^= KVM_MEM_LOG_DIRTY_PAGES;
	set_region();
	start_log();
	resume_vcpus();
}

static void read_log(void)
{
	uint32_t bits[REGION_PAGES / 32];
	struct kvm_dirty_log log = { .slot = REGION_SLOT, .dirty_bitmap = bits };
	unsigned int i;

	if (ioctl(d.vm->vm, KVM_GET_DIRTY_LOG, &log)) {
		fl_fail("cannot read the dirty log: %s", strerror(errno));
		d.failed = true;
		return;
	}
	for (i = 0; i < REGION_PAGES / 32; i++)
		d.log[i] |= bits[i];
}

/*
 * All pages that the guest says it wrote must be in the log. It says so after
 * the write; one that it was about to say at the last check was in that one.
 */
static void check_log(void)
{
	uint32_t page;

	for (page = 0; page < REGION_PAGES && !d.failed && d.exempt != WRITING_ANY; page++) {
		uint32_t bit = 1U << page % 32;

		if (!(d.info->written[page / 32] & bit) || page + 1 == d.exempt)
			continue;
		d.counts.logged++;
		if (d.log[page / 32] & bit)
			continue;
		fl_fail("the guest wrote page 0x%x by step %u, but the dirty log doesn't have it",
			REGION / PAGE_SIZE + page, d.info->step);
		d.failed = true;
	}
	start_log();
}

/* Some reads of the log come while the guest runs. */
static bool read_and_check_log(void)
{
	if (!is_logging())
		return false;
	if (random_below(2))
		read_log();
	pause_vcpus();
	read_log();
	check_log();
	resume_vcpus();
	return true;
}

/* ---- memslots ---- */

static void delete_slot(void)
{
	struct vm_memory none = { .address = REGION };

	pause_vcpus();
	if (vm_set_slot(d.vm, REGION_SLOT, &none))
		d.failed = true;
	d.region.flags = 0;
	set_region();
	resume_vcpus();
}

static void move_slot(void)
{
	pause_vcpus();
	d.region.address = ELSEWHERE;
	set_region();
	d.region.address = REGION;
	set_region();
	start_log();
	resume_vcpus();
}

static void toggle_other_slot(void)
{
	struct vm_memory other = { .address = OTHER_ADDRESS, .host = d.region.host };

	d.other_slot = !d.other_slot;
	if (d.other_slot)
		other.size = PAGE_SIZE;
	if (vm_set_slot(d.vm, OTHER_SLOT, &other))
		d.failed = true;
}

/* ---- the host's own mappings ---- */

/* The memory is shared, so that what is in it stays. */
static void unmap(void)
{
	uint32_t first = random_below(REGION_PAGES);
	uint32_t nr = random_below(2) ? 1 : 1 + random_below(REGION_PAGES - first);

	if (random_below(4) == 0) {
		first = 0;
		nr = REGION_PAGES;
	}
	madvise(d.region.host + first * PAGE_SIZE, nr * PAGE_SIZE, MADV_DONTNEED);
}

static void protect(void)
{
	pause_vcpus();
	mprotect(d.region.host, d.region.size, PROT_READ);
	mprotect(d.region.host, d.region.size, PROT_READ | PROT_WRITE);
	resume_vcpus();
}

/* ---- the thread ---- */

static bool disturb(enum disturbance what)
{
	switch (what) {
	case DISTURB_OOS_SHADOW:
	case DISTURB_PTE_UPDATE:
		return flip_parameter(disturbance_names[what]);
	case DISTURB_LOG:
		toggle_log();
		return true;
	case DISTURB_READ_LOG:
		return read_and_check_log();
	case DISTURB_DELETE:
		delete_slot();
		return true;
	case DISTURB_MOVE:
		move_slot();
		return true;
	case DISTURB_OTHER_SLOT:
		toggle_other_slot();
		return true;
	case DISTURB_UNMAP:
		unmap();
		return true;
	default:
		protect();
		return true;
	}
}

/* How long @ns really take. */
static uint64_t wait_ns(uint64_t ns)
{
	const struct timespec moment = { .tv_nsec = ns };
	struct timespec begin, end;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	nanosleep(&moment, NULL);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - begin.tv_sec) * 1000000000ULL + end.tv_nsec - begin.tv_nsec;
}

/*
 * Such that it takes a small part of the time to wait again and again: others want to
 * run, too, and a kernel that checks all it does takes long to put one to sleep.
 */
static uint64_t find_moment(void)
{
	uint64_t shortest = UINT64_MAX, ns;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		ns = wait_ns(1);
		if (ns < shortest)
			shortest = ns;
	}
	return 4 * shortest > MOMENT ? 4 * shortest : MOMENT;
}

static bool has_ended(void)
{
	return __atomic_load_n(&d.ended, __ATOMIC_SEQ_CST);
}

/* How fast time goes is the emulator's affair, so that the measure is the guest's steps. */
static void wait_for_steps(uint64_t moment)
{
	volatile const uint32_t *step = &d.info->step;
	uint32_t until = *step + random_below(MAX_STEPS);

	do
		wait_ns(moment);
	while (!has_ended() && *step < until);
}

/* Ahead of the vCPU, with which it may share the host's only CPU, as soon as it wakes up. */
static void get_ahead(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	pthread_setschedparam(pthread_self(), SCHED_FIFO, &first);
}

static void *run_thread(void *context)
{
	uint64_t moment;

	(void)context;
	get_ahead();
	moment = find_moment();
	pthread_mutex_lock(&d.lock);
	d.started = true;
	pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
	while (!has_ended() && !d.failed) {
		enum disturbance what = random_below(NR_DISTURBANCES);

		wait_for_steps(moment);
		if (disturb(what))
			d.counts.done[what]++;
	}
	return NULL;
}

int disturb_start(struct vm *vm, const struct vm_memory *region,
		  struct torture_info *info, uint64_t seed)
{
	d.vm = vm;
	d.region = *region;
	d.info = info;
	d.random = seed * 2 + 1;
	d.nr_running = vm->nr_vcpus;
	vm->interrupted = interrupted;
	vm->left = left;
	if (pthread_create(&d.thread, NULL, run_thread, NULL))
		return fl_fail("cannot create a thread");
	/* A thread that is new may have to wait for long for a CPU that runs a guest. */
	pthread_mutex_lock(&d.lock);
	while (!d.started)
		pthread_cond_wait(&d.changed, &d.lock);
	pthread_mutex_unlock(&d.lock);
	return 0;
}

int disturb_stop(struct disturb_counts *counts)
{
	pthread_mutex_lock(&d.lock);
	__atomic_store_n(&d.ended, true, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&d.changed);
	pthread_mutex_unlock(&d.lock);
	pthread_join(d.thread, NULL);
	flip_parameters_back();
	*counts = d.counts;
	return d.failed ? -1 : 0;
}
