# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # module-setup.sh's variables
#
# Which image: "tiny", of vmcore-save alone, or "full", dracut's own with vmcore-save as its
# last step. Each function prints why a thing needs a full image, or nothing.

# What a device mapper's device is to the tiny image; a table is read where this can be done.
vmcore_why_dm() { # vmcore_why_dm SYSFS
	local types

	case $(cat "$1/dm/uuid") in
	mpath-* | part*-mpath-*) echo "multipath" ;;
	CRYPT-*) echo "LUKS" ;;
	LVM-*)
		types=$(dmsetup table "$(< "$1/dm/name")" 2> /dev/null | cut -d ' ' -f 3 | sort -u)
		types=${types//$'\n'/ }
		[[ $types =~ ^(linear|striped|linear striped)$ ]] ||
			echo "a logical volume of type ${types:-unknown}"
		;;
	*) echo "device-mapper device $(< "$1/dm/name")" ;;
	esac
}

vmcore_why_md() { # vmcore_why_md SYSFS
	local level

	level=$(cat "$1/md/level")
	[[ $level == raid1 ]] || echo "md $level"
}

# What hangs on hardware, by the folders that the kernel's transports have in sysfs.
vmcore_why_disk() { # vmcore_why_disk SYSFS
	local ctrl

	case $1 in
	*/session[0-9]*/target*) echo "iSCSI" ;;
	*/ctlr_[0-9]*/*) echo "FCoE" ;;
	*/nvme-fabrics/*) echo "NVMe over fabrics" ;;
	*/virtual/nvme-subsystem/*)
		for ctrl in "${1%/*}"/nvme*/transport; do
			[[ ! -e $ctrl || $(< "$ctrl") == pcie ]] || echo "NVMe over $(< "$ctrl")"
		done | head -n 1
		;;
	*/virtual/*) echo "${1##*/}, which no hardware is behind," ;;
	esac
}

vmcore_why_block() { # vmcore_why_block SYSFS
	local slave why=''

	if [[ -e $1/partition ]]; then
		vmcore_why_block "${1%/*}"
		return
	elif [[ -e $1/dm ]]; then
		why=$(vmcore_why_dm "$1")
	elif [[ -e $1/md ]]; then
		why=$(vmcore_why_md "$1")
	else
		why=$(vmcore_why_disk "$1")
	fi
	if [[ -z $why && ( -e $1/dm || -e $1/md ) ]] && ! declare -F vmcore_part_stack > /dev/null; then
		why="a stack of devices"
	fi
	for slave in "$1"/slaves/*; do
		[[ -z $why && -e $slave ]] || continue
		why=$(vmcore_why_block "$(readlink -e "$slave")")
	done
	[[ -z $why ]] || echo "$why"
}

# By the interface that the way to a host begins with. That it is this host itself no image mends.
vmcore_why_net() { # vmcore_why_net HOST
	local addr dev

	addr=$(vmcore_network_address "$1") && dev=$(vmcore_network_route "$addr" dev)
	[[ -z $dev || $dev == lo ]] || vmcore_network_problem "/sys/class/net/$dev"
}

vmcore_why_target() {
	local node

	case $(vmcore_kind "$vmcore_type") in
	block)
		node=$(vmcore_device "$vmcore_where") && [[ $node ]] || return 0
		if vmcore_is_spread "$node"; then
			echo "several devices"
			return
		fi
		vmcore_why_block "$(readlink -e "/sys/dev/block/$(stat -L -c '%Hr:%Lr' "$node")")"
		;;
	nfs) vmcore_why_net "$(vmcore_network_host "${vmcore_where%%:/*}")" ;;
	ssh) vmcore_why_net "$(vmcore_network_host "${vmcore_where##*@}")" ;;
	esac
}

# vmcore_choose MODE HOSTONLY - print "tiny" or "full", and why. MODE: auto, tiny or full
vmcore_choose() {
	local words why='' vmcore_type vmcore_where vmcore_path vmcore_options vmcore_place

	if [[ $1 != auto ]]; then
		echo "$1 as it was asked for"
		return
	fi
	if [[ -z $2 ]]; then
		echo "tiny since it is not for this host"
		return
	fi
	while read -ra words; do
		vmcore_take_target "${words[@]:1}"
		why=$(vmcore_why_target)
		[[ -z $why ]] || break
	done < <(vmcore_setting target)
	if [[ -z $why ]] && vmcore_wants_rootfs && vmcore_find_rootfs 2> /dev/null; then
		why=$(vmcore_why_target)
		vmcore_type="root file system,"
	fi
	if [[ $why ]]; then
		echo "full since $vmcore_type $vmcore_where is on $why"
	else
		echo "tiny since it can reach all targets"
	fi
}
