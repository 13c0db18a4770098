/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the BPF programs and user space share: the maps' values, and the marks by
 * which a guest delimits what is measured.
 */
#ifndef FAULTLINE_BPF_H
#define FAULTLINE_BPF_H

#include "exit_reason.h"
#include "filter.h"
#include "host_fault.h"

/* Processes that can be measured at once. */
#define FL_MAX_TARGETS	4096

/* Areas of host memory that are told apart, and room for the name of each. */
#define FL_MAX_AREAS	1024
#define FL_AREA_NAME	40

/* As TASK_COMM_LEN in the kernel. */
#define FL_COMM		16

/*
 * A guest marks the window to be measured by CPUID with this leaf in EAX and
 * one of the two in ECX. CPUID always exits, on SVM and on VMX.
 */
#define FL_MARK_LEAF	0x4fa17000
#define FL_MARK_START	1
#define FL_MARK_STOP	2

#define FL_ANY_VCPU	(-1)

/* The one value of the map `control`: what user space asks for, and what is lost. */
struct fl_control {
	__u32 all;		/* every VM, not only those of the map `targets` */
	__s32 vcpu_id;		/* only the vCPU of this number, or FL_ANY_VCPU */
	__u32 use_window;	/* count only between the guest's marks */
	__u32 records;		/* write records of episodes, ... */
	__u32 no_exits;		/* this KVM may not emit kvm_exit: count without */
	__u32 wake_bytes;	/* of records that the reader shall be woken for */
	struct fl_filter filter; /* ... of those episodes that pass it */
	__u64 lost_exits;	/* those of vCPUs, or of processes, that there was no room for */
	__u64 lost_records;	/* for which there was no room */
};

/* What KVM did, whether the exit it did it for is known or not. */
struct fl_mmu_events {
	__u64 injected;		/* #PF delivered to the guest */
	__u64 unsynced;		/* page tables that went out of sync */
	__u64 mapped;		/* page faults that KVM fixed; without exits only */
	__u64 emulated;		/* instructions */
};

/*
 * Key of the map `areas`: a part of a process's memory that was mapped as one.
 * All 0 stands for whatever can't be told, or has no room in the map.
 */
struct fl_area_key {
	__u64 start, end;	/* host virtual addresses */
	__u32 pid;
	__u32 unused;
};

/* A guest's first touches of an area, and how long the exits for them took. */
struct fl_area {
	__u64 touches;		/* all, ... */
	__u64 minor, major;	/* ... and those that had the host take a page fault */
	__u64 ns;
	char name[FL_AREA_NAME]; /* of the mapped file; empty if there is none */
};

/*
 * A slot of the map `vcpus`: one vCPU, from its first exit on. Only the thread
 * that runs the vCPU writes to it. @sequence is odd while it does so; a reader
 * that finds the same even number before and after has a state that was.
 */
struct fl_vcpu_entry {
	__u64 sequence;
	__u64 kvm;		/* the kernel's struct kvm; 0 if not known */
	__u64 kvm_vcpu;		/* the kernel's struct kvm_vcpu, or the thread's id */
	__u64 seen_ns;		/* when it was seen first, CLOCK_MONOTONIC */
	__u64 stat_exits;	/* KVM's own count of exits when last seen */
	__u64 window_start_ns;
	__u64 window_ns;	/* length of the windows that have ended */
	__u64 pf_address;	/* of the #PF to be delivered next, ... */
	__u32 pf_address_known;	/* ... if the kernel told */
	__u32 slot;		/* its number, plus one; 0 if it is free */
	__u32 pid;		/* of the process */
	__u32 tid;		/* of the thread that ran the vCPU last */
	__s32 vcpu_id;		/* -1 if not known */
	__u32 isa;		/* enum fl_isa */
	__u32 use_window;
	__u32 in_window;	/* always, if it has no use for windows */
	__u32 reason_slot;	/* of the last exit counted */
	__u32 records;
	__u32 faults_bypass;	/* guest faults may be delivered without KVM */
	char comm[FL_COMM];	/* the process's name */
	struct fl_mmu_events events;
	__u64 reasons[FL_NR_REASONS];	/* exits by fl_reason_slot() */
	struct fl_vcpu vcpu;
	struct fl_host_fault host;
	struct fl_area_key area;	/* that the open host fault is in */
};

/* What the ring buffer `records` has for each episode that has ended. */
struct fl_episode_record {
	__u64 kvm;
	__u32 pid;
	__u32 tid;
	__s32 vcpu_id;
	__u32 slot;		/* of the vCPU in a snapshot */
	char comm[FL_COMM];	/* the process's name */
	struct fl_episode episode;
};

#endif /* FAULTLINE_BPF_H */
