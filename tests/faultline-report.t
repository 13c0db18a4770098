#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline report: what it prints of run files and of JSON, and what it says of
# files that are neither. That every figure comes back is checked in tests/results.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FAULTLINE=$TOP/build/bin/faultline
CRAFT=$TOP/build/tests/craft
cd "$SCRATCH"

# report_fails STATUS REGEX ARGUMENT...
report_fails() {
	command_fails report "$@"
}

# overwrite FILE OFFSET BYTES: BYTES as printf has them
overwrite() {
	# shellcheck disable=SC2059 # BYTES is the format
	printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# ---- what is there ----

"$CRAFT" two policy=zap
"$CRAFT" two policy=update
"$CRAFT" one.json
jq -c '{schema: "faultline.results/1", runs: [., {schema: "faultline.torture/1", steps: 7}, .]}' \
	one.json >lab.json

try "$FAULTLINE" report two --json
is "$STATUS:$ERR" "0:" "a run file is read"
is "$(jq -rs 'map(.policy) | join(" ")' <<<"$OUT")" "zap update" "it has two runs"
same "$(head -n 1 <<<"$OUT")" "$(<one.json)" "the first is as it was"
try "$FAULTLINE" report two --json -i
is "$(jq -rs 'map(.interval // "whole") | join(" ")' <<<"$OUT")" "1 2 whole 1 2 whole" \
	"-i: intervals come before the whole"
try "$FAULTLINE" report two --where policy=update,vendor=svm --where paging=64 --json
is "$(jq -rs 'map(.policy) | join(" ")' <<<"$OUT")" update "--where selects"
try "$FAULTLINE" report lab.json --json
is "$OUT" "$(<one.json)"$'\n'"$(<one.json)" "the lab's results: what was measured of them"
try "$FAULTLINE" report one.json two
is "$(grep -c '^Run [123] of 3: workload anon, paging 64$' <<<"$OUT")" 3 "several files: each run has a heading"
try "$FAULTLINE" report one.json
is "$(grep -c '^Run' <<<"$OUT" || true)" 0 "one run has none"
try "$FAULTLINE" report two one.json --csv
is "$(cut -d , -f 1 <<<"$OUT" | sort | uniq -c | tr -s ' \n' ' ')" " 9 1 interval " "--csv: names once, three lines a run"
try "$FAULTLINE" report two --list
is "$(wc -l <<<"$OUT")" 3 "--list: a line for each run, and the columns' names"
like "$OUT" "svm +6.12 +update +anon +64 +1.235" "--list: what it is"

cp two faultline.sqlite
try "$FAULTLINE" report -l
is "$STATUS:$(wc -l <<<"$OUT")" "0:3" "faultline.sqlite is what is read by default"
rm faultline.sqlite

try "$FAULTLINE" report two --json -o out.json
is "$STATUS:$(wc -l <out.json)" "0:2" "-o: into a file"

# ---- calls ----

report_fails 2 "--json and --csv exclude each other" two --json --csv
report_fails 2 "--list, --text, --html, and --json or --csv exclude each other" two --json -l
report_fails 2 "polcy=zap is not LABEL=VALUE with a known LABEL: line" two --where polcy=zap
report_fails 2 "policy is not LABEL=VALUE" two --where policy
report_fails 2 "unknown option --jsn" two --jsn
report_fails 1 "no run is selected; 'faultline report --list' shows" two --where policy=none
report_fails 1 "cannot write .*No space left" two -o /dev/full
report_fails 1 "is a directory" two -o "$SCRATCH"

# ---- what is not there, or damaged ----

report_fails 1 "cannot read faultline.sqlite: No such file or directory; name a file that"
report_fails 1 "is a directory; name a file" "$SCRATCH"
report_fails 1 "not a regular file" /dev/null
: >empty
report_fails 1 "empty is empty" empty
echo "what is this?" >text
report_fails 1 "text is neither a run file nor JSON" text
head -c 20000 two >short
report_fails 1 "cannot read short: .*damaged or not whole" short
head -c 50 two >header
report_fails 1 "cannot read header: .*damaged or not whole" header
cp two future
overwrite future 60 '\0\0\0\7'
report_fails 1 "future has version 7, this faultline knows 1" future
cp two other
overwrite other 68 '\0\0\0\0'
report_fails 1 "other is not a run file of faultline" other
head -c 3000 one.json >cut.json
report_fails 1 "cut.json: it ends within an object" cut.json
sed 's/:/;/' one.json >bad.json
report_fails 1 "bad.json: it is not JSON at byte 9" bad.json
echo '{"schema":"faultline.guest/1"}' >guest.json
report_fails 1 "guest.json has no run of schema faultline.run/1" guest.json
jq -c '.exits_total += 1' one.json >sum.json
report_fails 1 "sum.json: the figures of run 1 don't add up" sum.json
is "$("$FAULTLINE" report two sum.json 2>/dev/null)" "" "nothing is printed if a file is bad"
is "$(find . -name '*.??????' -o -name '*-journal' -o -name '*-wal')" "" "no temporary file is left"
done_testing
