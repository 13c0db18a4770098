# SPDX-License-Identifier: GPL-2.0
# The BPF object, libfaultline and the faultline command. Included by the top
# Makefile, which sets BUILD, CC and CFLAGS.

CLANG	?= clang
BPFTOOL	?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)

# clang's BPF target has no multiarch directory of its own. Expanded when used,
# as make reads this before scripts/deps has installed a compiler.
BPF_CFLAGS = -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter \
	     -I/usr/include/$(shell $(CC) -print-multiarch)

# It runs with privileges, and reads what others wrote.
HARDENING	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2 -Wformat -Werror=format-security
HARDENING_LD	:= -Wl,-z,relro,-z,now

ANALYSIS_CFLAGS	:= $(HARDENING) -D_GNU_SOURCE -Ianalysis -Ibpf -I$(BUILD)/bpf
ANALYSIS_LIBS	:= -lbpf -ljson-c -lsqlite3 -lRmath -lm -lncursesw
EXPORT_LIBS	:= -lbpf -lmicrohttpd
LIBFAULTLINE	:= $(BUILD)/lib/libfaultline.a

# What the tests link, too; the command is these and its main files.
LIB_OBJS := $(patsubst %,$(BUILD)/analysis/%.o, \
	cells collection collector command csv diff-print error exposition \
	figures filter-options gate host html html-page interrupt json json-read \
	ledger load measure metrics options output printer probe quantity \
	reasons run runfile-episodes runfile-read runfile-reader runfile-write \
	selection session snapshot statistics table text top-print top-rows \
	top-screen top-view trace-chrome trace-format trace-json trace-text tracks \
	version vmm)
CMD_OBJS := $(patsubst %,$(BUILD)/analysis/%.o,check diff external main record report stat top trace)
EXPORT_OBJS := $(patsubst %,$(BUILD)/analysis/%.o,export http listen)

-include analysis/html/html.mk

all: $(BUILD)/bin/faultline $(BUILD)/bin/faultline-export

$(BUILD)/bpf/faultline.bpf.o: bpf/faultline.bpf.c $(wildcard bpf/*.h)
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/bpf/faultline.skel.h: $(BUILD)/bpf/faultline.bpf.o
	$(BPFTOOL) gen skeleton $< name faultline_bpf >$@.tmp
	mv $@.tmp $@

$(BUILD)/analysis/%.o: analysis/%.c $(BUILD)/bpf/faultline.skel.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(ANALYSIS_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/analysis/version.o: ANALYSIS_CFLAGS += -DFL_VERSION='"$(VERSION)"'
$(BUILD)/analysis/version.o: VERSION

$(LIBFAULTLINE): $(LIB_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/bin/faultline: $(CMD_OBJS) $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENING_LD) $(CMD_OBJS) $(LIBFAULTLINE) $(ANALYSIS_LIBS) -o $@

$(BUILD)/bin/faultline-export: $(EXPORT_OBJS) $(LIBFAULTLINE)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(HARDENING_LD) $(EXPORT_OBJS) $(LIBFAULTLINE) $(EXPORT_LIBS) -o $@

-include $(wildcard $(BUILD)/analysis/*.d)
