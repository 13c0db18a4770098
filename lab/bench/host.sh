# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Runs on the emulated host of make bench: the guest, RUNS times without a
# collector and under each. FAULTS and RUNS are set in a line before this one.
# Writes to $RESULT, for bench-results: the ticks of each run's window by tool, and
# what faultline counted in one window.
set -eu

export FAULTS RUNS

# guests NAME: the runs of the guest; their ticks go to /tmp/ticks/NAME.
mkdir /tmp/ticks
cat >/tmp/guests <<'END'
i=0
while [ "$i" -lt "$RUNS" ]; do
	micro --faults "$FAULTS" --json /tmp/guest >/dev/null
	sed 's/.*"window_ticks":\([0-9]*\),"vcpus".*/\1/' /tmp/guest >>"/tmp/ticks/$1"
	i=$((i + 1))
done
END

# with NAME COMMAND...: the guests, as COMMAND's last argument wants them, and
# then what it printed, for who looks at the console.
with() {
	name=$1
	shift
	echo "== $name"
	"$@" >"/tmp/output" 2>&1 || { cat /tmp/output >&2 && exit 1; }
	head -c 2000 /tmp/output
}

# kvmexit NAME SCRIPT: bcc's tools are ended by Ctrl-C when the guests are through.
kvmexit() {
	echo "== $1"
	python3 -u "$2" >/tmp/output 2>&1 &
	until grep -q '^Display kvm exit reasons' /tmp/output; do
		kill -0 $! || { cat /tmp/output >&2 && exit 1; }
		sleep 1
	done
	sh /tmp/guests "$1"
	kill -INT $!
	wait $! || true
	cat /tmp/output
}

sh /tmp/guests warm-up
sh /tmp/guests none
with "faultline stat" faultline stat -- sh /tmp/guests "faultline stat"
with "faultline trace" faultline trace -o /tmp/episodes -- sh /tmp/guests "faultline trace"
with "perf kvm stat record" perf kvm stat record -a -o /tmp/perf.data sh /tmp/guests "perf kvm stat record"
with "bpftrace" bpftrace -e 'tracepoint:kvm:kvm_exit { @[args->exit_reason] = count(); }' \
	-c 'sh /tmp/guests bpftrace'

# kvmexit is for Intel hosts and refuses others, and from Linux 5.17 on it takes
# the vCPU for the exit reason, and counts nothing: but for the refusal as it is, it
# only shows what being called costs. So a second one takes the reason from the
# tracepoint, as kvmexit does on older kernels, and has room for AMD's reasons.
sed -e 's/if b"Intel" in arch_info:/if True:/' /usr/sbin/kvmexit-bpfcc >/tmp/kvmexit
sed -e 's/BPF.support_raw_tracepoint_in_module()/False/' \
	-e 's/REASON_NUM 69/REASON_NUM 128/' \
	-e 's/^exit_reasons = (/exit_reasons = ["0x%x" % code for code in range(128)] or (/' \
	/tmp/kvmexit >/tmp/kvmexit-repaired
kvmexit kvmexit /tmp/kvmexit
kvmexit "kvmexit, repaired" /tmp/kvmexit-repaired

faultline stat --json --window -o /tmp/run -- micro --faults "$FAULTS" >/dev/null
cd /tmp/ticks
{
	printf '{"run":%s,"ticks":{' "$(cat /tmp/run)"
	comma=
	for name in *; do
		printf '%s"%s":[%s]' "$comma" "$name" "$(paste -s -d , "$name")"
		comma=,
	done
	printf '}}\n'
} >"$RESULT"
