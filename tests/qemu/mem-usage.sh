# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In a running kernel: what a dump of it would hold, beside what the kernel itself says.
# Sourced by guest-init; result() is there.

. /mnt/test/parameters
/mnt/sbin/memory-load >/tmp/ready &
until grep -q ready /tmp/ready; do sleep 0.2; done
/mnt/sbin/vmcore-save --mem-usage /proc/kcore >/tmp/usage 2>&1
status=$?
grep -E '^(MemTotal|MemFree|AnonPages|Cached|Buffers|Slab):' /proc/meminfo >>/tmp/usage
while read -r line; do result "usage $line"; done </tmp/usage
return "$status"
