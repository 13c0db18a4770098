#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The bpftrace scripts count what faultline counts, exactly: all look at the same
# runs of the lab's workloads, under each policy.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR PAGING FAULTS VCPUS CPUS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
export TIMEOUT=7200 SILENCE=3600	# bpftrace takes its time to start there
RESULTS=$SCRATCH/results.json

for script in "$TOP"/bpf/*.bt; do
	printf "cat >/tmp/%s <<'END'\n%s\nEND\n" "${script##*/}" "$(<"$script")"
done >"$SCRATCH/script"
cat "$TOP/tests/all/bt-host.sh" >>"$SCRATCH/script"
try env CONFIG_NAME="lab tools" "$TOP/scripts/kernel" build 6.12
is "$STATUS" 0 "there is a kernel with what bpftrace needs"
try env LAB_KERNEL="$TOP/build/kernel/6.12-lab-tools/bzImage" OUT="$RESULTS" WORKLOAD=script SCRIPT="$SCRATCH/script" IMAGE=tools-host \
	POLICY="zap update unsync" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "the scripts run"

# value POLICY WORKLOAD EXPRESSION: of what was measured: .run is faultline's, and
# map("SCRIPT"; "@MAP") a script's
value() {
	jq -cS --arg policy "$1" --arg workload "$2" '
		def map(script; name): [.[script][].data[name] | select(. != null)][0];
		.runs[] | select(.policy == $policy) | .guest[$workload] | '"$3" "$RESULTS"
}

# counts_same POLICY WORKLOAD OURS THEIRS NAME
counts_same() {
	local ours

	ours=$(value "$1" "$2" "$3")
	like "$ours" '[1-9]' "$1 $2: faultline counts $5"
	is "$(value "$1" "$2" "$4")" "$ours" "$1 $2: the script counts the same $5"
}

for policy in zap update unsync; do
	for workload in anon cow; do
		counts_same "$policy" "$workload" .run.exits_total 'map("exits-per-fault"; "@exits_total")' "exits"
		counts_same "$policy" "$workload" '.run.classes_in_episodes | with_entries(select(.value > 0))' \
			'map("exits-per-fault"; "@exits_in_episodes")' "exits of guest faults, by step"
		counts_same "$policy" "$workload" '[.run.exit_reasons[]] | sort' \
			'[map("exits-by-reason"; "@exit_reasons")[]] | sort' "exits by reason"
		[[ $policy == unsync ]] ||
			counts_same "$policy" "$workload" '.run.classes["pte-write"]' \
				'map("pte-writes"; "@writes") | add' "writes to page tables"
	done
done
done_testing
