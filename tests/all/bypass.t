#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Guest faults that bypass KVM, on every line: what is left of a fault's exits, by
# the guest's own count.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
export VENDOR=vmx POLICY='update bypass' CHECK=y TIMEOUT=3600 RESULTS=$SCRATCH/results.json

want=$(for paging in 32 64 pae; do
	printf '%s\n' "anon bypass $paging true" "anon update $paging false" \
		"cow bypass $paging true" "cow update $paging false"
done | sort)
for line in 6.12 6.1 7.2; do
	try env LINE="$line" OUT="$RESULTS" "$TOP/lab/run"
	((STATUS != 77)) || { skip 2 "$ERR" && continue; }
	is "$STATUS:$ERR" "0:" "$line: one exit for a first touch, as many as under update for copy-on-write"
	diag "$(sed -n '/^vendor/,/^$/p' <<<"$OUT")"
	is "$(jq -r '.runs[] | "\(.workload) \(.policy) \(.paging) \(.faults_bypass)"' "$RESULTS" | sort)" \
		"$want" "$line: each run is there, and faults bypassed KVM where they should"
done

try env WORKLOAD=boot POLICY=bypass OUT="$RESULTS" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "a Linux guest boots, and its processes fork, exec, fault and exit"

done_testing
