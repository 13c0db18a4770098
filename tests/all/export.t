#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline export, where KVM tells exits: on an emulated host it serves the counts of
# the run that faultline stat looks at, too. What it said there is scraped by
# Prometheus here, which must know the same, to the exit.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/prometheus.sh
. "$TOP/tests/prometheus.sh"
# shellcheck source=lab/pack.sh
. "$TOP/lab/pack.sh"
unset LINE VENDOR PAGING FAULTS VCPUS CPUS MICRO_OPTIONS LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME
RESULTS=$SCRATCH/results.json

# ---- on an emulated host ----

# programs: an archive of what the host lacks, with the libraries that it has here
programs() {
	local root=$SCRATCH/root program

	for program in "$TOP/build/bin/faultline-export" "$(command -v busybox)"; do
		install -D "$program" "$root/usr/bin/${program##*/}"
		copy_libraries "$program" "$root"
	done
	tar -C "$root" -cz usr lib lib64
}

{
	echo "base64 -d <<'END' | tar -C / -xz --keep-directory-symlink"
	programs | base64
	echo END
	cat "$TOP/tests/all/export-host.sh"
} >"$SCRATCH/script"

try env CONFIG_NAME="lab net" "$TOP/scripts/kernel" build 6.12
is "$STATUS" 0 "there is a kernel with a loopback interface"
try env LAB_KERNEL="$TOP/build/kernel/6.12-lab-net/bzImage" OUT="$RESULTS" WORKLOAD=script SCRIPT="$SCRATCH/script" \
	IMAGE=linux-host POLICY=zap "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "stat and export look at the same"

# run EXPRESSION: of what stat counted
run() {
	jq -r ".runs[0].guest.run | $1" "$RESULTS"
}

mkdir "$SCRATCH/www"
jq -r '.runs[0].guest.page' "$RESULTS" | base64 -d | gzip -d >"$SCRATCH/www/metrics"
STATUS=0
promtool check metrics <"$SCRATCH/www/metrics" >"$SCRATCH/out" 2>&1 || STATUS=$?
is "$STATUS:$(<"$SCRATCH/out")" "0:" "promtool check metrics"

# ---- in a Prometheus ----

# serve: what is in www, at a port that is free. ADDRESS is where.
serve() {
	local tries

	for ((tries = 0; tries < 50; tries++)); do
		ADDRESS=127.0.0.1:$((RANDOM + 20000))
		busybox httpd -f -p "$ADDRESS" -h "$SCRATCH/www" 2>/dev/null &
		sleep 0.5
		if kill -0 $! 2>/dev/null; then
			PIDS+=("$!")
			return
		fi
	done
	return 1
}

serve
start_prometheus "$ADDRESS"
knows up 1 "Prometheus scrapes what the host said"
is "$(query faultline_host_info | jq -c '.data.result[0].metric | [.vendor, .mmu, .policy, .level]')" \
	'["svm","shadow","zap","exits"]' "the host is one that tells exits"

# What stat counted that export must have: all but the exit in which the VM ended,
# which stat closes when it ends itself.
run_classes() {
	run '.classes | .other -= 1' | jq -cS .
}

# Prometheus has each class, and those that add up to what is asked.
same "$(query faultline_exits_total | jq -cS '[.data.result[] | {(.metric.class): .value[1] | tonumber}] | add')" \
	"$(run_classes)" "exits by class"
same "$(query faultline_episode_exits_total | jq -cS '[.data.result[] | {(.metric.class): .value[1] | tonumber}] | add')" \
	"$(run .classes_in_episodes | jq -cS .)" "exits of guest faults by class"
same "$(value 'sum(faultline_vm_exits_total{vm="micro"})')" "$(run_classes | jq add)" "exits of the VM"
same "$(value faultline_guest_faults_total)" "$(run .guest_faults)" "guest faults"
same "$(query faultline_exit_seconds_count | jq -cS '[.data.result[] | {(.metric.class): .value[1] | tonumber} |
	select(.[] > 0)] | add')" "$(run '.time_ns | map_values(.count)' | jq -cS .)" "how many exits have a time"
same "$(value 'sum(faultline_episode_exits_total) / sum(faultline_guest_faults_total)' | jq '. * 1e6 | round')" \
	"$(run '.exits_per_guest_fault * 1e6 | round')" "exits per guest fault"
like "$(run .exits_per_guest_fault)" '^5(\.|$)' "... which is what zap makes of copy-on-write"
is "$(value faultline_lost_events_total)" 0 "no event was lost"
done_testing
