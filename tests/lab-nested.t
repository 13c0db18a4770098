#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Nested guests on an emulated AMD host: page-fault exits that the host takes for
# each fault of L2, by policy. lab-results refuses a run that counts another number
# of faults than L2's handler, or that has other than the expected exits.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS STEPS SEED DISTURB MICRO_OPTIONS TORTURE_OPTIONS
unset TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR KERNEL_VARIANT CMDLINE

export CHECK=y FAULTS=1021

# lab NAME VARIABLE=VALUE...: runs the lab, with the results in $SCRATCH/NAME.json
lab() {
	local name=$1

	shift
	try env OUT="$SCRATCH/$name.json" "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: each fault counted, each with as many exits as it has to have"
}

# faults NAME: of L2, by workload and policy, and exits for each
faults() {
	jq -r '.runs[] | "\(.workload) \(.policy) \(.guest_faults) \(.exits_per_guest_fault | round)"' "$SCRATCH/$1.json" | sort
}

lab policies WORKLOAD=nested
is "$(faults policies)" "nested prefault 1021 2
nested prefault+sticky 1021 1
nested sticky 1021 2
nested unsync 1021 3" "policies: three exits today, two with either patch, one with both"

# The page tables of nested-sparse are written at every other entry: whether they are
# sticky is a matter of what an exit is worth.
lab variants WORKLOAD='nested-sparse nested-reuse' POLICY='unsync prefault+sticky' STICKY=8192
is "$(faults variants)" "nested-reuse prefault+sticky 1021 1
nested-reuse unsync 1021 3
nested-sparse prefault+sticky 1021 1
nested-sparse unsync 1021 3" "variants: the same"
done_testing
