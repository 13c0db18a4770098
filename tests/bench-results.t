#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# bench-results: what it makes of the ticks, and of their absence.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

IN=$SCRATCH/in.json
RESULTS=$SCRATCH/out.json

# ticks: with 100 exits, 200 ticks are an instruction for each
ticks() {
	cat <<-'END'
		{"runs":[{"guest":{"run":{"line":"6.12","exits_total":100},"ticks":{
			"none":[600400,600000,600200],"faultline stat":[640200,660200,680200],
			"faultline trace":[700200],"perf kvm stat record":[1000200],"bpftrace":[800200,800200],
			"kvmexit":[610200],"kvmexit, repaired":[720200]}}}]}
	END
}

bench() {
	rm -f "$RESULTS"
	try "$TOP/build/bin/bench-results" "$IN" "$RESULTS"
}

ticks >"$IN"
bench
is "$STATUS:$ERR" "0:" "ticks are taken"
like "$OUT" "takes 3001 without \(3000 to 3002\)" "an exit without a collector"
like "$OUT" "faultline stat +200 +300 +400 +0.50"$'\n' "faultline, and its share of the cheapest tool that counts"
like "$OUT" "kvmexit +50 +50 +50 " "a tool that counts nothing isn't the cheapest"
is "$(jq -c '[.schema, .line, (.extra_instructions_per_exit[] | select(.tool == "bpftrace") | .median)]' "$RESULTS")" \
	'["faultline.bench/1","6.12",1000]' "the results are written"

# refused REGEX NAME
refused() {
	bench
	fails 1 "$1" "$2"
	is "$(find "$SCRATCH" -name 'out.json*')" "" "$2: nothing is written"
}

ticks | sed 's/"bpftrace"/"ebpf"/' >"$IN"
refused "no run with 'bpftrace'" "a tool that didn't run"
ticks | sed 's/"exits_total":100/"exits_total":0/' >"$IN"
refused "counted no exits" "a host that counted nothing"
echo '{"runs":[]}' >"$IN"
refused "has no run in it" "no run"
: >"$IN"
refused "has no run in it" "an empty file"
try "$TOP/build/bin/bench-results"
fails 2 "usage: bench-results" "no arguments"
done_testing
