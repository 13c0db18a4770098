/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How long things took: count, sum, maximum, and a histogram whose buckets
 * divide each power of two into four, from 32 ns up to five minutes. Plain C,
 * compiled into the BPF object, which fills it, and into libfaultline, which
 * reads it.
 */
#ifndef FAULTLINE_DURATION_H
#define FAULTLINE_DURATION_H

#include <linux/types.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif

#define FL_DURATION_UNIT_SHIFT	5	/* the first buckets are 32 ns wide */
#define FL_DURATION_BUCKETS	128	/* the last one has no upper end */

struct fl_durations {
	__u64 count;
	__u64 sum_ns;
	__u64 max_ns;
	/* The bucket that got the last one, and which ones fall into it. */
	__u64 low, high, last;
	__u64 buckets[FL_DURATION_BUCKETS];
};

/*
 * The place of the highest bit that is set, for values below 2^63. By halving,
 * as BPF has no instruction for it, and without branches, each of which would
 * double what the verifier has to go through.
 */
static __always_inline __u32 fl_log2(__u64 value)
{
	__u32 log = 0, bits, more;

	for (bits = 32; bits; bits /= 2) {
		more = (((1ULL << bits) - 1 - value) >> 63) * bits;
		value >>= more;
		log += more;
	}
	return log;
}

static __always_inline __u32 fl_duration_bucket(__u64 ns)
{
	__u64 units = ns >> FL_DURATION_UNIT_SHIFT;
	__u32 log, bucket;

	if (units < 4)
		return units;
	log = fl_log2(units);
	bucket = (log - 1) * 4 + ((units >> (log - 2)) & 3);
	return bucket < FL_DURATION_BUCKETS ? bucket : FL_DURATION_BUCKETS - 1;
}

/* The shortest duration that falls into @bucket. */
static __always_inline __u64 fl_duration_floor(__u32 bucket)
{
	__u64 units = bucket;

	if (bucket >= 4)
		units = (4ULL + bucket % 4) << (bucket / 4 - 1);
	return units << FL_DURATION_UNIT_SHIFT;
}

/* Find the bucket of @ns, which is dear enough to remember it for the next one. */
static __always_inline void fl_duration_look_up(struct fl_durations *durations, __u64 ns)
{
	__u32 bucket = fl_duration_bucket(ns);

	durations->last = bucket;
	durations->low = fl_duration_floor(bucket);
	durations->high = bucket + 1 < FL_DURATION_BUCKETS ? fl_duration_floor(bucket + 1) : ~0ULL;
}

static __always_inline void fl_duration_add(struct fl_durations *durations, __u64 ns)
{
	__u64 bucket;

	if (ns < durations->low || ns >= durations->high)
		fl_duration_look_up(durations, ns);
	bucket = *(volatile __u64 *)&durations->last;
	durations->count++;
	durations->sum_ns += ns;
	if (ns > durations->max_ns)
		durations->max_ns = ns;
	if (bucket < FL_DURATION_BUCKETS)
		durations->buckets[bucket]++;
}

#endif /* FAULTLINE_DURATION_H */
