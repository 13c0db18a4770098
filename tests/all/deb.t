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
depends=$(dpkg-deb --field build/deb/faultline_*.deb Depends | tr ',' '\n' | sed 's/ *(.*//; s/^ *//')
like "$depends" "libbpf" "faultline depends on libraries,"
# One library's package isn't called after it.
is "$(grep -vE '^lib|^r-mathlib$' <<<"$depends" || true)" "" "... and on nothing else"

if ((EUID != 0)); then
	skip 23 "the rest needs root, for a chroot"
	done_testing
	exit
fi

# ---- a clean Debian ----

# With this machine's own sources, and its way to them.
mapfile -t sources < <(find /etc/apt/sources.list /etc/apt/sources.list.d -type f -size +0 \
	\( -name '*.list' -o -name '*.sources' \) 2>/dev/null)
apt-config dump Acquire | grep -E '^Acquire::(https?|Retries)' >"$SCRATCH/aptopt" || true

try mmdebstrap --variant=apt --include=systemd --skip=cleanup/apt/lists --aptopt="$SCRATCH/aptopt" '' "$ROOT" "${sources[@]}"
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
# Whether a virtual machine can be measured here.
vm_runs() {
	[[ $level != none && -e /dev/kvm ]] && build/lab/micro --faults 10 >/dev/null 2>&1
}
inside faultline check --json >"$SCRATCH/check.json" 2>/dev/null || true
same "$(jq -r .level "$SCRATCH/check.json")" "$level" "faultline: measures at the same level as outside"
try inside bash -c '. /usr/share/bash-completion/completions/faultline; _faultline_options stat'
like "$OUT" "--output FILE" "faultline: completion knows its options"
is "$(find "$ROOT/etc/systemd" -name '*faultline*')" "" "... and its service isn't started unless someone says so"

# ---- its service ----

# The hierarchy of cgroups, where systemd-nspawn leaves two empty ones behind.
cgroups() {
	find /sys/fs/cgroup -type d 2>/dev/null | sort
}

# boot SCRIPT: boots it in a container, with as much of this kernel as measuring
# takes, and has systemd there run SCRIPT. OUT is what that printed.
boot() {
	local before devices=()

	before=$(cgroups)
	[[ ! -e /dev/kvm ]] || devices=(--bind=/dev/kvm)
	cat >"$ROOT/root/script" <<<"$1"
	cat >"$ROOT/etc/systemd/system/script.service" <<-'END'
		[Service]
		Type=oneshot
		StandardOutput=append:/root/script.out
		ExecStart=/bin/bash /root/script
		ExecStopPost=/bin/systemctl --force --force poweroff
	END
	rm -f "$ROOT/root/script.out"
	STATUS=0
	timeout 120 systemd-nspawn --directory="$ROOT" --register=no --keep-unit --boot --console=pipe --private-network \
		--capability=CAP_BPF,CAP_PERFMON --system-call-filter=bpf --bind-ro=/sys/module "${devices[@]}" \
		-- systemd.unit=script.service >"$SCRATCH/console" 2>&1 </dev/null || STATUS=$?
	OUT=$(<"$ROOT/root/script.out")
	comm -13 <(echo "$before") <(cgroups) | grep -E '/(payload|supervisor)(/|$)' | sort -r | xargs -r rmdir
}

try inside systemd-analyze verify --man=no faultline-export.service
is "$STATUS:$(grep faultline <<<"$OUT$ERR" || true)" "0:" "the service: its unit is sound"

cp build/lab/micro "$ROOT/root/service-vm"
echo 'OPTIONS=--listen 127.0.0.1:9000 --max-vms 7' >"$ROOT/etc/default/faultline-export"
# shellcheck disable=SC2016 # for the shell there
boot '
	page() {
		exec 3<>/dev/tcp/127.0.0.1/9000 || return
		printf "GET /metrics HTTP/1.0\r\n\r\n" >&3
		cat <&3
	}
	faults() {
		page | awk "/^faultline_vm_guest_faults_total.*service-vm/ { sum += \$2 } END { print sum + 0 }"
	}
	tries() {
		local i
		for ((i = 0; i < 100; i++)); do
			[[ $("$@" 2>/dev/null) == 0 ]] || break
			sleep 0.1
		done
	}
	serves() {
		page | grep -c "^HTTP/1.1 200"
	}
	systemctl start faultline-export
	tries serves
	echo "serves $(serves)"
	pid=$(systemctl show -P MainPID faultline-export)
	awk "/^(CapEff|NoNewPrivs|Seccomp):/ { print \$1, \$2 } /^Uid:/ { print \$1, (\$2 >= 61184 && \$2 <= 65519) }" "/proc/$pid/status"
	if /root/service-vm --faults 211 >/dev/null 2>&1; then
		tries faults
		echo "faults $(faults)"
	fi
	echo "log $(journalctl -u faultline-export -t faultline -o cat)"
	systemctl stop faultline-export
	echo "end $(systemctl show -P Result -P ExecMainStatus faultline-export | xargs)"
'
is "$STATUS" 0 "the service: a container boots"
((STATUS == 0)) || diag "$(tail -n 5 "$SCRATCH/console")"
rm "$ROOT/etc/default/faultline-export"
said() {
	sed -n "s/^$1 //p" <<<"$OUT"
}
if [[ $level == none ]]; then
	skip 6 "this machine can't be measured; 'faultline check' says why"
else
	is "$(said serves)" 1 "the service: serves where its options say"
	is "$(said CapEff:)" 0000008000000000 "the service: CAP_BPF is all that it keeps"
	is "$(said Uid:)$(said NoNewPrivs:)$(said Seccomp:)" 112 "the service: a user of its own, no new privileges, few system calls"
	is "$(said log)" "serving http://127.0.0.1:9000/metrics" "the service: nothing else to say"
	is "$(said end)" "success 0" "the service: ends"
	if vm_runs; then
		is "$(said faults)" 211 "the service: counts"
	else
		skip 1 "no virtual machine runs here"
	fi
fi

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
if vm_runs; then
	inside faultline stat --json -- /usr/lib/faultline-lab/build/lab/micro --faults 211 >"$SCRATCH/run.json" || true
	is "$(grep '^{' "$SCRATCH/run.json" | jq .guest_faults)" 211 "both: measure this host"
else
	skip 1 "no virtual machine can be measured here"
fi

# ---- the end ----

try inside apt-get purge -y faultline faultline-lab
is "$STATUS" 0 "both go"
after=$(find "$ROOT"/{etc,lib,usr,var/lib/systemd} -xdev -printf '/%P\n' 2>/dev/null | sort)
is "$(comm -13 <(echo "$before") <(echo "$after") | grep faultline || true)" "" "and leave nothing"
done_testing
