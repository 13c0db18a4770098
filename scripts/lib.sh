# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What all shell of this project shares: how errors are said, how a long
# command is run and shown, and how everything is cleaned up whichever way the
# script ends. To be sourced, after `set -euo pipefail`.

TOP=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
NAME=${0##*/}

# Where things are; tests put them elsewhere.
BUILD=${FAULTLINE_BUILD:-$TOP/build}
PATCHES_DIR=${PATCHES_DIR:-$TOP/patches}

# ---- Help: the script's first comment, which says how it is called ----

case ${1:-} in
-h | --help)
	awk 'NR < 3 || (NR == 3 && /^#$/) { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0"
	exit
	;;
esac

# ---- Errors: one line on stderr ----

die() {
	echo "$NAME: $*" >&2
	exit 1
}

usage_error() {
	echo "$NAME: $*" >&2
	exit 2
}

# no_arguments "$@": for scripts that go by the environment
no_arguments() {
	(($# == 0)) || usage_error "'$1': there are no arguments, only variables, to be set before the command; see --help"
}

# ---- Cleaning up ----

TEMP_DIRS=()		# directories that must not outlive the script

# new_temp_dir PATH: makes PATH anew, to be removed when the script ends. Give
# it next to where its content shall go, so that a rename can put it there.
# What a killed script left under that name is removed: callers hold the lock.
new_temp_dir() {
	rm -rf -- "$1"
	mkdir -p -- "$1"
	TEMP_DIRS+=("$1")
}

# Whether a process group has a process that is not a zombie: in a container,
# nobody may come for those.
group_lives() {
	awk -v group="$1" '$3 == group && $1 != "Z" { found = 1 } END { exit !found }' \
		< <(sed 's/.*) //' /proc/[0-9]*/stat 2>/dev/null)
}

# Ends a job's process group: politely, after 10 seconds by force. The job is
# forgotten then: its number may soon be that of a group that isn't ours.
stop_group() {
	local pid=$1 tries

	kill -TERM -- "-$pid" 2>/dev/null || true
	for ((tries = 0; tries < 100; tries++)); do
		group_lives "$pid" || break
		sleep 0.1
	done
	((tries < 100)) || kill -KILL -- "-$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

cleanup() {
	local status=$? pid

	trap - EXIT
	trap '' HUP INT TERM
	for pid in $(jobs -p); do
		stop_group "$pid"
	done
	((${#TEMP_DIRS[@]} == 0)) || rm -rf -- "${TEMP_DIRS[@]}"
	exit "$status"
}

trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Running things ----

# start CMD...: runs CMD in the background in a process group of its own, for
# cleanup() to end with all its processes. Its pid is in $!.
start() {
	set -m
	"$@" </dev/null &
	set +m
}

# run CMD...: runs CMD to its end. Unlike with a plain CMD, a signal to this
# script is dealt with at once.
run() {
	start "$@"
	wait "$!"
}

# Draws NAME, the seconds since BEGAN and the last line of LOG, until killed.
show_progress() {
	local name=$1 began=$2 log=$3 last

	while :; do
		last=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | expand | cut -c 1-40)
		printf '\r\033[K%-24s %4d s  %s' "$name" $((SECONDS - began)) "$last"
		sleep 1
	done
}

# Says why a stage failed: the last line in its log that reads like an error of
# a program (`name: what is wrong`) or of a compiler, else the log's end.
show_reason() {
	local log=$1 reason

	reason=$(grep -aE '^[A-Za-z0-9_./-]+: |: (fatal )?error: ' "$log" |
		grep -avE '^make: |^[^ ]+: In function ' | tail -n 1) ||
		reason=$(tail -n 5 "$log")
	printf '%s\n' "$reason" >&2
}

# show_stage NAME SECONDS RESULT: the line that stays of a stage
show_stage() {
	printf '%-24s %4d s  %s\n' "$@"
}

# run_stage NAME CMD...: one stage of something long. CMD's output goes to
# build/log/NAME.log; the user sees the name, that it is alive, and the time
# that it took; when it failed, the reason. Gives CMD's exit status.
run_stage() {
	local name=$1 log=$BUILD/log/${1// /-}.log
	local began=$SECONDS status=0 progress='' clear='' stage result

	shift
	mkdir -p "$BUILD/log"
	: >"$log"
	if [[ -t 1 && ${TERM:-dumb} != dumb ]]; then
		start show_progress "$name" "$began" "$log"
		progress=$!
		clear=$'\r\033[K'
	else
		echo "$name ..."
	fi
	start "$@" >"$log" 2>&1
	stage=$!
	wait "$stage" || status=$?
	[[ -z $progress ]] || stop_group "$progress"

	result="done"
	((status == 0)) || result="FAILED, see ${log#"$PWD"/}"
	printf '%s' "$clear"
	show_stage "$name" $((SECONDS - began)) "$result"
	((status == 0)) || show_reason "$log"
	return "$status"
}

# with_lock DIR CMD...: runs CMD while no other run of ours holds DIR. The lock
# is on the directory itself and ends with whoever holds it: nothing to leave
# behind. CMD's temporary directories don't outlive it, as the next holder of the
# lock uses the same names.
with_lock() {
	local dir=$1 fd nr=${#TEMP_DIRS[@]}

	shift
	mkdir -p -- "$dir"
	exec {fd}<"$dir"
	flock --nonblock "$fd" || {
		echo "waiting for another run, which uses $dir"
		run flock "$fd"
	}
	"$@"
	rm -rf -- "${TEMP_DIRS[@]:nr}"
	TEMP_DIRS=("${TEMP_DIRS[@]:0:nr}")
	exec {fd}<&-
}

# ---- Checks ----

# check_line LINE: it must be one that the series is kept for.
check_line() {
	local file known=()

	[[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ && -f $PATCHES_DIR/$1/series ]] && return
	for file in "$PATCHES_DIR"/*/series; do
		[[ ! -f $file ]] || known+=("$(basename "${file%/series}")")
	done
	usage_error "unknown LINE '$1'; known: ${known[*]:-none}"
}

# need_disk DIR GIB: DIR, or the nearest directory above it that exists.
need_disk() {
	local dir=$1 gib=$2 free

	until [[ -d $dir ]]; do
		dir=$(dirname "$dir")
	done
	free=$(df --output=avail -BG "$dir" | tail -n 1 | tr -dc 0-9)
	((free >= gib)) ||
		die "$free GiB free on $dir, $gib GiB needed; make room, or set FAULTLINE_CACHE to another disk"
}

need_memory() {
	local gib=$1 kib

	kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
	((kib >= gib << 20)) ||
		die "$((kib >> 10)) MiB of memory available, $gib GiB needed; end something large"
}
