# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # vmcore_conf is module-setup.sh's
#
# What the configuration says. $vmcore_conf is the file.

# vmcore_setting KEY... - print the lines of the configuration that start with one of the keys.
vmcore_setting() {
	awk -v keys="$*" 'BEGIN { n = split(keys, k, " "); for (i = 1; i <= n; i++) want[k[i]] = 1 }
		{ sub(/(^|[ \t])#.*/, "") } $1 in want { $1 = $1; print }' "$vmcore_conf"
}

# vmcore_kind TYPE - print which vmcore_target_ function is for targets of this type.
vmcore_kind() {
	case $1 in
	nfs | ssh) echo "$1" ;;
	virtiofs | 9p) echo virtfs ;;
	*) echo block ;;
	esac
}

# vmcore_targets - print the targets in their order: "LINE TYPE WHERE"
vmcore_targets() {
	local keys="ext2 ext3 ext4 xfs btrfs vfat minix f2fs raw nfs ssh virtiofs 9p"

	awk -v keys="$keys" 'BEGIN { n = split(keys, k, " "); for (i = 1; i <= n; i++) want[k[i]] = 1 }
		{ sub(/(^|[ \t])#.*/, "") } $1 in want { $1 = $1; print NR, $0 }' "$vmcore_conf"
}
