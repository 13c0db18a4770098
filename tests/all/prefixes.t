#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Each prefix of the series builds, boots, and runs a guest: what it has of the
# parameters by then works.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset VENDOR POLICY WORKLOAD FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
LINE=${LINE:-6.12}

# prefix N: the first N patches of the series, as a series
prefix() {
	local dir=$SCRATCH/$1/$LINE patch

	mkdir -p "$dir"
	grep -v '^#' "$TOP/patches/$LINE/series" | head -n "$1" >"$dir/series"
	while read -r patch _; do
		cp "$TOP/patches/$LINE/$patch" "$dir"
	done <"$dir/series"
}

# The policies that a kernel offers which has the patches in the series.
policies() {
	local has

	has=$(sed -n '/^+module_param(\(oos_shadow\|pte_update\),/p' "$SCRATCH/$1/$LINE"/*.patch | wc -l)
	((has < 2)) && echo unsync || echo unsync zap update
}

boot() {
	local kernel=$SCRATCH/build/kernel/$LINE/bzImage patch

	patch=$(tail -n 1 "$SCRATCH/$1/$LINE/series")
	try env PATCHES_DIR="$SCRATCH/$1" FAULTLINE_BUILD="$SCRATCH/build" "$TOP/scripts/kernel" build "$LINE"
	is "$STATUS:$ERR" "0:" "up to $patch: builds"
	try env LAB_KERNEL="$kernel" OUT="$SCRATCH/$1.json" LINE="$LINE" POLICY="$(policies "$1")" \
		WORKLOAD=anon PAGING="32 64" FAULTS=499 "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "up to $patch: boots and runs a guest"
	diag "$(sed -n '/^vendor/,/^$/p' <<<"$OUT")"
}

nr=$(grep -vc '^#' "$TOP/patches/$LINE/series")
for ((n = 1; n <= nr; n++)); do
	prefix "$n"
	boot "$n"
done

done_testing
