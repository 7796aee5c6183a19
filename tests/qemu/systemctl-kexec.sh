# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Makes systemd, which is on a disk of its own, the first process; there, `systemctl kexec` is a
# service. The new kernel runs this script once more and knows itself by its command line.

. /mnt/test/parameters

system_start() {
	system=$(findfs LABEL=vmcore-system) || { result "no disk with systemd"; return 1; }
	mkdir -p /system
	mount -t ext4 "$system" /system || return 1
	umount /mnt
	exec switch_root /system /usr/lib/systemd/systemd
}

if grep -q vmtest.fast=1 /proc/cmdline; then
	result "cmdline $(cat /proc/cmdline)"
else
	system_start
fi
