#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The micro guest's VMM: its options. What the guest does, lab-counts.t shows.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

micro() {
	try "$TOP/build/lab/micro" "$@"
}

micro --help
is "$STATUS:$ERR" "0:" "help"
for bad in 0 100000001 -1 1x '' 99999999999999999999; do
	micro --faults "$bad"
	fails 2 "--faults '$bad' is not a number from 1 to 100000000" "--faults '$bad'"
done
micro --vcpus 9
fails 2 "--vcpus '9' is not a number from 1 to 8" "more vCPUs than there is room for"
micro --workload fork
fails 2 "unknown --workload 'fork'; known: anon cow" "unknown workload"
micro --paging 48
fails 2 "unknown --paging '48'; known: 32 pae 64" "unknown paging mode"
micro --pae-halves
fails 2 "--pae-halves goes with --paging pae, not 64" "halves of what isn't PAE"
for bad in 0 1000001 x; do
	micro --device-reads "$bad"
	fails 2 "--device-reads '$bad' is not a number from 1 to 1000000" "--device-reads '$bad'"
done
micro --vms 9
fails 2 "--vms '9' is not a number from 1 to 8" "more machines than vCPUs"
micro --vms 2 --vcpus 2
fails 2 "--vms goes with one vCPU" "several machines of several vCPUs"
micro --dirty-log --vcpus 2
fails 2 "--dirty-log goes with one vCPU" "a dirty log of several vCPUs"
micro --workload nested --faults 20001
fails 2 "nested can't take faults on a page again; give fewer --faults" "more pages than a nested guest has"
micro --timeout
fails 2 "--timeout needs a value" "option without its value"
micro --fast
fails 2 "unknown option --fast" "unknown option"
micro 1999
fails 2 "unexpected '1999'" "an argument that is no option"

if ((EUID == 0)); then
	# shellcheck disable=SC2016 # for the inner shell
	try unshare --mount bash -c 'mount -t tmpfs none /dev && exec "$1"' bash "$TOP/build/lab/micro"
	fails 1 "cannot open /dev/kvm: No such file.*; load KVM" "without KVM"
else
	skip 2 "hiding /dev/kvm needs root"
fi
done_testing
