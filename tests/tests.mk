# SPDX-License-Identifier: GPL-2.0
# Test programs. Included by the top Makefile.

TEST_PROGRAMS := $(BUILD)/tests/episode-test

tests: $(TEST_PROGRAMS)

$(BUILD)/tests/%: tests/%.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ibpf $< -o $@ -lcmocka

.PHONY: tests
