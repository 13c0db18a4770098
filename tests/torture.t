#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The torture test of the shadow MMU: its model, its options, and a short run
# under every policy and in every paging mode, and with nested page tables.
# tests/all/torture.t has the long.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS STEPS SEED DISTURB MICRO_OPTIONS TORTURE_OPTIONS TIMEOUT SILENCE
unset LAB_KERNEL LAB_HOST_DIR KERNEL_VARIANT CMDLINE

torture() {
	try "$TOP/build/lab/torture" "$@"
}

# ---- the model ----

try "$TOP/build/tests/torture-model-test"
is "$STATUS" 0 "the model does as the manuals say"
diag "$(grep -aE 'FAILED|error' <<<"$OUT$ERR" || true)"

# ---- options ----

torture --help
is "$STATUS:$ERR" "0:" "help"
for bad in 0 -1 1x '' 4294967296; do
	torture --seed "$bad"
	fails 2 "--seed '$bad' is not a number from 1 to 4294967295" "--seed '$bad'"
done
torture --steps many
fails 2 "--steps 'many' is not a number from 1 to 100000000" "steps that are no number"
torture --paging 48
fails 2 "unknown --paging '48'; known: 32 pae 64" "unknown paging mode"
torture --nested --paging 32
fails 2 "--nested goes with --paging 64, not 32" "nested page tables in another mode"
torture --nested --vcpus 9
fails 2 "--vcpus '9' is not a number from 1 to 8" "more vCPUs than there can be"
torture --vcpus 2
fails 2 "--vcpus goes with --nested only" "several vCPUs without nested page tables"
torture --steps
fails 2 "--steps needs a value" "option without its value"
torture --fast
fails 2 "unknown option --fast" "unknown option"
torture 1
fails 2 "unexpected '1'" "an argument that is no option"

# ---- runs ----

export WORKLOAD=torture STEPS=2000

# field JQ-EXPRESSION: its value for each run, one a line
field() {
	jq -r ".runs[] | $1" "$SCRATCH/results.json"
}

try env OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "every policy and paging mode: no disagreement, no splat"
diag "$(sed -n '/^Torture/,$p' <<<"$OUT")"
is "$(field '"\(.policy) \(.paging) \(.steps)"' | sort -u | wc -l)" 9 "3 policies x 3 paging modes"
is "$(field 'select(.may_fault * 4 > .accesses) | .policy')" "" "most accesses are decided"
is "$(field '.faults > 0 and .must_not_fault > 0' | sort -u)" true "some fault, some must not"
first=$(field 'select(.policy == "zap") | [.accesses, .faults, .table_writes]')

try env OUT="$SCRATCH/results.json" POLICY=zap "$TOP/lab/run"
is "$(field '[.accesses, .faults, .table_writes]')" "$first" "the same seed is the same program"

try env OUT="$SCRATCH/results.json" POLICY=unsync DISTURB=y SEED=7 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "disturbed: no disagreement, no splat"
is "$(field '.disturbances | to_entries[] | select(.value == 0) | .key')" "" \
	"disturbed: everything was done that disturbs"
is "$(field '.logged_pages > 0' | sort -u)" true "disturbed: the dirty log had pages that it must have"

# ---- nested page tables ----

export WORKLOAD=nested-torture
try env OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "nested, every policy: no disagreement, no splat"
is "$(field .policy | paste -sd ' ')" "unsync prefault sticky prefault+sticky" "nested: 4 policies"
is "$(field '.must_fault > 0 and .must_not_fault > 0' | sort -u)" true "nested: some must fault, some must not"

try env OUT="$SCRATCH/results.json" VCPUS=2 STEPS=1000 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "nested, two vCPUs: no disagreement, no splat"
is "$(field 'select(.helper_hits * 10 < .accesses) | .policy')" "" "nested: the other vCPU hit pages meanwhile"

try env OUT="$SCRATCH/results.json" VCPUS=2 STEPS=3000 DISTURB=y POLICY=prefault+sticky "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "nested, two vCPUs, disturbed: no disagreement, no splat"
is "$(field '.disturbances | to_entries[] | select(.value == 0) | .key')" "" \
	"nested: everything was done that disturbs"

# EPT: Bochs boots in half a minute.
try env OUT="$SCRATCH/results.json" VENDOR=vmx "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "EPT, every policy: no disagreement, no splat"
is "$(field '.must_fault > 0 and .must_not_fault > 0' | sort -u)" true "EPT: some must fault, some must not"
is "$(field 'select(.may_fault * 4 > .accesses) | .policy')" "" "EPT: most accesses are decided"

try env OUT="$SCRATCH/results.json" VENDOR=vmx VCPUS=2 STEPS=1000 DISTURB=y SEED=2 POLICY=prefault+sticky "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "EPT, two vCPUs, disturbed: no disagreement, no splat"
is "$(field 'select(.helper_hits * 10 < .accesses) | .policy')" "" "EPT: the other vCPU hit pages meanwhile"
done_testing
