#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A million episodes as fast as the guest can fault: stat loses none. lab-results
# refuses a run that lost one, or counted another number than the guest's handler.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR CPUS LAB_KERNEL LAB_HOST_DIR KERNEL_VARIANT CMDLINE CONFIG_NAME
export PAGING=64 WORKLOAD=anon POLICY=unsync MICRO_OPTIONS="--timeout 3600" TIMEOUT=7200 SILENCE=3600
RESULTS=$SCRATCH/results.json

# burst VCPUS FAULTS-OF-EACH
burst() {
	try env OUT="$RESULTS" CHECK=y VCPUS="$1" FAULTS="$2" "$TOP/lab/run"
	is "$STATUS:$ERR" "0:" "$1 vCPUs: the run passes every check"
	is "$(jq '.runs[] | (.histogram | add), .lost_events' "$RESULTS" | xargs)" "1000000 0" \
		"$1 vCPUs: a million episodes, none lost"
}

burst 1 1000000
burst 4 250000
done_testing
