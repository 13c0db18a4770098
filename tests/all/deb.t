#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make deb: the packages are lintian-clean, install in a clean Debian, where nothing
# of this machine's is, do there what they are for, and go without a trace.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
cd "$TOP"

ROOT=$SCRATCH/root

try make --no-print-directory deb
is "$STATUS" 0 "make deb: built, and lintian has nothing to say"
((STATUS == 0)) || diag "$OUT"$'\n'"$ERR"
is "$(find build/deb -name '*.deb' ! -name '*-dbgsym_*' -printf '%f\n' | sed 's/_.*//' | sort | xargs)" \
	"faultline faultline-lab" "two packages"
is "$(dpkg-deb --field build/deb/faultline_*.deb Depends | tr ',' '\n' | sed 's/ *(.*//; s/^ *//' | grep -v ^lib || true)" \
	"" "faultline depends on libraries only"

if ((EUID != 0)); then
	skip 16 "the rest needs root, for a chroot"
	done_testing
	exit
fi

# ---- a clean Debian ----

# With this machine's own sources, and its way to them.
mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -type f -size +0 \
	\( -name '*.list' -o -name '*.sources' \) 2>/dev/null)
apt-config dump Acquire | grep -E '^Acquire::(https?|Retries)' >"$SCRATCH/aptopt" || true

try mmdebstrap --variant=apt --skip=cleanup/apt/lists --aptopt="$SCRATCH/aptopt" '' "$ROOT" "${sources[@]}"
is "$STATUS" 0 "a clean Debian"
((STATUS == 0)) || diag "$(tail -n 5 <<<"$ERR")"
cp build/deb/*.deb "$ROOT/root"
cp build/kernel/6.12/bzImage "$ROOT/root" 2>/dev/null || true
cp /etc/resolv.conf "$ROOT/etc" 2>/dev/null || true

# inside CMD...: runs CMD there, with the kernel's file systems
inside() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -c '
		mount -t proc proc "$1/proc"
		mount --rbind /sys "$1/sys"
		mount --rbind /dev "$1/dev"
		exec chroot "$@"' bash "$ROOT" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		DEBIAN_FRONTEND=noninteractive "$@"
}

before=$(find "$ROOT"/{etc,lib,usr,var/lib/systemd} -xdev -printf '/%P\n' 2>/dev/null | sort)
try inside sh -c 'apt-get install --no-install-recommends -y /root/faultline_*.deb'
is "$STATUS" 0 "faultline: installs"
((STATUS == 0)) || diag "$(tail -n 5 <<<"$ERR")"

try inside faultline --version
is "$STATUS:$OUT$ERR" "0:faultline $(<VERSION)" "faultline: runs"
try inside faultline export --help
like "$STATUS:$OUT" "^0:usage: faultline export" "faultline: finds its parts"
try build/bin/faultline check --json
level=$(jq -r .level <<<"$OUT")
inside faultline check --json >"$SCRATCH/check.json" 2>/dev/null || true
is "$(jq -r .level "$SCRATCH/check.json")" "$level" "faultline: measures at the same level as outside"
try inside bash -c '. /usr/share/bash-completion/completions/faultline; _faultline_options stat'
like "$OUT" "--output FILE" "faultline: completion knows its options"
try systemd-analyze verify --man=no --root="$ROOT" faultline-export.service
is "$STATUS:$(grep faultline <<<"$OUT$ERR" || true)" "0:" "faultline: its service is sound"
is "$(find "$ROOT/etc/systemd" -name '*faultline*')" "" "... and not started unless someone says so"

# ---- the lab ----

try inside sh -c 'apt-get install --no-install-recommends -y /root/faultline-lab_*.deb'
is "$STATUS" 0 "faultline-lab: installs"
((STATUS == 0)) || diag "$(tail -n 5 <<<"$ERR")"
try inside faultline-lab POLCY=zap
fails 2 "unknown variable 'POLCY'; known: LINE VENDOR POLICY" "faultline-lab: a variable with a typing error"
if [[ ! -e $ROOT/root/bzImage ]]; then
	skip 2 "no kernel is built; 'make kernel' does"
else
	try inside sh -c 'cd /root && faultline-lab LAB_KERNEL=/root/bzImage POLICY="zap update" WORKLOAD=anon PAGING=64 CHECK=y'
	is "$STATUS" 0 "faultline-lab: measures"
	like "$OUT" "anon +64 +3.000 +2.000" "faultline-lab: three exits a fault, or two"
fi
if [[ $level == none || ! -e /dev/kvm ]] || ! build/lab/micro --faults 10 >/dev/null 2>&1; then
	skip 1 "no virtual machine can be measured here"
else
	inside faultline stat --json -- /usr/lib/faultline-lab/build/lab/micro --faults 211 >"$SCRATCH/run.json" || true
	is "$(grep '^{' "$SCRATCH/run.json" | jq .guest_faults)" 211 "both: measure this host"
fi

# ---- the end ----

try inside apt-get purge -y faultline faultline-lab
is "$STATUS" 0 "both go"
after=$(find "$ROOT"/{etc,lib,usr,var/lib/systemd} -xdev -printf '/%P\n' 2>/dev/null | sort)
is "$(comm -13 <(echo "$before") <(echo "$after") | grep faultline || true)" "" "and leave nothing"
done_testing
