#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline on the running kernel: the BPF object through its verifier, and
# everything that can be wrong with a call, a command or a machine.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FAULTLINE=$TOP/build/bin/faultline

# ---- calls ----

try "$FAULTLINE"
fails 2 "no command given; see" "no subcommand"
try "$FAULTLINE" sstat
fails 2 "unknown command 'sstat'; did you mean 'stat'\? See" "subcommand with a typing error"
try "$FAULTLINE" help sstat
fails 2 "unknown command 'sstat'; did you mean 'stat'\?" "help for a subcommand with a typing error"
try "$FAULTLINE" --vesion
fails 2 "unknown option '--vesion'; did you mean '--version'\?" "option with a typing error, without a subcommand"
try "$FAULTLINE" --version
is "$STATUS:$OUT" "0:faultline $(<"$TOP/VERSION")" "--version"
try "$FAULTLINE" measure
fails 2 "unknown command 'measure'; see" "unknown subcommand"
try "$FAULTLINE" stat
fails 2 "no COMMAND to measure, and no -p, --vm or -a; see" "stat without COMMAND"
try "$FAULTLINE" stat --jsn -- true
fails 2 "unknown option --jsn; did you mean --json\? See .faultline stat --help" "option with a typing error"
try "$FAULTLINE" stat --frobnicate -- true
fails 2 "unknown option --frobnicate; see" "unknown option"
try "$FAULTLINE" stat -az -- true
fails 2 "unknown option -z; see" "unknown letter"
try "$FAULTLINE" stat --json=yes -- true
fails 2 "--json takes no value; see" "a value for an option that takes none"
try "$FAULTLINE" stat -o
fails 2 "-o needs a value; see" "option without its value"
try "$FAULTLINE" stat --set colour=red -- true
fails 2 "--set colour=red is not .* known KEY" "unknown label"
try "$FAULTLINE" stat --set paging -- true
fails 2 "--set paging is not KEY=VALUE" "label without a value"
try "$FAULTLINE" stat --set paging=a-very-long-paging-mode -- true
fails 2 "too long; 15 characters" "label that doesn't fit"
try "$FAULTLINE" stat -o "$SCRATCH" -- true
fails 1 "is a directory; name a file" "output is a directory"
try "$FAULTLINE" stat -o "$SCRATCH/none/file" -- true
fails 1 "cannot write .*/none/file: No such file" "output in no directory"
try "$FAULTLINE" stat --help
is "$STATUS:$ERR" "0:" "stat --help"
try "$FAULTLINE" help stat
is "$STATUS:$ERR" "0:" "help stat"

# ---- machines ----

# without PATH...: runs faultline where the directories PATH are empty.
without() {
	# shellcheck disable=SC2016 # for the inner shell
	try unshare --mount bash -c '
		for dir in $1; do mount -t tmpfs none "$dir"; done
		exec "$2" stat -- true' bash "$*" "$FAULTLINE"
}

if ((EUID != 0)); then
	try "$FAULTLINE" stat -- true
	fails 1 "run as root, or with CAP_BPF" "without privileges"
	skip 18 "the rest loads BPF programs, which needs root"
	done_testing
	exit
fi

try setpriv --reuid=65534 --bounding-set=-all --inh-caps=-all "$FAULTLINE" stat -- true
fails 1 "run as root, or with CAP_BPF" "without privileges"

without /sys/kernel/btf
fails 1 "has no BTF .*CONFIG_DEBUG_INFO_BTF" "without BTF"

# A BTF that knows no KVM, as of a kernel without it, or with it not loaded.
echo 'int x; int main(void) { return x; }' >"$SCRATCH/no-kvm.c"
gcc -g -c "$SCRATCH/no-kvm.c" -o "$SCRATCH/no-kvm.o"
pahole --btf_encode_detached="$SCRATCH/no-kvm.btf" "$SCRATCH/no-kvm.o"

# shellcheck disable=SC2016 # for the inner shell
without_kvm='
	mount -t tmpfs none /sys/kernel/btf
	cp "$1" /sys/kernel/btf/vmlinux
	[[ -z ${3:-} ]] || mount -t tmpfs none /sys/module
	exec "$2" stat -- true'
if [[ -r /sys/kernel/btf/vmlinux ]]; then
	try unshare --mount bash -c "$without_kvm" bash "$SCRATCH/no-kvm.btf" "$FAULTLINE" unloaded
	fails 1 "KVM is not loaded; load kvm_amd or kvm_intel" "KVM not loaded"
else
	skip 2 "the running kernel has no BTF"
fi
if [[ -r /sys/kernel/btf/vmlinux && -d /sys/module/kvm ]]; then
	try unshare --mount bash -c "$without_kvm" bash "$SCRATCH/no-kvm.btf" "$FAULTLINE"
	fails 1 "BTF has no tracepoint kvm_exit, .*CONFIG_TRACEPOINTS=y" "KVM without its tracepoints"
else
	skip 2 "the running kernel has no BTF, or no KVM"
fi

# Built in, or in the kvm module.
for btf in vmlinux kvm; do
	[[ ! -r /sys/kernel/btf/$btf ]] ||
		PATH=$PATH:/usr/sbin bpftool -B /sys/kernel/btf/vmlinux btf dump file "/sys/kernel/btf/$btf"
done >"$SCRATCH/btf"

if ! grep -q "'btf_trace_kvm_exit'" "$SCRATCH/btf"; then
	skip 9 "the running kernel has no BTF of kvm_exit"
else
	# The message is that of a measurement: loading and attaching went well.
	try "$FAULTLINE" stat -- true
	is "$STATUS" 1 "nothing measured is no success"
	like "$ERR" "^faultline: no VM exit (was|and no guest fault was) seen; [^"$'\n'"]*$" \
		"the programs load and attach on the running kernel"
	like "$OUT" "0 guest faults" "what was counted is printed all the same"

	try "$FAULTLINE" stat -o "$SCRATCH/run.json" --json -- sh -c 'exit 3'
	fails 1 "sh failed with status 3; its counts are not" "COMMAND that fails"
	like "$(<"$SCRATCH/run.json")" '^\{"schema":"faultline.run/1"' "its counts are kept"

	try "$FAULTLINE" stat -- "$SCRATCH/no-such-command"
	fails 1 "cannot run .*no-such-command: No such file" "COMMAND that isn't there"

	interrupt "$SCRATCH/started" "$FAULTLINE" stat -o "$SCRATCH/late.json" --json -- \
		sh -c "touch '$SCRATCH/started'; exec sleep 1000"
	is "$STATUS:${IDS}" "1:" "Ctrl-C: COMMAND is gone"
fi
is "$(find "$SCRATCH" -name '*.json.*')" "" "no temporary file is left"
done_testing
