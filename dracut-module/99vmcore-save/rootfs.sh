# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # what others read, and module-setup.sh's
#
# The root file system as a target: where none is configured, as kdump.conf(5) has it, and
# as the last one with "failure_action dump_to_rootfs".

# vmcore_find_rootfs - set vmcore_type, vmcore_where and vmcore_options to this host's.
vmcore_find_rootfs() {
	local uuid source options

	vmcore_place="$vmcore_conf: the root file system"
	read -r vmcore_type source options < <(findmnt -nvro FSTYPE,SOURCE,OPTIONS --mountpoint /)
	uuid=$(findmnt -nro UUID --mountpoint /)
	[[ $uuid ]] || uuid=$(blkid -s UUID -o value "$source") # without udev
	case $vmcore_type in
	ext[234] | xfs | vfat) vmcore_options= ;;
	btrfs) vmcore_options=$(tr , '\n' <<< "$options" | grep '^subvol=') ;;
	*)
		vmcore_problem "${vmcore_type:-what it is} cannot be a target; name another one," \
			"such as 'ext4 UUID=...'"
		return 1
		;;
	esac
	if [[ -z $uuid ]]; then
		vmcore_problem "its UUID cannot be found out"
		return 1
	fi
	vmcore_where=UUID=$uuid
}

# vmcore_wants_rootfs - whether the root file system is a target.
vmcore_wants_rootfs() {
	[[ -z $(vmcore_setting target) || $(vmcore_value failure_action) == dump_to_rootfs ]]
}

vmcore_install_rootfs() {
	local vmcore_type vmcore_where vmcore_options vmcore_place

	if [[ -z $hostonly ]]; then
		vmcore_place=$vmcore_conf
		vmcore_problem "it takes the root file system of the host that the image is for, so" \
			"name a target, such as 'ext4 UUID=...', or build with --hostonly"
		return 1
	fi
	vmcore_find_rootfs && vmcore_target_block || return 1
	printf '%s\n' "$vmcore_type $vmcore_where" ${vmcore_options:+"mount_options $vmcore_options"} \
		> "$initdir/etc/vmcore-save/rootfs"
}
