#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Linux guests: faults as counted by KVM and by the guest's own kernel, and what
# is said when a guest doesn't get through.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY OBJECTS GUEST_KERNEL VCPUS CPUS TRACE

try env WORKLOAD='linux-anon kbuild' POLICY=update FAULTS=499 OUT="$SCRATCH/results.json" CHECK=y "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "a Linux guest runs, and builds parts of a kernel"
diag "$(sed -n '/^vendor/,$p' <<<"$OUT")"
is "$(jq -r '.runs[] | "\(.workload) \(.guest.schema)"' "$SCRATCH/results.json" | xargs)" \
	"linux-anon faultline.linux-guest/1 kbuild faultline.linux-guest/1" "each says what its kernel counted"
is "$(jq -r '.runs[0] | "\(.guest_faults) \(.guest.faults_counted)"' "$SCRATCH/results.json")" "499 499" \
	"first touches: KVM and the guest's kernel count the same"
is "$(jq '.runs[1].guest_faults > 2000' "$SCRATCH/results.json")" true "kbuild: thousands of faults"

try env WORKLOAD=linux-anon VENDOR="svm vmx" "$TOP/lab/run"
fails 2 "IMAGE goes with VENDOR=svm only, and Linux guests with one VENDOR" "a Linux guest on both vendors"
try env WORKLOAD=kbuild VENDOR=vmx "$TOP/lab/run"
fails 2 "kbuild and linux-forkexec go with VENDOR=svm only" "a build on Bochs"
try env WORKLOAD=linux-cow VCPUS=4 "$TOP/lab/run"
fails 2 "VCPUS '4': linux-cow is for one vCPU" "several vCPUs for a workload of one"
try env WORKLOAD=kbuild OBJECTS=9 "$TOP/lab/run"
fails 2 "OBJECTS '9' is not a number from 1 to 8, and not vmlinux" "more objects than there are"
try "$TOP/build/lab/linuxvm" --workload linux-anon --paging 32
fails 2 "--paging '32': a Linux guest has 64" "linuxvm: another paging mode"
try "$TOP/build/lab/linuxvm" --workload linux-anon --vcpus 9
fails 2 "--vcpus '9' is not a number from 1 to 8" "linuxvm: too many vCPUs"
try "$TOP/build/lab/linuxvm"
fails 2 "--workload is missing" "linuxvm: no workload"

# A guest kernel that is none, found out by who boots it.
echo "not a kernel" >"$SCRATCH/none"
try env WORKLOAD=linux-anon POLICY=update GUEST_KERNEL="$SCRATCH/none" OUT="$SCRATCH/none.json" "$TOP/lab/run"
fails 1 "update linux-anon 64 failed: .*linuxvm: QEMU failed" "a guest kernel that is none"

# A source that doesn't compile, behind the one that does.
FAULTLINE_PROGRAMS=$TOP/build FAULTLINE_BUILD=$SCRATCH/build
mkdir -p "$FAULTLINE_BUILD/lab" "$SCRATCH/more/src/lib"
ln -s "$TOP/build/kernel" "$FAULTLINE_BUILD/kernel"
ln -s "$TOP/build/lab/image" "$FAULTLINE_BUILD/lab/image"
cp -r "$TOP/build/lab/kbuild-objects" "$FAULTLINE_BUILD/lab"
echo 'this is no C' >"$SCRATCH/more/src/lib/ctype.c"
(cd "$SCRATCH/more" && echo src/lib/ctype.c | cpio --create --format=newc --quiet) >>"$FAULTLINE_BUILD/lab/kbuild-objects/source.cpio"
export FAULTLINE_PROGRAMS FAULTLINE_BUILD
try env WORKLOAD=kbuild POLICY=update OUT="$SCRATCH/none.json" "$TOP/lab/run"
fails 1 "update kbuild 64 failed: .*lib/ctype.c:1:1: error: " "a build that fails in the guest"
like "$(<"$FAULTLINE_BUILD/log/console-svm-6.12.log")" "guest: .*lib/ctype.c:1:1: error: .*guest: make: \*\*\* " \
	"and its log is on the console"
is "$(ls "$SCRATCH/none.json" 2>/dev/null)" "" "and there is no result"
done_testing
