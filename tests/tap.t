#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# tests/tap.sh: its checks fail where they have to. And that the tests use them so
# that they can.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
cd "$SCRATCH"

# test_of COMMANDS: runs a test that is made of them.
test_of() {
	printf 'set -euo pipefail\n. %q\n%s\ndone_testing\n' "$TOP/tests/tap.sh" "$1" >a-test
	try bash a-test
}

# passes COMMANDS: so that what follows fails for its own reason.
passes() {
	test_of "$1"
	is "$STATUS:$(grep -c '^ok ' <<<"$OUT"):$(grep -c '^not ok' <<<"$OUT" || true)" "0:${2:-1}:0" "passes: $1"
}

# is_found_out COMMANDS
is_found_out() {
	test_of "$1"
	is "$STATUS:$(grep -c '^not ok' <<<"$OUT" || true)" "1:1" "fails: $1"
}

# shellcheck disable=SC2016 # for the tests that are made
{
	passes 'is a a equal'
	is_found_out 'is a b equal'
	passes 'same "$(echo a)" "$(echo a)" equal'
	is_found_out 'same "$(false)" "$(false)" equal'
	passes 'like abc "^a.c$" like'
	is_found_out 'like abc "^a.d$" like'
	passes 'is "$(echo "[1]" | jq -c .)" "[1]" JSON'
	is_found_out 'is "$(jq "select(.a)" none)" "" JSON'
	is_found_out 'is "$(jq .a none)" "$(jq .b none)" JSON'
	passes 'is "$(diff <(echo a) <(echo a))" "" "no difference"'
	is_found_out 'is "$(diff none none)" "" "no difference"'
	passes 'try sh -c "echo so it is >&2; exit 3"; fails 3 "so.*is" failure' 2
	is_found_out 'try sh -c "echo so >&2; echo it is >&2; exit 3"; fails 3 "so.*is" failure'
	is_found_out 'try sh -c "echo so it is >&2; exit 3"; fails 3 "so|as" failure; fails 4 "so" failure'
	passes 'interrupt "$SCRATCH/there" sh -c "touch \"\$0\"; sleep 1000" "$SCRATCH/there"; is "$STATUS" 130 interrupted'
	is_found_out 'interrupt "$SCRATCH/none" sh -c "exit 1"; is "$STATUS" 1 interrupted'
}
test_of ''
is "$STATUS:$OUT" "1:1..0" "fails: a test without a check"

# An is() whose sides are both what a command prints: same() is for that.
two_sided='(?m)^\s*is "\$\((?:(?!\n\s*(?:is|like|same|fails|try|ok|for|done|skip)\b)[\s\S])*?\)"[\s\\]+"\$\('
# shellcheck disable=SC2016 # as it is in a test
is "$(printf '%s \\\n\t%s' 'is "$(this)"' '"$(that)" "a name"' | grep -Pzc "$two_sided")" 1 "where both sides are worked out, it is noticed"
is "$(grep -Pzl "$two_sided" "$TOP"/tests/*.t "$TOP"/tests/all/*.t || true)" "" "and same() is used there"
done_testing
