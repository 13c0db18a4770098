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

# like GOT REGEX NAME
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
	is "$STATUS" "$1" "$3: exit status $1"
	like "$ERR" "^[^"$'\n'"]*$2[^"$'\n'"]*$" "$3: one clear line"
}

# interrupt FILE CMD...: runs CMD in a process group of its own, and presses
# Ctrl-C, so to say, when FILE is there. As try() otherwise; IDS are the ids of
# the processes of SCRATCH's that are left.
interrupt() {
	local file=$1 pid

	shift
	STATUS=0
	set -m
	"$@" >"$SCRATCH/out" 2>"$SCRATCH/err" </dev/null &
	pid=$!
	set +m
	until [[ -e $file ]] || ! kill -0 "$pid" 2>/dev/null; do
		sleep 0.1
	done
	kill -INT -- "-$pid" 2>/dev/null || true
	wait "$pid" || STATUS=$?
	OUT=$(<"$SCRATCH/out") ERR=$(<"$SCRATCH/err")
	IDS=$(grep -laF "$SCRATCH" /proc/[0-9]*/cmdline 2>/dev/null || true)
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
	((TAP_FAILED == 0))
}
