#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The KVM selftest on each line and both vendors, and without the update, where
# it has to fail.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/prefix-series.sh
. "$TOP/tests/prefix-series.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
export WORKLOAD=selftest

for line in 6.12 6.1 7.2; do
	try env OUT="$SCRATCH/results.json" LINE="$line" VENDOR="svm vmx" "$TOP/lab/run"
	((STATUS != 77)) || { skip 1 "$ERR" && continue; }
	is "$STATUS:$ERR" "0:" "$line: it passes on both vendors"
done

# The series up to the patch before the update.
prefix_series 6.12 "$(sed -n /-Extract-the-check/= "$TOP/patches/6.12/series")"
try env PATCHES_DIR="$SCRATCH/patches" FAULTLINE_BUILD="$SCRATCH/build" "$TOP/scripts/kernel" build 6.12
is "$STATUS:$ERR" "0:" "a kernel without the update builds"
try env OUT="$SCRATCH/results.json" LAB_KERNEL="$SCRATCH/build/kernel/6.12/bzImage" "$TOP/lab/run"
fails 1 "selftest 64 failed: .*but not update SPTEs" "without the update"

done_testing
