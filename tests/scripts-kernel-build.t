#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/kernel build: what is built, when, and what is left when it is not.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"

export FAULTLINE_CACHE=$SCRATCH/cache PATCHES_DIR=$SCRATCH/patches KERNEL_TREE=$SCRATCH/linux
export CONFIG_DIR=$SCRATCH/config FAULTLINE_BUILD=$SCRATCH/build
unset CONFIG_NAME
OUT_DIR=$FAULTLINE_BUILD/kernel/6.12
WORK=$FAULTLINE_CACHE/work/6.12-tree

build() {
	try "$TOP/scripts/kernel" build 6.12
}

# How often make has built something.
builds() {
	wc -l <"$WORK/obj-lab/builds"
}

# clean NAME: nothing temporary, and no half kernel is there.
clean() {
	is "$(find "$FAULTLINE_CACHE" "$FAULTLINE_BUILD" -maxdepth 3 \( -name '.[!c]*' -o -name '*.new' \) ! -path '*/work/*/*')" "" \
		"$1: nothing is left behind"
}

fake_kernel "$KERNEL_TREE" 3
make_patch 1-mmu.patch "$KERNEL_TREE" 's/^250/my 250/' arch/x86/kvm/mmu.c
mkdir "$CONFIG_DIR"
printf '%s\n' '# why' CONFIG_KVM=y '# CONFIG_NET is not set' >"$CONFIG_DIR/lab.config"

# Once, and not again
build
is "$STATUS" 0 "a kernel is built"
is "$(cd "$OUT_DIR" && echo .config *)" ".config bzImage key vmlinux" "its files are there"
like "$(<"$OUT_DIR/vmlinux")" "my 250" "the series is in it"
like "$(<"$OUT_DIR/.config")" CONFIG_TINY=y.*CONFIG_KVM=y "the fragment is over tinyconfig"
is "$(builds)" 1 "make was run once"
build
is "$STATUS:$OUT:$(builds)" "0:$OUT_DIR is up to date:1" "again: nothing is done"

rm -rf "$FAULTLINE_BUILD"
build
is "$STATUS:$(builds):$(ls "$OUT_DIR")" $'0:1:bzImage\nkey\nvmlinux' "after make clean: taken from the cache"

cp -r "$PATCHES_DIR" "$SCRATCH/good"
make_patch 2-fork.patch "$KERNEL_TREE" 's/^150/my 150/' kernel/fork.c
build
is "$STATUS:$(builds):$(grep -c my "$OUT_DIR/vmlinux")" "0:2:2" "a changed series: built"
rm -rf "$PATCHES_DIR"
cp -r "$SCRATCH/good" "$PATCHES_DIR"
build
is "$STATUS:$(builds):$(grep -c my "$OUT_DIR/vmlinux")" "0:2:1" "and changed back: taken from the cache"

echo CONFIG_MORE=y >"$CONFIG_DIR/more.config"
CONFIG_NAME="lab more" build
is "$STATUS" 0 "two fragments"
like "$(<"$OUT_DIR-lab-more/.config")" CONFIG_KVM=y.*CONFIG_MORE=y "both are in, in a directory of their own"
clean "good builds"

# Two at a time
echo CONFIG_TIME=y >>"$CONFIG_DIR/lab.config"
"$TOP/scripts/kernel" build 6.12 >/dev/null &
build
other=0
wait $! || other=$?
is "$STATUS:$ERR:$other:$(builds)" "0::0:3" "two at a time: both succeed, one builds"
clean "two at a time"

# What must fail
KEPT=$(ls "$FAULTLINE_CACHE/kernel")
failed() {
	fails 1 "$1" "$2"
	clean "$2"
	is "$(ls "$FAULTLINE_CACHE/kernel")" "$KEPT" "$2: no kernel is kept"
}

printf '%s\n' CONFIG_UNHEARD_OF=y '# CONFIG_TINY is not set' CONFIG_TINY=y >>"$CONFIG_DIR/lab.config"
build
failed "options of CONFIG_NAME 'lab' did not take: CONFIG_UNHEARD_OF=y;" "an option that does not take"
sed -i /UNHEARD/d "$CONFIG_DIR/lab.config"

make_patch 3-bug.patch "$KERNEL_TREE" 's/^150/fork.c:150:1: error: no semicolon/' kernel/fork.c
build
failed 'the build failed: fork.c:150:1: error: no semicolon; see .*make.log' "a compiler error"

rm -rf "$PATCHES_DIR"
cp -r "$SCRATCH/good" "$PATCHES_DIR"
CONFIG_NAME="lab nosuch" build
fails 2 "unknown CONFIG_NAME 'nosuch'; known: lab more" "an unknown configuration"

# Ctrl-C, while make runs
touch "$KERNEL_TREE/slow"
rm -f "$WORK/obj-lab/builds"
interrupt "$WORK/obj-lab/builds" "$TOP/scripts/kernel" build 6.12
is "$STATUS" 130 "Ctrl-C: exit status"
is "$ERR$IDS" "" "Ctrl-C: no process is left, nothing is said"
clean "Ctrl-C"
rm "$KERNEL_TREE/slow"
build
is "$STATUS" 0 "the next run builds it"

done_testing
