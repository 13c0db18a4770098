# SPDX-License-Identifier: GPL-2.0
# The torture guest and its VMM. Included by lab.mk after micro.mk, from which
# the guest's flags, the VMM's machine and the page tables come.

TORTURE_GUEST_SRCS := $(patsubst %,lab/torture/%,guest.c guest-cpu.c guest-tables.c guest-access.c \
			model.c guest-access.S)
TORTURE_GUEST_64 := $(patsubst %,lab/torture/%,guest-nested.c guest-svm.c guest-vmx.c \
			guest-helper.c)
TORTURE_GUEST_32 :=
TORTURE_OBJS := $(patsubst %,$(BUILD)/torture/%.o,torture disturb guest-image) \
		$(patsubst %,$(BUILD)/micro/%.o,options paging vm) $(BUILD)/analysis/error.o

$(BUILD)/torture/guest-%.bin: $(TORTURE_GUEST_SRCS) $(TORTURE_GUEST_64) $(wildcard lab/torture/*.h lab/micro/guest* lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(MICRO_GUEST_CFLAGS) $(MICRO_GUEST_$*) -Ilab/micro -Ilab/torture \
		$(MICRO_GUEST_LDFLAGS) $(TORTURE_GUEST_SRCS) $(TORTURE_GUEST_$*) -o $(@:.bin=.elf)
	objcopy -O binary $(@:.bin=.elf) $@

# The same image file as micro's; the images that it takes are torture's.
$(BUILD)/torture/guest-image.o: lab/micro/guest-image.S $(BUILD)/torture/guest-64.bin $(BUILD)/torture/guest-32.bin
	$(CC) -Wa,-I$(BUILD)/torture -c $< -o $@

$(BUILD)/torture/%.o: lab/torture/%.c $(wildcard lab/torture/*.h lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Ilab/micro -Ianalysis -c $< -o $@

# Static: it runs in an initramfs.
$(BUILD)/lab/torture: $(TORTURE_OBJS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static $^ -pthread -o $@
