#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/kernel apply: series good and bad, on a small tree.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"

export FAULTLINE_CACHE=$SCRATCH/cache PATCHES_DIR=$SCRATCH/patches KERNEL_TREE=$SCRATCH/linux
export BUGS_DIR=$SCRATCH/bugs
SERIES=$PATCHES_DIR/6.12/series
WORK=$FAULTLINE_CACHE/work/6.12-tree
TREE=$WORK/tree

apply() {
	try "$TOP/scripts/kernel" apply 6.12
}

# What the tree is like, times included.
state() {
	(cd "$TREE" && find . -type f -printf '%P %s %T@\n' | sort)
}

# files DIR: those in it, and what is in them
files() {
	(cd "$1" && find . -type f -exec sha256sum {} + | sort)
}

# untouched NAME: the source is as it was, and nothing temporary is left.
untouched() {
	is "$(diff -r "$SCRATCH/pristine" "$KERNEL_TREE" || true)" "" "$1: the source is untouched"
	is "$(find "$WORK" -maxdepth 1 -name '.*')" "" "$1: nothing is left behind"
}

fake_kernel "$KERNEL_TREE" 3
cp -a "$KERNEL_TREE" "$SCRATCH/pristine"

# A series that applies
make_patch 1-fork.patch "$KERNEL_TREE" 's/^150/my 150/' kernel/fork.c
make_patch 2-mmu.patch "$KERNEL_TREE" 's/^250/my 250/' arch/x86/kvm/mmu.c
printf '\n# a comment\n' >>"$SERIES"
cat >"$PATCHES_DIR/6.12/3-files.patch" <<'END'
A patch that adds a file and removes another.
--- /dev/null
+++ b/kernel/sub/new.c
@@ -0,0 +1 @@
+new
--- a/kernel/old.c
+++ /dev/null
@@ -1 +0,0 @@
-old
END
echo "3-files.patch -p1" >>"$SERIES"
apply
is "$STATUS" 0 "a series applies"
is "$(grep -h my "$TREE/kernel/fork.c" "$TREE/arch/x86/kvm/mmu.c" | xargs)" "my 150 my 250" "files are changed"
is "$(cat "$TREE/kernel/sub/new.c"; ls "$TREE/kernel")" $'new\nfork.c\nsub' "a file is added, another removed"
untouched "a series applies"

before=$(state)
apply
is "$STATUS:$(state)" "0:$before" "again: nothing changes"

# Variants: a bug on top of the series, and no series at all
mkdir "$BUGS_DIR"
printf '%s\n' --- 'a bug' '--- a/kernel/sub/new.c' '+++ b/kernel/sub/new.c' '@@ -1 +1 @@' -new +wrong >"$BUGS_DIR/wrong.patch"
KERNEL_VARIANT=wrong apply
is "$STATUS:$(cat "$TREE/kernel/sub/new.c"):$(grep -h my "$TREE/kernel/fork.c")" "0:wrong:my 150" "a bug is put on top of the series"
KERNEL_VARIANT=stock apply
is "$STATUS:$(cat "$TREE/kernel/old.c")" "0:old" "stock has no series"
same "$(files "$TREE")" "$(files "$KERNEL_TREE")" "stock is the source as it was"
KERNEL_VARIANT=right apply
fails 2 "unknown KERNEL_VARIANT 'right'; known: stock wrong" "an unknown variant"
apply
is "$STATUS:$(cat "$TREE/kernel/sub/new.c")" "0:new" "the series is back"
before=$(state)

# A changed series: only what differs is written
sed -i '/2-mmu/d; /3-files/d' "$SERIES"
make_patch 4-mmu.patch "$KERNEL_TREE" 's/^260/my 260/' arch/x86/kvm/mmu.c
apply
is "$(grep -h my "$TREE/kernel/fork.c" "$TREE/arch/x86/kvm/mmu.c" | xargs)" "my 150 my 260" "a changed series replaces the one before"
is "$(cat "$TREE/kernel/old.c"; find "$TREE" -name new.c)" old "its added and removed files, too"
same "$(state | grep fork)" "$(grep fork <<<"$before")" "what stays the same keeps its time"
like "$(state | grep mmu.c)" '^arch' "mmu.c is there"
[[ "$(state | grep mmu.c)" != "$(grep mmu.c <<<"$before")" ]] && STATUS=0 || STATUS=1
ok $STATUS "what changes has a new time"
untouched "a changed series"

# Offsets are fine, and shown
before=$(state)
sed -i 's/^@@ -\([0-9]*\)/@@ -1/; s/^@@ -1,\([0-9]*\) +\([0-9]*\)/@@ -1,\1 +1/' "$PATCHES_DIR/6.12/4-mmu.patch"
apply
is "$STATUS:$(state)" "0:$before" "a patch with an offset applies"
like "$OUT" 'Hunk #1 succeeded at .*offset' "and the offset is shown"

# Bad series. In each case the tree stays as it is.
cp -r "$PATCHES_DIR" "$SCRATCH/good"
bad() {
	fails 1 "$1" "$2"
	is "$(state)" "$before" "$2: the tree stays as it is"
	untouched "$2"
	rm -rf "$PATCHES_DIR"
	cp -r "$SCRATCH/good" "$PATCHES_DIR"
}

make_patch 5-bad.patch "$KERNEL_TREE" 's/^110/x/; s/^190/x/' kernel/fork.c
sed -i 's/^ 188/ 888/' "$PATCHES_DIR/6.12/5-bad.patch"
apply
bad '^kernel: 5-bad.patch does not apply to Linux 6.12.3: kernel/fork.c, hunk 2 \(line 88\)$' "a hunk that does not apply"

make_patch 5-fuzz.patch "$KERNEL_TREE" 's/^110/x/' kernel/fork.c
sed -i 's/^ 107/ 707/' "$PATCHES_DIR/6.12/5-fuzz.patch"
apply
bad '5-fuzz.patch does not apply .*kernel/fork.c, hunk 1' "fuzz"

make_patch 5-twice.patch "$KERNEL_TREE" 's/^150/my 150/' kernel/fork.c
apply
bad '5-twice.patch does not apply .*kernel/fork.c, hunk 1' "a patch that is applied already"

make_patch 5-where.patch "$KERNEL_TREE" 's/^110/x/' kernel/fork.c
sed -i 's,kernel/fork,kernel/spoon,' "$PATCHES_DIR/6.12/5-where.patch"
apply
bad '5-where.patch does not apply .*kernel/spoon.c, which the source does not have' "a patch for a file that is not there"

make_patch 5-short.patch "$KERNEL_TREE" 's/^110/x/' kernel/fork.c
sed -i '$d' "$PATCHES_DIR/6.12/5-short.patch"
apply
bad '5-short.patch does not apply .*' "a patch cut short"

echo 6-missing.patch >>"$SERIES"
apply
bad 'series names 6-missing.patch, which is not there' "a missing patch"

echo '# nothing' >"$SERIES"
apply
bad 'series names no patch' "an empty series"

# Sources that will not do
reject() {
	KERNEL_TREE=$SCRATCH/other
	apply
	fails 1 "$1" "$2"
	KERNEL_TREE=$SCRATCH/linux
	rm -rf "$SCRATCH/other"
}

reject 'KERNEL_TREE=.*/other is not a Linux source tree' "KERNEL_TREE does not exist"
mkdir "$SCRATCH/other"
reject 'is not a Linux source tree' "KERNEL_TREE is something else"
fake_kernel "$SCRATCH/other" 1
sed -i 's/^PATCHLEVEL.*/PATCHLEVEL = 1/' "$SCRATCH/other/Makefile"
reject 'is Linux 6.1.1, not of line 6.12' "KERNEL_TREE is of another line"
fake_kernel "$SCRATCH/other" 1
touch "$SCRATCH/other/.config"
reject 'has been built in.*make mrproper' "KERNEL_TREE has been built in"

# A source that has changed is copied anew
echo 'int more;' >>"$KERNEL_TREE/kernel/fork.c"
apply
is "$STATUS:$(tail -n 1 "$TREE/kernel/fork.c")" "0:int more;" "a changed KERNEL_TREE is noticed"

# Arguments
try "$TOP/scripts/kernel" apply 2.4
fails 2 "unknown LINE '2.4'; known: 6.12" "an unknown line"
try "$TOP/scripts/kernel" destroy 6.12
fails 2 "unknown command 'destroy'" "an unknown command"
try "$TOP/scripts/kernel"
fails 2 "usage: kernel" "no argument"

done_testing
