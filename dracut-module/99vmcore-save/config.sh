# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what others read, and module-setup.sh's
#
# What the configuration says, as vmcore-save itself reads it.

# vmcore_conf_path - print which file is the configuration; config_path() agrees.
vmcore_conf_path() {
	if [[ -z ${VMCORE_SAVE_CONF-} && ! -e /etc/vmcore-save.conf && -e /etc/kdump.conf ]]; then
		echo /etc/kdump.conf
	else
		echo "${VMCORE_SAVE_CONF:-/etc/vmcore-save.conf}"
	fi
}

vmcore_read_config() {
	local said

	if ! [[ -r $vmcore_conf ]]; then
		vmcore_problem "cannot read $vmcore_conf"
		return 1
	fi
	if ! said=$("$vmcore_bin" --check-config "$vmcore_conf" 2>&1); then
		vmcore_problem "$said"
		return 1
	fi
	vmcore_config=$("$vmcore_bin" --print-config "$vmcore_conf")
}

# vmcore_setting KEY... - print "KEY VALUE" of these keys, defaults included.
vmcore_setting() {
	local key value

	while read -r key value; do
		[[ " $* " != *" $key "* ]] || echo "$key $value"
	done <<< "$vmcore_config"
}

# vmcore_value KEY - print its value alone.
vmcore_value() {
	vmcore_setting "$1" | cut -s -d ' ' -f 2-
}

# vmcore_kind TYPE - print which vmcore_target_ function is for targets of this type.
vmcore_kind() {
	case $1 in
	nfs* | ssh) echo "${1%4}" ;;
	virtiofs | 9p) echo virtfs ;;
	*) echo block ;;
	esac
}

# vmcore_take_target TYPE WHERE PATH [OPTIONS] - set the variables of a target, and for messages
# its place in the file. In the words, blanks and the like are octal: "\040".
vmcore_take_target() {
	local line

	vmcore_type=$1
	printf -v vmcore_where '%b' "$2"
	printf -v vmcore_path '%b' "$3"
	printf -v vmcore_options '%b' "${4-}"
	line=$(type=$1 where=$vmcore_where awk '{ gsub(/"/, "") }
		$1 == ENVIRON["type"] && index($0, ENVIRON["where"]) { print NR; exit }' "$vmcore_conf")
	vmcore_place="$vmcore_conf${line:+:$line}: $vmcore_type $vmcore_where"
}
