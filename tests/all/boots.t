#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each prefix of each line's series boots in the lab and runs a guest, with every
# guest fault counted. tests/all/prefixes.t has what they are built like.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/prefix-series.sh
. "$TOP/tests/prefix-series.sh"
unset LINE VENDOR TIMEOUT SILENCE LAB_HOST_DIR KERNEL_VARIANT KERNEL_TREE CMDLINE CONFIG_NAME
export POLICY=unsync WORKLOAD=anon PAGING="32 64" FAULTS=997
RESULTS=$SCRATCH/results.json

# boots LINE COUNT PATCH: the series up to PATCH, its COUNTth.
boots() {
	prefix_series "$1" "$2"
	try env PATCHES_DIR="$SCRATCH/patches" FAULTLINE_BUILD="$SCRATCH/build" \
		"$TOP/scripts/kernel" build "$1"
	is "$STATUS:$ERR" "0:" "$1: a kernel up to $3 builds"
	try env OUT="$RESULTS" LAB_KERNEL="$SCRATCH/build/kernel/$1/bzImage" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$1: it boots and runs a guest, without a splat"
	is "$(jq -c '[.runs[] | .guest_faults]' "$RESULTS")" "[997,997]" "$1: all guest faults are counted"
}

for series in "$TOP"/patches/*/series; do
	line=$(basename "${series%/series}")
	[[ ! -f $TOP/patches/$line/base ]] || continue
	try "$TOP/scripts/kernel" fetch "$line"
	((STATUS != 77)) || { skip 1 "$ERR" && continue; }
	count=0
	while read -r patch; do
		boots "$line" $((++count)) "$patch"
	done <"$series"
done

done_testing
