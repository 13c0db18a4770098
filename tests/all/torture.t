#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The torture test of the shadow MMU at length: a million steps under every
# policy and in every paging mode, a tenth of that disturbed, nested page tables, and
# every planted bug, which must be found within 100,000 steps.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS STEPS SEED DISTURB MICRO_OPTIONS TORTURE_OPTIONS LAB_KERNEL
unset LAB_HOST_DIR KERNEL_VARIANT CMDLINE CONFIG_NAME
export WORKLOAD=torture TIMEOUT=86400 SILENCE=3600

# without_disagreement STEPS: how many runs have done so many
without_disagreement() {
	jq "[.runs[] | select(.steps == $1 and .disagreements == 0)] | length" "$SCRATCH/results.json"
}

try env STEPS=1000000 OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "a million steps each: no disagreement, no splat"
diag "$(sed -n '/^Torture/,$p' <<<"$OUT")"
is "$(without_disagreement 1000000)" 9 "3 policies x 3 paging modes"

try env STEPS=100000 DISTURB=y OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "100,000 steps each, disturbed: no disagreement, no splat"
is "$(without_disagreement 100000)" 9 "3 policies x 3 paging modes"

# Bochs takes ten times as long.
for disturb in '' y; do
	try env VENDOR=vmx POLICY=bypass STEPS=5000 DISTURB="$disturb" OUT="$SCRATCH/results.json" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "faults that bypass KVM${disturb:+, disturbed}: no disagreement, no splat"
	is "$(without_disagreement 5000)" 3 "3 paging modes"
done

# What goes beyond unsync, with shadow paging.
try env STEPS=200000 POLICY=sticky OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "200,000 steps with sticky: no disagreement, no splat"
is "$(without_disagreement 200000)" 3 "sticky x 3 paging modes"

# Nested page tables, on one and several vCPUs: NPT, and EPT, for which the seed also
# says what all entries allow.
for more in 'VCPUS=1 STEPS=1000000' 'VCPUS=2 STEPS=100000' 'VCPUS=4 STEPS=50000' \
	'VCPUS=1 STEPS=100000 DISTURB=y' 'VCPUS=2 STEPS=50000 DISTURB=y' \
	'VENDOR=vmx STEPS=100000' 'VENDOR=vmx SEED=2 STEPS=100000' \
	'VENDOR=vmx VCPUS=2 STEPS=20000' 'VENDOR=vmx VCPUS=4 SEED=2 STEPS=10000' \
	'VENDOR=vmx STEPS=20000 DISTURB=y' 'VENDOR=vmx VCPUS=2 SEED=2 STEPS=10000 DISTURB=y'; do
	# shellcheck disable=SC2086 # words
	try env WORKLOAD=nested-torture $more OUT="$SCRATCH/results.json" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "nested, $more: no disagreement, no splat"
	diag "$(sed -n '/^Torture/,$p' <<<"$OUT")"
	steps=${more#*STEPS=}
	is "$(without_disagreement "${steps% *}")" 4 "4 policies"
done

# In the mode in which it shows: only 32-bit tables have quadrants, and only a
# 32-bit guest changes its paging mode. Tables go out of sync while faults bypass
# KVM only if the host flips parameters.
declare -A modes=(
	[write-permission]=64 [quadrant]=32 [reserved-bits]=64 [stale-spte]=64 [role]=pae
	[straddle]=pae [bypass-write]=64 [bypass-fetch]=32 [bypass-quadrant]=32 [bypass-unsync]=64
	[sticky-skipped]=64 [sticky-lost]=64
)
for bug in "$TOP"/lab/torture/bugs/*.patch; do
	bug=$(basename "$bug" .patch)
	[[ $bug != prefault-* && $bug != invept-* ]] || continue
	policy=update vendor=svm disturb=''
	case $bug in
	bypass-*)	policy=bypass vendor=vmx ;;&
	bypass-unsync)	disturb=y ;;
	sticky-*)	policy=sticky ;;
	esac
	try env KERNEL_VARIANT="$bug" STEPS=100000 POLICY="$policy" VENDOR="$vendor" DISTURB="$disturb" \
		PAGING="${modes[$bug]}" OUT="$SCRATCH/bug.json" "$TOP/lab/run"
	fails 1 "torture: .* paging, seed 1, step [0-9]+: .*--seed 1 --steps" "planted bug $bug is found"
	diag "$ERR"
done

# With nested page tables, on two vCPUs, too. L1's writes update no SPTE, as its own
# MMU isn't the shadow's, so bugs of the update don't show there. Each is found with NPT
# and with EPT, but that of INVEPT; with two vCPUs, which share shadow pages, what one
# does not flush the other does.
declare -A policies=(
	[prefault-dirty]=prefault [prefault-write]=prefault [sticky-skipped]=sticky
	[sticky-lost]=sticky [stale-spte]=update [straddle]=update [invept-previous]=unsync
)

# finds VENDOR VCPUS BUG
finds() {
	[[ $3 != invept-* || $1-$2 == vmx-1 ]] || return 0
	try env WORKLOAD=nested-torture VENDOR="$1" VCPUS="$2" KERNEL_VARIANT="$3" STEPS=100000 \
		POLICY="${policies[$3]}" OUT="$SCRATCH/bug.json" "$TOP/lab/run"
	fails 1 "torture: .* paging, seed 1, step [0-9]+: .*--nested --vcpus $2 --seed 1 --steps" \
		"planted bug $3 is found with nested page tables, $1, vCPUs: $2"
	diag "$ERR"
}

for vendor in svm vmx; do
	for vcpus in 1 2; do
		for bug in "${!policies[@]}"; do
			finds "$vendor" "$vcpus" "$bug"
		done
	done
done
done_testing
