# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Runs on an emulated host for export.t, which has put faultline-export and busybox
# there before it does: faultline stat and faultline export look at the same run of
# the guest. Writes to $RESULT what the one counted, and what the other served.
set -eu

busybox ifconfig lo up
faultline export >/tmp/serving &
until grep -q ^serving /tmp/serving; do
	kill -0 $!
	sleep 1
done
faultline stat --json -o /tmp/run -- micro --workload cow --faults 499 >&2
sleep 2		# a page is as old as a second at most
busybox wget -q -O /tmp/page http://127.0.0.1:10753/metrics
kill $!
wait
printf '{"run":%s,"page":"%s"}\n' "$(cat /tmp/run)" "$(gzip -9 </tmp/page | base64 -w 0)" >/tmp/all
mv /tmp/all "$RESULT"
