# SPDX-License-Identifier: GPL-2.0
# Test programs. Included by the top Makefile.

TEST_PROGRAMS := $(patsubst %,$(BUILD)/tests/%,episode-test host-fault-test torture-model-test collector-test metrics-test results-test results-mutate craft diff-test top-test trace-test hold-sqlite)
FUZZ_SECONDS ?= 600
FUZZ_CORPUS := tests/episode-fuzz-corpus

# Not every clang comes with libFuzzer; tests/episode-fuzz.t says so then.
tests: $(TEST_PROGRAMS)
	-@$(MAKE) --no-print-directory $(BUILD)/tests/episode-fuzz

$(BUILD)/tests/%: tests/%.c $(wildcard bpf/*.h) tests/facts.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ibpf $< -o $@ -lcmocka

$(patsubst %,$(BUILD)/tests/%,collector-test metrics-test results-test craft diff-test top-test trace-test): $(BUILD)/tests/%: tests/%.c tests/crafted.h $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) $< $(LIBFAULTLINE) -o $@ $(ANALYSIS_LIBS) -lcmocka

# What reads files that may hold anything, built anew with the sanitizers.
MUTATE_SRCS := tests/results-mutate.c $(patsubst %,analysis/%.c,csv error figures host json json-read load reasons run runfile-episodes runfile-read runfile-reader runfile-write snapshot table)

$(BUILD)/tests/results-mutate: $(MUTATE_SRCS) $(wildcard tests/*.h analysis/*.h bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) -g -O1 -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=undefined \
		$(ANALYSIS_CFLAGS) $(MUTATE_SRCS) -o $@ -ljson-c -lsqlite3

$(BUILD)/tests/hold-sqlite: tests/hold-sqlite.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $< -o $@ -lsqlite3

$(BUILD)/tests/episode-fuzz: tests/episode-fuzz.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) -g -O1 -Wall -Wextra -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Ibpf $< -o $@

##@ Test
fuzz: $(BUILD)/tests/episode-fuzz	## fuzz the episode state machine for FUZZ_SECONDS (600)
	@mkdir -p $(BUILD)/fuzz
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=600 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz $(FUZZ_CORPUS)

$(BUILD)/tests/torture-model-test: tests/torture-model-test.c lab/torture/model.c $(wildcard lab/torture/*.h lab/micro/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Ilab/micro -Ilab/torture $(filter %.c,$^) -o $@ -lcmocka

.PHONY: tests fuzz
