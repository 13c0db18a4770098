#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/lib.sh: stages, cleaning up after signals, checks.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"

export FAULTLINE_BUILD=$SCRATCH/build PATCHES_DIR=$SCRATCH/patches
LOG=$FAULTLINE_BUILD/log
mkdir -p "$PATCHES_DIR/6.12" "$PATCHES_DIR/6.1"
touch "$PATCHES_DIR/6.12/series"

# write_script TEXT: makes TEXT a script that uses lib.sh, with_lib runs it, too.
write_script() {
	printf 'set -euo pipefail\n. %q\n%s\n' "$TOP/scripts/lib.sh" "$1" >"$SCRATCH/demo"
}

with_lib() {
	write_script "$1"
	bash "$SCRATCH/demo"
}

# Help
{
	printf '%s\n' '#!/bin/bash' '# SPDX-License-Identifier: GPL-2.0' '#' '# Does it.' '#' '# usage: demo'
	printf '. %q\n' "$TOP/scripts/lib.sh"
	printf '%s\n' '# Not this.' 'no_arguments "$@"' 'echo done'
} >"$SCRATCH/helpful"
for option in -h --help; do
	try bash "$SCRATCH/helpful" "$option"
	is "$STATUS:$OUT:$ERR" "0:Does it."$'\n\n'"usage: demo:" "$option: the first comment, and nothing is done"
done
try bash "$SCRATCH/helpful" LINE=6.1
fails 2 "'LINE=6.1': there are no arguments, only variables" "an argument for who takes none"
try bash "$SCRATCH/helpful"
is "$STATUS:$OUT:$ERR" "0:done:" "no argument"

# Stages
try with_lib 'run_stage "first thing" echo hello'
is "$STATUS" 0 "a stage that works"
like "$OUT" ^first\ thing\ \.\.\..*first\ thing\ +[0-9]+\ s\ +done$ "its name and time are shown"
is "$(<"$LOG/first-thing.log")" hello "its output is in the log"

try with_lib 'run_stage bad bash -c "echo noise; echo tool: it broke >&2; echo make: Error 1; exit 3"'
is "$STATUS" 3 "a stage that fails gives its status"
is "$ERR" "tool: it broke" "the reason is shown"
like "$OUT" FAILED.*log/bad.log "where the log is is shown"

printf '%s\n' "a/b.c: In function 'main':" "a/b.c:3:1: error: no" "make: *** Error 1" "make[1]: *** Error 2" >"$SCRATCH/gcc"
try with_lib "run_stage bad bash -c 'cat $SCRATCH/gcc; exit 1'"
is "$ERR" "a/b.c:3:1: error: no" "a compiler's error is a reason"

try with_lib 'run_stage bad bash -c "seq 9; exit 1"'
is "$ERR" $'5\n6\n7\n8\n9' "without a reason, the log's end is shown"

TERM=xterm try script -qec "bash -c '. $TOP/scripts/lib.sh; run_stage slow sleep 1.5'" /dev/null
like "$OUT" $'\r'.*slow.*' [1-9] s '.*$'\r'.*done "on a terminal there is progress"

# Signals. The stage leaves a process and a temporary directory unless cleaned.
cat >"$SCRATCH/stage" <<END
echo \$\$ >$SCRATCH/pid
sleep 1000 &
wait
END
for signal in INT:130 TERM:143; do
	wanted=${signal#*:} signal=${signal%:*}
	write_script "new_temp_dir $SCRATCH/temp; run_stage long bash $SCRATCH/stage"
	set -m
	bash "$SCRATCH/demo" >/dev/null &
	set +m
	until [[ -s $SCRATCH/pid && -d $SCRATCH/temp ]]; do sleep 0.1; done
	try with_lib "group_lives $(<"$SCRATCH/pid")"
	is "$STATUS" 0 "SIG$signal: before it, there are processes"
	kill -"$signal" -- -$!
	STATUS=0
	wait $! || STATUS=$?
	is "$STATUS" "$wanted" "a stage that gets SIG$signal: exit status"
	try with_lib "group_lives $(<"$SCRATCH/pid")"
	is "$STATUS" 1 "SIG$signal: no process is left"
	[[ ! -e $SCRATCH/temp ]] && STATUS=0 || STATUS=1
	ok $STATUS "SIG$signal: no temporary directory is left"
	rm -f "$SCRATCH/pid"
done

try with_lib 'new_temp_dir '"$SCRATCH/temp"'; die "no good"'
fails 1 '^demo: no good' "die"
[[ ! -e $SCRATCH/temp ]] && STATUS=0 || STATUS=1
ok $STATUS "die removes temporary directories"

# What the next holder of a lock makes under the same name is the next holder's.
try with_lib "with_lock $SCRATCH/lock new_temp_dir $SCRATCH/temp
[[ ! -e $SCRATCH/temp ]] || die 'it is still there'
mkdir $SCRATCH/temp"
is "$STATUS:$ERR" "0:" "a lock that ends takes temporary directories with it"
[[ -d $SCRATCH/temp ]] && STATUS=0 || STATUS=1
ok $STATUS "and leaves alone what another makes then"
rmdir "$SCRATCH/temp"
try with_lib "new_temp_dir $SCRATCH/temp; with_lock $SCRATCH/lock true; [[ -d $SCRATCH/temp ]]"
is "$STATUS:$ERR" "0:" "those from before the lock stay"

# A job that has ended by itself is known until it is waited for, and its number
# may be another's by then.
try with_lib "$(cat <<'END'
start true
until ! group_lives $!; do sleep 0.1; done
[[ $(jobs -p) == "$!" ]] || die "it isn't known before"
stop_group $!
echo "left: $(jobs -p)"
END
)"
is "$STATUS:$OUT:$ERR" "0:left: :" "a job that is stopped is forgotten"

# Checks
try with_lib 'check_line 6.12'
is "$STATUS" 0 "a line with a series is known"
for line in 6.1 2.4 '' ../6.12 '6.12 x'; do
	try with_lib "check_line '$line'"
	fails 2 "unknown LINE '$line'; known: 6.12" "LINE '$line'"
done
try with_lib "need_disk $SCRATCH/not/there/yet 1; need_memory 0"
is "$STATUS" 0 "enough disk and memory"
try with_lib "need_disk $SCRATCH 1000000"
fails 1 'GiB free on .*, 1000000 GiB needed; make room' "too little disk"
try with_lib 'need_memory 1000000'
fails 1 'MiB of memory available, 1000000 GiB needed' "too little memory"

done_testing
