# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # dracut's and module-setup.sh's variables
#
# Folders that a hypervisor shares: virtiofs and 9p over virtio.

vmcore_target_virtfs() {
	vmcore_want virtio_pci virtio_mmio
	case $vmcore_type in
	virtiofs) vmcore_need virtiofs ;;
	9p) vmcore_need 9pnet_virtio 9p ;;
	esac
}
