#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The images: the same archive each time, and what is in them runs.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY IMAGE_DIR

for image in linux-host linux-guest; do
	for n in 1 2; do
		try env FAULTLINE_CACHE="$SCRATCH/cache$n" FAULTLINE_BUILD="$SCRATCH/build$n" "$TOP/lab/image/build" "$image"
		is "$STATUS:$ERR" "0:" "$image: built"
	done
	status=0
	cmp "$SCRATCH"/build[12]/lab/image/"$image"/root.cpio || status=$?
	ok "$status" "$image: the same archive again"
done

# What else measures KVM, on the host that has it: each sees the same exits.
cat >"$SCRATCH/script" <<'END'
cd /tmp
perf stat -x , -o stat -a -e kvm:kvm_exit -- micro --faults 499
perf=$(awk -F , '/kvm_exit/ { print $1 }' stat)
bpftrace -c 'micro --faults 499' -e 'tracepoint:kvm:kvm_exit { @ = count(); }' >trace
bpftrace=$(awk '/^@:/ { print $2 }' trace)
echo "{\"perf\":$perf,\"bpftrace\":$bpftrace}" >$RESULT
END
try env WORKLOAD=script SCRIPT="$SCRATCH/script" IMAGE=tools-host POLICY=update TIMEOUT=1200 SILENCE=600 \
	OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "tools-host: perf and bpftrace run"
is "$(jq '.runs[0].guest | map(. >= 998 and . < 1200) | all' "$SCRATCH/results.json")" true \
	"tools-host: and see two exits per fault"
diag "$(jq -c '.runs[0].guest' "$SCRATCH/results.json")"
done_testing
