# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # disk is guest-init's
#
# Runs kexec-loader by the lines of /mnt/test/steps, each a name and arguments, and
# reports for each its exit status, what is loaded then, and its last line. What is
# loaded at the end is started; the new kernel, which knows itself by its command line,
# reports that.

says() {
	cat "/sys/kernel/kexec_$1" 2>/dev/null || cat "/sys/kernel/kexec/$1"
}

step() {
	name=$1
	shift
	/mnt/sbin/kexec-loader "$@" >/tmp/out 2>&1
	result "$name $? $(says loaded)$(says crash_loaded) $(tail -n 1 /tmp/out)"
}

steps() {
	# shellcheck disable=SC2086 # words
	while read -r line; do
		step $line
	done </mnt/test/steps
}

if grep -q vmtest.fast=1 /proc/cmdline; then
	result "cmdline $(cat /proc/cmdline)"
else
	mount -t securityfs securityfs /sys/kernel/security
	result "reserved $(says crash_size)"
	steps
	if [ "$(says loaded)" = 1 ]; then
		sync
		umount /mnt
		mount -t ext4 -o ro "$disk" /mnt
		/mnt/sbin/kexec-loader -e
		result "kexec-loader -e came back with $?"
		false
	fi
fi
