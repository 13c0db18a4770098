#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The measurement itself, on emulated AMD and Intel hosts that run our kernel:
# the BPF object through that kernel's verifier, the counts against the guest's
# own, and exits per guest fault against what each policy makes them.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS VCPUS CPUS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR

# lab VARIABLE=VALUE...: runs the lab, with the results in $SCRATCH/NAME.json
lab() {
	local name=$1

	shift
	try env OUT="$SCRATCH/$name.json" CHECK=y "$@" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$name: the run passes every check"
	diag "$(sed -n '/^vendor/,$p' <<<"$OUT")"
}

# runs NAME JQ-EXPRESSION: the expression's value for each run, one a line
runs() {
	jq -r ".runs[] | $2" "$SCRATCH/$1.json"
}

# splats VENDOR: what the kernel complained of. On Bochs, it does so at boot
# about the CPU's topology, which is Bochs's affair.
splats() {
	grep -aE 'WARNING:|BUG:|Oops|Call Trace' "$TOP/build/log/console-$1-6.12.log" |
		grep -vE 'WARNING: .* at arch/x86/kernel/cpu/topology_common.c|^\[ +0\.0+\] Call Trace:' || true
}

lab all
is "$(runs all '"\(.vendor) \(.line) \(.workload) \(.paging) \(.policy)"' | sort | uniq | wc -l)" 18 \
	"all: 2 workloads x 3 paging modes x 3 policies"
is "$(runs all 'select(.guest_faults < 1999) | .policy')" "" "all: at least 1999 faults each"
is "$(runs all 'select(.guest_faults != .guest.faults_handled) | .policy')" "" \
	"all: as many faults counted as the guest's handler saw"
is "$(runs all 'select((.classes | add) != .exits_total) | .policy')" "" \
	"all: the classes add up to the exits"
is "$(runs all 'select((.classes_in_episodes | add) != .exits_in_episodes) | .policy')" "" \
	"all: so do the episodes' shares"
is "$(runs all 'select((.histogram | add) != .guest_faults) | .policy')" "" \
	"all: every guest fault is an episode"
is "$(runs all 'select((.exit_reasons | add) != .exits_total) | .policy')" "" \
	"all: so do the exit reasons"
is "$(runs all 'select(.lost_events != 0 or .open_episodes != 0) | .policy')" "" \
	"all: nothing is lost, nothing is left open"
is "$(runs all 'select(.workload == "anon" and .policy == "update" and .classes.refault > 10) | .paging')" "" \
	"all: an update makes refaults go away"
is "$(splats svm)" "" "all: no splat on the console"

# exits_in_episodes of the runs that both files have, as "first second"
lab again WORKLOAD=anon PAGING=64
# shellcheck disable=SC2016 # jq's variables
differing='($all[0].runs | map({key: "\(.policy) \(.workload) \(.paging)", value: .exits_in_episodes})
	| from_entries) as $first | .runs[]
	| $first["\(.policy) \(.workload) \(.paging)"] as $before
	| select(($before - .exits_in_episodes | fabs) > $before / 1000) | .policy'
is "$(jq -r --slurpfile all "$SCRATCH/all.json" "$differing" "$SCRATCH/again.json")" "" \
	"again: the same exits in episodes to within 0.1 %"

# Both vendors: but for interrupts, every class has the same count.
lab both VENDOR='svm vmx' PAGING=64 FAULTS=499
for vendor in svm vmx; do
	jq --arg vendor "$vendor" '[.runs[] | select(.vendor == $vendor)
		| {policy, workload, guest_faults, classes: .classes | del(.async)}]' \
		"$SCRATCH/both.json" >"$SCRATCH/$vendor"
done
is "$(jq length "$SCRATCH/vmx")" 6 "both: 2 workloads x 3 policies on an Intel host"
is "$(diff "$SCRATCH/svm" "$SCRATCH/vmx" || true)" "" "both: the same counts on AMD and Intel"
is "$(splats vmx)" "" "both: no splat on the Intel host's console"

# Where faults on pages that aren't mapped bypass KVM, one exit is left of each.
# tests/all/bypass.t has the other paging modes.
lab bypass VENDOR=vmx POLICY='update bypass' PAGING=64 FAULTS=499
is "$(runs bypass 'select(.policy == "bypass") | .faults_bypass' | xargs)" "true true" \
	"bypass: the collector says so"
is "$(runs bypass 'select(.policy == "bypass" and .workload == "anon" and .guest_faults > 10) | .paging')" "" \
	"bypass: next to no fault of a first touch passes through KVM"
is "$(runs bypass 'select(.policy == "bypass" and .workload == "cow" and .guest_faults != 499) | .paging')" "" \
	"bypass: each fault on a present page does"
is "$(runs bypass 'select(.policy == "bypass" and .exits_per_guest_fault != null) | .paging')" "" \
	"bypass: no exits per guest fault without the guest's own count"
try env OUT="$SCRATCH/refused.json" VENDOR=svm POLICY=bypass WORKLOAD=anon PAGING=64 "$TOP/lab/run"
fails 1 "KVM refuses bypass_guest_pf" "bypass: an AMD host refuses"
like "$(<"$TOP/build/log/console-svm-6.12.log")" "bypass_guest_pf refused: the CPU can't intercept" \
	"bypass: and says why"

# With NPT and EPT, what the host sees is that it lacks the guest's memory: each
# page frame once, and a device that the guest reads 97 times.
lab tdp VENDOR='svm vmx' CMDLINE='kvm_amd.npt=1 kvm_intel.ept=1' POLICY=unsync WORKLOAD=anon \
	PAGING=64 FAULTS=499 MICRO_OPTIONS='--not-resident --device-reads 97'
is "$(runs tdp '"\(.vendor) \(.mmu) \(.guest_faults) \(.classes.fill) \(.classes.mmio)"' | xargs)" \
	"svm tdp 0 499 97 vmx tdp 0 499 97" "tdp: nested page faults and EPT violations are fills"
is "$(runs tdp '.exit_reasons | keys | map(select(test("npf|ept"))) | .[]' | xargs)" \
	"npf ept_misconfig ept_violation" "tdp: and have their names"
is "$(runs tdp '.host_faults.kinds | to_entries | map(select(.value > 0)) | from_entries | tojson' | xargs -d '\n')" \
	'{"touch-minor":499,"mmio":97} {"touch-minor":499,"mmio":97}' \
	"tdp: each frame is a first touch, each read of the device an access to one"
same "$(runs tdp '.host_faults.kinds | add')" \
	"$(runs tdp '.exit_reasons | [.npf, .ept_violation, .ept_misconfig] | add')" \
	"tdp: the kinds add up to the exits for page faults"
is "$(runs tdp '[.host_faults.page_sizes["4K"], ([.touched_areas[].touches] | add)] | tojson' | xargs)" \
	"[499,499] [499,499]" "tdp: so do the pages obtained, and the host's memory they are in"

# Each page that the guest writes to with the dirty log on was write-protected
# once; the log has them all.
lab dirty CMDLINE=kvm_amd.npt=1 POLICY=unsync WORKLOAD=anon PAGING=64 FAULTS=499 \
	MICRO_OPTIONS=--dirty-log
is "$(runs dirty '.guest.dirty_pages > 499')" true "dirty: the log has the frames, and tables"
same "$(runs dirty '.host_faults.kinds["write-protect"]')" "$(runs dirty .guest.dirty_pages)" \
	"dirty: as many faults as pages in the log"
is "$(runs dirty '.host_faults.total - .host_faults.kinds["write-protect"]')" 0 "dirty: and no others"

# Frames that are all one page of zeros: a write has the host make a copy, and
# then map it.
lab zeros CMDLINE=kvm_amd.npt=1 POLICY=unsync WORKLOAD=anon PAGING=64 FAULTS=499 \
	MICRO_OPTIONS=--zero-pages
is "$(runs zeros '[.host_faults.kinds.copy, .host_faults.total] | tojson')" "[998,998]" \
	"zeros: two exits for each copy, and no others"

# Four vCPUs that fault at once, on one set of page tables and on four CPUs; then
# each on its own, and on one CPU. Each vCPU's counts are checked as they arrive.
lab shared VCPUS=4 PAGING=64 FAULTS=499
like "$(<"$TOP/build/log/console-svm-6.12.log")" "Booting Node 0 Processor 3 " "shared: the host has four CPUs"
lab separate VCPUS=4 CPUS=1 MICRO_OPTIONS=--separate PAGING=32 FAULTS=499 POLICY='zap unsync'
for name in shared separate; do
	is "$(runs "$name" '.vms[].vcpus | map(.guest_faults) | join(" ")' | sort -u)" "499 499 499 499" \
		"$name: each vCPU has its own faults"
	is "$(runs "$name" '.vms[].vcpus[] | select((.classes | add) != .exits_total
		or (.histogram | add) != .guest_faults) | .id')" "" \
		"$name: and each vCPU's figures add up"
done

# A PAE entry written in halves traps twice.
lab halves WORKLOAD=anon PAGING=pae POLICY=unsync MICRO_OPTIONS=--pae-halves
try env OUT="$SCRATCH/twice.json" WORKLOAD=anon PAGING=pae POLICY='zap update' \
	MICRO_OPTIONS=--pae-halves "$TOP/lab/run"
is "$STATUS" 0 "halves: zap and update run"
is "$(runs twice '"\(.policy) \(.classes["pte-write"])"' | xargs)" "zap 3998 update 3998" \
	"halves: two writes trap for each fault"

# Memory that the host has yet to allocate: the update finds no page, and
# leaves it to the fault path.
try env OUT="$SCRATCH/absent.json" WORKLOAD=anon PAGING=64 POLICY=update \
	MICRO_OPTIONS=--not-resident "$TOP/lab/run"
is "$STATUS" 0 "not resident: update runs"
is "$(runs absent '.classes.refault >= 1999')" true "not resident: every fault has a refault"
done_testing
