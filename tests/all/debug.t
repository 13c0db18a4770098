#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The lab's runs on a kernel with lockdep, KASAN and KVM_PROVE_MMU: lab/run takes
# any splat on a host's console for a failure.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE STEPS SEED DISTURB TORTURE_OPTIONS

try env CONFIG_NAME="lab debug" "$TOP/scripts/kernel" build 6.12
is "$STATUS:$ERR" "0:" "the debug kernel builds"
for option in PROVE_LOCKING KASAN KVM_PROVE_MMU; do
	like "$(grep "CONFIG_$option=" "$TOP/build/kernel/6.12-lab-debug/.config")" '=y$' "it has $option"
done

export LAB_KERNEL=$TOP/build/kernel/6.12-lab-debug/bzImage TIMEOUT=3600 SILENCE=900
try env OUT="$SCRATCH/all.json" CHECK=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: every policy, workload and paging mode, no splat"
try env OUT="$SCRATCH/torture.json" WORKLOAD=torture STEPS=20000 DISTURB=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: torture, disturbed, no splat"
try env OUT="$SCRATCH/nested.json" WORKLOAD=nested-torture VCPUS=2 STEPS=10000 DISTURB=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: torture of nested page tables on two vCPUs, disturbed, no splat"
try env OUT="$SCRATCH/npt.json" CMDLINE=kvm_amd.npt=1 POLICY=unsync PAGING=64 "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "svm: with NPT, no splat"
try env OUT="$SCRATCH/vmx.json" VENDOR=vmx PAGING=64 FAULTS=499 CHECK=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "vmx: every policy and workload, no splat"
try env OUT="$SCRATCH/ept.json" VENDOR=vmx WORKLOAD=nested-torture POLICY="unsync prefault+sticky" \
	VCPUS=2 STEPS=1500 DISTURB=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "vmx: torture of EPTs on two vCPUs, disturbed, no splat"

done_testing
