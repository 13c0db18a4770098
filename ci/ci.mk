# SPDX-License-Identifier: GPL-2.0
# The regression gate. Included by the top Makefile.

all: $(BUILD)/bin/gate-verdict $(BUILD)/bin/gate-history $(BUILD)/bin/gate-spread $(BUILD)/bin/gate-times

$(BUILD)/bin/gate-verdict: ci/verdict.c ci/judge.c ci/verdict-write.c lab/json-file.c ci/verdict.h $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) -Ici -Ilab $(filter %.c %.a,$^) $(ANALYSIS_LIBS) -o $@

$(BUILD)/bin/gate-spread: ci/spread.c ci/judge.c ci/verdict.h $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) -Ici $(filter %.c %.a,$^) $(ANALYSIS_LIBS) -o $@

$(BUILD)/bin/gate-times: ci/times.c lab/json-file.c $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) -Ilab $(filter %.c %.a,$^) $(ANALYSIS_LIBS) -o $@

$(BUILD)/bin/gate-history: ci/history.c ci/changes.c ci/changes.h $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) -Ici $(filter %.c %.a,$^) $(ANALYSIS_LIBS) -o $@

##@ Measure
gate: all	## the regression gate: CANDIDATE (LINE) against BASE (LINE-stock), see ci/README.md
	@ci/gate '$(or $(BASE),$(LINE)-stock)' '$(or $(CANDIDATE),$(LINE))'

.PHONY: gate
