# SPDX-License-Identifier: GPL-2.0
#
# The one entry; `make help` lists what it can do. Each part of the project has
# a fragment, with paths from here, which adds what it builds to `all`, and its
# test programs to `tests`.

BUILD	:= build
LINE	?= 6.12
VERSION	:= $(shell cat VERSION)
CC	:= gcc
CFLAGS	:= -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all tests help demo check check-all kernel deps clean

-include analysis/analysis.mk lab/lab.mk ci/ci.mk install/install.mk tests/tests.mk

##@ See it
demo:		## 3 -> 2: patch, build and boot Linux, and measure; 15 minutes at first
	@lab/demo

##@ Measure

##@ Build
all:		## the faultline command and the lab's programs (plain `make`)

kernel:		## the patched kernel of LINE, from KERNEL_TREE if given: build/kernel/LINE/
	@scripts/deps kernel
	@scripts/kernel build '$(LINE)'

deps:		## install the Debian packages that are missing
	@scripts/deps

clean:		## remove build/; kernels are kept in ~/.cache/faultline
	rm -rf $(BUILD)

##@ Test
check:		## run the tests
	@scripts/deps
	@$(MAKE) --no-print-directory all tests
	@tests/run

check-all:	## run them all, every line and a million torture steps among them; hours
	@scripts/deps
	@$(MAKE) --no-print-directory all tests
	@tests/run tests/*.t tests/all/*.t

##@ Install

##@ More
help:		## this list
	@awk -f scripts/help.awk $(MAKEFILE_LIST)
	@echo
	@echo "LINE is one of $(notdir $(patsubst %/series,%,$(wildcard patches/*/series))) (2007 can't be built), as in"
	@echo "'make kernel LINE=6.1'. 'lab/run --help' has the variables of 'make lab'."
