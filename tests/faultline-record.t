#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline record: what it writes, and what is left of it however it ends. That all
# comes back as it was is checked in tests/results.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"

DIR=$SCRATCH/dir
RUN=$DIR/run
mkdir "$DIR"

# ---- calls ----

# record_fails STATUS REGEX ARGUMENT...
record_fails() {
	command_fails record "$@"
}

record_fails 2 "no COMMAND to measure" -o "$RUN"
record_fails 2 "-i 0 is not a number of seconds" -a -i 0
record_fails 2 "unknown option --json" -a --json
record_fails 2 "-o needs a value" -a -o
record_fails 1 "is a directory; name a file" -a -o "$DIR"
record_fails 1 "/dev/full is not a regular file" -a -o /dev/full
record_fails 1 "cannot write .*/none/run: No such file or directory" -a -o "$DIR/none/run"
echo mine >"$DIR/exists"
record_fails 1 "exists; add to it by --append" -a -o "$DIR/exists"
record_fails 1 "cannot (read|write) .*exists: file is not a database" -a --append -o "$DIR/exists"
is "$(<"$DIR/exists")" mine "a file that exists stays as it is"
rm "$DIR/exists"

if ((EUID != 0)); then
	skip 7 "only root can mount, and measure"
else
	# shellcheck disable=SC2016 # for the inner shell
	try unshare --mount bash -c '
		mount -t tmpfs -o ro none "$2"
		exec "$1" record -a -o "$2/run"' bash "$FAULTLINE" "$DIR"
	fails 1 "cannot write .*: Read-only file system" "a read-only directory"
	# shellcheck disable=SC2016 # for the inner shell
	try unshare --mount bash -c '
		mount -t tmpfs -o size=64k none "$2"
		cat /dev/zero >"$2/filler" 2>/dev/null
		"$1" record -a -o "$2/run"
		status=$?
		ls -A "$2"
		exit $status' bash "$FAULTLINE" "$DIR"
	fails 1 "cannot write .*: No space left on device" "a full disk"
	is "$OUT" filler "a full disk: nothing is left behind"
	record_fails 1 "there is no process 4194304" -p 4194304 -o "$RUN"
fi
is "$(ls -A "$DIR")" "" "nothing is left behind"

# ---- recordings ----

need_vms 21

# values QUERY [OPTION]...: what jq says of the runs in RUN
values() {
	"$FAULTLINE" report --json "${@:2}" "$RUN" | jq -rs "$1"
}

start_vm
try "$FAULTLINE" record -p "$VM" -d 1.5 -i 0.5 -o "$RUN" --set workload=cow
is "$STATUS:$ERR" "0:" "recorded"
like "$OUT" "run: run 1, [0-9.]+ s, [0-9]+ guest faults" "it says what"
is "$(ls -A "$DIR")" run "one file is left"
is "$(values '"\(length) \(.[0].schema) \(.[0].workload) \(.[0].vms[0].name)"')" \
	"1 faultline.run/1 cow micro" "report: one run, with its labels and VM"
is "$(values '(map(select(.interval) | .guest_faults) | add) == .[-1].guest_faults' -i)" true \
	"report: its intervals add up to it"
is "$(values 'map(select(.interval)) | length >= 3' -i)" true "report: there are several"
try "$FAULTLINE" report "$RUN"
like "$OUT" "Linux .*1 vCPU, [0-9.]+ s" "report: a table"
try "$FAULTLINE" record -p "$VM" -d 0.3 -o "$RUN" --append --set workload=other --episodes
is "$STATUS:$ERR" "0:" "--append: recorded"
is "$(values 'map(.workload) | join(" ")')" "cow other" "--append: the file has both"
is "$(values 'map(.workload) | join(" ")' --where workload=other)" other "--where: one of them"
before=$(md5sum <"$RUN")
record_fails 1 "exists; add to it by --append" -p "$VM" -o "$RUN"
is "$(md5sum <"$RUN")" "$before" "a run file that exists stays as it is"
rm "$RUN"

# ---- ends ----

# intervals_in FILE NR: wait until that many are in FILE, while process PID is there.
intervals_in() {
	until [[ $("$FAULTLINE" report -i --csv "$1" 2>/dev/null | grep -c '^[0-9][0-9]*,.*,""') -ge $2 ]]; do
		kill -0 "$PID"
		sleep 0.05
	done
}

"$FAULTLINE" record -p "$VM" -i 0.1 -o "$RUN" >/dev/null &
PID=$!
intervals_in "$RUN" 3
kill -KILL "$PID"
wait "$PID" 2>/dev/null || true
is "$(values 'map(select(.interval)) | length >= 3' -i)" true "SIGKILL: its intervals are there"
is "$(values '(map(select(.interval) | .guest_faults) | add) == .[-1].guest_faults' -i)" true \
	"SIGKILL: the whole is made of them"
rm -f "$RUN"*

"$FAULTLINE" record -p "$VM" -o "$RUN" >"$SCRATCH/out" 2>"$SCRATCH/err" &
PID=$!
until [[ -s $RUN ]] && intervals_in "$RUN" 1; do
	sleep 0.05
done
kill -TERM "$PID"
STATUS=0
wait "$PID" || STATUS=$?
is "$STATUS:$(<"$SCRATCH/err")" "0:" "SIGTERM: ends well"
is "$(values '.[-1].guest_faults > 0')" true "SIGTERM: what was measured is there"
is "$(ls -A "$DIR")" run "SIGTERM: one file is left"
rm "$RUN"

# The disk gets full when two intervals have been written.
# shellcheck disable=SC2016 # for the inner shell
try unshare --mount bash -c '
	mount -t tmpfs -o size=256k none "$3"
	"$1" record -p "$2" -i 0.2 -o "$3/run" &
	pid=$!
	until [[ $("$1" report -i --csv "$3/run" 2>/dev/null | grep -c "^[0-9][0-9]*,.*,\"\"") -ge 2 ]]; do
		kill -0 $pid
		sleep 0.05
	done
	cat /dev/zero >"$3/filler" 2>/dev/null
	wait $pid
	status=$?
	ls -A "$3"
	"$1" report "$3/run"
	exit $status' bash "$FAULTLINE" "$VM" "$DIR"
fails 1 "cannot write .*run: No space left on device; it has what was counted in the first [0-9.]+ s" \
	"the disk gets full"
like "$OUT" "^filler"$'\n'"run"$'\n' "the disk gets full: nothing else is left behind"
like "$OUT" "Linux .*1 vCPU" "the disk gets full: what was written is there"
stop_vms
done_testing
