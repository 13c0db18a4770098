#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# With default parameters, the series changes nothing: the same source with and
# without it has the same exits on the lab's workloads, to within 0.5 %. Exits
# for interrupts are left out: how many there are is a matter of time.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE

# measure NAME VARIABLE=VALUE...: $SCRATCH/NAME gets a line a run: what it is,
# exits but for interrupts, exits in episodes, exits.
measure() {
	local name=$1

	shift
	try env OUT="$SCRATCH/$name.json" POLICY=unsync "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the lab runs"
	jq -r '.runs[] | "\(.vendor)-\(.workload)-\(.paging) \(.exits_total - .classes.async) \(.exits_in_episodes) \(.exits_total)"' \
		"$SCRATCH/$name.json" >"$SCRATCH/$name"
}

# compare LINE VENDOR PAGING
compare() {
	local options=(LINE="$1" VENDOR="$2" PAGING="$3")

	measure patched "${options[@]}"
	measure stock "${options[@]}" KERNEL_VARIANT=stock
	same "$(cut -d ' ' -f 1 "$SCRATCH/patched")" "$(cut -d ' ' -f 1 "$SCRATCH/stock")" "$1 $2: the same runs"
	diag "run: exits but for interrupts, in episodes, all, without the series; with it"
	diag "$(join "$SCRATCH/stock" "$SCRATCH/patched")"
	is "$(join "$SCRATCH/stock" "$SCRATCH/patched" | awk '
		function far(a, b) { return a > b * 1.005 || b > a * 1.005 }
		far($2, $5) || far($3, $6)')" "" "$1 $2: the same exits to within 0.5 %"
}

for series in "$TOP"/patches/*/series; do
	line=$(basename "${series%/series}")
	[[ $line != 2007 ]] || continue
	compare "$line" svm "32 pae 64"
done
compare 6.12 vmx 64

done_testing
