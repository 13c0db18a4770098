#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The demo's table on every line and both vendors, and the same counts on all.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME

# counts LINE VENDOR: what must not differ
counts() {
	jq -c --arg line "$1" --arg vendor "$2" '.runs[]
		| select(.line == $line and .vendor == $vendor)
		| [.policy, .workload, .paging, .guest_faults, (.exits_per_guest_fault * 100 | round)]' \
		"$SCRATCH/results.json"
}

lines=(6.12 6.1)
try "$TOP/scripts/kernel" fetch 7.2
if ((STATUS != 77)); then
	lines+=(7.2)
else
	skip 2 "$ERR"
fi

try env LINE="${lines[*]}" VENDOR="svm vmx" OUT="$SCRATCH/results.json" CHECK=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "the lab runs, and every check passes"
diag "$(sed -n '/^vendor/,$p' <<<"$OUT")"
want=$(counts 6.12 svm)
is "$(wc -l <<<"$want")" 18 "6.12 svm: 18 runs"
for line in "${lines[@]}"; do
	for vendor in svm vmx; do
		is "$(counts "$line" "$vendor")" "$want" "$line $vendor: faults and exits per fault as on 6.12 svm"
	done
done

done_testing
