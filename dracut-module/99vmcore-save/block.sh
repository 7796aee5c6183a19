# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # dracut's and module-setup.sh's variables
#
# Targets on block devices: their drivers and file systems.

# Disks of common machines, for an image that is not for one host.
vmcore_disks="virtio_pci virtio_blk virtio_scsi nvme ahci ata_piix sd_mod xen_blkfront
	vmw_pvscsi"

# vmcore_device DEVICE - print the device node of a /dev path, UUID=, LABEL=, PARTUUID= or PARTLABEL=.
vmcore_device() {
	local value=${1#*=}

	case $1 in
	/dev/*) readlink -e "$1" ;;
	*=*) blkid -l -o device -t "${1%%=*}=${value//\"/}" ;;
	*) return 1 ;;
	esac
}

# vmcore_leaves SYSFS - print the sysfs folders of the devices at the bottom of a block device.
vmcore_leaves() {
	local slave found=

	for slave in "$1"/slaves/*; do
		[[ -e $slave ]] || continue
		found=1
		vmcore_leaves "$(readlink -e "$slave")"
	done
	[[ $found ]] || echo "$1"
}

# vmcore_drivers SYSFS - the image needs the drivers of a device and of all that it hangs on.
vmcore_drivers() {
	local path=$1

	for (( ; ${#path} > ${#vmcore_sys}; )); do
		if [[ -e $path/driver/module ]]; then
			vmcore_need "$(basename "$(readlink -f "$path/driver/module")")" || return 1
		elif [[ -r $path/modalias ]]; then
			vmcore_want "$(< "$path/modalias")"
		fi
		path=${path%/*}
	done
}

vmcore_host_drivers() { # vmcore_host_drivers NODE
	local numbers path leaf

	numbers=$(stat -L -c '%Hr:%Lr' "$1") && path=$(readlink -e "/sys/dev/block/$numbers") || return 1
	if compgen -G "$path/slaves/*" > /dev/null && ! declare -F vmcore_part_stack > /dev/null; then
		vmcore_problem "$1 is put together from other devices (LVM, dm-crypt, md)," \
			"which the crash image cannot do: choose a target on a plain partition"
		return 1
	fi
	for leaf in $(vmcore_leaves "$path"); do
		vmcore_drivers "$leaf" || return 1
	done
}

vmcore_target_block() {
	local node

	if [[ $hostonly ]]; then
		if ! node=$(vmcore_device "$vmcore_where") || [[ -z $node ]]; then
			vmcore_problem "no device $vmcore_where here; --no-hostonly builds for another machine"
			return 1
		fi
		vmcore_host_drivers "$node" || return 1
		vmcore_nodes+=("$node")
	else
		# shellcheck disable=SC2086
		vmcore_want $vmcore_disks
	fi
	[[ $vmcore_type != raw ]] || return 0
	vmcore_need "fs-$vmcore_type" || return 1
	[[ $vmcore_type != vfat ]] || vmcore_want nls_cp437 nls_ascii
}
