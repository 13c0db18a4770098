# SPDX-License-Identifier: GPL-2.0
# Test programs. Included by the top Makefile.

TEST_PROGRAMS := $(BUILD)/tests/episode-test $(BUILD)/tests/torture-model-test $(BUILD)/tests/collector-test
FUZZ_SECONDS ?= 600
FUZZ_CORPUS := tests/episode-fuzz-corpus

# Not every clang comes with libFuzzer; tests/episode-fuzz.t says so then.
tests: $(TEST_PROGRAMS)
	-@$(MAKE) --no-print-directory $(BUILD)/tests/episode-fuzz

$(BUILD)/tests/%: tests/%.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ibpf $< -o $@ -lcmocka

$(BUILD)/tests/collector-test: tests/collector-test.c $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) $< $(LIBFAULTLINE) -o $@ -lcmocka

$(BUILD)/tests/episode-fuzz: tests/episode-fuzz.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) -g -O1 -Wall -Wextra -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Ibpf $< -o $@

fuzz: $(BUILD)/tests/episode-fuzz	## fuzz the episode state machine for FUZZ_SECONDS (600)
	@mkdir -p $(BUILD)/fuzz
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=600 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz $(FUZZ_CORPUS)

$(BUILD)/tests/torture-model-test: tests/torture-model-test.c lab/torture/model.c $(wildcard lab/torture/*.h lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ilab/micro -Ilab/torture $(filter %.c,$^) -o $@ -lcmocka

.PHONY: tests fuzz
