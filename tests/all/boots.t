#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each prefix of each line's series boots in the lab and runs a guest under each
# policy that it has by then, with every guest fault counted. tests/all/series.t
# has what they are built like. LINE has the lines, if not all of them.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/prefix-series.sh
. "$TOP/tests/prefix-series.sh"
unset VENDOR TIMEOUT SILENCE LAB_HOST_DIR KERNEL_VARIANT KERNEL_TREE CMDLINE CONFIG_NAME
export WORKLOAD=anon PAGING="32 64" FAULTS=997
RESULTS=$SCRATCH/results.json

# policies LINE: those that the patches in $SCRATCH/patches are enough for.
policies() {
	if grep -q '^+module_param(pte_update,' "$SCRATCH/patches/$1/"*.patch; then
		echo zap update unsync
	else
		echo unsync
	fi
}

# boots LINE COUNT PATCH: the series up to PATCH, its COUNTth.
boots() {
	local policies

	prefix_series "$1" "$2"
	try env PATCHES_DIR="$SCRATCH/patches" FAULTLINE_BUILD="$SCRATCH/build" \
		"$TOP/scripts/kernel" build "$1"
	is "$STATUS:$ERR" "0:" "$1: a kernel up to $3 builds"
	policies=$(policies "$1")
	rm -f "$RESULTS"
	try env POLICY="$policies" OUT="$RESULTS" LINE="$1" LAB_KERNEL="$SCRATCH/build/kernel/$1/bzImage" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$1: it boots and runs a guest under $policies, without a splat"
	same "$(jq -r '.runs[] | "\(.policy) \(.paging) \(.guest_faults)"' "$RESULTS")" \
		"$(printf '%s\n' "${policies// /
}" | sed 's/.*/& 32 997\n& 64 997/')" "$1: all guest faults are counted"
}

lines() {
	local series line

	for series in "$TOP"/patches/*/series; do
		line=${series%/series}
		[[ -f $TOP/patches/${line##*/}/base ]] || echo "${line##*/}"
	done
}

for line in ${LINE:-$(lines)}; do
	try "$TOP/scripts/kernel" fetch "$line"
	((STATUS != 77)) || { skip 1 "$ERR" && continue; }
	count=0
	while read -r patch; do
		boots "$line" $((++count)) "$patch"
	done <"$TOP/patches/$line/series"
done

done_testing
