# SPDX-License-Identifier: GPL-2.0
# The lab's programs, and the target that measures. Included by the top
# Makefile, which sets BUILD, CC and CFLAGS.

include lab/micro/micro.mk
include lab/torture/torture.mk
include lab/linux/linux.mk
include lab/boot/boot.mk

LAB_CFLAGS := -D_GNU_SOURCE -Ianalysis

all: $(BUILD)/bin/lab-results $(BUILD)/bin/bench-results $(BUILD)/lab/initramfs.cpio.gz

# Static: nothing else is there when it starts.
$(BUILD)/lab/init: lab/init.c lab/machine.c lab/microvm.c $(BUILD)/analysis/error.o lab/machine.h lab/microvm.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LAB_CFLAGS) -static $(filter %.c %.o,$^) -o $@

$(BUILD)/bin/lab-results: lab/results.c lab/json-file.c $(BUILD)/analysis/error.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LAB_CFLAGS) $^ -ljson-c -o $@

$(BUILD)/bin/bench-results: lab/bench/results.c lab/json-file.c lab/json-file.h $(BUILD)/analysis/error.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LAB_CFLAGS) -Ilab $(filter-out %.h,$^) -ljson-c -o $@

$(BUILD)/lab/initramfs.cpio.gz: lab/initramfs lab/pack.sh $(BUILD)/lab/init $(BUILD)/lab/micro $(BUILD)/lab/torture $(BUILD)/lab/linuxvm $(BUILD)/lab/boot $(BUILD)/lab/boot-guest.cpio $(BUILD)/bin/faultline
	lab/initramfs $@

##@ Measure
lab: all	## measure on emulated hosts; lists: LINE VENDOR POLICY WORKLOAD PAGING
	@lab/run

bench: all	## instructions that faultline, perf, bpftrace and bcc add to a VM exit
	@lab/bench/run

.PHONY: lab bench
