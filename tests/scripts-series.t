#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each line's series applies to the source that Debian has today (or that is in
# the cache), without fuzz. Offsets are shown: point releases move on.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/tap.sh
unset PATCHES_DIR

for series in patches/*/series; do
	line=$(basename "${series%/series}")
	try scripts/kernel apply "$line"
	((STATUS != 77)) || { skip 1 "$ERR" && continue; }
	is "$STATUS:$ERR" "0:" "the series for $line applies"
	diag "$(grep -E '^source:|patch:$|offset' <<<"$OUT" || true)"
done

done_testing
