#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Nested guests on an emulated AMD host: nested page faults that the host takes
# for each fault of L2, by policy, and that L2 sees what it should.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS STEPS SEED DISTURB MICRO_OPTIONS TORTURE_OPTIONS
unset TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR KERNEL_VARIANT CMDLINE CHECK

# lab NAME VARIABLE=VALUE...: runs the lab, with the results in $SCRATCH/NAME.json
lab() {
	local name=$1

	shift
	try env OUT="$SCRATCH/$name.json" "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the run passes every check"
}

# exits NAME: nested page faults, but for MMIO, for each fault of L2, rounded, or
# as they are if they are more than 0.05 away from that, by workload and policy
exits() {
	jq -r '.runs[] | "\(.workload) \(.policy) " + ((.exit_reasons.npf - .classes.mmio) / .guest.faults_handled
		| if (. - round | fabs) <= 0.05 then round else . end | tostring)' "$SCRATCH/$1.json" | sort
}

lab policies WORKLOAD=nested
is "$(exits policies)" "nested prefault 2
nested prefault+sticky 1
nested sticky 2
nested unsync 3" "policies: three exits today, two with either patch, one with both"

lab variants WORKLOAD='nested-sparse nested-reuse' POLICY='unsync prefault+sticky' FAULTS=1021
is "$(exits variants)" "nested-reuse prefault+sticky 1
nested-reuse unsync 3
nested-sparse prefault+sticky 1
nested-sparse unsync 3" "variants: the same"
done_testing
