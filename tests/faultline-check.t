#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline check: on this machine as it is, and where things are missing.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

FAULTLINE=$TOP/build/bin/faultline

# field EXPRESSION: of what `faultline check --json` printed
field() {
	jq -r "$1" <<<"$OUT"
}

# ---- calls ----

try "$FAULTLINE" check --jsno
fails 2 "unknown option --jsno; did you mean --json\? See" "unknown option"
try "$FAULTLINE" check everything
fails 2 "unknown argument everything; see" "an argument"
try "$FAULTLINE" check --help
is "$STATUS:$ERR" "0:" "check --help"
try "$FAULTLINE" help check
is "$STATUS:$ERR" "0:" "help check"
STATUS=0
"$FAULTLINE" check --help >/dev/full 2>"$SCRATCH/err" || STATUS=$?
is "$STATUS" 1 "a full output is a failure"

# ---- this machine ----

try "$FAULTLINE" check --json
is "$(field .schema)" "faultline.check/1" "the JSON's schema"
same "$(field .kernel)" "$(uname -r)" "the kernel"
like "$(field .level)" '^(series|exits|tdp|faults|none)$' "the level is one of those that are documented"
if [[ $(field .level) == none ]]; then
	is "$STATUS" 1 "nothing can be measured: exit status 1"
	isnt=$(field '.advice | length')
	like "$isnt" '^[1-9]' "and what to do about it is said"
	like "$ERR" '^faultline: [^'$'\n'']*$' "on standard error, too"
else
	is "$STATUS" 0 "something can be measured: exit status 0"
	is "$(field .loads)" true "the programs were loaded to prove it"
	is "$ERR" "" "nothing on standard error"
fi
try "$FAULTLINE" check
like "$OUT" "Level of measurement: " "the text says the level, too"

# ---- others ----

try setpriv --reuid=65534 --bounding-set=-all --inh-caps=-all "$FAULTLINE" check --json
fails 1 "run as root, or with CAP_BPF" "without privileges"
is "$(field .level)" none "without privileges: level none"
is "$(field .privileged)" false "without privileges: says so"

# changed SCRIPT: the check where SCRIPT has changed what it sees
changed() {
	try unshare --mount bash -c "$1; exec '$FAULTLINE' check --json"
}

if ((EUID != 0)); then
	skip 10 "the rest mounts over /sys, which needs root"
	done_testing
	exit
fi

changed 'mount -t tmpfs none /sys/kernel/btf'
fails 1 "has no BTF .*CONFIG_DEBUG_INFO_BTF" "without BTF"
is "$(field '"\(.btf) \(.tracepoints.kvm_exit)"')" "false false" "without BTF: says so"

changed 'mount -t tmpfs none /sys/module'
is "$(field .vendor)" unknown "without modules: no vendor"

if [[ -d /sys/module/kvm/parameters ]]; then
	changed 'mount -t tmpfs none /sys/module/kvm/parameters
		cd /sys/module/kvm/parameters; echo N >oos_shadow; echo Y | tee pte_update >bypass_guest_pf'
	is "$(field '"\(.policy) \(.parameters["kvm.bypass_guest_pf"])"')" "bypass Y" "with bypass_guest_pf: the policy"
	is "$(field '.advice | map(select(test("bypass KVM, and can.t be counted"))) | length')" 1 \
		"with bypass_guest_pf: says that guest faults are invisible"
	changed 'mount -t tmpfs none /sys/module/kvm/parameters
		cd /sys/module/kvm/parameters; echo Y >nested_prefault; echo 64 >sticky_unsync'
	is "$(field '"\(.policy) \(.parameters | .["kvm.nested_prefault"], .["kvm.sticky_unsync"])"' | xargs)" \
		"prefault+sticky Y prefault+sticky 64" "with the parameters for nested guests: the policy"
else
	skip 3 "this kernel has no kvm"
fi

mkdir "$SCRATCH/security"
echo 'none integrity [confidentiality]' >"$SCRATCH/security/lockdown"
if [[ -d /sys/kernel/security ]]; then
	changed "mount --bind '$SCRATCH/security' /sys/kernel/security"
	fails 1 "locked down for confidentiality.*lockdown=integrity" "with lockdown"
	is "$(field .lockdown)" confidentiality "with lockdown: says so"
else
	skip 3 "this kernel has no /sys/kernel/security"
fi
done_testing
