#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline export: what it refuses, what it answers over HTTP, and Debian's
# Prometheus scraping it. All of it on the loopback interface.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/prometheus.sh
. "$TOP/tests/prometheus.sh"

FAULTLINE=$TOP/build/bin/faultline
MICRO=$TOP/build/lab/micro

# ---- calls ----

# export_fails STATUS REGEX ARGUMENT...
export_fails() {
	local status=$1 regex=$2

	shift 2
	try timeout 20 "$FAULTLINE" export "$@"
	fails "$status" "$regex" "export $*"
}

try "$FAULTLINE" export --help
is "$STATUS:$ERR" "0:" "export --help"
try "$FAULTLINE" help export
like "$STATUS:$OUT" "^0:usage: faultline export " "help export"
export_fails 2 "unknown option --lisen; did you mean --listen\? See 'faultline export --help'" --lisen 127.0.0.1:1
export_fails 2 "--listen needs a value" --listen
for address in 127.0.0.1 127.0.0.1: :9000 example.org:9000 127.0.0.1:http 127.0.0.1:65536 \
	127.0.0.1:-1 ::1:9000 '[::1]' '[::1:9000' 127.0.0.1.:9000 ''; do
	export_fails 2 "--listen .* is not ADDRESS:PORT, as 127" --listen "$address"
done
export_fails 2 "other machines can connect to 0.0.0.0:0; --remote if they shall" --listen 0.0.0.0:0
export_fails 2 "other machines can connect to \[::]:0; --remote if they shall" --listen '[::]:0'
export_fails 2 "--max-vms -1 is not a number from 0 on" --max-vms -1
export_fails 2 "--keep never is not a number of seconds" --keep never
export_fails 2 "exclude each other" -a -p 1
# An address that is for documentation, and so no host's.
export_fails 1 "cannot listen on 192.0.2.1:9000: .*; this host has no such address" --remote --listen 192.0.2.1:9000
cp "$TOP/build/bin/faultline" "$SCRATCH"
try "$SCRATCH/faultline" export
fails 1 "cannot run faultline-export: No such file or directory; install it again" "without its program"

if ((EUID != 0)); then
	export_fails 1 "run as root, or with CAP_BPF" --listen 127.0.0.1:0
	skip 45 "the rest loads BPF programs, which needs root"
	done_testing
	exit
fi

# without_rights CAPABILITIES CMD...: as nobody, who has but these: +bpf,+perfmon
without_rights() {
	local caps=-all$1

	shift
	setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
		--inh-caps="$caps" --ambient-caps="$caps" --bounding-set="$caps" "$@"
}

# Another network namespace has no program in the way, and its ports are as ever.
try unshare --net bash -c "ip link set lo up; exec setpriv --reuid=65534 --bounding-set=-all \
	--inh-caps=-all '$FAULTLINE' export --listen 127.0.0.1:80"
fails 1 "cannot listen on 127.0.0.1:80: Permission denied; ports below 1024 are for root" "a port for root"

if ! "$FAULTLINE" check >/dev/null 2>&1; then
	skip 45 "this machine can't be measured; 'faultline check' says why"
	done_testing
	exit
fi

# ---- HTTP ----

# serve CMD...: starts an exporter in the background. SERVER is its pid, URL its page.
serve() {
	local out=$SCRATCH/serving

	rm -f "$out"
	"$@" >"$out" 2>"$SCRATCH/server.err" &
	SERVER=$!
	PIDS+=("$SERVER")
	until grep -q ^serving "$out" 2>/dev/null; do
		kill -0 "$SERVER" || return
		sleep 0.05
	done
	URL=$(sed -n 's/^serving //p' "$out")
}

# get ARGUMENT...: as curl(1) does. CODE is the HTTP status, HEADERS what it was told.
get() {
	CODE=$(curl -s --max-time 20 --noproxy '*' -D "$SCRATCH/headers" -o "$SCRATCH/body" -w '%{http_code}' "$@" || true)
	HEADERS=$(tr -d '\r' <"$SCRATCH/headers") BODY=$(<"$SCRATCH/body")
}

# header NAME: its value
header() {
	sed -n "s/^$1: //p" <<<"$HEADERS"
}

serve "$FAULTLINE" export --listen 127.0.0.1:0
like "$URL" '^http://127\.0\.0\.1:[0-9]+/metrics$' "it says where it serves"

ADDRESS=${URL#http://} ADDRESS=${ADDRESS%/metrics}
export_fails 1 "cannot listen on $ADDRESS: Address already in use; another program listens there" --listen "$ADDRESS"

get "$URL"
is "$CODE:$(header Content-Type)" "200:text/plain; version=0.0.4; charset=utf-8" "text for whoever asks for nothing"
is "$(header X-Content-Type-Options) $(header Cache-Control)" "nosniff no-store" "headers"
STATUS=0
promtool check metrics <"$SCRATCH/body" >"$SCRATCH/out" 2>&1 || STATUS=$?
is "$STATUS:$(<"$SCRATCH/out")" "0:" "promtool check metrics"
# shellcheck disable=SC2016 # backticks as in the table
same "$(awk '$2 == "TYPE" { print $3 }' "$SCRATCH/body" | sort | xargs)" \
	"$(sed -n 's/^| `\(faultline_[a-z_]*\)`.*/\1/p' "$TOP/docs/METRICS.md" | sort -u | xargs)" \
	"docs/METRICS.md lists what there is"
get -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5' "$URL"
is "$CODE:$(header Content-Type)" "200:application/openmetrics-text; version=1.0.0; charset=utf-8" \
	"OpenMetrics for whoever likes it better"
is "${BODY##*$'\n'}" "# EOF" "OpenMetrics ends"
get -I "$URL"
is "$CODE:$([[ $(header Content-Length) -gt 10000 ]] && echo long)" "200:long" "HEAD"
get -X POST --data x=1 "$URL"
is "$CODE:$(header Allow)" "405:GET, HEAD" "POST is not allowed"
get -X DELETE "$URL"
is "$CODE" 405 "DELETE is not allowed"
get "${URL%/metrics}/"
is "$CODE" 404 "another path is not found"
get --path-as-is "${URL%/metrics}/../metrics"
is "$CODE" 404 "nor is one that goes elsewhere"
get -X POST --data x=1 "${URL}x"
is "$CODE" 404 "nor by another method"
get -X GET --data "$(printf '%050000d' 0)" "$URL"
is "$CODE" 200 "what comes with a GET is not looked at"
get -H "X-Long: $(printf '%020000d' 0)" "$URL"
is "$CODE" 431 "a header that is too long is refused"
get "$URL" "$URL"
is "$(grep -c '^HTTP/1.1 200' "$SCRATCH/headers")" 2 "a connection is good for more than one request"

# More connections than it takes, none of which says anything; then they go.
port=${ADDRESS##*:}
held=()
for ((i = 0; i < 40; i++)); do
	exec {fd}<>"/dev/tcp/127.0.0.1/$port"
	held+=("$fd")
done
sleep 0.5
is "$(find "/proc/$SERVER/fd" -lname 'socket:*' | wc -l | awk '{ print ($1 <= 33) }')" 1 \
	"the number of connections is bounded"
for fd in "${held[@]}"; do
	exec {fd}>&-
done
get "$URL"
is "$CODE" 200 "it answers when they have gone"
is "$(<"$SCRATCH/server.err")" "" "nothing of all that is an error"
is "$(awk '$1 == "CapEff:" { print $2 }' "/proc/$SERVER/status")" 0000008000000000 "it has kept CAP_BPF only"

# ---- ends ----

kill -TERM "$SERVER"
STATUS=0
wait "$SERVER" || STATUS=$?
is "$STATUS:$(<"$SCRATCH/server.err")" "0:" "SIGTERM ends it"
STATUS=0
curl -s --noproxy '*' "$URL" >/dev/null || STATUS=$?
is "$STATUS" 7 "nobody listens any more"

try "$FAULTLINE" export --listen '[::1]:0' -d 0.5
like "$STATUS:$OUT" '^0:serving http://\[::1]:[0-9]+/metrics$' "-d: for as long as that, over IPv6"
try "$FAULTLINE" export --listen 127.0.0.1:0 -- sh -c 'exit 3'
fails 1 "sh failed with status 3" "COMMAND that fails"

# ---- Prometheus ----

# run_vm FAULTS: has the command below run a VM
run_vm() {
	echo "$1" >"$SCRATCH/vm.new"
	mv "$SCRATCH/vm.new" "$SCRATCH/vm"
}

# Only what this command runs is measured, whatever else this host does: a VM for
# each file that appears, which says how many faults it takes.
# shellcheck disable=SC2016 # for the inner shell
serve "$FAULTLINE" export --listen 127.0.0.1:0 --keep 3 -- bash -c '
	cd "$1"
	until [[ -e end ]]; do
		if [[ -e vm ]]; then
			"$2" --workload cow --faults "$(<vm)"
			rm vm
		fi
		sleep 0.1
	done' bash "$SCRATCH" "$MICRO"
ADDRESS=${URL#http://} ADDRESS=${ADDRESS%/metrics}
start_prometheus "$ADDRESS"

knows 'up{job="faultline"}' 1 "Prometheus scrapes it"
same "$(query faultline_build_info | jq -r '.data.result[0].metric.version')" "$(<"$TOP/VERSION")" "build info"
same "$(query faultline_host_info | jq -r '.data.result[0].metric.kernel')" "$(uname -r)" "host info"
is "$(query 'faultline_exit_seconds_bucket{class="inject"}' | jq '.data.result | length')" 18 \
	"histograms have their buckets"
is "$(query '{__name__=~"faultline_.*"}' | jq '.data.result | length')" 399 \
	"there are as many series as docs/METRICS.md says, without a VM"

# Each question that the dashboard asks, with its variables filled in.
# shellcheck disable=SC2016 # they are Grafana's
mapfile -t expressions < <(jq -r '.panels[].targets[].expr' "$TOP/metrics/grafana-dashboard.json" |
	sed 's/\$__rate_interval/1m/g; s/\$instance/.*/g; s/\$class/.*/g')
ok $((${#expressions[@]} < 10)) "the dashboard has questions"
refused=0
for expression in "${expressions[@]}"; do
	[[ $(query "$expression" | jq -r .status) == success ]] || {
		diag "refused: $expression"
		refused=$((refused + 1))
	}
done
is "$refused" 0 "Prometheus answers all ${#expressions[@]} questions of the dashboard"

if "$MICRO" --faults 10 >/dev/null 2>&1; then
	run_vm 499
	knows 'faultline_guest_faults_total' 499 "it knows the number of guest faults"
	knows 'sum(faultline_vm_guest_faults_total{vm="micro"})' 499 "... of the VM"
	is "$(query '{__name__=~"faultline_vm_.*",vm="micro"}' | jq '.data.result | length')" 31 \
		"a VM has as many series as docs/METRICS.md says"
	knows 'count(faultline_vm_vcpus) or vector(0)' 0 "when it has ended, it disappears"
	run_vm 211
	knows 'faultline_guest_faults_total' 710 "the total goes on"
	knows 'sum(faultline_vm_guest_faults_total{vm="micro"})' 211 "... and a new VM begins anew"
	is "$(value 'resets(faultline_guest_faults_total[10m])')" 0 "the total never went backwards"
	is "$(value 'faultline_lost_events_total')" 0 "no event was lost"
	touch "$SCRATCH/end"
	STATUS=0
	wait "$SERVER" || STATUS=$?
	is "$STATUS:$(<"$SCRATCH/server.err")" "0:" "it ends with COMMAND"
else
	skip 9 "no virtual machine runs here; /dev/kvm is needed"
fi

# ---- least privileges ----

chmod a+rx "$SCRATCH"
cp "$TOP/build/bin/faultline" "$TOP/build/bin/faultline-export" "$SCRATCH"
try without_rights ,+bpf,+perfmon "$SCRATCH/faultline" export --listen 127.0.0.1:0 -d 0.5
fails 1 "BTF of kernel modules; run as root, or with CAP_SYS_ADMIN, too" "without CAP_SYS_ADMIN"
try without_rights ,+bpf,+perfmon,+sys_admin "$SCRATCH/faultline" export --listen 127.0.0.1:0 -d 0.5
is "$STATUS:$ERR" "0:" "as nobody, with the capabilities that the service has"
done_testing
