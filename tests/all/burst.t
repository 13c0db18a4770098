#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# A burst of a million episodes: stat loses none; what a trace loses, it says.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"

need_vms 4

# shellcheck disable=SC2016 # for the inner shell
try "$FAULTLINE" stat --json -o "$SCRATCH/stat" -- \
	bash -c '"$1" trace -o "$2" -- bash -c "for i in {1..50}; do $3 --faults 20000 --timeout 600 || exit; done"
	status=$?
	echo $status >"$2.status"' bash "$FAULTLINE" "$SCRATCH/trace" "$MICRO"
is "$STATUS" 0 "stat: measured"
# KVM may deliver one more than the guest has reason for, here and there.
is "$(jq -c '[.guest_faults >= 1000000, .lost_events]' "$SCRATCH/stat")" "[true,0]" "stat: loses nothing"
lost=$(sed -nE 's/.* guest faults, ([0-9]+) LOST.*/\1/p' "$SCRATCH/trace")
same "$((${lost:-0} + $(grep -vc '^#' "$SCRATCH/trace")))" "$(jq .guest_faults "$SCRATCH/stat")" \
	"trace: has as many as stat, or says how many it lost"
same "$(<"$SCRATCH/trace.status")" "$((${lost:-0} > 0))" "trace: the exit status says if it lost any"
diag "lost: ${lost:-0}"
done_testing
