#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/series verify: a good series, and each thing that can be wrong.
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
checkable_kernel "$SOURCE" 3
fake_series "$SOURCE"
cp -a "$SERIES" "$SCRATCH/good"

# wrong PATCH SED-SCRIPT REGEX NAME: a patch changed by SED-SCRIPT fails.
wrong() {
	sed -i -E "$2" "$SERIES/$1"*
	series verify 6.12
	fails 1 "$3" "$4"
	is "$(find "$FAULTLINE_CACHE/series/6.12" -mindepth 1)" "" "$4: nothing is left behind"
	rm -rf "$SERIES"
	cp -a "$SCRATCH/good" "$SERIES"
}

series verify 6.12
is "$STATUS:$ERR" "0:" "a good series"
is "$OUT" $'form: 3 patches, good\napplies: to Linux 6.12.3-1, without fuzz\ncheckpatch: no reports' "what was checked is told"

wrong 0002 1d '0002-.*: it is not in the form of git format-patch' "no From line"
wrong 0002 's/\[PATCH\] //' '0002-.*: it is not in the form of git format-patch' "no [PATCH]"
wrong 0002 's/KVM: Change/Change/' '0002-.*: the shortlog lacks a subsystem' "no subsystem"
wrong 0002 's/(line of the MMU)/\1./' '0002-.*: the shortlog ends with a full stop' "a full stop"
wrong 0002 's/(line of the MMU)/\1 and make the shortlog of this change longer than any/' '0002-.*: the shortlog is longer than 75' "a long shortlog"
wrong 0002 '/^Because/d' '0002-.*: it has no changelog' "no changelog"
wrong 0002 '/^Signed-off-by/d' "0002-.*: its author's Signed-off-by is missing: Anna <anna@example.com>" "no Signed-off-by"
wrong 0002 's/^(Signed-off-by: )Anna/\1Bert/' "0002-.*: its author's Signed-off-by is missing" "someone else's Signed-off-by"
wrong 0002 '/ 1 file changed/d' '0002-.*: its diffstat is missing or wrong' "no diffstat"
wrong 0002 's/1 insertion/2 insertions/' '0002-.*: its diffstat is missing or wrong' "a wrong diffstat"
wrong 0002 '/^index /d' '0002-.*: the index line of arch/x86/kvm/mmu.c is missing' "no index line"
wrong 0002 's/^(index .{7}).{5}/\1/' '0002-.*: the index line of arch/x86/kvm/mmu.c is missing, or has less than 12' "a short blob id"
wrong 0003 's/^index [1-9a-f]./index 00/' '0003-.*: arch/x86/kvm/mmu.c is 00.* before it, but .* after 0002-' "index lines that do not follow"
wrong 0001 's/^ 148/ 848/' '0001-.* does not apply to Linux 6.12.3-1: kernel/fork.c, hunk 1' "fuzz"
wrong 0001 's/^\+my 150/+FIXME/' '0001-.*, line [0-9]+: checkpatch.pl: FIXME: leave no work' "a report of checkpatch.pl"

# Exceptions, by type and patch, with a reason
sed -i 's/^+my 150/+FIXME/' "$SERIES/0001"*
echo "FIXME 0001- the fork is like that" >"$SERIES/checkpatch-exceptions"
series verify 6.12
is "$STATUS:$ERR" "0:" "an exception"
like "$OUT" 'checkpatch: no reports but those' "it is told"
echo "FIXME 0002- so is the MMU" >>"$SERIES/checkpatch-exceptions"
series verify 6.12
fails 1 'checkpatch-exceptions: FIXME 0002- is not needed any more' "an exception without a report"
echo "FIXME 0001-" >"$SERIES/checkpatch-exceptions"
series verify 6.12
fails 1 'checkpatch-exceptions: FIXME 0001- is without a reason' "an exception without a reason"
rm -rf "$SERIES"
cp -a "$SCRATCH/good" "$SERIES"

rm "$SOURCE/scripts/checkpatch.pl"
series verify 6.12
fails 1 'scripts/checkpatch.pl of .*linux-6.12.3-1 does not run' "a source without checkpatch.pl"

series verify 6.12 --git "$SCRATCH"
fails 2 '^series: --git is for lines without a source of their own' "--git for a kernel line"

# A series for files in a history. The clone has a commit that changes one of
# the files, and the series is for what was there before.
LINE=1991
CLONE=$SCRATCH/clone
checkable_kernel "$CLONE" 1
(
	cd "$CLONE" || exit
	git init -q
	git add -A
	git commit -q -m "all"
	change "Change what the series changes" kernel/fork.c 's/^150/their 150/'
)
fake_series "$SOURCE" --full-index
mv "$SERIES" "$PATCHES_DIR/$LINE"
SERIES=$PATCHES_DIR/$LINE
echo "$(git -C "$CLONE" rev-parse HEAD)^" >"$SERIES/base"
cp -a "$SERIES" "$SCRATCH/history"
BEFORE=$(contents "$CLONE")

# history_fails REGEX NAME: verify must fail; the clone stays, and so do the patches.
history_fails() {
	series verify "$LINE" --git "$CLONE"
	fails 1 "$1" "$2"
	is "$(find "$FAULTLINE_CACHE/series/$LINE" -mindepth 1)" "" "$2: nothing is left behind"
	rm -rf "$SERIES"
	cp -a "$SCRATCH/history" "$SERIES"
}

series verify "$LINE"
fails 2 '^series: line 1991 is verified in a clone of Linux .*; give one with --git DIR' "without a clone"
is "$OUT" "form: 3 patches, good" "the form is verified all the same"

series verify "$LINE" --git "$CLONE"
is "$STATUS:$ERR" "0:" "in a clone"
like "$OUT" 'files: those of [0-9a-f]+\^, as .*applies: 0001-.*applies: 0003-' "what is verified is told"

sed -i 's/^\(index .*\.\.\)...../\100000/' "$SERIES/0003-"*
history_fails '0003-.*: arch/x86/kvm/(mmu|new).c is [0-9a-f]{40} after it, not 00000' "a blob id that is wrong after a patch"
sed -i 's/^\(index \)...../\100000/' "$SERIES/0001-"*
history_fails "kernel/fork.c of .* is [0-9a-f]{40} in $CLONE, but the series is for 00000" "one that is wrong before"
git -C "$CLONE" rev-parse HEAD >"$SERIES/base"
history_fails "kernel/fork.c of .* is [0-9a-f]{40} in $CLONE, but the series is for" "a base that has other files"
echo "0123456789abcdef0123456789abcdef01234567^" >"$SERIES/base"
series verify "$LINE" --git "$CLONE"
like "$STATUS:$OUT" "^0:.*files: as the series needs them; $CLONE lacks 0123" "a clone without the commit, but with the files"
is "$(contents "$CLONE")" "$BEFORE" "nothing in the clone is touched"

rm -rf "$CLONE"
git init -q "$CLONE"
history_fails "$CLONE has neither .* nor .* as it was there" "a clone without the files"
CLONE=$SCRATCH
history_fails "$CLONE is not a git repository" "a directory that is no clone"
series verify "$LINE" --build --git "$CLONE"
fails 2 "line 1991 cannot be built" "--build"
series apply "$LINE"
fails 2 "apply cannot do line 1991, which has no source of its own" "apply"
try "$TOP/scripts/kernel" build "$LINE"
fails 2 "line 1991 has no source that today's tools build" "scripts/kernel build"

done_testing
