# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# First boot: fill memory with a bit of everything, arm, panic. Later boots: report
# what the capture kernel left behind. Sourced by guest-init; result() is there.

. /mnt/test/parameters

memory_fill() {
	echo 5 >/proc/sys/vm/nr_hugepages
	echo 512 >/proc/sys/kernel/tainted # TAINT_WARN, which readers spell out
	mkdir -p /tmp/shm
	mount -t tmpfs tmpfs /tmp/shm
	dd if=/dev/zero of=/tmp/shm/zero bs=1M count=4 2>/dev/null
	dd if=/dev/urandom of=/tmp/shm/random bs=1M count=4 2>/dev/null
	dd if=/dev/urandom of=/mnt/file bs=1M count="${PAGE_CACHE_MIB:-24}" 2>/dev/null
	sync
	cat /mnt/file /mnt/boot/vmlinuz >/dev/null
	/mnt/sbin/memory-load >/tmp/ready &
	until grep -q ready /tmp/ready; do sleep 0.2; done
}

arm() {
	# shellcheck disable=SC2086 # a list of words
	if ! /mnt/sbin/kexec-loader $LOADER_OPTIONS -p "${KERNEL:-/mnt/boot/vmlinuz}" \
		--initrd=/mnt/boot/crash.img --append="$CRASH_APPEND" >/tmp/arm 2>&1; then
		result "kexec-loader: $(tail -n 1 /tmp/arm)"
		return 1
	fi
	[ ! -s /tmp/arm ] || while read -r line; do result "arm $line"; done </tmp/arm
	result "armed $(cat /sys/kernel/kexec_crash_loaded 2>/dev/null ||
		cat /sys/kernel/kexec/crash_loaded)"
}

report_pstore() {
	mkdir -p /tmp/pstore
	mount -t pstore pstore /tmp/pstore || result "cannot mount pstore"
	cat /tmp/pstore/* >/tmp/kept
	while read -r line; do result "pstore $line"; done </tmp/kept
}

report() {
	result "rebooted $(cut -d ' ' -f 1 /proc/uptime)"
	[ -d /mnt/var/crash ] || return 1
	cd /mnt/var/crash || return 1
	find . -mindepth 1 -exec stat -c 'file %a %s %n' {} + >/tmp/files
	while read -r line; do result "$line"; done </tmp/files
	cd /
	[ -z "$PSTORE" ] || report_pstore
}

first_boot() {
	[ -z "$FILL" ] || memory_fill
	arm || return 1
	if [ -n "$LEAVE_MIB" ]; then
		free_kib=$(df -k /mnt | awk 'NR == 2 { print $4 }')
		fallocate -l $(((free_kib / 1024 - LEAVE_MIB) * 1048576)) /mnt/filler
	fi
	if [ -n "$CPU_AGAIN" ]; then # goes and comes back
		cpu=/sys/devices/system/cpu
		result "crash_hotplug $(cat $cpu/crash_hotplug)"
		echo 0 >"$cpu/cpu$CPU_AGAIN/online"
		result "online $(cat $cpu/online)"
		echo 1 >"$cpu/cpu$CPU_AGAIN/online"
		result "online again $(cat $cpu/online)"
	fi
	echo "vmtest: a line before the panic" >/dev/kmsg
	: >/mnt/test/panicked
	sync
	result "panicking"
	# The crash happens on the CPU that writes.
	[ -z "$CRASH_CPU" ] || taskset -p "$(printf '%x' $((1 << CRASH_CPU)))" $$ >/dev/null
	echo c >/proc/sysrq-trigger
	sleep 60
	result "no panic came"
	return 1
}

if [ -e /mnt/test/panicked ]; then
	report
else
	first_boot
fi
