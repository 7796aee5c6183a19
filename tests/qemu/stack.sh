# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# First boot: put devices together on the two disks with the distribution's own tools, let
# the dracut module's functions record them, add that to the crash image, arm and panic.
# Second boot: ask the same tools what the capture left. Sourced by guest-init.

. /mnt/test/parameters

in_tools() {
	chroot /mnt/tools /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1 \
		MDADM_NO_UDEV=1 "$@" >/tmp/said 2>&1
	status=$?
	sed 's/^/tools: /' /tmp/said >/dev/console
	return $status
}

tools_prepare() {
	[ -d /mnt/tools ] || tar -x -C /mnt -f /mnt/test/tools.tar || return 1
	for dir in dev proc sys; do mount --bind "/$dir" "/mnt/tools/$dir" || return 1; done
	mount -t tmpfs tmpfs /mnt/tools/run
	mkdir -p /run
	while read -r module; do
		insmod "/mnt/tools/modules/$module" 2>/dev/null
	done </mnt/tools/modules/order
	until [ -b /dev/vdc ]; do sleep 0.2; done
}

vg_make() { # vg_make OPTIONS... - on $pvs
	# shellcheck disable=SC2086
	in_tools lvm pvcreate -ff -y $pvs && in_tools lvm vgcreate vmtest-vg $pvs &&
		in_tools lvm lvcreate -y -Wn -n dump "$@" vmtest-vg
}

md_make() { # md_make DEVICE...
	in_tools mdadm --create /dev/md127 --run --level=1 --raid-devices=2 \
		--metadata="${METADATA:-1.2}" --assume-clean "$@" </dev/null
}

layout_make() {
	pvs="/dev/vdb /dev/vdc"
	next=
	node=/dev/vmtest-vg/dump
	case $LAYOUT in
	linear | clone | damaged) vg_make -l 100%FREE ;;
	snapshot) vg_make -l 60 ;;
	moved | remade)
		vg_make -l 60 && in_tools lvm lvcreate -y -Wn -n next -l 25 vmtest-vg /dev/vdc &&
			in_tools mkfs.ext4 -q -L vmtest-next /dev/vmtest-vg/next &&
			next=/dev/vmtest-vg/next
		;;
	striped) vg_make -i 2 -I 64k -l 100%FREE ;;
	raid1) node=/dev/md127 && md_make /dev/vdb /dev/vdc ;;
	degraded) node=/dev/md127 && md_make /dev/vdb missing ;;
	raid1-lvm) pvs=/dev/md127 && md_make /dev/vdb /dev/vdc && vg_make -l 100%FREE ;;
	*) return 1 ;;
	esac
}

# The first 64 MiB: a file system that is mounted by a wrong map is written at its start.
sum_of() {
	dd if="$1" bs=1M count=64 2>/dev/null | sha256sum
}

# What an administrator does, or a disk suffers, while the image stays as it is. By its map the
# capture would write into $LAYOUT's "foreign", or into a volume made anew.
layout_change() {
	foreign=
	case $LAYOUT in
	moved)
		foreign=/dev/vmtest-vg/foreign
		in_tools lvm lvextend -l +5 vmtest-vg/dump /dev/vdb &&
			in_tools lvm pvmove -i 1 -n dump /dev/vdb /dev/vdc &&
			in_tools lvm lvcreate -y -Wn -n foreign -l 60 vmtest-vg /dev/vdb &&
			in_tools mkfs.ext4 -q $foreign
		;;
	remade)
		foreign=$node
		in_tools lvm lvremove -y vmtest-vg/dump &&
			in_tools lvm lvcreate -y -Wn -n dump -l 60 vmtest-vg /dev/vdb &&
			in_tools mkfs.ext4 -q $node
		;;
	snapshot)
		foreign=/dev/vmtest-vg/backup
		in_tools lvm lvcreate -y -s -n backup -l 5 vmtest-vg/dump
		;;
	damaged) dd if=/dev/zero of=/dev/vdb bs=512 seek=8 count=1 2>/dev/null ;;
	esac || return 1
	sync
	[ -z "$foreign" ] || echo "$foreign $(sum_of $foreign)" >/mnt/test/foreign
}

layout_again() {
	# shellcheck disable=SC2046
	case $LAYOUT in
	*raid1* | degraded) in_tools mdadm --assemble --run /dev/md127 $(md_members) ;;
	esac
	case $LAYOUT in
	raid1 | degraded) node=/dev/md127 ;;
	remade) node=/dev/vmtest-vg/next && in_tools lvm vgchange -ay vmtest-vg ;;
	*) node=/dev/vmtest-vg/dump && in_tools lvm vgchange -ay vmtest-vg ;;
	esac
}

md_members() {
	echo /dev/vdb
	[ "$LAYOUT" = degraded ] || echo /dev/vdc
}

record() {
	mkdir -p /mnt/tools/out/etc/vmcore-save
	cp /mnt/test/stack-module /mnt/tools/stack-module
	# shellcheck disable=SC2016
	in_tools bash -c 'vmcore_problem() { echo "problem: $*"; }
		vmcore_need() { echo "need: $*"; }
		dwarn() { echo "dwarn: $*"; }
		vmcore_drivers() { echo "drivers: $*"; }
		vmcore_setting() { echo "target ext4 $1"; }
		vmcore_kind() { echo block; }
		. /stack-module
		vmcore_nodes=("$@") initdir=/out
		vmcore_part_stack' record "$@"
	status=$?
	while read -r line; do result "record $line"; done </tmp/said
	return $status
}

record_into_image() {
	# shellcheck disable=SC2086 # nothing, or one more
	record "$node" $next || return 1
	while read -r line; do result "stack $line"; done </mnt/tools/out/etc/vmcore-save/stack
	(cd /mnt/tools/out && printf '%s\n' etc etc/vmcore-save etc/vmcore-save/stack |
		cpio -o -H newc) >>/mnt/boot/crash.img 2>/dev/null
}

first_boot() {
	layout_make && in_tools "mkfs.$FSTYPE" -q -L vmtest-dump $node && record_into_image ||
		return 1
	/mnt/sbin/kexec-loader -p /mnt/boot/vmlinuz --initrd=/mnt/boot/crash.img \
		--append="$CRASH_APPEND" || return 1
	layout_change || return 1
	[ "$LAYOUT" != clone ] || dd if=/dev/vdb of=/dev/vdd bs=1M 2>/dev/null
	: >/mnt/test/panicked
	sync
	sleep 1 # md marks an idle array clean after 0.2 s
	result "panicking"
	echo c >/proc/sysrq-trigger
	sleep 60
	return 1
}

verify() {
	result "rebooted"
	for member in $(md_members); do
		case $LAYOUT in *raid1* | degraded) ;; *) break ;; esac
		in_tools mdadm --examine "$member"
		result "state $(sed -n 's/^ *State : *//p' /tmp/said)"
	done
	layout_again || return 1
	if [ -e /mnt/test/foreign ]; then
		read -r foreign before </mnt/test/foreign
		[ "$(sum_of "$foreign")" = "$before" ] && state=OK || state=changed
		result "foreign $foreign: $state"
	fi
	if [ "$FSTYPE" = xfs ]; then in_tools xfs_repair -n $node; else in_tools e2fsck -fn $node; fi
	result "fsck $?"
	mount -t "$FSTYPE" -o ro $node /tmp && cp -a /tmp/var/crash/. /mnt/var/crash/ && umount /tmp
	result "copied $?"
	case $LAYOUT in
	*raid1*)
		in_tools lvm vgchange -an
		echo check >/sys/block/md127/md/sync_action
		until grep -q idle /sys/block/md127/md/sync_action; do sleep 0.2; done
		result "mismatches $(cat /sys/block/md127/md/mismatch_cnt)"
		;;
	esac
}

# Tables that must not be replayed; the recorder has to say so.
refuse() {
	sectors=$(cat /sys/block/vdb/size)
	in_tools dmsetup create secret --table "0 $sectors crypt cipher_null-ecb - 0 /dev/vdb 0" &&
		in_tools dmsetup create changing --table "0 $sectors snapshot-origin /dev/vdc" ||
		return 1
	for name in secret changing; do
		record /dev/mapper/$name && result "record $name was taken"
		[ ! -e /mnt/tools/out/etc/vmcore-save/stack ] || result "record $name left a file"
	done
	return 0
}

tools_prepare || { result "no tools"; return 1; }
if [ "$LAYOUT" = refused ]; then
	refuse
elif [ -e /mnt/test/panicked ]; then
	case $LAYOUT in
	clone | damaged) result "rebooted" ;;
	*) verify ;;
	esac
else
	first_boot
fi
