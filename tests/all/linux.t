#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Linux guests on every line and both vendors, with one vCPU and with four that
# fault at once: on each vCPU, KVM and the guest's kernel count the same faults.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset VENDOR PAGING CPUS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR TRACE
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY GUEST_KERNEL
export TIMEOUT=7200 SILENCE=3600
RESULTS=$SCRATCH/results.json

# equal NAME VCPUS "POLICY..." VARIABLE=VALUE...
equal() {
	local name=$1 vcpus=$2 policies=$3

	shift 3
	try env WORKLOAD=linux-anon CHECK=y OUT="$RESULTS" VCPUS="$vcpus" POLICY="$policies" "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the guest runs"
	is "$(jq -r --argjson nr "$vcpus" '.runs[]
		| select([.vms[0].vcpus[] | [.id, .guest_faults]] == [.guest.vcpus[] | [.id, .faults_counted]]
			and (.guest.vcpus | length) == $nr and .lost_events == 0)
		| .policy' "$RESULTS" | paste -sd " ")" \
		"$policies" "$name: KVM and the guest's kernel count the same on each vCPU"
	diag "$(jq -c '.runs[] | [.policy, .guest.vcpus[].faults_counted]' "$RESULTS")"
}

for line in 6.12 6.1 7.2; do
	try "$TOP/scripts/kernel" fetch "$line"
	((STATUS != 77)) || { skip 8 "$ERR" && continue; }
	for vcpus in 1 4; do
		equal "$line svm, $vcpus vCPU" "$vcpus" "zap update unsync" LINE="$line" FAULTS=499
		equal "$line vmx, $vcpus vCPU" "$vcpus" update LINE="$line" VENDOR=vmx FAULTS=199
	done
done
done_testing
