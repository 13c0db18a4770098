# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# bash completion for faultline(1). What can be completed is in the help texts, so
# it asks the program for them: there is no second list to keep.

_faultline_commands() {
	faultline --help 2>/dev/null | sed -nE '/^Examples:/q; s/^  ([a-z]+) .*/\1/p'
}

# _faultline_options COMMAND: a line for each, with the name of its value, if it
# takes one: "--output FILE"
_faultline_options() {
	faultline help "$1" 2>/dev/null | awk '
		/^ +(-[a-z], )?--[a-z]/ {
			sub(/^ +/, "")
			sub(/  .*/, "")
			nr = split($0, word, /,? /)
			for (i = 1; i <= nr && word[i] ~ /^-/; i++)
				print word[i], (word[nr] ~ /^-/ ? "" : word[nr])
		}'
}

# _faultline_value COMMAND OPTION: the name of its value
_faultline_value() {
	_faultline_options "$1" | awk -v option="$2" '$1 == option { print $2 }'
}

_faultline() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-} words='' value=''

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		words="$(_faultline_commands) --help --version"
	elif [[ $command == help ]]; then
		words=$(_faultline_commands)
	else
		value=$(_faultline_value "$command" "$prev")
		case $value in
		'') [[ $cur != -* ]] || words=$(_faultline_options "$command" | cut -d' ' -f1) ;;
		FILE*) ;;
		PID) words=$(cd /proc && echo [0-9]*) ;;
		*) compopt +o default +o bashdefault ;;
		esac
	fi
	# With nothing in COMPREPLY, bash completes names of files.
	[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o default -o bashdefault -F _faultline faultline
