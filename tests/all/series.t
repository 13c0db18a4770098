#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each prefix of each line's series builds all of KVM, built in and as modules,
# without a warning under W=1.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tap.sh
unset PATCHES_DIR KERNEL_VARIANT KERNEL_TREE CONFIG_DIR

for series in patches/*/series; do
	line=$(basename "${series%/series}")
	[[ ! -f patches/$line/base ]] || continue
	try scripts/kernel fetch "$line"
	((STATUS != 77)) || { skip 1 "$ERR" && continue; }
	try scripts/series verify "$line" --build
	is "$STATUS:$ERR" "0:" "each prefix of the series for $line builds"
	diag "$(grep '^builds' <<<"$OUT" || true)"
done

done_testing
