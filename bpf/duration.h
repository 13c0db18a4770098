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
	__u64 buckets[FL_DURATION_BUCKETS];
};

/* The place of the highest bit that is set, by halving: BPF has no such instruction. */
static __always_inline __u32 fl_log2(__u64 value)
{
	__u32 log = 0;

	if (value >> 32) {
		log += 32;
		value >>= 32;
	}
	if (value >> 16) {
		log += 16;
		value >>= 16;
	}
	if (value >> 8) {
		log += 8;
		value >>= 8;
	}
	if (value >> 4) {
		log += 4;
		value >>= 4;
	}
	if (value >> 2) {
		log += 2;
		value >>= 2;
	}
	return log + (value >> 1);
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

static __always_inline void fl_duration_add(struct fl_durations *durations, __u64 ns)
{
	__u32 bucket = fl_duration_bucket(ns);

	durations->count++;
	durations->sum_ns += ns;
	if (ns > durations->max_ns)
		durations->max_ns = ns;
	if (bucket < FL_DURATION_BUCKETS)
		durations->buckets[bucket]++;
}

#endif /* FAULTLINE_DURATION_H */
