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

-include analysis/analysis.mk lab/lab.mk tests/tests.mk

all:		## the faultline command and the lab's programs (plain `make`)

demo:		## 3 -> 2: patch, build and boot Linux, and measure; 15 minutes at first
	@lab/demo

check:		## run the tests
	@scripts/deps
	@$(MAKE) --no-print-directory all tests
	@tests/run

check-all:	## run them all, every line and a million torture steps among them; hours
	@scripts/deps
	@$(MAKE) --no-print-directory all tests
	@tests/run tests/*.t tests/all/*.t

kernel:		## the patched kernel of LINE (6.12), from KERNEL_TREE if given: build/kernel/LINE/
	@scripts/deps kernel
	@scripts/kernel build '$(LINE)'

deps:		## install the Debian packages that are missing
	@scripts/deps

clean:		## remove build/; kernels are kept in ~/.cache/faultline
	rm -rf $(BUILD)

help:		## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 10
