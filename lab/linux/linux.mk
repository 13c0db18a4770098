# SPDX-License-Identifier: GPL-2.0
# What runs in a Linux guest and its VMM's starter. Included by lab.mk.

LINUX_CFLAGS := -D_GNU_SOURCE -Ilab/micro -Ilab -Ianalysis -Ibpf

all: $(BUILD)/lab/guest-init

# Static: both are in images, or before them.
$(BUILD)/lab/guest-init: lab/linux/guest.c lab/linux/workloads.c lab/machine.c $(BUILD)/analysis/error.o $(wildcard lab/linux/*.h) lab/machine.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LINUX_CFLAGS) -static $(filter %.c %.o,$^) -pthread -o $@

$(BUILD)/lab/linuxvm: lab/linux/linuxvm.c lab/microvm.c lab/microvm.h $(BUILD)/micro/options.o $(BUILD)/analysis/error.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LINUX_CFLAGS) -static $(filter %.c %.o,$^) -ljson-c -o $@
