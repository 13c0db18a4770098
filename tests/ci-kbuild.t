#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# ci/kbuild: what is said of times that are made up, what is needed on a real host,
# and a build in a real guest, whose processor is QEMU's, whether there is KVM or not.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset OBJECTS RUNS GUEST_KERNEL TIMEOUT WORKLOAD
TIMES=$TOP/build/bin/gate-times
FILE=$SCRATCH/times.json

# guest NAME NS [AMOUNT]: a file as linuxvm writes it
guest() {
	echo '{"schema":"faultline.linux-guest/1","workload":"kbuild","amount":'"${3:-1}"',"faults_counted":4000,"major_faults":0,"duration_ns":'"$2}" \
		>"$SCRATCH/$1"
}

# ---- times ----

guest one 1000000000
guest two 2000000000
guest three 3000000000
try "$TIMES" -o "$FILE" "$SCRATCH"/{one,two,three}
is "$STATUS:$ERR" "0:" "three times"
like "$(<"$SCRATCH/out")" 'seconds +2.000000 \+- 1.000000  \(50.00 %\)' "their mean and standard deviation"
is "$(jq -c '[.schema, .seconds, .mean, .deviation]' "$FILE")" '["faultline.times/1",[1,2,3],2,1]' "as JSON"
guest other 1000000000 2
try "$TIMES" "$SCRATCH"/{one,other}
fails 1 "other is of another workload" "times of several workloads"
echo '{"schema":"faultline.linux-guest/2"}' >"$SCRATCH/later"
try "$TIMES" "$SCRATCH/later"
fails 1 "later is no faultline.linux-guest/1 with a time" "a file of another schema"
try "$TIMES"
fails 2 "files are needed" "no files"

# ---- a guest ----

mkdir "$SCRATCH/bin"
cat >"$SCRATCH/bin/qemu-system-x86_64" <<'END'
#!/bin/bash
# Debian's, emulating.
args=("$@")
for i in "${!args[@]}"; do
	case ${args[i]} in
	kvm) args[i]=tcg ;;
	host) args[i]=max ;;
	esac
done
PATH=${PATH#*:} exec qemu-system-x86_64 "${args[@]}"
END
chmod +x "$SCRATCH/bin/qemu-system-x86_64"
export KVM_DEVICE=/dev/null		# which can be read and written
PATH=$SCRATCH/bin:$PATH OBJECTS=1 RUNS=2 try env OUT="$FILE" "$TOP/ci/kbuild" --real
is "$STATUS:$ERR" "0:" "two builds"
diag "$(sed -n '/wall time/,$p' "$SCRATCH/out")"
is "$(jq -c '[.workload, .amount, (.seconds | length), .mean > 0]' "$FILE")" '["kbuild",1,2,true]' "and their times"
is "$(find "$TOP/build/kbuild" -mindepth 1 -name 'run.*')" "" "nothing is left behind"

# ---- what can go wrong ----

rm "$FILE"
printf '%s\n' '#!/bin/bash' 'echo "qemu-system-x86_64: no luck today" >&2; exit 1' >"$SCRATCH/bin/qemu-system-x86_64"
PATH=$SCRATCH/bin:$PATH OBJECTS=1 try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 1 "run 1 of 5: qemu-system-x86_64: no luck today; see .*kbuild-real.log" "QEMU fails"
printf '%s\n' '#!/bin/bash' 'sleep 1000; true' >"$SCRATCH/bin/qemu-system-x86_64"
PATH=$SCRATCH/bin:$PATH OBJECTS=1 TIMEOUT=1 try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 1 "run 1 of 5: it took more than 1 s" "a guest that hangs"
is "$(find "$TOP/build/kbuild" -mindepth 1 -name 'run.*'; pgrep -f "$SCRATCH/bin/qemu" || true):$(ls "$FILE" 2>/dev/null)" ":" \
	"nothing is left behind, no process, and no times"
KVM_DEVICE=$SCRATCH/none try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 1 "none is missing, or not for you; load kvm_amd or kvm_intel" "no /dev/kvm"
OBJECTS=9 try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 2 "OBJECTS '9' is not a number from 1 to 8, and not vmlinux" "more objects than there are"
RUNS=1 try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 2 "RUNS '1' is not a number from 2" "a single run has no deviation"
GUEST_KERNEL=$SCRATCH/none try env OUT="$FILE" "$TOP/ci/kbuild" --real
fails 2 "no GUEST_KERNEL" "no such guest kernel"
try env OUT="$FILE" "$TOP/ci/kbuild" --reel
fails 2 "usage: ci/kbuild \[--real\]" "an unknown option"
done_testing
