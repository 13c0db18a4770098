#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/deps, with an apt of our own.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

export FAULTLINE_BUILD=$SCRATCH/build PACKAGES_FILE=$SCRATCH/packages
export SCRATCH PATH=$SCRATCH/bin:$PATH

# stub NAME: the standard input becomes a command that hides the real one.
mkdir "$SCRATCH/bin"
stub() {
	(echo '#!/bin/bash' && cat) >"$SCRATCH/bin/$1"
	chmod +x "$SCRATCH/bin/$1"
}

# This apt knows what is in $SCRATCH/known, and learns $SCRATCH/more by update.
stub apt-cache <<'END'
if grep -qx "$2" "$SCRATCH/known"; then echo "  Candidate: 1.0"; else echo "  Candidate: (none)"; fi
END
stub apt-get <<'END'
echo "$*" >>"$SCRATCH/calls"
[[ $* != update ]] || cat "$SCRATCH/more" >>"$SCRATCH/known"
END
stub id <<'END'
cat "$SCRATCH/uid"
END

# reset UID: a machine where apt has not been used
reset() {
	echo "$1" >"$SCRATCH/uid"
	truncate -s 0 "$SCRATCH"/{known,more,calls}
	printf '# comment\none\tbash\t# there\ntwo\tnosuch-b\ntwo\tnosuch-a\t# not there\n' >"$PACKAGES_FILE"
}

reset 0
try "$TOP/scripts/deps" one
is "$STATUS:$OUT$ERR" "0:" "nothing missing: silent"
is "$(<"$SCRATCH/calls")" "" "and apt is left alone"

reset 1000
try "$TOP/scripts/deps"
fails 2 'run: sudo apt-get install --no-install-recommends nosuch-a nosuch-b$' "a normal user"
is "$(<"$SCRATCH/calls")" "" "a normal user: apt is left alone"

reset 0
printf 'nosuch-a\nnosuch-b\n' >"$SCRATCH/known"
try "$TOP/scripts/deps"
is "$STATUS:$OUT" "0:installing: nosuch-a nosuch-b" "root: missing packages are listed"
like "$(<"$SCRATCH/calls")" "^[^"$'\n'"]*install .*-y nosuch-a nosuch-b$" "and installed, with no update before"

reset 0
printf 'nosuch-a\nnosuch-b\n' >"$SCRATCH/more"
try "$TOP/scripts/deps" two
is "$STATUS" 0 "root, no package lists yet"
like "$(<"$SCRATCH/calls")" ^update$'\n'.*install "they are updated first"

reset 0
echo nosuch-a >"$SCRATCH/more"
try "$TOP/scripts/deps"
fails 1 "apt does not know the package 'nosuch-b'" "an unknown package"
is "$(<"$SCRATCH/calls")" update "an unknown package: nothing is installed"

try "$TOP/scripts/deps" three
fails 2 "unknown group 'three'; known: one two" "an unknown group"

# The list itself
unset PACKAGES_FILE
is "$(grep -vP '^#|^(build|kernel|series|lab|image|install|deb|test)\t[a-z0-9][a-z0-9+.-]+\t+# \S' "$TOP/scripts/packages.txt" || true)" "" \
	"each package has a group and a reason"

done_testing
