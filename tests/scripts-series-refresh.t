#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/series apply and refresh: from patches to commits, and back.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"
# shellcheck source=tests/fake-series.sh
. "$TOP/tests/fake-series.sh"

SOURCE=$FAULTLINE_CACHE/src/linux-6.12.3-1
SERIES=$PATCHES_DIR/6.12
TREE=$FAULTLINE_CACHE/series/6.12/tree
checkable_kernel "$SOURCE" 3
fake_series "$SOURCE"
echo "keep me" >"$SERIES/notes"
sed -i '1i # why' "$SERIES/series"

# clean NAME: nothing temporary is there.
clean() {
	is "$(find "$FAULTLINE_CACHE/series/6.12" "$PATCHES_DIR" -maxdepth 1 -name '.*')" "" "$1: nothing is left behind"
}

# bad REGEX NAME CMD...: scripts/series CMD must fail; the patches stay.
bad() {
	local before

	before=$(contents "$PATCHES_DIR")
	series "${@:3}"
	fails 1 "$1" "$2"
	is "$(contents "$PATCHES_DIR")" "$before" "$2: the patches stay"
	clean "$2"
}

bad "there is no git tree of line 6.12; 'series apply 6.12' makes one" "refresh without a tree" refresh 6.12

series apply 6.12
is "$STATUS:$ERR:$OUT" "0::git tree: $TREE, 3 patches on Linux 6.12.3-1" "a git tree is made"
is "$(git -C "$TREE" log --format=%s | wc -l)" 4 "with a commit a patch, on the source"
is "$(git -C "$TREE" log -1 --format='%an %s')" "Anna KVM: Change it again and add a file" "authors and shortlogs are kept"
same "$(git -C "$TREE" show source:kernel/fork.c)" "$(<"$SOURCE/kernel/fork.c")" "the source is its first commit"

before=$(contents "$SERIES")
series refresh 6.12
is "$STATUS:$OUT:$(contents "$SERIES")" "0:patches/6.12 has not changed:$before" "a refresh without edits changes nothing"
clean "a refresh"

# An edited commit in the middle: one patch changes, besides blob ids
cp -a "$SERIES" "$SCRATCH/before"
(
	cd "$TREE" || exit
	GIT_SEQUENCE_EDITOR='sed -i "1s/^pick/edit/"' git rebase -q -i HEAD~2 2>/dev/null
	sed -i 's/^260/my 260/' arch/x86/kvm/mmu.c
	git commit -q -a --amend --no-edit
)
bad "$TREE is in a git rebase or am of yours" "refresh amid a rebase" refresh 6.12
git -C "$TREE" rebase --continue >/dev/null 2>&1
series refresh 6.12
is "$STATUS:$ERR" "0:" "an edited commit is written back"
like "$OUT" "changed: 0002-.*patches/6.12: written" "what has changed is told"
same "$(ls "$SERIES")" "$(ls "$SCRATCH/before")" "names are kept, and other files"
same "$(<"$SERIES/series")" "$(<"$SCRATCH/before/series")" "the order is kept, and comments"
like "$(diff "$SCRATCH/before/0002-"* "$SERIES/0002-"*)" "> \+my 260" "the edit is in its patch"
is "$(diff "$SCRATCH/before/0001-"* "$SERIES/0001-"*)" "" "and not in another"
is "$(diff <(sed '/^index /d' "$SCRATCH/before/0003-"*) <(sed '/^index /d' "$SERIES/0003-"*))" "" "in the next one only blob ids change"
series verify 6.12
is "$STATUS:$ERR" "0:" "what is written passes verify"
series refresh 6.12
is "$OUT" "patches/6.12 has not changed" "again: nothing changes"

# Another form than ours becomes ours, and stays it
fake_series "$SOURCE" -n --full-index --signature=2.99
rm -rf "$TREE"
series apply 6.12
series refresh 6.12
like "$(cat "$SERIES"/0001*)" "Subject: \[PATCH\] KVM" "a series in another form is brought to ours"
before=$(contents "$SERIES")
series apply 6.12
series refresh 6.12
is "$(contents "$SERIES")" "$before" "and stays so"

# Work that must not get lost
echo more >>"$TREE/kernel/fork.c"
bad "$TREE has uncommitted changes: kernel/fork.c; commit them" "refresh with uncommitted changes" refresh 6.12
bad "$TREE has changes that patches/6.12 lacks; commit them and run 'series refresh 6.12'" "apply over uncommitted changes" apply 6.12
git -C "$TREE" commit -q -a -s -m "KVM: Say more" -m "For the test."
bad "$TREE has changes that patches/6.12 lacks" "apply over commits" apply 6.12
bad "$TREE has changes that patches/6.12 lacks" "rebase over commits" rebase 6.12 --to 6.12.3
cp -a "$SERIES" "$SCRATCH/theirs"
sed -i '/^0003/d' "$SERIES/series"
bad "patches/6.12 has changed since $TREE was made" "refresh over patches that others changed" refresh 6.12
rm -rf "$SERIES"
mv "$SCRATCH/theirs" "$SERIES"
series refresh 6.12
is "$STATUS:$(tail -n 1 "$SERIES/series")" "0:0004-KVM-Say-more.patch" "a new commit becomes a new patch"
git -C "$TREE" reset -q --hard HEAD~1
series refresh 6.12
is "$STATUS:$(find "$SERIES" -name '0004*')" "0:" "a dropped commit's patch goes"
git -C "$TREE" reset -q --hard source
bad "$TREE has no commit of a series" "refresh with no commit" refresh 6.12
rm -rf "$TREE"

# A series that does not apply
sed -i 's/^ 148/ 848/' "$SERIES/0001-"*
bad '0001-.*\.patch does not apply to Linux 6.12.3-1: kernel/fork.c, hunk 1' "apply with a patch that does not" apply 6.12
is "$(ls "$FAULTLINE_CACHE/series/6.12")" "" "there is no half a tree"

done_testing
