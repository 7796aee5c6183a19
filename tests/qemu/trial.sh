# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# First boot: vmcorectl arms and crashes the machine. After the capture: it tells what came of it.
# Sourced by guest-init; result() is there. The system that it sees is the disk's.

export PATH="/mnt/sbin:$PATH"

# One line of what a command prints, and its exit status.
tell() {
	name=$1
	shift
	"$@" >/tmp/out 2>/tmp/err
	status=$?
	while read -r line; do result "said $name: $line"; done </tmp/err
	result "$name $status $(tr -d '\n' </tmp/out)"
	return $status
}

for folder in proc sys; do
	mkdir -p /mnt/$folder
	mount -o bind /$folder /mnt/$folder
done
rm -rf /mnt/run
mkdir -p /mnt/run /mnt/var/lib
if [ -e /mnt/var/lib/vmcore-save/test.json ]; then
	tell notice vmcorectl --root=/mnt notice --json
	tell result vmcorectl --root=/mnt test --result --json
	tell again vmcorectl --root=/mnt test --result
	umount /mnt/proc /mnt/sys
else
	tell start vmcorectl --root=/mnt start || return 1
	sync
	tell crash vmcorectl --root=/mnt test --crash --yes
	result "no crash came"
	return 1
fi
