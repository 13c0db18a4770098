#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Four vCPUs that fault at once: on every line and both vendors each vCPU's count
# is its handler's, on one set of page tables and on four.
# Those of Linux guests are in tests/all/linux.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset POLICY WORKLOAD PAGING FAULTS CPUS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
export VCPUS=4 TIMEOUT=7200 SILENCE=3600

# measure NAME NR-OF-RUNS VARIABLE=VALUE...
measure() {
	local name=$1 nr=$2

	shift 2
	try env OUT="$SCRATCH/results.json" "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the lab runs, and every vCPU's count is its handler's"
	diag "$(sed -n '/^vendor/,$p' <<<"$OUT")"
	is "$(jq '[.runs[] | select([.vms[].vcpus[].guest_faults] == [.guest.vcpus[].faults_handled]
		and (.guest.vcpus | length) == 4 and .lost_events == 0)] | length' "$SCRATCH/results.json")" \
		"$nr" "$name: $nr runs with 4 vCPUs"
}

for line in 6.12 6.1 7.2; do
	try "$TOP/scripts/kernel" fetch "$line"
	((STATUS != 77)) || { skip 6 "$ERR" && continue; }
	measure "$line" 18 LINE="$line" CHECK=y
	measure "$line, separate" 6 LINE="$line" CHECK=y PAGING=64 MICRO_OPTIONS=--separate
	measure "$line, vmx" 4 LINE="$line" VENDOR=vmx PAGING=64 POLICY="zap unsync" FAULTS=499 CHECK=y
done
done_testing
