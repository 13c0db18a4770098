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

done_testing
