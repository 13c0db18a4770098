#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/series rebase: to sources that take the series, and that do not.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"
# shellcheck source=tests/fake-series.sh
. "$TOP/tests/fake-series.sh"

SRC=$FAULTLINE_CACHE/src
SERIES=$PATCHES_DIR/6.12
TREE=$FAULTLINE_CACHE/series/6.12/tree
mkdir -p "$SRC"
checkable_kernel "$SRC/linux-6.12.3-1" 3
fake_series "$SRC/linux-6.12.3-1"
cp -a "$SERIES" "$SCRATCH/good"

# source_like SUBLEVEL SED-SCRIPT FILE: a source with a file changed.
source_like() {
	local dir=$SRC/linux-6.12.$1-1

	rm -rf "$dir"
	checkable_kernel "$dir" "$1"
	sed -i "$2" "$dir/$3"
}

# start_over: the patches are the good ones again.
start_over() {
	rm -rf "$SERIES"
	cp -a "$SCRATCH/good" "$SERIES"
}

# unchanged NAME: the patches are the good ones still.
unchanged() {
	is "$(diff -r "$SCRATCH/good" "$SERIES")" "" "$1: the patches stay"
}

# The same source, and one in which all has moved
series rebase 6.12 --to 6.12.3
is "$STATUS:$(head -n 1 <<<"$OUT")" "0:patches/6.12 has not changed" "to the same source: nothing changes"
unchanged "to the same source"

source_like 4 '1i new\nlines' arch/x86/kvm/mmu.c
series rebase 6.12 --to 6.12.4
is "$STATUS:$ERR" "0:" "to a source with lines added above"
like "$OUT" "patches/6.12 is for Linux 6.12.4-1 now" "it says so"
like "$(<"$(ls "$SERIES"/0002*)")" '@@ -50,7 \+50,7 @@' "the hunks have moved"
series verify 6.12
is "$STATUS:$OUT" "0:"$'form: 3 patches, good\napplies: to Linux 6.12.4-1, without fuzz\ncheckpatch: no reports' "the result passes verify, without offsets"
is "$(find "$FAULTLINE_CACHE/series" "$PATCHES_DIR" -name '.*' ! -path '*/tree/*')$(ls "$FAULTLINE_CACHE/series/6.12")" "" "nothing is left behind"
start_over

# A change close by, which git can merge
source_like 5 's/^148/one/' kernel/fork.c
series rebase 6.12 --to 6.12.5
is "$STATUS:$ERR" "0:" "to a source with another change in a hunk's context"
like "$(<"$(ls "$SERIES"/0001*)")" $'\n one\n 149\n-150\n' "it is merged"
start_over

# A conflict
source_like 6 's/^250/two/' arch/x86/kvm/mmu.c
series rebase 6.12 --to 6.12.6
fails 1 "0002-KVM-Change-a-line-of-the-MMU.patch does not apply to Linux 6.12.6-1: arch/x86/kvm/mmu.c, hunk 1 \(line 48\); edit arch/x86/kvm/mmu.c in $TREE, then run 'series rebase 6.12 --continue', or '--abort'" "a conflict"
like "$OUT" $'\n-250\n\+my 250\n' "the reject is shown"
like "$(<"$TREE/arch/x86/kvm/mmu.c")" $'<<<<<<<.*two\n.*=======\n.*my 250\n>>>>>>>' "both sides are in the tree"
unchanged "a conflict"
for command in apply refresh rebase; do
	series "$command" 6.12
	fails 1 "line 6.12 is being rebased in $TREE; run 'series rebase 6.12' with --continue or --abort" "$command amid a rebase"
done
series rebase 6.12 --continue
fails 1 "mmu.c still has conflict marks" "going on too early"

series rebase 6.12 --abort
is "$STATUS:$OUT" "0:patches/6.12 is as it was" "abort"
unchanged "abort"
is "$(ls "$FAULTLINE_CACHE/series/6.12")" "" "abort: nothing is left"
series rebase 6.12 --continue
fails 1 "line 6.12 is not being rebased" "continue without a rebase"

series rebase 6.12 --to "$SRC/linux-6.12.6-1"
sed -i '/^<<<<<<</d; /^=======/,/^>>>>>>>/d; s/^two/my two/' "$TREE/arch/x86/kvm/mmu.c"
series rebase 6.12 --continue
fails 1 "0003-KVM-Change-it-again-and-add-a-file.patch does not apply .*mmu.c, hunk 1" "the next conflict"
sed -i '/^<<<<<<</d; /^=======/,/^>>>>>>>/d; s/^my two/our two/' "$TREE/arch/x86/kvm/mmu.c"
series rebase 6.12 --continue
is "$STATUS:$ERR" "0:" "both resolved"
like "$(<"$(ls "$SERIES"/0003*)")" $'\n-my two\n\+our two\n' "the patches have it"
like "$(<"$(ls "$SERIES"/0003*)")" 'From: Anna .*Because the test wants so' "authors and changelogs are kept"
same "$(ls "$SERIES")" "$(ls "$SCRATCH/good")" "names are kept"
series verify 6.12
is "$STATUS:$ERR" "0:" "the result passes verify"
start_over

# A patch that has come to the source by another way
source_like 7 's/^150/my 150/' kernel/fork.c
series rebase 6.12 --to 6.12.7
is "$STATUS:$ERR" "0:" "to a source that has one of the patches"
like "$OUT" "dropped, as the source has it: KVM: Change a line of the fork" "it says so"
is "$(<"$SERIES/series")" $'0001-KVM-Change-a-line-of-the-MMU.patch\n0002-KVM-Change-it-again-and-add-a-file.patch' "it is gone from the series"
start_over

# Without the old source, there is nothing to merge with
mkdir "$SCRATCH/away"
cp -a "$SRC/linux-6.12.6-1" "$SCRATCH/away/linux"
mv "$SRC"/* "$SCRATCH/away"
series rebase 6.12 --to "$SCRATCH/away/linux"
fails 1 "0002-.*: arch/x86/kvm/mmu.c, hunk 1 .*; edit arch/x86/kvm/mmu.c.rej in" "a conflict without the old source"
series rebase 6.12 --continue
fails 1 "mmu.c.rej is still there; work it in and remove it" "going on too early"
rm "$TREE/arch/x86/kvm/mmu.c.rej"
series rebase 6.12 --continue
fails 1 "0003-.*" "a patch of which nothing is left is dropped"
like "$OUT" "dropped, as nothing is left of it: 0002-" "it says so"
series rebase 6.12 --abort
mv "$SCRATCH/away"/linux-* "$SRC"
unchanged "a conflict without the old source"

# Another line
checkable_kernel "$SCRATCH/linux-6.1" 9
sed -i 's/^PATCHLEVEL.*/PATCHLEVEL = 1/; s/^SUBLEVEL.*/SUBLEVEL = 190/' "$SCRATCH/linux-6.1/Makefile"
series rebase 6.12 --to "$SCRATCH/linux-6.1"
is "$STATUS:$ERR" "0:" "to another line"
same "$(ls "$PATCHES_DIR/6.1")" "$(ls "$SCRATCH/good")" "it gets the series"
unchanged "to another line"
series rebase 6.12 --to "$SCRATCH/linux-6.1"
fails 1 "patches/6.1 exists already, for Linux 6.1.190" "to a line that has a series"
rm -rf "$PATCHES_DIR/6.1"

# The newest of the line, from an apt-get of our own
mkdir "$SCRATCH/bin"
printf '#!/bin/sh\n%s\n' 'echo "'"'http://example.com/linux-source-6.12_6.12.4-1_all.deb'"' linux-source-6.12_6.12.4-1_all.deb 1 SHA256:2"' >"$SCRATCH/bin/apt-get"
chmod +x "$SCRATCH/bin/apt-get"
PATH=$SCRATCH/bin:$PATH series rebase 6.12
like "$STATUS:$OUT" "^0:.*patches/6.12 is for Linux 6.12.4-1 now" "to the newest source by default"
start_over

printf '#!/bin/sh\nexit 100\n' >"$SCRATCH/bin/apt-get"
PATH=$SCRATCH/bin:$PATH series rebase 6.12
fails 1 "apt knows no linux-source-6.12; run 'apt-get update'" "a package that apt does not know"

# Targets that will not do
series rebase 6.12 --to 6.12.99
fails 1 "there is no source of Linux 6.12.99 here" "an unknown version"
series rebase 6.12 --to "$SCRATCH"
fails 1 "$SCRATCH is not a Linux source tree" "a directory that is no kernel"
series rebase 6.12 --to 6.12.3 --abort
fails 2 "--to and --abort exclude each other" "options that exclude each other"
unchanged "targets that will not do"

done_testing
