# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# In a capture kernel: a plain copy of /proc/vmcore, by a program that is not ours.
result "vmcore $(stat -c %s /proc/vmcore)"
dd if=/proc/vmcore of=/mnt/vmcore.elf bs=1M conv=fsync 2>/dev/null
finish $?
