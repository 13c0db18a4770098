#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline trace: calls and their ends on virtual machines of this host, and
# what it traces on emulated hosts, against what the policies make of a fault.
# What it prints of which record is tested by tests/trace-test.c.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"
# shellcheck source=tests/browser.sh
. "$TOP/tests/browser.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR TRACE

# ---- calls ----

# trace_fails STATUS REGEX ARGUMENT...
trace_fails() {
	command_fails trace "$@"
}

try "$FAULTLINE" trace --help
is "$STATUS:$ERR" "0:" "trace --help"
trace_fails 2 "no COMMAND to measure" --format=json
trace_fails 2 "unknown --format 'xml'; known: text, json, chrome" -a --format=xml
trace_fails 2 "unknown option --formt" -a --formt=json
trace_fails 2 "unknown word 'fill' in --class" -a --class=inject,fill
trace_fails 2 "unknown word 'refalt' in --class; did you mean refault\?" -a --class=refalt
trace_fails 2 "unknown word 'wirte' in --fault; did you mean write\?" -a --fault=wirte
trace_fails 2 "unknown word '' in --without" -a --without=unsync,
trace_fails 2 "unknown word 'never' in --outcome; see" -a --outcome=never
trace_fails 2 "unknown word 'prefalt' in --outcome; did you mean prefault\?" -a --outcome=prefalt
trace_fails 2 "unknown word 'execute' in --fault" -a --fault=user,execute
trace_fails 2 "no fault is all of what --fault says" -a --fault=read,write
trace_fails 2 "--address 0x2000-0x1000 is not FIRST or FIRST-LAST" -a --address=0x2000-0x1000
trace_fails 2 "--address 0x1000- is not" -a --address=0x1000-
trace_fails 2 "--address 99999999999999999999 is not" -a --address=99999999999999999999
trace_fails 2 "--min-exits 0 is not a number from 1 on" -a --min-exits=0
trace_fails 2 "--min-us x is not a number" -a --min-us=x
trace_fails 2 "--buffer 4 is not a size from 4K to 2G" -a --buffer=4
trace_fails 2 "--buffer 4G is not a size" -a --buffer=4G
trace_fails 2 "--buffer 1KB is not a size" -a --buffer=1KB
trace_fails 1 "is a directory; name a file" -a -o "$SCRATCH"

# ---- emulated hosts ----

# lab NAME VARIABLE=VALUE...: a traced run of the lab, results in $SCRATCH/NAME.json.
# FAULTS is not a round number, so that it isn't met by chance.
lab() {
	local name=$1

	shift
	try env OUT="$SCRATCH/$name.json" CHECK=y PAGING=64 FAULTS=499 "$@" "$TOP/lab/run"
}

# steps WORKLOAD POLICY: how many episodes had which steps and outcome
steps() {
	jq -r ".runs[] | select(.workload == \"$1\" and .policy == \"$2\") | .trace" "$SCRATCH/all.json" |
		jq -r '[.steps[].class, .outcome] | join(" ")' | sort | uniq -c | sed 's/^ *//'
}

lab all TRACE=--format=json
is "$STATUS:$ERR" "0:" "lab: traced while it is measured"
is "$(steps anon zap)" "499 inject pte-write refault refault" "anon, zap: what each fault cost"
is "$(steps anon update)" "499 inject pte-write update" "anon, update: what each fault cost"
is "$(steps anon unsync)" "498 inject refault refault
1 inject unsync refault refault" "anon, unsync: what each fault cost"
is "$(steps cow zap)" "499 inject pte-write invlpg pte-write refault refault" "cow, zap: what each fault cost"
is "$(steps cow update)" "499 inject pte-write invlpg pte-write update" "cow, update: what each fault cost"
is "$(steps cow unsync)" "498 inject invlpg refault refault
1 inject unsync invlpg refault refault" "cow, unsync: what each fault cost"
is "$(jq -c '.runs[] | [.guest.faults_handled, .exits_in_episodes] as $counted
	| .trace | [split("\n")[] | select(. != "") | fromjson] as $episodes
	| select($counted != [($episodes | length), ($episodes | map(.exits) | add)])' "$SCRATCH/all.json")" \
	"" "as many lines as the guest handled faults, and exits as were counted"
is "$(jq -r '.runs[].trace' "$SCRATCH/all.json" | jq -c 'select(.steps_left_out != 0 or .vcpu != 0 or
	(.access | startswith("user-write-") | not) or .vm != "micro" or
	.duration_ns != (.steps[-1] | .start_ns + .ns) or
	([.steps[] | .start_ns, .start_ns + .ns] | . != sort))')" \
	"" "exits follow one another, up to the episode's end"
is "$(jq -r '.runs[] | select(.workload == "anon" and .policy == "zap") | .trace' "$SCRATCH/all.json" |
	jq -r .page | uniq | wc -l)" 499 "anon: each fault is at another page"

# The first fault at each table costs one exit more.
lab filtered POLICY=unsync WORKLOAD=anon TRACE="--class=unsync --min-exits=3 --fault=user,write,absent --address=0x40000000-0x401fffff --outcome=refault"
is "$STATUS:$ERR" "0:" "filters: traced"
is "$(jq -r '.runs[].trace' "$SCRATCH/filtered.json" | grep -c '^ .* 3 .* inject .*, unsync .*, refault [0-9.]*$')" \
	1 "filters: only the episode that is asked for"
like "$(jq -r '.runs[].trace' "$SCRATCH/filtered.json")" '# 1 episodes of 499 guest faults' "filters: and how many it is of"

# ---- the picture ----

lab chrome POLICY='zap unsync' WORKLOAD=anon TRACE=--format=chrome
is "$STATUS:$ERR" "0:" "chrome: traced"
if command -v chromium >/dev/null; then
	browser_open devtools://devtools/bundled/devtools_app.html
	for run in 0 1; do
		{
			printf 'var TRACE = %s;\n' "$(jq -r ".runs[$run].trace" "$SCRATCH/chrome.json")"
			cat "$TOP/tests/trace-slices.js"
		} >"$SCRATCH/script.js"
		browser_evaluate "$SCRATCH/script.js" >"$SCRATCH/slices-$run"
	done
	browser_close
	is "$(jq -c '.[] | [.process, .thread, .depth]' "$SCRATCH"/slices-[01] | uniq)" \
		'["micro","vCPU 0",2]' "a browser: one VM with one vCPU, exits nested in episodes"
	is "$(jq -r '.[].slices[]' "$SCRATCH/slices-0" | sort | uniq -c | xargs)" \
		"499 user-write-absent inject pte-write refault" "a browser: each episode with its exits"
	is "$(jq -r '.[].slices[]' "$SCRATCH/slices-1" | sort | uniq -c | xargs)" \
		"498 user-write-absent inject refault 1 user-write-absent inject unsync refault" \
		"a browser: of another policy"
else
	skip 3 "chromium is not installed"
fi

# ---- this host's virtual machines ----

need_vms 28

# KVM may deliver a fault more than the guest has reason for, so stat says how many
# there were.
faults() {
	jq -r 'select(.lost_events == 0 and .guest_faults >= 997) | .guest_faults' "$SCRATCH/stat"
}

try "$FAULTLINE" stat --json -o "$SCRATCH/stat" -- \
	"$FAULTLINE" trace --format=json -- "$MICRO" --faults 997
is "$STATUS:$ERR" "0:" "here: traced"
same "$(grep -c '^{"schema":"faultline.episode/1"' <<<"$OUT")" "$(faults)" "here: a line for each fault"
is "$(jq -r '"\(.vm) \(.access)"' <<<"$(grep '^{' <<<"$OUT")" | sort -u)" "micro user-write-absent" "here: what each is"

try "$FAULTLINE" trace --fault=kernel -- "$MICRO" --faults 997
is "$STATUS:$ERR" "0:" "here, filtered: traced"
like "$OUT" "# 0 episodes of [0-9]+ guest faults" "here, filtered: nothing is left"

# The tracer is stopped while the guest runs, so what the buffer can't hold is lost,
# and every one of it; stat of the same loses nothing.
# shellcheck disable=SC2016 # for the inner shell
try "$FAULTLINE" trace --buffer=4K -o "$SCRATCH/lost" -- sh -c \
	'kill -STOP $PPID; "$@" >/dev/null; kill -CONT $PPID' sh \
	"$FAULTLINE" stat --json -o "$SCRATCH/stat" -- "$MICRO" --faults 997
is "$STATUS" 1 "lost episodes: exit status 1"
like "$ERR" "^faultline: ([0-9]+) of $(faults) episodes were lost; give a larger --buffer, or filter more$" \
	"lost episodes: are counted"
lost=${BASH_REMATCH[1]:-0}
same "$((lost + $(grep -vc '^#' "$SCRATCH/lost")))" "$(faults)" "lost episodes: all others are there"
like "$(tail -n 1 "$SCRATCH/lost")" " of $(faults) guest faults, $lost LOST" "lost episodes: the trace says so, too"
like "$(faults)" "^[0-9]+$" "lost episodes: stat of the same loses nothing"

# ended_by SIGNAL FORMAT: what is in a trace that has no other end
ended_by() {
	local pid

	start_vm
	: >"$SCRATCH/trace"
	"$FAULTLINE" trace -p "$VM" --format="$2" >"$SCRATCH/trace" 2>"$SCRATCH/err" &
	pid=$!
	while [[ $(wc -l <"$SCRATCH/trace") -le 100 ]] && kill -0 "$pid"; do
		sleep 0.05
	done
	kill "-$1" "$pid" || diag "the trace has ended by itself; its VM: $(<"$SCRATCH/vm.says")"
	STATUS=0
	wait "$pid" || STATUS=$?
	stop_vms
	is "$STATUS:$(<"$SCRATCH/err")" "0:" "SIG$1: ends well"
}

ended_by INT chrome
is "$(jq '.otherData.episodes == ([.traceEvents[] | select(.cat == "episode")] | length)' "$SCRATCH/trace")" \
	true "SIGINT: the trace so far, whole"
ended_by TERM json
is "$(jq -s 'length > 100' "$SCRATCH/trace")" true "SIGTERM: the trace so far, whole"
ended_by HUP text
like "$(tail -n 1 "$SCRATCH/trace")" "# [0-9]+ episodes of [0-9]+ guest faults" "SIGHUP: the trace so far, whole"

# Who reads it is slower than the guest, so there is no end of what is to be printed.
VM_OPTIONS=(--workload anon --timeout 60)
start_vm
VM_OPTIONS=(--workload cow --timeout 3600)
mkfifo "$SCRATCH/pipe"
while read -r _; do
	[[ -e $SCRATCH/detached ]] || sleep 0.1
done <"$SCRATCH/pipe" &
"$FAULTLINE" trace -p "$VM" --format=json --buffer=64K >"$SCRATCH/pipe" 2>"$SCRATCH/err" &
pid=$!
until grep -q pipe_write "/proc/$pid/wchan" || ! kill -0 "$pid"; do
	sleep 0.05
done
sleep 1
kill -TERM "$pid"
while is_attached "$pid" && kill -0 "$VM" 2>/dev/null; do
	sleep 0.05
done
is "$(is_attached "$pid" || echo detached)" detached "SIGTERM and a slow reader: it ends before the guest does"
: >"$SCRATCH/detached"
stop_vms
wait
like "$(<"$SCRATCH/err")" "^(|faultline: [0-9]+ of [0-9]+ episodes were lost[^"$'\n'"]*)$" \
	"SIGTERM and a slow reader: what was lost is said"

STATUS=0
"$FAULTLINE" trace -- "$MICRO" --faults 997 2>"$SCRATCH/err" | true || STATUS=${PIPESTATUS[0]}
ERR=$(<"$SCRATCH/err")
fails 1 "Broken pipe; what reads it has ended, so write to a file first" "a closed pipe"
try "$FAULTLINE" trace -o /dev/full -- "$MICRO" --faults 997
fails 1 "cannot write .*No space left" "a full output"

mkdir "$SCRATCH/disk"
# shellcheck disable=SC2016 # for the inner shell
try unshare --mount bash -c '
	mount -t tmpfs -o size=64k none "$1"
	status=0
	"$2" trace --format=chrome -o "$1/trace" -- "$3" --faults 997 >/dev/null || status=$?
	ls "$1"
	exit $status' bash "$SCRATCH/disk" "$FAULTLINE" "$MICRO"
fails 1 "cannot write .*No space left" "a disk that fills up"
is "$OUT" "" "a disk that fills up: no half of a file is left"

start_vm
(sleep 2; stop_vms) &
try "$FAULTLINE" trace -p "$VM" --format=chrome
wait
is "$STATUS:$ERR" "0:" "the process dies: traced up to then"
is "$(jq '.otherData.episodes > 0' <<<"$OUT")" true "the process dies: its faults are there"
is "$(find "$SCRATCH" -name 'lost.*')" "" "no temporary file is left"
done_testing
