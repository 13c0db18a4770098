#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Nested guests on every line, on VMX, and with several vCPUs; tests/lab-nested.t has
# the rest. lab-results refuses what is not counted as L2's handler does, or takes
# other than the expected exits.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY PAGING FAULTS STEPS SEED DISTURB MICRO_OPTIONS VCPUS CPUS STICKY TRACE
unset LAB_KERNEL LAB_HOST_DIR KERNEL_VARIANT CMDLINE
export WORKLOAD=nested CHECK=y TIMEOUT=3600 SILENCE=1800

# shows: the table
shows() {
	diag "$(sed -n '/^vendor/,/^$/p' <<<"$OUT")"
}

try env OUT="$SCRATCH/results.json" LINE="6.1 6.12 7.2" WORKLOAD="nested nested-sparse nested-reuse" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: every line: three exits today, two with either patch, one with both"
shows

# Bochs takes a minute or two to boot the guest hypervisor.
try env OUT="$SCRATCH/results.json" VENDOR=vmx FAULTS=99 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "vmx: two exits today, one with the prefault"
shows

try env OUT="$SCRATCH/results.json" CPUS=4 MICRO_OPTIONS="--vms 4" FAULTS=501 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: four nested guests at once: the same for each fault"
shows

# Where vCPUs are in different tables, each of them enters between two writes of one.
try env OUT="$SCRATCH/results.json" VCPUS=4 FAULTS=501 STICKY=8192 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: a nested guest with four vCPUs: not more exits than with one"
shows
done_testing
