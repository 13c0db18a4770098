# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A Prometheus for tests, to be sourced after tap.sh: it scrapes what is to be
# tested, with the project's rules, and is asked what it knows.

# What the test has started, to be ended with it.
PIDS=()

end_processes() {
	((${#PIDS[@]} == 0)) || kill "${PIDS[@]}" 2>/dev/null || true
	wait
	rm -rf "$SCRATCH"
}
trap end_processes EXIT

# start_prometheus ADDRESS: API is where it answers. Its pid joins PIDS.
start_prometheus() {
	cat >"$SCRATCH/prometheus.yml" <<-END
		global:
		  scrape_interval: 1s
		  evaluation_interval: 1s
		rule_files: [$TOP/metrics/faultline.rules.yml]
		scrape_configs:
		  - job_name: faultline
		    static_configs: [{targets: ["$1"]}]
	END
	: >"$SCRATCH/prometheus.log"
	prometheus --config.file="$SCRATCH/prometheus.yml" --storage.tsdb.path="$SCRATCH/tsdb" \
		--web.listen-address=127.0.0.1:0 >"$SCRATCH/prometheus.log" 2>&1 &
	PIDS+=("$!")
	until API=$(sed -n 's/.*msg="Listening on" address=//p' "$SCRATCH/prometheus.log"); [[ -n $API ]]; do
		kill -0 "$!"
		sleep 0.1
	done
}

# query EXPRESSION: its answer, as JSON
query() {
	curl -s --max-time 20 --noproxy '*' "http://$API/api/v1/query" --data-urlencode "query=$1"
}

# value EXPRESSION: of the one series that it is about
value() {
	query "$1" | jq -r '.data.result | if length == 1 then .[0].value[1] else "\(length) series" end'
}

# knows EXPRESSION VALUE NAME: Prometheus does, or will within a minute.
knows() {
	local tries

	for ((tries = 0; tries < 240; tries++)); do
		[[ $(value "$1") != "$2" ]] || break
		sleep 0.25
	done
	is "$(value "$1")" "$2" "$3"
}
