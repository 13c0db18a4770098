#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# faultline top in a terminal (tmux's): keys, sizes, and what is left of the
# terminal however it ends. What it shows is tested by tests/top-test.c.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/vms.sh
. "$TOP/tests/vms.sh"

# ---- calls ----

# top_fails STATUS REGEX ARGUMENT...
top_fails() {
	command_fails top "$@"
}

try "$FAULTLINE" top --help
is "$STATUS:$ERR" "0:" "top --help"
top_fails 1 "a live view needs a terminal; use 'faultline stat -i 1', or -b"
top_fails 2 "top shows what runs already; use 'faultline stat -i 1 -- true'" -- true
top_fails 2 "-i 0 is not a number of seconds" -i 0
top_fails 2 "-n 0 is not a number from 1 on" -b -n 0
top_fails 2 "no column is called 'speed'; e.g. PID" -s speed
top_fails 2 "-p, --vm and -a exclude each other" -a -p 1
top_fails 2 "unknown option --bach" --bach

# ---- a virtual machine ----

need_vms 42
start_vm

try "$FAULTLINE" top -b -n 2 -i 0.2 -p "$VM" -s pid
is "$STATUS:$ERR" "0:" "-b: shown"
is "$(grep -cE "^ *$VM micro +1 " <<<"$OUT")" 2 "-b -n 2: the VM, twice"
is "$(grep -c '; by PID; ' <<<"$OUT")" 2 "-s: sorted so"
try "$FAULTLINE" top -b -d 0.3 -i 0.1 -V
is "$STATUS:$ERR" "0:" "-b -d: ends"
STATUS=0
"$FAULTLINE" top -b -i 0.1 2>"$SCRATCH/err" | true || STATUS=${PIPESTATUS[0]}
ERR=$(<"$SCRATCH/err")
fails 1 "Broken pipe; what reads it has ended, so write to a file first" "-b: a closed pipe"

# ---- a terminal ----

# A server for each terminal: one that is about to end would take a new one along.
TERMINAL=0

tmux() {
	command tmux -S "$SCRATCH/tmux-$TERMINAL" -f /dev/null "$@"
}

# shows REGEX NAME: waits for the screen to be like that; gives up after a while.
shows() {
	local tries

	for ((tries = 0; tries < 100; tries++)); do
		SCREEN=$(tmux capture-pane -p)
		[[ ! $SCREEN =~ $1 ]] || break
		sleep 0.1
	done
	like "$SCREEN" "$1" "$2"
}

# in_terminal ARGUMENT...: starts top there, and a shell when it has ended.
# TERMINAL_PID is that of top.
in_terminal() {
	rm -f "$SCRATCH"/{before,after,pid}
	cat >"$SCRATCH/run" <<-END
		stty -g >'$SCRATCH/before'
		status=0
		sh -c 'echo \$\$ >"\$0"; exec "\$@"' '$SCRATCH/pid' '$FAULTLINE' top -i 0.2 $* 2>'$SCRATCH/err' || status=\$?
		stty -g >'$SCRATCH/after'
		echo "it ended with \$status"
		exec sleep 1000
	END
	TERMINAL=$((TERMINAL + 1))
	tmux new-session -d -x 80 -y 24 "sh '$SCRATCH/run'"
}

# ended STATUS NAME: it must have ended, and the terminal be as it was.
ended() {
	shows "it ended with $1" "$2"
	same "$(<"$SCRATCH/after")" "$(<"$SCRATCH/before")" "$2: the terminal's settings are as before"
	is "$(tmux display-message -p '#{alternate_on} #{cursor_flag} #{keypad_flag}')" "0 1 0" \
		"$2: so are its screen, cursor and keypad"
	tmux kill-server
}

in_terminal -p "$VM"
shows " PID NAME .*REF"$'\n'" +$VM micro +1 +[0-9]" "80x24: the VM's row"
is "$(wc -L <<<"$SCREEN")" 80 "80x24: all of the width is used"
tmux send-keys F
shows "sorted by FAULTS/s" "keys: F"
tmux send-keys '>'
shows "by EX/FT" "keys: >"
tmux send-keys R
shows "by EX/FT reversed" "keys: R"
tmux send-keys t
shows "classes: time" "keys: t"
tmux send-keys h
shows "Keys of faultline top" "keys: h"
tmux send-keys x d 0 . 5 Enter
shows "every 0.5 s" "keys: d"
tmux resize-window -x 10 -y 4
shows "^faultline"$'\n'".*PID" "10x4: is redrawn"
tmux resize-window -x 3 -y 2
shows "^fau"$'\n'"[0-9.]{3}$" "3x2: is redrawn"
tmux resize-window -x 120 -y 40
shows "OTH[A-Z ]*"$'\n'" +$VM micro" "120x40: is redrawn"
tmux send-keys q
ended 0 "q"

for signal in INT TERM HUP; do
	in_terminal -a
	shows "$VM micro" "SIG$signal: runs"
	kill "-$signal" "$(<"$SCRATCH/pid")"
	ended 0 "SIG$signal"
done

in_terminal -p "$VM"
shows "$VM micro" "the process dies: runs"
stop_vms
ended 0 "the process dies"

in_terminal -p 1
ended 1 "an error"
like "$(<"$SCRATCH/err")" "^faultline: process 1 runs no virtual machine; [^"$'\n'"]*$" "an error: one clear line"

try env TERM=strange script -qec "'$FAULTLINE' top" /dev/null
like "$OUT" "^faultline: no terminal 'strange' is known here; set TERM" "an unknown terminal"
is "$(count_programs)" 0 "the programs are gone"
done_testing
