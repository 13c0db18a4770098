#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# What comes with the metrics: rules, dashboard, and the systemd unit.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
cd "$TOP/metrics"

try promtool check rules faultline.rules.yml
is "$STATUS" 0 "promtool check rules"
like "$OUT" "SUCCESS: 14 rules found" "... finds them all"
try promtool test rules faultline.test.yml
is "$STATUS" 0 "promtool test rules"
((STATUS == 0)) || diag "$ERR"

# ---- names ----

# The samples of a histogram have suffixes of their own.
# shellcheck disable=SC2016 # backticks as in the table
known=$(sed -nE 's/^\| `(faultline_[a-z_]*)`.*/\1/p' "$TOP/docs/METRICS.md" |
	awk '{ print } !/_(total|info)$/ { print $1 "_bucket"; print $1 "_sum"; print $1 "_count" }')
for file in faultline.rules.yml grafana-dashboard.json; do
	# Names of recording rules have colons around.
	used=$(grep -oE '(^|[^:a-z_])faultline_[a-z_]+' "$file" | grep -oE 'faultline_[a-z_]+' | sort -u)
	is "$(comm -23 <(echo "$used") <(sort -u <<<"$known"))" "" "$file uses metrics that there are"
done
recorded=$(sed -n 's/^ *- record: //p' faultline.rules.yml | sort -u)
used=$(grep -oE '[a-z_]+:[a-z0-9_:]+' <(jq -r '.panels[].targets[].expr' grafana-dashboard.json) | sort -u)
is "$(comm -23 <(echo "$used") <(echo "$recorded"))" "" "the dashboard uses recording rules that there are"
is "$(jq '[.panels[].id] | length - (unique | length)' grafana-dashboard.json)" 0 "each panel has a number of its own"
is "$(jq '[.panels[] | select((.title // "") == "" or (.description // "") == "")] | length' grafana-dashboard.json)" 0 \
	"each panel says what it shows"

# ---- the unit ----

if ! command -v systemd-analyze >/dev/null; then
	skip 2 "systemd is not installed"
else
	# As installed, but for where the program and its manual page are.
	sed -e "s|/usr/bin/faultline|$TOP/build/bin/faultline|" -e /^Documentation=/d \
		faultline-export.service >"$SCRATCH/faultline-export.service"
	try systemd-analyze verify "$SCRATCH/faultline-export.service"
	is "$STATUS:$OUT$ERR" "0:" "systemd-analyze verify"
	try systemd-analyze security --offline=true --threshold=25 "$SCRATCH/faultline-export.service"
	is "$STATUS" 0 "systemd-analyze security: exposed to 2.5 of 10 at most"
	diag "$(tail -n 1 <<<"$OUT")"
fi
done_testing
