#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each line's series passes scripts/series verify on the source that Debian has
# today (or that is in the cache), and goes to commits and back unchanged.
# Offsets are shown: point releases move on. A line kept for Linux's history is
# applied in the clone that LINUX_GIT names.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/tap.sh
unset PATCHES_DIR KERNEL_VARIANT

# patches_of LINE: stands for all that is in its directory.
patches_of() {
	cat "patches/$1"/* | sha256sum
}

# own_cache ARG...: runs scripts/series in a cache of our own, which has the
# user's sources.
own_cache() {
	local sources=${FAULTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/faultline}/src

	mkdir -p "$SCRATCH/cache/src"
	ln -sfn -t "$SCRATCH/cache/src" "$sources"/linux-*
	FAULTLINE_CACHE=$SCRATCH/cache try scripts/series "$@"
}

for series in patches/*/series; do
	line=$(basename "${series%/series}")
	if [[ ! -f patches/$line/base ]]; then
		try scripts/kernel fetch "$line"
		((STATUS != 77)) || { skip 4 "$ERR" && continue; }
		is "$STATUS:$ERR" "0:" "there is a source for $line"
		own_cache verify "$line"
		is "$STATUS:$ERR" "0:" "the series for $line passes verify"
		diag "$OUT"
		before=$(patches_of "$line")
		own_cache apply "$line"
		is "$STATUS:$ERR" "0:" "it can be made commits"
		own_cache refresh "$line"
		is "$STATUS:$OUT:$(patches_of "$line")" "0:patches/$line has not changed:$before" \
			"and patches again, which are the same"
		rm -rf "$SCRATCH/cache/series"
	elif [[ -n ${LINUX_GIT:-} ]]; then
		try scripts/series verify "$line" --git "$LINUX_GIT"
		is "$STATUS:$ERR" "0:" "the series for $line passes verify in $LINUX_GIT"
		diag "$OUT"
	else
		try scripts/series verify "$line"
		fails 2 "line $line is verified in a clone of Linux" "the series for $line"
		like "$OUT" "^form: [0-9]+ patches, good" "its form is good"
		skip 1 "the series for $line needs a clone of Linux; set LINUX_GIT to one"
	fi
done

done_testing
