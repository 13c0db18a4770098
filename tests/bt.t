#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The bpftrace scripts: a screen long, and every tracepoint and field that they
# use is in the patched kernel. tests/all/bt.t runs them.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset CONFIG_NAME KERNEL_VARIANT KERNEL_TREE

BPFTOOL=$(PATH=$PATH:/usr/sbin command -v bpftool)

try "$TOP/scripts/kernel" build 6.12
is "$STATUS" 0 "the patched kernel is there"
"$BPFTOOL" btf dump file "$TOP/build/kernel/6.12/vmlinux" format c >"$SCRATCH/types.h"
"$BPFTOOL" btf dump file "$TOP/build/kernel/6.12/vmlinux" >"$SCRATCH/types"

# uses SCRIPT: a line "TRACEPOINT FIELD" for each use of a field, and one
# "TRACEPOINT -" for each probe.
uses() {
	awk '
		/^tracepoint:/ { split($1, part, ":"); name = part[3]; print name, "-" }
		{
			rest = $0
			while (match(rest, /args->[a-z_0-9]+/)) {
				print name, substr(rest, RSTART + 6, RLENGTH - 6)
				rest = substr(rest, RSTART + RLENGTH)
			}
		}' "$1" | sort -u
}

# has TRACEPOINT FIELD: the kernel does
has() {
	if [[ $2 == - ]]; then
		grep -q "'btf_trace_$1'" "$SCRATCH/types"
	else
		sed -n "/^struct trace_event_raw_$1 {/,/^}/p" "$SCRATCH/types.h" | grep -qE "\\b$2;"
	fi
}

for script in "$TOP"/bpf/*.bt; do
	name=$(basename "$script")
	lacking=''
	while read -r tracepoint field; do
		has "$tracepoint" "$field" || lacking+=" $tracepoint:$field"
	done < <(uses "$script")
	like "$(uses "$script")" "kvm" "$name: has probes"
	is "$lacking" "" "$name: the kernel has every tracepoint and field"
	is "$(($(wc -l <"$script") <= 40))" 1 "$name: is a screen long"
done
done_testing
