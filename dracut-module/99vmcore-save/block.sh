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
	local path=$1 transport

	# A disk that may have several controllers (kernel: drivers/nvme/host/multipath.c) hangs on
	# none of them in sysfs.
	if [[ $path =~ .*/virtual/nvme-subsystem/[^/]+ ]]; then
		for transport in "${BASH_REMATCH[0]}"/nvme*/transport; do
			[[ ! -e $transport ]] || vmcore_drivers "$(readlink -e "${transport%/*}")" || return 1
		done
		return 0
	fi
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

# vmcore_is_spread NODE - whether the target is a btrfs of several devices.
vmcore_is_spread() {
	local uuid

	[[ $vmcore_type == btrfs ]] && uuid=$(blkid -s UUID -o value "$1") &&
		[[ $(blkid -o device -t "UUID=$uuid" | wc -l) -gt 1 ]]
}

# vmcore_settle_name NODE - in the image's configuration, call the target by what is on it: the
# crash kernel names disks in the order in which it finds them, and udev's names are not there.
vmcore_settle_name() {
	local tag=UUID field=UUID value conf=$initdir/etc/vmcore-save.conf

	[[ $vmcore_where == /dev/* && $(readlink -e "$1") != /dev/@(dm-|md)* ]] || return 0
	[[ $vmcore_type != raw ]] || tag=PARTUUID field=PART_ENTRY_UUID
	value=$(blkid -p -s $field -o value "$1")
	if [[ $value ]] && type=$vmcore_type where=$vmcore_where name=$tag=$value awk '
		$1 == ENVIRON["type"] && $2 == ENVIRON["where"] { $0 = $1 " " ENVIRON["name"]; done = 1 }
		{ print }
		END { exit !done }' "$conf" > "$conf.new"; then
		mv "$conf.new" "$conf"
		return
	fi
	rm -f "$conf.new"
	if [[ -L $vmcore_where && -z $vmcore_full ]]; then
		vmcore_problem "this name is udev's, which the image does not have: write ${tag}=${value:-...}"
		return 1
	fi
	dwarn "vmcore-save: $vmcore_place: in the crash kernel another device may have this name;" \
		"${tag}=${value:-...} would be safe"
}

# vmcore_check_name - whether the crash kernel can find the name of a target on a host that is not
# known here; udev_link_spec() agrees.
vmcore_check_name() {
	case $vmcore_where in
	/dev/disk/by-uuid/* | /dev/disk/by-label/*) return 0 ;;
	/dev/disk/by-partuuid/* | /dev/disk/by-partlabel/*) return 0 ;;
	/dev/disk/*) [[ $vmcore_full ]] && return 0 ;;
	*) return 0 ;;
	esac
	vmcore_problem "there is no udev in the image to give this name: UUID= or PARTUUID= needs none"
	return 1
}

vmcore_target_block() {
	local node said

	if [[ $hostonly ]]; then
		if ! node=$(vmcore_device "$vmcore_where") || [[ -z $node ]]; then
			vmcore_problem "no device $vmcore_where here; --no-hostonly builds for another machine"
			return 1
		fi
		if [[ -z $vmcore_full ]] && vmcore_is_spread "$node"; then
			vmcore_problem "a btrfs of several devices; \"image full\" can do that"
			return 1
		fi
		vmcore_host_drivers "$node" || return 1
		if [[ $vmcore_type == raw ]] && ! said=$("$vmcore_bin" --fetch --list "$node" 2>&1); then
			vmcore_problem "$said"
			return 1
		fi
		vmcore_settle_name "$node" || return 1
		vmcore_nodes+=("$node")
	else
		vmcore_check_name || return 1
		# shellcheck disable=SC2086
		vmcore_want $vmcore_disks
	fi
	[[ $vmcore_type != raw ]] || return 0
	vmcore_need "fs-$vmcore_type" || return 1
	[[ $vmcore_type != vfat ]] || vmcore_want nls_cp437 nls_ascii nls_iso8859-1
}
