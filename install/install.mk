# SPDX-License-Identifier: GPL-2.0
# Manual pages, shell completion, and what goes where when faultline is installed.
# Included by the top Makefile.

PREFIX		?= /usr/local
BINDIR		?= $(PREFIX)/bin
LIBEXECDIR	?= $(PREFIX)/libexec/faultline
MANDIR		?= $(PREFIX)/share/man
DOCDIR		?= $(PREFIX)/share/doc/faultline
DATADIR		?= $(PREFIX)/share/faultline
BASHDIR		?= $(PREFIX)/share/bash-completion/completions
ZSHDIR		?= $(PREFIX)/share/zsh/site-functions
LABDIR		?= $(PREFIX)/lib/faultline-lab
UNITDIR		?= $(PREFIX)/lib/systemd/system
INSTALL		?= install

# To run first where it is used.
need_help2man = @command -v help2man >/dev/null || \
		{ echo "help2man is missing; run scripts/deps install" >&2; exit 1; }

# A page for each command, made of its help, what install/man/ has to add, and for
# those that measure, install/man/measuring.h2m.
MAN_PAGES := $(patsubst install/man/%.h2m,$(BUILD)/man/%.1,$(filter-out %-lab.h2m,$(wildcard install/man/faultline*.h2m)))
MAN_MEASURING := $(patsubst %,$(BUILD)/man/faultline-%.1,stat top trace record export)

$(MAN_MEASURING): MAN_SHARED := --opt-include=install/man/measuring.h2m

$(BUILD)/man/%.1: install/man/%.h2m install/man/measuring.h2m install/gnu-help $(BUILD)/bin/faultline $(BUILD)/bin/faultline-export VERSION
	$(need_help2man)
	@mkdir -p $(@D)
	FAULTLINE=$(BUILD)/bin/faultline SUBCOMMAND=$(patsubst faultline-%,%,$(filter-out faultline,$*)) \
		help2man --no-info --section=1 --manual=faultline --source='faultline $(VERSION)' \
		--include=$< $(MAN_SHARED) --output=$@ install/gnu-help

$(BUILD)/man/faultline-lab.1: install/man/faultline-lab.h2m install/faultline-lab lab/run VERSION
	$(need_help2man)
	@mkdir -p $(@D)
	FAULTLINE_LAB=. help2man --no-info --section=1 --manual=faultline --source='faultline $(VERSION)' \
		--version-string='faultline-lab $(VERSION)' --include=$< --output=$@ install/faultline-lab

##@ Install
man: $(MAN_PAGES) $(BUILD)/man/faultline-lab.1	## the manual pages: build/man/

install: all man	## install the command under PREFIX (/usr/local), below DESTDIR
	$(INSTALL) -D $(BUILD)/bin/faultline $(DESTDIR)$(BINDIR)/faultline
	$(INSTALL) -D $(BUILD)/bin/faultline-export $(DESTDIR)$(LIBEXECDIR)/faultline-export
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(DOCDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(UNITDIR)
	$(INSTALL) -m 644 $(MAN_PAGES) $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 README.md docs/*.md $(DESTDIR)$(DOCDIR)
	$(INSTALL) -m 644 metrics/faultline.rules.yml metrics/grafana-dashboard.json $(DESTDIR)$(DATADIR)
	sed 's|/usr/bin/faultline|$(BINDIR)/faultline|' metrics/faultline-export.service \
		>$(DESTDIR)$(UNITDIR)/faultline-export.service
	$(INSTALL) -D -m 644 install/completion/faultline.bash $(DESTDIR)$(BASHDIR)/faultline
	$(INSTALL) -D -m 644 install/completion/_faultline $(DESTDIR)$(ZSHDIR)/_faultline

# What lab/run needs, as it is here, and what has been compiled.
LAB_FILES := lab/run lab/host lab/image lab/linux/source lab/linux/kbuild-targets.txt lab/nested-initramfs \
	     lab/pack.sh lab/torture/bugs lab/README.md kernel-config patches scripts
LAB_PROGRAMS := bin/lab-results lab/initramfs.cpio.gz lab/guest-init lab/micro lab/torture

install-lab: all man	## install the lab, too, as faultline-lab
	$(INSTALL) -D install/faultline-lab $(DESTDIR)$(BINDIR)/faultline-lab
	$(INSTALL) -D -m 644 $(BUILD)/man/faultline-lab.1 $(DESTDIR)$(MANDIR)/man1/faultline-lab.1
	$(INSTALL) -d $(DESTDIR)$(LABDIR)/build
	cp -r --parents $(LAB_FILES) $(DESTDIR)$(LABDIR)
	cd $(BUILD) && cp --parents $(LAB_PROGRAMS) $(abspath $(DESTDIR)$(LABDIR))/build
	chmod -R u=rwX,go=rX $(DESTDIR)$(LABDIR)

deb:		## Debian packages, checked by lintian: build/deb/
	@scripts/deps build install deb
	@install/deb

.PHONY: man install install-lab deb
