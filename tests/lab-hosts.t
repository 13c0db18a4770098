#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016 # $3 and $4 are the stand-ins'
# lab/run with emulated hosts that go wrong: stand-ins, which need no kernel.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

export LAB_KERNEL=$SCRATCH/kernel LAB_HOST_DIR=$SCRATCH/hosts VENDOR=fake
export OUT_FILE=$SCRATCH/results.json
unset LINE POLICY WORKLOAD PAGING FAULTS STEPS SEED DISTURB TIMEOUT SILENCE CHECK VCPUS CPUS
: >"$LAB_KERNEL"
mkdir "$LAB_HOST_DIR"

# host: the standard input becomes the emulated host. Its arguments are as in
# lab/host/svm: kernel, initrd, results, console.
host() {
	(echo '#!/bin/bash' && cat) >"$LAB_HOST_DIR/fake"
	chmod +x "$LAB_HOST_DIR/fake"
}

lab() {
	try env OUT="$OUT_FILE" "$@" "$TOP/lab/run"
}

# left: processes and directories of a run that are still there
left() {
	grep -laF "$SCRATCH" /proc/[0-9]*/cmdline 2>/dev/null || true
	find "$TOP/build/lab" -name 'run.*'
	find "$SCRATCH" -name 'results.json*'
}

# failed REGEX NAME: status 1, the reason in the last line, nothing left.
failed() {
	is "$STATUS" 1 "$2: exit status 1"
	like "$(tail -n 1 <<<"$ERR")" "^lab/run: $1" "$2: one clear line"
	is "$(left)" "" "$2: nothing is left"
}

# ---- words ----

host <<<'exit 1'
try "$TOP/lab/run" POLICY=zap
fails 2 "'POLICY=zap': there are no arguments, only variables" "a variable behind the command"
lab POLICY=zip
fails 2 "unknown POLICY 'zip'; known: zap update unsync bypass prefault sticky prefault[+]sticky" "unknown policy"
lab WORKLOAD=anno
fails 2 "unknown WORKLOAD 'anno'; known: anon cow linux-anon linux-cow linux-file linux-forkexec kbuild nested nested-sparse nested-reuse nested-boot nested-torture torture boot selftest script" "unknown workload"
lab PAGING='64 63'
fails 2 "unknown PAGING '63'; known: 32 pae 64" "unknown paging mode"
lab VENDOR=cyrix
fails 2 "unknown VENDOR 'cyrix'; known: fake" "unknown vendor"
lab LINE=9.99
fails 2 "unknown LINE '9.99'; known:" "unknown line"
lab POLICY=' '
fails 2 "POLICY is empty" "no policy"
lab FAULTS=many
fails 2 "FAULTS 'many' is not a number" "faults that are no number"
lab SEED=0
fails 2 "SEED '0' is not a number from 1 to 4294967295" "a seed that is no seed"
lab FAULTS=100000001
fails 2 "FAULTS '100000001' is not a number from 1 to 100000000" "more faults than the guest can take"
lab VCPUS=9
fails 2 "VCPUS '9' is not a number from 1 to 8" "more vCPUs than the guest can have"

# ---- hosts ----

host <<<'echo "emulator: cannot do that" >&2; exit 3'
lab
failed "fake 6.12 ended without a result" "an emulator that dies"
like "$ERR" "emulator: cannot do that" "an emulator that dies: its own words are shown"

host <<<'printf "Kernel panic - not syncing: No working init\r\n" >"$4"'
lab
failed "fake 6.12 ended without a result" "a kernel that panics"
like "$ERR" "    Kernel panic - not syncing: No working init" "a kernel that panics: the console is shown"

host <<<'echo booting >"$4"; exec sleep 1000'
lab SILENCE=1
failed "fake 6.12 has been silent for 1 s; it hangs" "a host that hangs"

host <<<'while :; do echo tick >>"$4"; sleep 0.1; done'
lab TIMEOUT=2
failed "fake 6.12 took more than 2 s" "a host that goes on for ever"

host <<<'echo "{\"end\":true,\"runs\":0}" >"$3"; exec sleep 1000'
lab
is "$STATUS" 1 "a host that runs no job: exit status 1"
like "$ERR" "lab-results: 0 runs arrived of 18" "a host that runs no job: one clear line"
is "$(left)" "" "a host that runs no job: nothing is left"

host <<<'echo "[ 1.0] WARNING: CPU: 0 PID: 7 at mmu.c:1" >"$4"; echo "{\"end\":true,\"runs\":0}" >"$3"; exec sleep 1000'
lab
failed "fake 6.12: the kernel complained: .*WARNING: CPU: 0 PID: 7 at mmu.c:1; see" "a splat on the console"

host <<<'touch "$3.started"; touch "'"$SCRATCH"'/started"; sleep 1000 & sleep 1000'
interrupt "$SCRATCH/started" env OUT="$OUT_FILE" "$TOP/lab/run"
is "$STATUS:$(left)" "130:" "Ctrl-C: nothing is left"

# An emulator that isn't installed: its name is nowhere on PATH.
mkdir "$SCRATCH/bin"
for tool in bash env; do
	ln -s "$(command -v "$tool")" "$SCRATCH/bin/$tool"
done
for file in "$TOP"/lab/host/*; do
	try env PATH="$SCRATCH/bin" "$file" kernel initrd "$SCRATCH/results" console ""
	fails 1 "is missing; install the package" "${file##*/}: the emulator is missing"
done

# The real ones, given what is no kernel: QEMU says so, Bochs's boot loader waits.
unset LAB_HOST_DIR
echo "not a kernel" >"$LAB_KERNEL"
lab VENDOR=svm
failed "svm 6.12 ended without a result" "QEMU, and no kernel"
lab VENDOR=vmx SILENCE=20
failed "vmx 6.12 has been silent for 20 s; it hangs" "Bochs, and no kernel"
is "$(pgrep -f "$TOP/build/lab/run\." || true)" "" "no emulator of ours is left"

# A line whose source is gone, going by an apt that knows only what came next.
printf '%s\n' '#!/bin/bash' '[[ $1 != indextargets ]] || echo file:///' >"$SCRATCH/bin/apt-get"
printf '%s\n' '#!/bin/bash' 'echo linux-source-9.9' >"$SCRATCH/bin/apt-cache"
chmod +x "$SCRATCH"/bin/apt-*
try env -u LAB_KERNEL PATH="$SCRATCH/bin:$PATH" FAULTLINE_CACHE="$SCRATCH/cache" LINE=7.2 VENDOR=svm "$TOP/lab/run"
fails 77 "sid has no linux-source-7.2 any more, only linux-source-9.9" "a line without source is skipped"
is "$(left)" "" "a line without source is skipped: nothing is left"
done_testing
