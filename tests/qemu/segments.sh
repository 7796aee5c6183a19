# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What kexec-loader and kexec(8) of kexec-tools, both with -c -d, plan for the same input.
# Nothing panics.

. /mnt/test/parameters

ours() {
	/mnt/sbin/kexec-loader -c -d -p /mnt/boot/vmlinuz --initrd=/mnt/boot/crash.img \
		--append="$CRASH_APPEND"
}

theirs() {
	/mnt/kt/ld-linux-x86-64.so.2 --library-path /mnt/kt /mnt/kt/kexec -c -d -p \
		/mnt/boot/vmlinuz --initrd=/mnt/boot/crash.img --append="$CRASH_APPEND"
}

for who in ours theirs; do
	$who >"/tmp/$who" 2>&1 || result "$who failed with $?"
	while read -r line; do result "$who $line"; done <"/tmp/$who"
done
