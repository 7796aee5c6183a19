# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # module-setup.sh's variables, and dracut's
#
# The hooks of the configuration and of the hooks' folders, with what they are run by: the image
# has busybox's shell, and no libraries but those that a hook brings.

vmcore_hook_folders="/etc/kdump /etc/vmcore-save"

vmcore_is_dynamic() {
	head -c 4096 "$1" | LC_ALL=C grep -aq '/ld-linux\|/ld-musl\|/ld64\|/ld\.so'
}

# vmcore_env_program WORD... - print the program that env(1) is to start, as $PATH has it, and with
# another status where env must split its arguments, which busybox's cannot.
vmcore_env_program() {
	local word splits=0

	while [[ $# != 0 ]]; do
		word=$1
		shift
		case $word in
		-u | --unset | -C | --chdir) shift ;;
		-*S | --split-string) splits=1 ;;
		-S* | --split-string=*)
			word=${word#--split-string=}
			set -- "${word#-S}" "$@"
			splits=1
			;;
		-* | *=*) ;;
		*)
			type -P "$word" || echo "$word"
			break
			;;
		esac
	done
	return $splits
}

# vmcore_interpreters FILE - print the programs that a script's first line names, with "real"
# before one that busybox cannot stand for. Nothing for a program.
vmcore_interpreters() {
	local line words program real=''

	IFS= read -r line < <(head -c 255 "$1" | tr -d '\0')
	[[ $line == '#!'* ]] || return 0
	read -ra words <<< "${line#??}"
	if [[ ${words[0]##*/} == env ]]; then
		program=$(vmcore_env_program "${words[@]:1}") || real='real '
	fi
	echo "$real${words[0]}"
	[[ -z $program ]] || echo "$program"
}

# vmcore_install_program FILE - with its libraries, found by dracut, where it has some.
vmcore_install_program() {
	local size

	if ! vmcore_is_dynamic "$1"; then
		vmcore_install "$1" "$1" 0755
		return
	fi
	size=$(du -sk "$initdir" | cut -f 1)
	# Now, not lazily: with --kernel-only dracut has no later.
	if ! DRACUT_RESOLVE_DEPS=1 inst_binary "$1"; then
		vmcore_problem "$1 needs libraries, which could not be found"
		return 1
	fi
	dwarn "vmcore-save: $1 is not a static program: it and its libraries take" \
		"$(($(du -sk "$initdir" | cut -f 1) - size)) KiB of the capture kernel's memory"
}

# vmcore_install_interpreter [real] PROGRAM - busybox for those that it is as well.
vmcore_install_interpreter() {
	local name=${1##*/}

	if [[ $1 == real ]]; then
		shift
		name=real
		[[ ! -L $initdir$1 ]] || rm "$initdir$1" # an earlier hook was content with busybox
	fi
	[[ ! -e $initdir$1 && ! -L $initdir$1 ]] || return 0
	case $name in
	sh | ash | env)
		mkdir -p "$initdir${1%/*}"
		ln -s /bin/busybox "$initdir$1"
		;;
	*)
		if ! [[ -x $1 ]]; then
			vmcore_problem "there is no interpreter $1"
			return 1
		fi
		vmcore_install_program "$1"
		;;
	esac
}

# vmcore_install_hook FILE
vmcore_install_hook() {
	local interpreter interpreters

	if ! [[ -f $1 && -x $1 ]]; then
		vmcore_problem "$1 is not an executable file"
		return 1
	fi
	interpreters=$(vmcore_interpreters "$1")
	if [[ -z $interpreters ]]; then
		vmcore_install_program "$1"
		return
	fi
	vmcore_install "$1" "$1" 0755 || return 1
	while read -ra interpreter; do
		vmcore_install_interpreter "${interpreter[@]}" || return 1
	done <<< "$interpreters"
}

vmcore_part_hooks() {
	local key file vmcore_place

	for key in kdump_pre kdump_post kdump_emergency; do
		vmcore_place="$vmcore_conf: $key"
		file=$(vmcore_setting "$key" | cut -s -d ' ' -f 2-)
		[[ -z $file ]] || vmcore_install_hook "$file" || return 1
	done
	for key in pre post emergency; do
		# shellcheck disable=SC2086
		for file in $(printf "%s/$key.d/* " $vmcore_hook_folders); do
			[[ -f $file ]] || continue
			vmcore_place=${file%/*}
			if [[ -x $file ]]; then
				vmcore_install_hook "$file" || return 1
			else
				dwarn "vmcore-save: $file is not executable: it is left out"
			fi
		done
	done
}
