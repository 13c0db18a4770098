# SPDX-License-Identifier: GPL-2.0
# The micro guest and its VMM. Included by lab.mk.

# Nothing in the guest may use registers that its stubs don't save, or call a
# library that isn't there.
MICRO_GUEST_CFLAGS := -std=gnu11 -O2 -Wall -Wextra -Wshadow -ffreestanding \
	-nostdlib -static -fno-pic -no-pie -fno-stack-protector \
	-fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-tree-loop-distribute-patterns -mgeneral-regs-only
MICRO_GUEST_LDFLAGS := -Wl,-T,lab/micro/guest.lds,--build-id=none,--no-warn-rwx-segments
MICRO_GUEST_64 := -m64
MICRO_GUEST_32 := -m32 -march=i686

MICRO_OBJS := $(patsubst %,$(BUILD)/micro/%.o,micro options paging vm guest-image) \
	      $(BUILD)/analysis/error.o

$(BUILD)/micro/guest-%.bin: lab/micro/guest.c lab/micro/guest-entry.S lab/micro/guest-stubs.S lab/micro/guest.h lab/micro/guest.lds
	@mkdir -p $(@D)
	$(CC) $(MICRO_GUEST_CFLAGS) $(MICRO_GUEST_$*) $(MICRO_GUEST_LDFLAGS) \
		lab/micro/guest.c lab/micro/guest-entry.S -o $(@:.bin=.elf)
	objcopy -O binary $(@:.bin=.elf) $@

$(BUILD)/micro/guest-image.o: lab/micro/guest-image.S $(BUILD)/micro/guest-64.bin $(BUILD)/micro/guest-32.bin
	$(CC) -I$(BUILD)/micro -Wa,-I$(BUILD)/micro -c $< -o $@

$(BUILD)/micro/%.o: lab/micro/%.c $(wildcard lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -D_GNU_SOURCE -Ianalysis -c $< -o $@

# Static: it runs in an initramfs.
$(BUILD)/lab/micro: $(MICRO_OBJS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static $^ -pthread -o $@
