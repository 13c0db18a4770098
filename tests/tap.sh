# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # tests use what is set here
#
# TAP for tests in bash, to be sourced. A test that ends before done_testing
# has no plan, and so fails. Each test gets a directory of its own, SCRATCH.

TAP_COUNT=0
TAP_FAILED=0
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ok STATUS NAME: as in `status=0; CMD || status=$?; ok $status "CMD works"`
ok() {
	TAP_COUNT=$((TAP_COUNT + 1))
	if (($1 == 0)); then
		echo "ok $TAP_COUNT - $2"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_COUNT - $2"
	fi
}

# diag TEXT: shown to who runs the tests
diag() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# is GOT WANTED NAME
is() {
	local status=0

	[[ $1 == "$2" ]] || status=1
	ok "$status" "$3"
	((status == 0)) || diag "got:    $1"$'\n'"wanted: $2"
}

# same GOT WANTED NAME: is(), for a WANTED that is worked out, too. It has to be
# something: what fails prints nothing, and so two that fail print the same.
same() {
	is "$1" "${2:-something}" "$3"
}

# like GOT REGEX NAME: a dot matches a newline, too.
like() {
	local status=0

	[[ $1 =~ $2 ]] || status=1
	ok "$status" "$3"
	((status == 0)) || diag "got:         $1"$'\n'"wanted like: $2"
}

# try CMD...: runs CMD; sets STATUS, and OUT and ERR to what it printed.
try() {
	STATUS=0
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null || STATUS=$?
	OUT=$(<"$SCRATCH/out") ERR=$(<"$SCRATCH/err")
}

# fails STATUS REGEX NAME: what try() ran must have ended with STATUS, and have
# printed one line on stderr, like REGEX.
fails() {
	local status=0

	is "$STATUS" "$1" "$3: exit status $1"
	[[ $ERR =~ $2 && $ERR != *$'\n'* ]] || status=1
	ok "$status" "$3: one clear line"
	((status == 0)) || diag "got:         $ERR"$'\n'"wanted like: $2"
}

# command_fails COMMAND STATUS REGEX ARGUMENT...: faultline's COMMAND must, as in fails.
command_fails() {
	try "$FAULTLINE" "$1" "${@:4}"
	fails "$2" "$3" "$1 ${*:4}"
}

# interrupt FILE CMD...: runs CMD in a process group of its own, and presses
# Ctrl-C, so to say, when FILE is there. As try() otherwise, but that STATUS is none
# if CMD has ended before; IDS are the ids of the processes of SCRATCH's that are left.
interrupt() {
	local file=$1 pid early=''

	shift
	STATUS=0
	set -m
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null &
	pid=$!
	set +m
	until [[ -e $file || -n $early ]]; do
		kill -0 "$pid" 2>/dev/null || early=', too early'
		sleep 0.1
	done
	kill -INT -- "-$pid" 2>/dev/null || true
	wait "$pid" || STATUS=$?
	STATUS+=$early
	OUT=$(<"$SCRATCH/out") ERR=$(<"$SCRATCH/err")
	IDS=$(grep -laF "$SCRATCH" /proc/[0-9]*/cmdline 2>/dev/null || true)
}

# tells CMD MOST ARG...: runs CMD, and has it print something, and never the same,
# if it ends with more than MOST. Where its output is what a check is about, a
# failure would be no output, and no output may be what is wanted.
tells() {
	local cmd=$1 most=$2 status=0

	shift 2
	command "$cmd" "$@" || status=$?
	((status <= most)) || echo "$cmd failed in process $BASHPID"
	return "$status"
}

jq() {
	tells jq 0 "$@"
}

diff() {
	tells diff 1 "$@"
}

# skip COUNT REASON: in the place of COUNT tests
skip() {
	local i

	for ((i = 0; i < $1; i++)); do
		TAP_COUNT=$((TAP_COUNT + 1))
		echo "ok $TAP_COUNT # SKIP $2"
	done
}

done_testing() {
	echo "1..$TAP_COUNT"
	((TAP_COUNT > 0 && TAP_FAILED == 0))
}
