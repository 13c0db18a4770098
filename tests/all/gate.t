#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The gate at length, with WORKLOAD=kbuild: how far runs of one kernel are apart, how
# often a slowdown of 1 % is found, and how often one is found where there is none.
# And kernels that can't be measured, for real.
#
# environment: GATE_RUNS  of each kernel, default 10
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY OBJECTS GUEST_KERNEL VCPUS CPUS TRACE LIMITS GATE_SAME HISTORY STICKY PHASE
export GATE_DIR=$SCRATCH/gate BUGS_DIR=$TOP/tests/gate TIMEOUT=3600 SILENCE=1800

# gate ARG...
gate() {
	try "$TOP/ci/gate" "$@"
}

# per_cent FIGURE: how far the runs of the base are apart in it
per_cent() {
	awk -v figure="$1" '$1 == figure && $NF ~ /^[0-9.]+%$/ { print $NF + 0; exit }' <<<"$OUT"
}

# ---- kernels that are alike, and one that is slower ----

export RUNS=${GATE_RUNS:-10}
gate --store "$SCRATCH/base" 6.12
is "$STATUS:$ERR" "0:" "$RUNS runs of a kernel"
gate --store "$SCRATCH/slow" 6.12-slow
is "$STATUS:$ERR" "0:" "$RUNS of one whose page faults take longer"
gate spread "$SCRATCH/base" "$SCRATCH/slow"
diag "$OUT"
is "$STATUS:$ERR" "0:" "they can be compared"
for figure in instructions exits; do
	is "$(per_cent $figure | awk '{ print $1 <= 0.1 }')" 1 "runs are within 0.1 % in $figure"
done
like "$OUT" "candidate against the base: a regression in 20 of 20 tries" "the slowdown is found in 20 of 20"
like "$OUT" "base against itself: a regression in 0 of 100 tries" "and none in 0 of 100"

export RUNS=2
gate "$SCRATCH/base" 6.12-slow
is "$STATUS:$ERR" "1:" "against stored runs, in two runs: regression"
diag "$(sed -n '/paging:/,$p' <<<"$OUT")"
# Half of it is the loop, the other half a timer of the guest that expires because of it.
is "$(jq '.findings[0] | (.change / .base * 1000 | round) as $by | $by >= 8 and $by <= 12' "$GATE_DIR/verdict.json")" true \
	"of 1 % in instructions"

# The host's timer interrupts come every 4 ms.
for phase in 1300 2900; do
	PHASE=$phase gate "$SCRATCH/base" 6.12
	is "$STATUS:$ERR" "0:" "against itself, when the host's timer interrupts fall elsewhere: pass"
	diag "$(grep -E '^ +(instructions|exits) ' <<<"$OUT")"
done

# ---- what can't be measured ----

export WORKLOAD=anon FAULTS=499
gate 6.12-stock@zap 6.12
fails 3 "base, run 1: .*KVM has no such policy; it lacks a parameter" "a kernel without the parameters"
CMDLINE=clearcpuid=svm gate 6.12 6.12-stock
fails 3 "base, run 1: .*/dev/kvm" "a kernel that boots without KVM"
head -c 100000 "$TOP/build/kernel/6.12/bzImage" >"$SCRATCH/half"
TIMEOUT=60 SILENCE=30 gate "$SCRATCH/half" 6.12
fails 3 "base, run 1: svm 6.12 (ended without a result|has been silent)" "a kernel that doesn't boot"
is "$(find "$GATE_DIR" -name verdict.json)" "" "no verdict is left"
done_testing
