# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Runs on an emulated host for bt.t, which puts the scripts of bpf/ into /tmp
# before it does: each script and faultline look at the same run of the guest, for
# each workload. Writes to $RESULT what they have counted.
set -eu

# nest SCRIPT NEXT: a shell script that has bpftrace run SCRIPT, and NEXT under it;
# bpftrace's -c takes no quotes.
nest() {
	echo "exec bpftrace -f json -o /tmp/$1.out /tmp/$1.bt -c '/bin/sh $2'"
}

nest exits-per-fault /tmp/second >/tmp/first
nest exits-by-reason /tmp/third >/tmp/second
nest pte-writes /tmp/fourth >/tmp/third
cat >/tmp/fourth <<'END'
exec micro --faults 499 --workload "$WORKLOAD"
END

# Written when all is there, so that a failure leaves nothing.
all() {
	comma='{'
	for WORKLOAD in anon cow; do
		export WORKLOAD
		faultline stat --json -o /tmp/run -- sh /tmp/first >&2
		printf '%s"%s":{"run":%s' "$comma" "$WORKLOAD" "$(cat /tmp/run)"
		for script in exits-per-fault exits-by-reason pte-writes; do
			printf ',"%s":[%s]' "$script" "$(grep '"map"' "/tmp/$script.out" | paste -s -d , -)"
		done
		printf '}'
		comma=,
	done
	printf '}\n'
}

all >/tmp/all
mv /tmp/all "$RESULT"
