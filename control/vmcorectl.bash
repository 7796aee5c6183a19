# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of vmcorectl's command line for bash. The words are those of its --help, which is
# made from the table of commands, so there is nothing here that could be out of date.

_vmcorectl_words() {
	local word=${COMP_WORDS[COMP_CWORD]}

	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
}

_vmcorectl() {
	local word=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command='' i help

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--root | --dir) ((i++)) ;;
		= | -* | /*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	help=$("$program" ${command:+"$command"} --help 2>/dev/null) || return
	case $word in
	-*)
		_vmcorectl_words "$(sed -n 's/^ *\(-., \)*\(--[a-z][a-z-]*\)\(=*\).*/\2\3/p' <<<"$help")"
		[[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
		;;
	*)
		if [[ -z $command ]]; then
			_vmcorectl_words "$(sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p' <<<"$help")"
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		;;
	esac
}

complete -o filenames -F _vmcorectl vmcorectl
