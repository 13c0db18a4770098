#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016 # the stand-in's variables
# ci/gate: verdicts on runs that are made up, on stand-ins for emulated hosts,
# whose kernel is a file that says what the run comes to; and on a real one.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"
unset LINE POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY OBJECTS GUEST_KERNEL VCPUS CPUS TRACE LIMITS RUNS GATE_SAME

export GATE_DIR=$SCRATCH/gate

# ---- a real one, short ----

export WORKLOAD=anon FAULTS=499 RUNS=2
try "$TOP/ci/gate" --store "$SCRATCH/update" 6.12@update
is "$STATUS:$ERR" "0:" "a base is measured"
try "$TOP/ci/gate" "$SCRATCH/update" 6.12@zap
is "$STATUS:$ERR" "1:" "zap is a regression against update"
like "$OUT" "exits per guest fault +2.000 +3.000 .*REGRESSION"$'\n' "and the table says so"
like "$OUT" "refault +0.0 +499.0 +\+499.0"$'\n' "and which exits explain it"
diag "$(sed -n '/paging:/,$p' <<<"$OUT")"
try "$TOP/ci/gate" "$SCRATCH/update" 6.12@update
is "$STATUS:$ERR" "0:" "a kernel is none against itself"
is "$(jq -c '[.findings[] | .change, .low, .high] | unique' "$GATE_DIR/verdict.json")" '[0]' \
	"and its runs are the same, to the instruction"
diag "$(sed -n '/paging:/,$p' <<<"$OUT")"

# ---- stand-ins ----

export LAB_HOST_DIR=$SCRATCH/hosts VENDOR=fake
mkdir "$LAB_HOST_DIR"
cat >"$LAB_HOST_DIR/fake" <<'END'
#!/bin/bash
# Each call takes the next line of the kernel: instructions, refaults, faults.
calls=$1.calls
echo >>"$calls"
lines=$(wc -l <"$1")
read -r instructions refaults faults < <(sed -n "$((($(wc -l <"$calls") - 1) % lines + 1))p" "$1")
[[ $instructions != panics ]] || { echo "Kernel panic" >"$4"; exit; }
[[ $instructions != hangs ]] || exec sleep 1000
if [[ $instructions == fails ]]; then
	echo '{"job":{"kernel":"6.12.1","vendor":"svm","policy":"unsync","workload":"anon","paging":"64"},"status":1,"error":"'"${refaults//_/ }"'"}' >"$3"
	echo '{"end":true,"runs":1}' >>"$3"
	exec sleep 1000
fi
faults=${faults:-499} exits=$((2 * faults + refaults))
cat >"$3" <<JSON
{"job":{"policy":"unsync","workload":"anon","paging":"64"},"status":0,"run":{"schema":"faultline.run/1","line":"6.12","kernel":"6.12.1","vendor":"svm","mmu":"shadow","policy":"unsync","workload":"anon","paging":"64","level":"exits","vcpus":1,"guest_faults":$faults,"exits_total":$exits,"exits_in_episodes":$exits,"classes":{"inject":$faults,"pte-write":$faults,"refault":$refaults},"classes_in_episodes":{"inject":$faults,"pte-write":$faults,"refault":$refaults},"histogram":{"2":$((faults - refaults)),"3":$refaults},"exit_reasons":{"exception_pf":$exits},"open_episodes":0,"lost_events":0,"duration_ns":$((2 * instructions)),"clock":"virtual"},"guest":{"schema":"faultline.guest/1","faults_asked":$faults,"faults_handled":$faults}}
{"end":true,"runs":1}
JSON
sleep 1000
END
chmod +x "$LAB_HOST_DIR/fake"

# kernel NAME LINE...: a file that stands for a kernel
kernel() {
	local file=$SCRATCH/$1

	shift
	printf '%s\n' "$@" >"$file"
	rm -f "$file.calls"
}

# gate BASE CANDIDATE: files in SCRATCH
gate() {
	rm -rf "$GATE_DIR" "$SCRATCH"/*.calls
	try "$TOP/ci/gate" "$SCRATCH/$1" "$SCRATCH/$2"
}

# nothing NAME: no verdict, no runs and no process are left.
nothing() {
	is "$(find "$GATE_DIR" -mindepth 1 ! -name '*.log' ! -name '*.console' 2>/dev/null; pgrep -f "$LAB_HOST_DIR/fake" || true)" "" \
		"$1: nothing is left that could be taken for a result"
}

export RUNS=3
kernel base '1000000 4' '1000100 4' '1000200 4'
kernel same '1000100 4' '1000150 4' '1000050 4'
kernel slow '1010000 4' '1010100 4' '1010200 4'
kernel fast '990000 4' '990100 4' '990200 4'
kernel noisy '1000000 4' '1030000 4' '1001000 4'
kernel more '1000000 499' '1000100 499' '1000200 499'

gate base same
is "$STATUS:$ERR" "0:" "no change: pass"
is "$(jq -c '[.schema, .regressed, .base.runs, .candidate.runs]' "$GATE_DIR/verdict.json")" \
	'["faultline.verdict/1",false,3,3]' "no change: verdict.json"
like "$(<"$GATE_DIR/junit.xml")" 'tests="3" failures="0"' "no change: junit.xml"
like "$(<"$GATE_DIR/summary.md")" 'gate: pass' "no change: summary.md"
gate base slow
is "$STATUS:$ERR" "1:" "1 % more instructions: regression"
like "$(<"$GATE_DIR/junit.xml")" 'failures="1".*name="instructions"><failure message="\+1.00 %, more than \+0.50 %"' \
	"1 % more instructions: junit.xml"
like "$(<"$GATE_DIR/summary.md")" 'instructions \| 1000100 \| 1010100 \| \+1.00 % \| \+0.50 % \| REGRESSION' \
	"1 % more instructions: summary.md"
LIMITS='--limit-instructions 2 --limit-cycles 2' gate base slow
is "$STATUS:$ERR" "0:" "1 % more instructions, 2 % allowed: pass"
gate base fast
is "$STATUS:$ERR" "0:" "1 % fewer: pass"
gate base noisy
is "$STATUS:$ERR" "0:" "1 % more on average, by one run of three: no difference can be shown"
gate base more
is "$STATUS:$ERR" "1:" "as many instructions, more exits: regression"
is "$(jq -c '[.findings[].regressed]' "$GATE_DIR/verdict.json")" '[false,true,true]' \
	"as many instructions, more exits: in exits and in the estimate"
is "$(jq -c '[.guest_faults.change, .exits_total.change, .classes.refault.change]' "$GATE_DIR/verdict.json")" \
	'[0,495,495]' "as many instructions, more exits: by class, in verdict.json"
like "$(<"$GATE_DIR/summary.md")" '\| refault \| 4.0 \| 499.0 \| \+495.0 \|' "and in summary.md"
LIMITS='--exit-cycles 0 --limit-exits 100' gate base more
is "$STATUS:$ERR" "0:" "as many instructions, exits for free: pass"

# Against what was measured before
rm -rf "$GATE_DIR"
try "$TOP/ci/gate" --store "$SCRATCH/stored" "$SCRATCH/base"
is "$STATUS:$ERR:$(find "$SCRATCH/stored" -name "*.json" | wc -l)" "0::3" "runs are stored"
gate stored slow
is "$STATUS:$ERR" "1:" "against stored runs: regression"
try "$TOP/ci/gate" --store "$SCRATCH/stored" "$SCRATCH/base"
fails 2 "stored' is there already" "stored runs aren't overwritten"
sed -i 's/"workload": *"anon"/"workload":"cow"/' "$SCRATCH"/stored/*.json
gate stored slow
fails 3 "not comparable: the runs are of several workloads" "a baseline from another workload"
sed -i 's:faultline.run/1:faultline.run/9:' "$SCRATCH"/stored/*.json
gate stored slow
is "$STATUS" 3 "a baseline of another schema: exit status 3"
nothing "a baseline of another schema"

# How much runs differ, and what the gate would say how often
rm -rf "$SCRATCH/stored"
for name in base slow; do
	rm -f "$SCRATCH"/*.calls
	try "$TOP/ci/gate" --store "$SCRATCH/stored-$name" "$SCRATCH/$name"
done
try "$TOP/ci/gate" spread "$SCRATCH/stored-base" "$SCRATCH/stored-slow"
is "$STATUS:$ERR" "0:" "the spread of stored runs"
like "$OUT" 'base: 3 runs .*instructions +1000100.0 +1000000 +1000200 +0.0200%.*exits +1002.0 +1002 +1002 +0.0000%' \
	"the least, the most, and how far they are apart"
like "$OUT" 'candidate against the base: a regression in 20 of 20 .*itself: a regression in 0 of 100 ' \
	"how often it is a regression: always, and never against itself"
first=$OUT
LIMITS='--seed 1 --limit-instructions 1 --limit-cycles 1' try "$TOP/ci/gate" spread "$SCRATCH/stored-base" "$SCRATCH/stored-slow"
like "$OUT" 'a regression in [0-9] of 20 ' "at a limit of what it is slower by: by chance"
try "$TOP/ci/gate" spread "$SCRATCH/stored-base" "$SCRATCH/stored-slow"
is "$OUT" "$first" "the same seed: the same tries"
try "$TOP/ci/gate" spread "$SCRATCH/base"
fails 2 "base' is no directory that --store has made" "spread of what isn't stored"
LIMITS='--tries none' try "$TOP/ci/gate" spread "$SCRATCH/stored-base"
fails 2 "'none' is not a number from 1" "spread: no number of tries"

# ---- trees, which are "built" by copying ----

# tree NAME LINE...: a kernel tree that becomes such a file
tree() {
	fake_kernel "$SCRATCH/$1" 3
	printf '%s\n' "${@:2}" >"$SCRATCH/$1/kernel/fork.c"
	: >"$SCRATCH/$1/arch/x86/kvm/mmu.c"
}

export CONFIG_DIR=$SCRATCH/config
mkdir "$CONFIG_DIR"
echo CONFIG_KVM=y >"$CONFIG_DIR/lab.config"
tree old '1000000 4' '1000100 4' '1000200 4'
tree new '1010000 4' '1010100 4' '1010200 4'
PATCHES_DIR=$SCRATCH/patches make_patch 1.patch "$SCRATCH/old" s/old/older/ kernel/old.c
PATCHES_DIR=$SCRATCH/patches FAULTLINE_CACHE=$SCRATCH/cache gate old new
is "$STATUS:$ERR" "1:" "two trees: each is built and measured"
like "$OUT" "instructions +1000100 +1010100 " "two trees: neither takes the other's place"
echo 'error: this does not compile' >"$SCRATCH/new/kernel/fork.c"
PATCHES_DIR=$SCRATCH/patches FAULTLINE_CACHE=$SCRATCH/cache gate old new
fails 3 "the build failed: .*error: this does not compile" "a tree that doesn't compile"
rm -r "$SCRATCH/old" "$SCRATCH/new"

# ---- history ----

export HISTORY=$SCRATCH/history.db
for n in 1 2 3 4 5 6; do
	kernel "k$n" "$((1000000 + n)) 4" "$((1000000 + n)) 4" "$((1000000 + n)) 4"
done
kernel k4 '1006000 4' '1006001 4' '1006002 4'
kernel k5 '1006003 4' '1006001 4' '1006002 4'
kernel k6 '1006002 4' '1006002 4' '1006003 4'
for n in 1 2 3 4 5 6; do
	KERNEL_NAME=v$n gate base "k$n"
done
is "$STATUS:$ERR" "1:" "a kernel goes into the history, whatever the verdict"
try "$TOP/ci/gate" trend
is "$STATUS:$ERR" "0:" "the history is shown"
is "$(grep -c '^  20.*  v[1-6] ' <<<"$OUT"):$(grep -c 'REGRESSION' <<<"$OUT")" "6:3" "each kernel in it, and its verdict"
is "$(grep 'changed by' <<<"$OUT" | cut -d ' ' -f 3-8)" $'instructions changed by +0.60 % with\ncycles (estimate) changed by +0.24 %' \
	"what changed"
like "$OUT" "instructions changed by \+0.60 % with v4 " "and with which kernel"
"$TOP/build/tests/hold-sqlite" "$HISTORY" "$SCRATCH/held" &
holder=$!
until [[ -e $SCRATCH/held ]]; do sleep 0.1; done
gate base slow
fails 3 "cannot use the history .*database is locked" "a history that is locked"
kill "$holder"
wait "$holder" 2>/dev/null || true
rm -rf "$GATE_DIR" "$SCRATCH"/*.calls
# shellcheck disable=SC2016 # for the other shell
try unshare --mount bash -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"' bash \
	"$HISTORY" "$TOP/ci/gate" "$SCRATCH/base" "$SCRATCH/slow"
fails 3 "cannot use the history .*read-only" "a history that is read-only"
nothing "a history that is read-only"
cp "$HISTORY" "$SCRATCH/whole.db"
dd if=/dev/urandom of="$HISTORY" bs=1024 seek=4 count=4 conv=notrunc status=none
gate base slow
fails 3 "history .*(is damaged|malformed)" "a history with a damaged page"
try "$TOP/ci/gate" trend
is "$STATUS" 3 "a history with a damaged page: no trend"
echo "not a database, but longer than a header of one is, as it has to be read" >"$HISTORY"
gate base slow
fails 3 "cannot use the history .*not a database" "a damaged history"
HISTORY=$SCRATCH gate base slow
fails 3 "cannot use the history .*unable to open" "a history that can't be opened"
try env -u HISTORY "$TOP/ci/gate" trend
fails 2 "trend needs HISTORY" "no history"
unset HISTORY

# ---- what can go wrong ----

kernel twice '1000000 4 998'
gate base twice
fails 3 "faults are more than 5 % apart" "not the same amount of work"
nothing "not the same amount of work"
kernel panics '1000000 4' 'panics'
gate base panics
fails 3 "candidate, run 2: fake 6.12 ended without a result" "a kernel that panics at its second run"
nothing "a kernel that panics"
kernel none_such 'fails init:_/dev/kvm_is_missing'
gate base none_such
fails 3 "candidate, run 1: unsync anon 64 failed: init: /dev/kvm is missing; see .*candidate-1.log" "a kernel without KVM"
nothing "a kernel without KVM"
try "$TOP/ci/gate" 6.12-none "$SCRATCH/base"
fails 2 "unknown KERNEL_VARIANT 'none'; known: stock " "a variant that there is none of"
gate base base
fails 2 "the same kernel under the same policy" "the same kernel"
gate base none
fails 2 "none' is no bzImage, no line and no kernel tree" "no such kernel"
mkdir "$SCRATCH/tree"
printf '%s\n' 'VERSION = 3' 'PATCHLEVEL = 2' 'SUBLEVEL = 1' >"$SCRATCH/tree/Makefile"
gate base tree
fails 2 "unknown LINE '3.2'; known:" "a tree of a line that there is no series for"
try "$TOP/ci/gate" "$SCRATCH/base@fast" "$SCRATCH/slow"
fails 2 "unknown policy 'fast'" "an unknown policy"
RUNS=1 gate base slow
fails 2 "RUNS '1' is not a number from 2" "a single run"
WORKLOAD='anon cow' gate base slow
fails 2 "one word each" "two workloads"
WORKLOAD=anno gate base slow
fails 2 "unknown WORKLOAD 'anno'" "an unknown workload"
LIMITS='--limit-exits much' gate base slow
fails 2 "'much' is not a number" "a limit that is none"
try "$TOP/ci/gate"
fails 2 "usage: ci/gate BASE CANDIDATE" "no kernels"
kernel hangs hangs
rm -rf "$GATE_DIR" "$SCRATCH"/*.calls
interrupt "$SCRATCH/hangs.calls" "$TOP/ci/gate" "$SCRATCH/base" "$SCRATCH/hangs"
is "$STATUS" 130 "Ctrl-C: it ends"
nothing "Ctrl-C"
done_testing
