# SPDX-License-Identifier: GPL-2.0
# The VMM that boots Linux, and the initramfs of its guest. Included by lab.mk
# after micro.mk, from which the VMM's machine and the page tables come.

BOOT_OBJS := $(BUILD)/boot/boot.o \
	     $(patsubst %,$(BUILD)/micro/%.o,options paging vm guest-image) $(BUILD)/analysis/error.o

$(BUILD)/boot/boot.o: lab/boot/boot.c lab/boot/guest-init.h $(wildcard lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Ilab/micro -Ianalysis -c $< -o $@

# Static: it runs in an initramfs.
$(BUILD)/lab/boot: $(BOOT_OBJS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static $^ -pthread -o $@

$(BUILD)/boot/init: lab/boot/guest-init.c lab/boot/guest-init.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -static -s $< -o $@

# Of a copy, as what is packed gets another time.
$(BUILD)/lab/boot-guest.cpio: $(BUILD)/boot/init lab/pack.sh
	@mkdir -p $(@D) $(BUILD)/boot/root/dev
	cp $< $(BUILD)/boot/root
	bash -c '. lab/pack.sh; pack $(BUILD)/boot/root' >$@.new
	mv $@.new $@
