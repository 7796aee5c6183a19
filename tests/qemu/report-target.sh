# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Before panic.sh: in the first kernel, mount the target and keep writing to it where WRITE
# says so, so that its journal is dirty at the panic; in the last one, copy what the capture
# left there to the disk that the test reads. FSTYPE, SOURCE, OPTIONS and TARGET_ID say what
# the target is. It is mounted read-only and without replaying a journal, so that a check
# of the file system afterwards judges what the capture left.

. /mnt/test/parameters

target_write() {
	mkdir -p /tmp/target
	mount -t "$FSTYPE" "$SOURCE" /tmp/target || return 1
	(
		i=0
		while :; do
			i=$((i + 1))
			dd if=/dev/urandom of="/tmp/target/file$((i % 20))" bs=64k count=16 2>/dev/null
			[ $((i % 5)) != 0 ] || rm -f "/tmp/target/file$((i % 20))"
		done
	) &
	sleep 3
}

target_copy() {
	mkdir -p /tmp/target
	mount -t "$FSTYPE" -o "ro${OPTIONS:+,$OPTIONS}" "$SOURCE" /tmp/target || {
		result "cannot mount the target"
		return 1
	}
	cp -a /tmp/target/var/crash/. /mnt/var/crash/
	find /tmp/target/var/crash -mindepth 1 -exec stat -c 'target %a %n' {} + >/tmp/modes
	while read -r line; do result "$line"; done </tmp/modes
	umount /tmp/target
}

if [ -e /mnt/test/panicked ]; then
	[ -z "$FSTYPE" ] || target_copy || finish 1
elif [ -n "$WRITE" ]; then
	target_write || { result "cannot mount the target"; finish 1; }
fi
. /mnt/test/panic
