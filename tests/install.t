#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# make install: what is put where, manual pages, and completion in bash and zsh,
# which know what the help texts say. Packages are tested in tests/all/deb.t.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
cd "$TOP"

ROOT=$SCRATCH/root
PREFIX=$ROOT/opt/faultline

# ---- files ----

try make --no-print-directory install DESTDIR="$ROOT" PREFIX=/opt/faultline
is "$STATUS" 0 "make install"
((STATUS == 0)) || diag "$ERR"
FAULTLINE=$PREFIX/bin/faultline
try "$FAULTLINE" --version
is "$STATUS:$OUT" "0:faultline $(<VERSION)" "it runs where it is"
try "$FAULTLINE" export --help
like "$STATUS:$OUT" "^0:usage: faultline export " "and finds the program that export is"
is "$(find "$ROOT" -type f -perm /111 -printf '%P\n' | sort | xargs)" \
	"opt/faultline/bin/faultline opt/faultline/libexec/faultline/faultline-export" "nothing else can be run"
is "$(sed -n 's/^ExecStart=//p' "$PREFIX/lib/systemd/system/faultline-export.service")" \
	"/opt/faultline/bin/faultline export \$OPTIONS" "the service runs it where it is"
is "$(find "$ROOT" -type f -exec grep -l "$ROOT" {} + || true)" "" "no file knows DESTDIR"

# ---- what Debian's packages are made by ----

same "$(sed -nE '1s/.*\((.*)\).*/\1/p' debian/changelog)" "$(<VERSION)" "debian/changelog has this version"
# What is in build-essential goes without saying.
same "$(sed -nE '/^Build-Depends:/,/^$/s/^(Build-Depends:)? *([a-z0-9-]+).*/\2/p' debian/control | grep -v debhelper | sort | xargs)" \
	"$(awk '/^(build|install)\t/ { print $2 }' scripts/packages.txt | grep -vxE 'gcc|libc6-dev|make|gzip' | sort -u | xargs)" \
	"debian/control says what it takes to build, as scripts/packages.txt does"

# commands_of TEXT: what `faultline --help` lists
commands_of() {
	awk '/^Examples:/ { exit } /^  [a-z]+ / { print $1 }' <<<"$1"
}

# options_of TEXT: what a help text says of options, long and short ones
options_of() {
	grep -E '^ +(-[a-z], )?--[a-z]' <<<"$1" | grep -oE '^ +(-[a-z], )?--[a-z-]+' |
		grep -oE -- '--?[a-z][a-z-]*' | sort -u
}

mapfile -t commands < <(commands_of "$("$FAULTLINE" --help)")
ok $((${#commands[@]} < 6)) "the commands are ${commands[*]}"

# ---- manual pages ----

wanted=$(printf 'faultline-%s.1\n' "${commands[@]}" | sed '/-help/d' | (cat; echo faultline.1) | sort | xargs)
is "$(find "$PREFIX/share/man/man1" -type f -printf '%f\n' | sort | xargs)" "$wanted" "each command has a manual page"
for page in "$PREFIX"/share/man/man1/*; do
	name=${page##*/}
	try env LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings --local-file "$page"
	is "$STATUS:$ERR" "0:" "$name: groff finds nothing wrong"
	text=$OUT missing=''
	for section in NAME SYNOPSIS DESCRIPTION EXAMPLES OVERHEAD 'SEE ALSO'; do
		grep -qx "$section" <<<"$text" || missing+=" $section"
	done
	is "$missing" "" "$name: has all sections"
done

# ---- completion ----

PATH=$PREFIX/bin:$PATH

# complete_bash WORD...: what bash makes of the command line, the cursor at its end
complete_bash() {
	bash -c '
		. "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_faultline 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash \
		"$PREFIX/share/bash-completion/completions/faultline" "$@" | sort -u
}

# complete_zsh WORD...: likewise, of what zsh is told about, if not what it makes of it
complete_zsh() {
	# shellcheck disable=SC2016 # for zsh
	zsh -f -c '
		_describe() { print -l -- ${(P)2} | sed "s/:.*//"; }
		_arguments() { shift; print -l -- $@ | sed "/^\*/d; s/[=+]*\[.*//"; }
		words=(${@[2,-1]})
		CURRENT=$#words
		. $1' zsh "$PREFIX/share/zsh/site-functions/_faultline" "$@" | sort -u
}

sorted=$(printf '%s\n' "${commands[@]}" | sort)
same "$(complete_bash faultline '')" "$(sort <(echo "$sorted") <(printf '%s\n' --help --version))" "bash: commands"
is "$(complete_bash faultline help '')" "$sorted" "bash: of help"
is "$(complete_bash faultline st)" "stat" "bash: of which one begins so"
is "$(complete_bash faultline stat -o '')" "" "bash: a file"
is "$(complete_bash faultline stat -d '')" "" "bash: a number"
like " $(complete_bash faultline stat --pid '' | xargs) " " $$ " "bash: a process"
is "$(complete_zsh faultline 'x')" "$sorted" "zsh: commands"
for command in "${commands[@]}"; do
	[[ $command != help ]] || continue
	options=$(options_of "$("$FAULTLINE" help "$command")")
	is "$(complete_bash faultline "$command" -)" "$options" "bash: options of $command"
	is "$(complete_zsh faultline "$command" -)" "$options" "zsh: options of $command"
done
try zsh -n "$PREFIX/share/zsh/site-functions/_faultline"
is "$STATUS:$ERR" "0:" "zsh reads its completion"

# ---- the lab ----

try make --no-print-directory install-lab DESTDIR="$ROOT" PREFIX=/opt/faultline
is "$STATUS" 0 "make install-lab"
((STATUS == 0)) || diag "$ERR"
LAB=$PREFIX/lib/faultline-lab

# The files that its scripts name: next to them, or of what has been compiled.
# shellcheck disable=SC2016 # they are the scripts' variables
mapfile -t named < <(grep -rhoIE '\$(TOP|PROGRAMS|\{FAULTLINE_PROGRAMS:-\$BUILD\})"?/[a-z0-9][A-Za-z0-9./-]*' \
	"$LAB/lab" "$LAB/scripts" | sed -E 's,^\$TOP"?/,,; s,^\$.*(PROGRAMS|BUILD\})"?/,build/,' | sort -u)
missing=''
for file in "${named[@]}"; do
	[[ -e $LAB/$file ]] || missing+=" $file"
done
ok $((${#named[@]} < 10)) "the lab's scripts name files"
is "$missing" "" "the lab's scripts find the ${#named[@]} files that they name"
try "$PREFIX/bin/faultline-lab" VENDOR=arm
fails 2 "unknown VENDOR 'arm'; known: svm vmx" "faultline-lab runs where it is"
done_testing
