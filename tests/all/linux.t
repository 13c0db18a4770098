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

# counts EXPRESSION: by policy, what it gives of the run
counts() {
	jq -c ".runs[] | [.policy, .lost_events, $1]" "$RESULTS"
}

# equal NAME VARIABLE=VALUE...
equal() {
	local name=$1

	shift
	try env WORKLOAD=linux-anon CHECK=y OUT="$RESULTS" "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the guest runs"
	is "$(counts '.vms[0].vcpus | map([.id, .guest_faults])')" \
		"$(counts '.guest.vcpus | map([.id, .faults_counted])')" "$name: KVM and the guest's kernel count the same"
	diag "$(counts '.guest.vcpus | map(.faults_counted)')"
}

for line in 6.12 6.1 7.2; do
	try "$TOP/scripts/kernel" fetch "$line"
	((STATUS != 77)) || { skip 8 "$ERR" && continue; }
	for vcpus in 1 4; do
		equal "$line svm, $vcpus vCPU" LINE="$line" VCPUS="$vcpus" FAULTS=499 POLICY="zap update unsync"
		equal "$line vmx, $vcpus vCPU" LINE="$line" VENDOR=vmx VCPUS="$vcpus" FAULTS=199 POLICY=update
	done
done
done_testing
