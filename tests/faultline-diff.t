#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline diff: what it says of runs that differ, and of runs that don't. Its
# statistics are checked in tests/diff.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FAULTLINE=$TOP/build/bin/faultline
cd "$SCRATCH"

# run POLICY WORKLOAD PTE_WRITES REFAULTS [MORE]: of 1000 guest faults; MORE of them
# took one more pte-write, and exits take longer.
run() {
	jq -nc --arg policy "$1" --arg workload "$2" --argjson w "$3" --argjson r "$4" \
		--argjson more "${5:-0}" '
		{inject: 1000, "pte-write": ($w * 1000 + $more), refault: ($r * 1000)} as $classes |
		(1 + $w + $r) as $exits |
		{schema: "faultline.run/1", line: "6.12", kernel: "6.12.1", vendor: "svm",
		 mmu: "shadow", policy: $policy, workload: $workload, paging: "64",
		 guest_faults: 1000, exits_total: ($classes | add), classes: $classes,
		 exits_in_episodes: ($classes | add), classes_in_episodes: $classes,
		 histogram: {($exits | tostring): (1000 - $more), ($exits + 1 | tostring): $more},
		 time_ns: {inject: {count: 1000, mean: (4000 + $more), p50: 4096, p99: 4096, max: 5000}},
		 duration_ns: (1000000 + $more), clock: "virtual"}'
}

# diff_fails STATUS REGEX ARGUMENT...
diff_fails() {
	command_fails diff "$@"
}

# said_of QUANTITY: its line of the table
said_of() {
	grep -E "^ +$1 " <<<"$OUT"
}

run zap anon 1 1 >zap.json
run update anon 1 0 >update.json
{ cat zap.json update.json; run zap cow 2 1; run update cow 2 0; run unsync cow 0 1; } >all.json

# ---- one run a side ----

try "$FAULTLINE" diff zap.json update.json
is "$STATUS:$ERR" "0:" "zap and update are compared"
like "$OUT" "svm 6.12 anon 64: policy zap -> update" "it says what is compared"
like "$(said_of exits_per_guest_fault)" "fault +3\.000 +2\.000 +-1\.000 +-33\.3% +-1\.000 to -1\.000 +differs" \
	"an exit less per guest fault"
like "$OUT" "Exits per guest fault: -1.000, by refault -1.000\." "by the refault"
like "$OUT" "Welch's t-test; observations are the guest faults" "the test has a name"
like "$(said_of duration_ns)" "one run a side: not tested" "a time is not tested by one run"
try "$FAULTLINE" diff zap.json zap.json
is "$STATUS:$ERR" "0:" "zap and zap are compared"
like "$OUT" "Exits per guest fault: no difference can be shown" "of the same, no difference can be shown"
run zap anon 1 1 3 >nearly.json
try "$FAULTLINE" diff zap.json nearly.json
like "$(said_of exits_per_guest_fault)" "fault +3\.000 +3\.003 +\+0\.003 .* no difference can be shown" "nor of nearly the same"
run zap anon 1 1 30 >other.json
try "$FAULTLINE" diff zap.json other.json
like "$OUT" "Exits per guest fault: \+0.030, by pte-write \+0.030" "but thirty exits in a thousand are one"

# ---- several runs ----

for i in 1 2 3; do
	run zap anon 1 1 "$i" >"zap$i.json"
	run update anon 1 0 "$((2 * i))" >"update$i.json"
done
try "$FAULTLINE" diff zap1.json zap2.json zap3.json -- update1.json update2.json update3.json
is "$STATUS:$ERR" "0:" "three runs a side are compared"
like "$OUT" "observations are the runs, 3 and 3" "by run"
like "$(said_of duration_ns)" "duration_ns +1000002 +1000004 +\+2 .* no difference can be shown" "times are tested, too"
try "$FAULTLINE" diff zap1.json zap2.json -- zap3.json
like "$OUT" "observations are the guest faults" "two and one: by guest fault"

# ---- files with runs of several kinds ----

try "$FAULTLINE" diff all.json --a policy=zap --b policy=update
is "$STATUS:$(grep -c '^svm' <<<"$OUT")" "0:2" "each workload is compared with itself"
try "$FAULTLINE" diff all.json --a policy=zap --b policy=update --where workload=cow
is "$STATUS:$(grep '^svm' <<<"$OUT")" "0:svm 6.12 cow 64: policy zap -> update" "--where selects one"
try "$FAULTLINE" diff all.json all.json
is "$STATUS:$(grep -c '^svm' <<<"$OUT")" "0:5" "two files: those of the same labels"
try "$FAULTLINE" diff all.json --a policy=zap --b policy=unsync
like "$OUT" "Only A has svm 6.12 zap anon 64\." "what has no counterpart is named"

# ---- JSON ----

try "$FAULTLINE" diff zap.json update.json --json -o out.json
is "$STATUS:$ERR:$OUT" "0::" "--json -o: compared"
is "$(jq -c '[.schema, (.comparisons[0] | .a.policy, .b.policy, .b.runs, (.quantities |
	.exits_per_guest_fault.change, .refault_per_guest_fault.verdict, .duration_ns.verdict))]' out.json)" \
	'["faultline.diff/1","zap","update",1,-1,"different","untested"]' "--json: what it says"

# ---- limits ----

try "$FAULTLINE" diff zap.json update.json --fail-if 'exits_per_guest_fault>+2%'
is "$STATUS:$ERR" "0:" "--fail-if: within the limit"
diff_fails 1 "policy update -> zap: --fail-if 'exits_per_guest_fault>.2%': it changed by \+1, from 2 to 3" \
	update.json zap.json --fail-if 'exits_per_guest_fault>+2%'
diff_fails 1 "it changed by -1" zap.json update.json --fail-if 'refault_per_guest_fault<-0.5'
try "$FAULTLINE" diff zap.json nearly.json --fail-if 'exits_per_guest_fault>0'
is "$STATUS:$ERR" "0:" "--fail-if: what is no difference exceeds nothing"
diff_fails 1 "can't be judged by one run a side" zap.json update.json --fail-if 'duration_ns>5%'
diff_fails 1 "a side lacks what" zap.json update.json --fail-if 'cr_mean_ns>5%'

# ---- calls ----

diff_fails 2 "no files to compare"
diff_fails 2 "one file is compared with itself, by --a and --b" zap.json
diff_fails 2 "sides of several files are parted by --" zap.json zap.json zap.json
diff_fails 2 "there is nothing on one side of --" zap.json --
diff_fails 2 "polcy=zap is not LABEL=VALUE" zap.json zap.json --a polcy=zap
diff_fails 2 "--confidence 100 is not a number" zap.json zap.json --confidence 100
diff_fails 2 "has no > or <; try 'exits_per_guest_fault>\+2%'" zap.json zap.json --fail-if exits
diff_fails 2 "there is no such quantity; 'faultline diff' prints" zap.json zap.json --fail-if 'exits>2'
diff_fails 2 "there is no such quantity; did you mean exits_per_guest_fault\?" zap.json zap.json --fail-if 'exit_per_guest_fault>2'
diff_fails 2 "the limit is no number" zap.json zap.json --fail-if 'exits_total>2x'
diff_fails 1 "cannot read none: No such file" zap.json none
diff_fails 1 "no run of all.json is selected" all.json all.json --where policy=none
diff_fails 1 "no runs of the two sides have the same labels" all.json all.json --a workload=anon --b policy=unsync
is "$(find . -name '*.??????')" "" "no temporary file is left"
done_testing
