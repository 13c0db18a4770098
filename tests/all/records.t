#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# record --episodes on an emulated host, whose KVM tells of exits: the run file has
# each guest fault with its exits, as stat counts and trace prints them.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
RESULTS=$SCRATCH/results.json RUN=$SCRATCH/run

# All three look at the same guest. Files are sent as text, and small.
cat >"$SCRATCH/script" <<'END'
set -e
cd /tmp
rm -f run
pack() { gzip -c "$1" | base64 -w 0; }
faultline stat --json -o stat -- faultline record --episodes -o run -- \
	faultline trace --format=json -o episodes -- micro --faults 97 --workload cow
printf '{"stat":%s,"run":"%s","trace":"%s"}\n' "$(cat stat)" "$(pack run)" "$(pack episodes)" >"$RESULT"
END
try env OUT="$RESULTS" WORKLOAD=script SCRIPT="$SCRATCH/script" IMAGE=linux-host \
	POLICY="zap update unsync" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "recorded"

# values POLICY EXPRESSION: of what was measured
values() {
	jq -r --arg policy "$1" '.runs[] | select(.policy == $policy) | .guest | '"$2" "$RESULTS"
}

# recorded QUERY: what SQLite says of the run file
recorded() {
	sqlite3 -separator ' ' "$RUN" "$1"
}

for policy in zap update unsync; do
	values "$policy" .run | base64 -d | gunzip >"$RUN"
	values "$policy" .trace | base64 -d | gunzip >"$SCRATCH/trace"
	same "$(recorded 'SELECT count(*), sum(exits) FROM episodes')" \
		"$(values "$policy" '"97 \(.stat.exits_in_episodes)"')" "$policy: each fault, and exits as stat counts them"
	same "$(recorded "SELECT printf('0x%x', gva), error_code, exits, outcome, steps FROM episodes ORDER BY start_ns" |
		sed -E 's/@[0-9]+\+[0-9]+//g')" \
		"$(jq -r '"\(.page) \(.error_code) \(.exits) \(.outcome) \([.steps[].class] | join(" "))"' "$SCRATCH/trace")" \
		"$policy: each as trace prints it"
	same "$("$TOP/build/bin/faultline" report --json "$RUN" | jq -c '[.guest_faults, .classes_in_episodes, .histogram]')" \
		"$(values "$policy" '.stat | [.guest_faults, .classes_in_episodes, .histogram] | tojson')" \
		"$policy: report has what stat has"
done
done_testing
