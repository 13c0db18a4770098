#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline stat on virtual machines that run already: options, signals, outputs.
# What it counts is checked on emulated hosts, in tests/lab-counts.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"

JSON=$SCRATCH/run.json

# ---- calls ----

# stat_fails STATUS REGEX ARGUMENT...
stat_fails() {
	command_fails stat "$@"
}

stat_fails 2 "-d 0 is not a number of seconds.*try '-d 10'" -a -d 0
stat_fails 2 "-d x is not a number of seconds" -a -d x
stat_fails 2 "-d nan is not a number of seconds" -a -d nan
stat_fails 2 "-i -1 is not a number of seconds" -a -i -1
stat_fails 2 "-p 0 is not a number from 1 on" -p 0
stat_fails 2 "-p 12x is not a number" -p 12x
stat_fails 2 "-v -1 is not a number from 0 on" -a -v -1
stat_fails 2 "-p, --vm and -a exclude each other" -a -p 1
stat_fails 2 "--json and --csv exclude each other" -a --json --csv
stat_fails 2 "-d and COMMAND exclude each other" -d 1 -- true
stat_fails 1 "cannot write .*/none/run: No such file or directory; .*name a file elsewhere" -a -o "$SCRATCH/none/run"

if ((EUID != 0)) || ! "$FAULTLINE" check >/dev/null 2>&1; then
	skip 47 "this machine can't be measured; 'faultline check' says why"
	done_testing
	exit
fi

# As in a container, where BPF has other PIDs than we have.
try unshare --pid --fork --mount-proc "$FAULTLINE" stat -- true
fails 1 "PID namespace.*nsenter -t 1 -p" "a PID namespace of its own"
if [[ $(stat -L --format=%i /proc/self/ns/pid) != 4026531836 ]]; then
	skip 45 "in a PID namespace of its own, processes can't be selected"
	done_testing
	exit
fi

stat_fails 1 "process 1 runs no virtual machine; -a measures all" -p 1
stat_fails 1 "there is no process 4194304" -p 4194304
stat_fails 1 "no virtual machine is called 'no such one'" --vm "no such one"
stat_fails 1 "cannot run /none: No such file or directory; name a program" -- /none

# ---- a virtual machine ----

need_vms 39

field() {
	jq -r "$1" "$JSON"
}

# More processes than there is room for at once, but one after the other.
# shellcheck disable=SC2016 # for the inner shell
try "$FAULTLINE" stat --json -o "$JSON" -- bash -c '
	for ((i = 0; i < 4200; i++)); do /bin/true; done
	"$1" --faults 499 >/dev/null
	true' bash "$MICRO"
is "$STATUS:$ERR:$(field '.guest_faults >= 499')" "0::true" "COMMAND: starts a VM after thousands of others"

start_vm
# As in a container again, where another process has the PID.
# shellcheck disable=SC2016 # for the inner shell
try unshare --pid --fork --mount-proc bash -c '
	echo $(($2 - 1)) >/proc/sys/kernel/ns_last_pid
	sleep 1000 &
	"$1" stat -a -d 0.5 --json -o "$3"' bash "$FAULTLINE" "$VM" "$JSON"
is "$STATUS:$ERR" "0:" "-a: measured in a PID namespace"
is "$(field ".vms[] | select(.pid == $VM) | .name")" "micro" "-a: its VM isn't called as a process in there"

try "$FAULTLINE" stat -p "$VM" -d 1 --json -o "$JSON"
is "$STATUS:$ERR" "0:" "-p: measured"
is "$(field '.vms | length')" 1 "-p: one VM"
is "$(field '.vms[0].pid')" "$VM" "-p: that one"
is "$(field '.vms[0].name')" "micro" "-p: by its process's name"
same "$(field '[.vms[].guest_faults] | add')" "$(field .guest_faults)" "-p: the VMs add up to the whole"
is "$(field '.guest_faults > 0')" true "-p: it took faults"

try "$FAULTLINE" stat --vm micro -d 1 --json -o "$JSON"
is "$STATUS:$ERR:$(field '.vms[0].pid')" "0::$VM" "--vm: by the process's name"

try "$FAULTLINE" stat -a -d 1 --json -o "$JSON"
is "$STATUS:$ERR" "0:" "-a: measured"
is "$(field "[.vms[].pid] | index($VM) != null")" true "-a: the VM is among them"

try "$FAULTLINE" stat -p "$VM" -d 2 -i 0.5 --json
is "$STATUS:$ERR" "0:" "-i: measured"
is "$(jq -rs '[.[] | select(.interval)] | length >= 3' <<<"$OUT")" true "-i: several intervals"
same "$(jq -rs '[.[] | select(.interval) | .guest_faults] | add' <<<"$OUT")" \
	"$(jq -rs '.[-1] | .guest_faults' <<<"$OUT")" "-i: they add up to the whole"
is "$(jq -rs '.[-1].interval' <<<"$OUT")" null "-i: the whole comes last"

try "$FAULTLINE" stat -p "$VM" -d 1 --csv
is "$STATUS:$ERR" "0:" "--csv: measured"
is "$(awk -F, '{ print NF }' <<<"$OUT" | sort -u | wc -l)" 1 "--csv: every line has as many fields"
is "$(wc -l <<<"$OUT")" 3 "--csv: names, the VM, all of them"

try "$FAULTLINE" stat -p "$VM" -- sleep 1
is "$STATUS:$ERR" "0:" "-p with COMMAND: as long as COMMAND runs"

try "$FAULTLINE" stat -p "$VM" -d 0.2 -o /dev/full
fails 1 "cannot write .*No space left" "a full output"
STATUS=0
"$FAULTLINE" stat -p "$VM" -d 0.2 2>"$SCRATCH/err" | true || STATUS=${PIPESTATUS[0]}
ERR=$(<"$SCRATCH/err")
fails 1 "Broken pipe; what reads it has ended, so write to a file first" "a closed pipe"

echo before >"$SCRATCH/exists"
try "$FAULTLINE" stat -p "$VM" -d 1 --json -o "$SCRATCH/exists"
like "$(<"$SCRATCH/exists")" '^\{"schema"' "an output that exists is replaced"

try "$FAULTLINE" stat -p "$VM" -v 99 -d 0.5
fails 1 "no VM exit of vCPU 99 was seen; .*leave -v out" "-v: a vCPU that there isn't"

# ---- a policy that changes ----

# Parameters as a kernel with the series has them; they are changed when the
# second interval has begun.
# shellcheck disable=SC2016 # for the inner shell
try unshare --mount bash -c '
	mount -t tmpfs none /sys/module/kvm/parameters
	cd /sys/module/kvm/parameters
	echo N >oos_shadow
	echo Y >pte_update
	: >"$3"
	"$1" stat -p "$2" -d 4 -i 1 --json >"$3" &
	until [[ $(wc -l <"$3") -ge 1 ]] || ! kill -0 $!; do sleep 0.1; done
	echo N >pte_update
	wait $!
	echo Y >pte_update
	echo Y >bypass_guest_pf
	"$1" stat -p "$2" -d 0.5 --json >"$4"' bash "$FAULTLINE" "$VM" "$SCRATCH/policies" "$SCRATCH/bypass"
is "$STATUS:$ERR" "0:" "a policy that changes: measured"
is "$(jq -rs '"\(.[0].policy) \(.[-2].policy) \(.[-1].policy)"' "$SCRATCH/policies")" \
	"update zap mixed" "a policy that changes: each interval has its own, the whole is mixed"
is "$(jq -r '"\(.policy) \(.faults_bypass)"' "$SCRATCH/bypass")" "bypass false" \
	"bypass for guests that are made now: this one was made before, and nothing bypasses"

# ---- two of one name ----

start_vm
try "$FAULTLINE" stat --vm micro -d 0.2
fails 1 "[0-9]+ processes run a virtual machine called 'micro': .*$VM.*by -p" "two VMs of one name"
stop_vms

# ---- one with a name of its own ----

if qemu=$(command -v qemu-system-x86_64); then
	"$qemu" -accel kvm -nodefaults -display none -m 64 \
		-name "guest=the first,debug-threads=on" >/dev/null 2>&1 &
	VMS=($!)
	until [[ -n $(find "/proc/$!/fd" -lname 'anon_inode:kvm-vm' 2>/dev/null) ]] ||
		! kill -0 $! 2>/dev/null; do
		sleep 0.05
	done
	rm -f "$JSON"
	"$FAULTLINE" stat --vm "the first" -d 1 --json -o "$JSON" 2>/dev/null || true
	is "$(field '.vms[0] | "\(.pid) \(.name)"')" "${VMS[0]} the first" "--vm: by the name that QEMU was told"
	try "$FAULTLINE" stat --vm "first" -d 0.5
	fails 1 "no virtual machine is called 'first'" "--vm: the whole name"
	stop_vms
else
	skip 3 "qemu-system-x86_64 is not installed"
fi

# ---- ends ----

# ended_by SIGNAL: what a measurement without an end in time leaves
ended_by() {
	start_vm
	rm -f "$JSON"
	"$FAULTLINE" stat -p "$VM" --json -o "$JSON" 2>"$SCRATCH/err" &
	pid=$!
	until_attached "$pid"
	sleep 1
	programs=$(count_programs)
	kill "-$1" "$pid"
	STATUS=0
	wait "$pid" || STATUS=$?
	is "$STATUS:$(field .schema)" "0:faultline.run/1" "SIG$1: what was measured is printed"
	stop_vms
}

ended_by TERM
ended_by HUP

# A COMMAND that goes on, until it sees what was measured, or gives up.
start_vm
rm -f "$JSON"
# shellcheck disable=SC2016 # for the inner shell
"$FAULTLINE" stat -p "$VM" --json -o "$JSON" -- bash -c '
	trap "" TERM
	: >"$1"
	for ((i = 0; i < 300; i++)); do
		[[ ! -e $2 ]] || exit 0
		sleep 0.1
	done
	exit 9' bash "$SCRATCH/goes-on" "$JSON" 2>"$SCRATCH/err" &
pid=$!
until [[ -e $SCRATCH/goes-on ]] || ! kill -0 "$pid"; do
	sleep 0.05
done
sleep 1
kill -TERM "$pid"
STATUS=0
wait "$pid" || STATUS=$?
is "$STATUS:$(<"$SCRATCH/err")" "0:" "SIGTERM and a COMMAND that ignores it: what was measured comes first"
is "$(field '.schema')" faultline.run/1 "SIGTERM and a COMMAND that ignores it: it is printed"
stop_vms

start_vm
(sleep 3; stop_vms) &
try "$FAULTLINE" stat -p "$VM" --json -o "$JSON"
wait
is "$STATUS:$ERR" "0:" "the process dies: measured up to then"
is "$(field '.guest_faults > 0')" true "the process dies: its faults are there"

# No program of ours is left in the kernel, where they were before.
like "$programs" "^[1-9]" "programs are in the kernel while it measures"
is "$(count_programs)" 0 "the programs are gone"
is "$(find "$SCRATCH" -name '*.??????')" "" "no temporary file is left"
done_testing
