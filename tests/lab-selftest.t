#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The KVM selftest that the series adds, on an emulated host.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE

try env WORKLOAD=selftest OUT="$SCRATCH/passes.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "it passes with shadow paging"
is "$(jq -r '.runs[] | "\(.schema) \(.line) \(.vendor)"' "$SCRATCH/passes.json")" \
	"faultline.selftest/1 6.12 svm" "and that is in the results"

try env WORKLOAD=selftest OUT="$SCRATCH/skips.json" CMDLINE=kvm_amd.npt=1 "$TOP/lab/run"
fails 1 "selftest 64 failed: .*SKIP - Requirement not met: !kvm_is_tdp_enabled" "with NPT it has nothing to test"

done_testing
