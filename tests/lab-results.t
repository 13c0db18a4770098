#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lab-results: takes sound results, and nothing else.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

RESULTS=$SCRATCH/results
OUT_FILE=$SCRATCH/out.json

# A host's results: one sound run, 7 faults under zap, and the end.
sound() {
	cat <<-'END'
		{"job":{"policy":"zap","workload":"anon","paging":"64"},"status":0,"run":{"schema":"faultline.run/1","line":"6.12","kernel":"6.12.1","vendor":"svm","policy":"zap","workload":"anon","paging":"64","guest_faults":7,"exits_total":23,"exits_in_episodes":21,"exits_per_guest_fault":3.0,"classes":{"inject":7,"pte-write":7,"refault":7,"async":2},"classes_in_episodes":{"inject":7,"pte-write":7,"refault":7,"invlpg":0},"lost_events":0},"guest":{"schema":"faultline.guest/1","faults_asked":7,"faults_handled":7}}
		{"end":true,"runs":1}
	END
}

# check [OPTION]...: gives what is in RESULTS to lab-results.
check() {
	rm -f "$OUT_FILE"
	try "$TOP/build/bin/lab-results" "$@" -o "$OUT_FILE" "$RESULTS"
}

# refused REGEX NAME [OPTION]...: it must not take it, and must write nothing.
refused() {
	local regex=$1 name=$2

	shift 2
	check "$@"
	fails 1 "$regex" "$name"
	is "$(find "$SCRATCH" -name 'out.json*')" "" "$name: nothing is written"
}

sound >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "a sound run is taken"
like "$OUT" "svm +6.12 +anon +64 +3.000" "and shown"
is "$(jq -r '"\(.schema) \(.runs | length) \(.runs[0].guest.faults_handled)"' "$OUT_FILE")" \
	"faultline.results/1 1 7" "and written"
rm -f "$OUT_FILE"

refused "1 runs arrived of 2" "too few runs" --expect 2

sound | sed 's/"guest_faults":7/"guest_faults":6/' >"$RESULTS"
refused "zap anon 64: 6 guest faults counted, but the guest handled 7" "a miscount"

# Several vCPUs: what each counts. They need not be in order.
vcpus() {
	sound | sed "s/\"lost_events\"/\"vms\":[{\"vcpus\":[{\"id\":0,\"guest_faults\":$1},{\"id\":1,\"guest_faults\":$2}]}],&/
		s/\"faults_handled\":7/&,\"vcpus\":[{\"id\":1,\"faults_handled\":3},{\"id\":0,\"faults_handled\":4}]/"
}
vcpus 4 3 >"$RESULTS"
check --check
is "$STATUS:$ERR" "0:" "a sound run with two vCPUs is taken"
vcpus 3 3 >"$RESULTS"
refused "zap anon 64: 3 guest faults counted on vCPU 0, but the guest handled 4 there" "a miscount of a vCPU"
vcpus 4 3 | sed 's/"vms"/"vm"/' >"$RESULTS"
refused "0 guest faults counted on vCPU 1" "a vCPU that nobody saw"

# On several, refaults may be missing, but no fault costs less than an exit.
several() {
	sound | sed 's/"lost_events"/"vcpus":2,&/; s/"workload":"anon"/"workload":"nested"/g; s/zap/prefault+sticky/g
		s/"exits_in_episodes":21/"exits_in_episodes":'"$1"/
}
several 7 >"$RESULTS"
check --check
is "$STATUS:$ERR" "0:" "several vCPUs: one exit for each fault is taken"
rm -f "$OUT_FILE"
several 5 >"$RESULTS"
refused "prefault[+]sticky nested 64: 0.714 exits per guest fault.* instead of 0.95 to 1.05" "several vCPUs: fewer exits than faults" --check

sound | sed 's/"faults_handled":7/"faults_handled":6/' >"$RESULTS"
refused "handled 6 faults of 7" "a guest that did too little"
sound | sed 's/"faults_[a-z]*":7/"unheard_of":7/g; s/"guest_faults":7/"guest_faults":0/' >"$RESULTS"
refused "handled 0 faults of 0" "a guest that says nothing of faults"
sound | sed 's/"async":2/"async":3/' >"$RESULTS"
refused "add up to 24 exits of 23" "classes that don't add up"
sound | sed 's/"lost_events":0/"lost_events":4/' >"$RESULTS"
refused "4 events were lost" "lost events"
sound | sed 's/"status":0/"status":1,"error":"micro: no luck"/' >"$RESULTS"
refused "zap anon 64 failed: micro: no luck" "a run that failed"
sound | sed 's/"guest":/"geust":/' >"$RESULTS"
refused "not a faultline.run/1 with a faultline.guest/1" "a guest that said nothing"
sound | sed 's/"exits_in_episodes":21/"exits_in_episodes":14/' >"$RESULTS"
refused "2.000 exits per guest fault.* instead of 2.95 to 3.05" "not what zap makes them" --check

# A Linux guest, whose kernel counts nearly as KVM does.
linux() {
	sound | sed 's/"workload":"anon"/"workload":"linux-forkexec"/g; s/"guest":{.*}/"guest":{"schema":"faultline.linux-guest\/1","faults_counted":'"$1"'}}/'
}

linux 6 >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "a Linux guest's run is taken"
like "$OUT" "workload       paging .*"$'\n'"svm +6.12 +linux-forkexec 64 " "and shown, in a column that is wide enough"
rm -f "$OUT_FILE"
linux 12 >"$RESULTS"
refused "zap linux-forkexec 64: 7 guest faults counted, but 12 by the guest's kernel" "a Linux guest's kernel that counts something else"
linux 0 >"$RESULTS"
refused "7 guest faults counted, but 0 by the guest's kernel" "a Linux guest's kernel that counts nothing"

# A nested guest's faults are counted with NPT and EPT, too.
nested() {
	sound | sed 's/"workload":"anon"/"workload":"nested"/g; s/zap/unsync/g; s/"vendor":"svm"/&,"mmu":"tdp"/'
}

nested >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "nested: a sound run is taken"
rm -f "$OUT_FILE"
nested | sed 's/"guest_faults":7/"guest_faults":6/' >"$RESULTS"
refused "unsync nested 64: 6 guest faults counted, but the guest handled 7" "nested: a miscount"
nested | sed 's/"exits_in_episodes":21/"exits_in_episodes":14/' >"$RESULTS"
refused "unsync nested 64: 2.000 exits per guest fault.* instead of 2.95 to 3.05" "nested: too few exits" --check

# The same where faults bypass KVM: it has seen one, the guest handled 7.
bypassed() {
	sound | sed 's/zap/bypass/g; s/svm/vmx/; s/"guest_faults":7/"guest_faults":1,"faults_bypass":true/;
		s/"exits_total":23/"exits_total":12/; s/"exits_per_guest_fault":3.0/"exits_per_guest_fault":null/;
		s/"classes":{[^}]*}/"classes":{"inject":1,"pte-write":6,"async":4,"other":1}/'
}

bypassed >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "bypass: a sound run is taken"
like "$OUT" "vmx +6.12 +anon +64 +1.000" "bypass: exits are divided by the guest's own count"
like "$OUT" "bypass: all exits but async and other" "bypass: the table says so"
rm -f "$OUT_FILE"
bypassed | sed 's/"guest_faults":1/"guest_faults":8/' >"$RESULTS"
refused "bypass anon 64: 8 guest faults counted, but the guest handled 7" "bypass: more faults than there were"
bypassed | sed 's/"pte-write":6,"async":4/"pte-write":7,"async":3/' >"$RESULTS"
refused "1.143 exits per guest fault.* instead of 0.95 to 1.05" "bypass: too many exits" --check

# A host's results: one torture run of 9 steps.
tortured() {
	cat <<-'END'
		{"job":{"kernel":"6.12.1","vendor":"svm","policy":"zap","workload":"torture","paging":"64"},"status":0,"guest":{"schema":"faultline.torture/1","paging":"64","seed":1,"steps":9,"disagreements":0,"accesses":5,"must_fault":2,"must_not_fault":2,"may_fault":1,"faults":3}}
		{"end":true,"runs":1}
	END
}

tortured >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "a torture run is taken"
like "$OUT" "svm +6.12 +torture +64 +zap +9 +2 +2 +1 +3 +none" "a torture run is shown"
is "$(jq -r '.runs[0] | "\(.schema) \(.line) \(.workload) \(.seed)"' "$OUT_FILE")" \
	"faultline.torture/1 6.12 torture 1" "a torture run is written"
tortured | sed 's/"workload":"torture"/"workload":"nested-torture"/; s/zap/prefault+sticky/' >"$RESULTS"
check --check --expect 1
is "$STATUS:$ERR" "0:" "a run of nested page tables is taken"
like "$OUT" "svm +6.12 +nested-torture +64 +prefault\+sticky +9 +2 +2 +1 +3 +none" "it is shown"
rm -f "$OUT_FILE"
tortured | sed 's/"disagreements":0/"disagreements":1/' >"$RESULTS"
refused "not a faultline.torture/1 without disagreements" "a disagreement"
tortured | sed 's/"must_fault":2/"must_fault":3/' >"$RESULTS"
refused "accesses don't add up to 5" "accesses that don't add up"
tortured | sed 's/"must_fault":2/"must_fault":1/; s/"may_fault":1/"may_fault":2/' >"$RESULTS"
refused "2 of 5 accesses were allowed to fault and not to" "too many undecided accesses"
tortured | sed 's/"guest":/"geust":/' >"$RESULTS"
refused "zap torture 64: nothing came from the guest" "a torture guest that said nothing"
tortured | sed 's/"status":0/"status":1,"error":"torture: seed 1, step 2: no"/' >"$RESULTS"
refused "zap torture 64 failed: torture: seed 1, step 2: no" "a torture run that failed"

sound | sed 2d >"$RESULTS"
refused "has no end" "no end line"
sound | sed 's/"runs":1/"runs":2/' >"$RESULTS"
refused "1 runs arrived of 2" "a line got lost"
sound | cut -c 1-300 >"$RESULTS"
refused "line 1 is not JSON" "a truncated line"
: >"$RESULTS"
refused "has no end" "nothing at all"

try "$TOP/build/bin/lab-results" -o "$OUT_FILE"
fails 2 "at least one file of results" "no file named"
try "$TOP/build/bin/lab-results" -o "$OUT_FILE" "$SCRATCH/none"
fails 1 "cannot read .*/none: No such file" "no such file"
try "$TOP/build/bin/lab-results" --expect x -o "$OUT_FILE" "$RESULTS"
fails 2 "--expect 'x' is not a number from 1 on" "an expectation that is no number"
try "$TOP/build/bin/lab-results" --chek
fails 2 "--chek is no option" "unknown option"
done_testing
