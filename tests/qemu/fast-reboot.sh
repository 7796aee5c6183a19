# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # disk is guest-init's
#
# The fast reboot: load a kernel, take it back, load it again, execute it. The new
# kernel runs this script once more and knows itself by its command line.

. /mnt/test/parameters

loaded() {
	cat /sys/kernel/kexec_loaded 2>/dev/null || cat /sys/kernel/kexec/loaded
}

load() {
	# shellcheck disable=SC2086 # a list of words
	/mnt/sbin/kexec-loader $LOADER_OPTIONS -l /mnt/boot/vmlinuz --initrd=/mnt/boot/crash.img \
		--reuse-cmdline --append="vmtest.fast=1" >/tmp/load 2>&1 && return 0
	result "kexec-loader -l: $(tail -n 1 /tmp/load)"
	return 1
}

fast_reboot() {
	load || return 1
	result "loaded $(loaded)"
	/mnt/sbin/kexec-loader -u || return 1
	result "unloaded $(loaded)"
	load || return 1
	sync
	umount /mnt
	mount -t ext4 -o ro "$disk" /mnt
	/mnt/sbin/kexec-loader -e
	result "kexec-loader -e came back with $?"
	return 1
}

if grep -q vmtest.fast=1 /proc/cmdline; then
	result "cmdline $(cat /proc/cmdline)"
else
	fast_reboot
fi
