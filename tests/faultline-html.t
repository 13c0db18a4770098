#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline report --html and --text: what is drawn of runs. With Chromium installed,
# it is asked what it makes of the page.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FAULTLINE=$TOP/build/bin/faultline
cd "$SCRATCH"

# run POLICY WORKLOAD PTE_WRITES INVLPGS REFAULTS: of 1000 guest faults
run() {
	jq -nc --arg policy "$1" --arg workload "$2" --argjson w "$3" --argjson i "$4" --argjson r "$5" '
		{inject: 1000, "pte-write": ($w * 1000), invlpg: ($i * 1000), refault: ($r * 1000)} as $classes |
		{schema: "faultline.run/1", line: "6.12", kernel: "6.12.1", cpu: "A CPU", vendor: "svm",
		 mmu: "shadow", policy: $policy, workload: $workload, paging: "64", vcpus: 1,
		 guest_faults: 1000, exits_total: ($classes | add), classes: $classes,
		 exits_in_episodes: ($classes | add), classes_in_episodes: $classes,
		 histogram: {((1 + $w + $i + $r) | tostring): 1000},
		 time_ns: ($classes | map_values({count: ., mean: 4000, p50: 4000, p99: 4000, max: 4000})),
		 vms: [{name: "</script><b id=evil>", pid: 1, vcpus: []}],
		 duration_ns: 1000000, clock: "virtual", command: "faultline stat -a"}'
}

{ run zap anon 1 0 1; run update anon 1 0 0; run zap cow 2 1 1; run update cow 2 1 0; } >runs.json

# ---- the page ----

try "$FAULTLINE" report runs.json --html page.html
is "$STATUS:$OUT$ERR" "0:" "a page is made"
is "$(grep -cE '(src|href|action)=|@import|url\(' page.html || true)" 0 "it needs no other file"
same "$(sed -n '/id="runs">/,/^<\/script>/p' page.html | sed '1d;$d' | jq -c '.[].run')" \
	"$("$FAULTLINE" report runs.json --json | jq -c .)" "it has the runs in it"
is "$(grep -c '<b id=evil>' page.html || true)" 0 "a name can't end the script"
is "$(grep -c 'Redistribution and use in source and binary forms' page.html)" 1 "D3's licence is in it"
"$TOP/build/tests/craft" recorded
try "$FAULTLINE" report recorded --html recorded.html
is "$STATUS:$(sed -n '/id="runs">/,/^<\/script>/p' recorded.html | sed '1d;$d' |
	jq -c '.[0].episode | [.like, .of, .ns, .steps[1].name, .steps[1].start, .steps[1].ns]')" '0:[2,2,30000,"pte-write",6000,14000]' \
	"a run file's page has its typical episode"
try "$FAULTLINE" report runs.json --html /dev/full
fails 1 "cannot write .*No space left" "a full output"
try "$FAULTLINE" report runs.json --html page2.html --json
fails 2 "exclude each other" "--html and --json"
try "$FAULTLINE" report runs.json --html page2.html -o other
fails 2 "--html names the file" "--html and -o"
try "$FAULTLINE" report runs.json --text -i
fails 2 "-i is for tables" "--text and -i"
try "$FAULTLINE" report runs.json none --html page2.html
fails 1 "cannot read none" "a file that isn't there"
same "$(ls)" "$(printf '%s\n' err out page.html recorded recorded.html runs.json)" "nothing is left of what failed"

# ---- as a browser shows it ----

# with_runs JQ: the page, with something done to its runs
with_runs() {
	sed '/id="runs">/q' page.html
	sed -n '/id="runs">/,/^<\/script>/p' page.html | sed '1d;$d' | jq -c "$1" | sed 's/</\\u003c/g'
	sed -n '/id="runs">/,$p' page.html | sed -n '/^<\/script>/,$p'
}

# count REGEX: how often it is in what the browser made of the page
count() {
	grep -oE "$1" dom.html | wc -l
}

# show PAGE: what the browser makes of it, into dom.html, without scripts
show() {
	chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$SCRATCH/profile" \
		--virtual-time-budget=5000 --dump-dom "file://$SCRATCH/$1" 2>/dev/null |
		sed '/<script/,/<\/script>/d; /<style>/,/<\/style>/d' >dom.html
}

if command -v chromium >/dev/null; then
	show recorded.html
	like "$(<dom.html)" "3 exits, 30\.0 µs, like 2 of 2 that were recorded" "a recorded episode is drawn"
	with_runs '.[0].run |= (.mmu = "tdp" | .guest_faults = 0 | .host_faults = {total: 7, first_touches: 6,
		kinds: {touch: 6, copy: 1}, page_sizes: {"4K": 5, "2M": 0}, time_ns: {touch: {count: 6,
		mean: 4321, p50: 1, p99: 1, max: 1}}} | .touched_areas = [{name: "guest.mem", touches: 6}]) | .[:1]' >host.html
	show host.html
	like "$(<dom.html)" "1 of 1 runs have no exits per guest fault" "a host with NPT or EPT: no exits per guest fault"
	like "$(<dom.html)" "<figcaption>Host faults, by kind.*<td class=\"word\">touch</td><td>6</td><td>4\.3</td>" \
		"its own page faults"
	like "$(<dom.html)" "<th>4K pages</th></tr>.*guest\.mem" "page sizes, and whose memory it was"
	with_runs '.[0].run |= (.workload = "nested" | .policy = "prefault" |
		.classes = {reflect: 1000, unsync: 1000} | .classes_in_episodes = .classes |
		.command = "faultline stat -- micro --faults 1000 --vcpus 4") | .[:1]' >nested.html
	show nested.html
	like "$(<dom.html)" "the nested guest touches a page that isn't mapped for it; KVM tells its hypervisor.*its hypervisor, the guest, writes its table for it; KVM lets the table go out of sync" \
		"a nested guest's fault"
	like "$(<dom.html)" 'POLICY=prefault WORKLOAD=nested PAGING=64 FAULTS=1000 VCPUS=4' "what it takes to do a run again"
	show page.html
	like "$(<dom.html)" '<b>3\.000</b>.*<b>2\.000</b>' "the headline: before and after"
	like "$(<dom.html)" "3\.000 → 2\.000: .*from zap to update, for svm 6\.12 anon 64: refault −1\.000\." "and why"
	like "$(<dom.html)" "In all 2 combinations .*, the change is −1\.000\." "in every workload"
	is "$(count '<div class="episode">')" 2 "a timeline for each policy"
	like "$(<dom.html)" "zap: 3 exits.*update: 2 exits" "of three exits and of two"
	is "$(count '<figure>')" 3 "three pictures"
	is "$(count '<summary>')" 3 "a table behind each"
	is "$(count '<tr>')" $((3 + 6 + 5 + 7)) "tables have their lines"
	like "$(<dom.html)" 'make lab LINE=6\.12 VENDOR=svm POLICY="zap update" WORKLOAD="anon cow" PAGING=64' \
		"how to do it again"
else
	skip 15 "Chromium is not installed; with Debian's package chromium, it is asked"
fi

# ---- in a terminal ----

try "$FAULTLINE" report runs.json --text
is "$STATUS:$ERR" "0:" "--text: drawn"
is "$(awk 'length > 80' <<<"$OUT")" "" "--text: no line is too long"
like "$OUT" "svm 6.12 anon 64, policy zap"$'\n'"  exits +I{10}P{11}R{10} +3\.000"$'\n' "--text: exits of zap"
like "$OUT" "svm 6.12 anon 64, policy update"$'\n'"  exits +I{10}P{11} +2\.000"$'\n'"  time +I{10}P{11} +8\.00 us" \
	"--text: exits of update, and their time"
like "$OUT" "  2 exits  #{52} +1000" "--text: the histogram"
done_testing
