# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # tests use what is set here
#
# Virtual machines for tests that measure on this machine, to be sourced after
# tap.sh.

FAULTLINE=$TOP/build/bin/faultline
MICRO=$TOP/build/lab/micro
VMS=()
VM_OPTIONS=(--workload cow --timeout 3600)

end_vms() {
	((${#VMS[@]} == 0)) || stop_vms
	rm -rf "$SCRATCH"
}
trap end_vms EXIT

# unmeasurable: why nothing can be measured here, or nothing
unmeasurable() {
	if ((EUID != 0)) || ! "$FAULTLINE" check >/dev/null 2>&1; then
		echo "this machine can't be measured; 'faultline check' says why"
	elif [[ $(stat -L --format=%i /proc/self/ns/pid) != 4026531836 ]]; then
		echo "in a PID namespace of its own, processes can't be selected"
	elif [[ $("$FAULTLINE" check --json | jq -r .level) == tdp ]]; then
		echo "with EPT or NPT, KVM doesn't see guests' page faults"
	elif ! "$MICRO" --faults 10 >/dev/null 2>&1; then
		echo "no virtual machine runs here; /dev/kvm is needed"
	fi
}

# need_vms COUNT: where nothing can be measured, skips COUNT tests and ends.
need_vms() {
	local why

	why=$(unmeasurable)
	[[ -n $why ]] || return 0
	skip "$1" "$why"
	done_testing
	exit
}

# takes_faults PID: whether it did in the last tenth of a second
takes_faults() {
	"$FAULTLINE" stat -p "$1" -d 0.1 --json 2>/dev/null | jq -e '.guest_faults > 0' >/dev/null
}

# start_vm: one that takes faults until it is stopped, in the background. VM is its
# pid, and what it says is in $SCRATCH/vm.says, for who wonders why it has ended.
start_vm() {
	(exec -a micro "$MICRO" --faults 100000000 "${VM_OPTIONS[@]}") >"$SCRATCH/vm.says" 2>&1 &
	VM=$!
	VMS+=("$VM")
	until takes_faults "$VM"; do
		kill -0 "$VM" 2>/dev/null || { diag "the VM has ended: $(<"$SCRATCH/vm.says")" && exit 1; }
		sleep 0.05
	done
}

stop_vms() {
	kill "${VMS[@]}" 2>/dev/null || true
	wait "${VMS[@]}" 2>/dev/null || true
	VMS=()
}

# is_attached PID: whether its file descriptors say that it measures
is_attached() {
	[[ -n $(find "/proc/$1/fd" -lname '*bpf[-_]link' -o -lname '*raw-tracepoint' 2>/dev/null) ]]
}

# until_attached PID: returns when it measures.
until_attached() {
	until is_attached "$1"; do
		kill -0 "$1"
		sleep 0.05
	done
}

# How many programs of ours are in the kernel, whoever loaded them.
count_programs() {
	local programs

	programs=$(PATH=$PATH:/usr/sbin bpftool prog show) || return
	grep -c 'name on_kvm_' <<<"$programs" || true
}
