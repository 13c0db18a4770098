#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The same binary, built once, attaches to every line's kernel, on both vendors,
# and to that of this machine; stat and trace see the same there.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"
unset VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME

FAULTLINE=$TOP/build/bin/faultline
MICRO=$TOP/build/lab/micro

packed=$(gzip -dc "$TOP/build/lab/initramfs.cpio.gz" |
	cpio --extract --to-stdout --quiet usr/bin/faultline | sha256sum)
is "$packed" "$(sha256sum <"$FAULTLINE")" "what runs on the emulated hosts is the binary that runs here"

try env LINE="6.12 6.1 7.2" VENDOR="svm vmx" POLICY="zap update unsync" WORKLOAD=anon PAGING=64 FAULTS=97 \
	TRACE=--format=json OUT="$SCRATCH/results.json" CHECK=y "$TOP/lab/run"
is "$STATUS" 0 "it counts what the guest's handler saw"
like "$ERR" "^(|.*sid has no linux-source-7.2 any more.*)$" "no line fails"

# seen LINE VENDOR: by policy, how many faults were counted, and how many episodes
# had which steps and outcome
seen() {
	jq -r --arg line "$1" --arg vendor "$2" '.runs[] | select(.line == $line and .vendor == $vendor)
		| "\(.policy) \(.guest_faults)", (.trace | split("\n") | map(select(. != "") | fromjson
			| [.steps[].class, .outcome] | join(" ")) | group_by(.)[] | "\(length) \(.[0])")' \
		"$SCRATCH/results.json"
}

# The first fault has the page table go out of sync.
want="zap 97
97 inject pte-write refault refault
update 97
97 inject pte-write update
unsync 97
96 inject refault refault
1 inject unsync refault refault"
for line in 6.12 6.1 7.2; do
	if [[ $line == 7.2 && -n $ERR ]]; then
		skip 2 "$ERR"
		continue
	fi
	for vendor in svm vmx; do
		is "$(seen "$line" "$vendor")" "$want" "$line $vendor: 97 faults, counted and traced"
	done
done

reason=$(unmeasurable)
if [[ -n $reason ]]; then
	skip 2 "$reason"
else
	try "$FAULTLINE" stat --json -- "$MICRO" --faults 97
	is "$STATUS" 0 "it attaches to $(uname -r) here"
	is "$(tail -n 1 <<<"$OUT" | jq .guest_faults)" 97 "here: 97 faults"
fi
done_testing
