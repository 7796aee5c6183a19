#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut module: an image whose whole userspace is vmcore-save. docs/image.md says what
# is in it. All the work is done in installkernel(), the one step whose failure ends
# dracut with an error and the one that `dracut --kernel-only` runs; with that option
# dracut adds none of its own userspace, and vmcore-save-dracut passes it.
#
# Environment: VMCORE_SAVE_BIN, VMCORE_SAVE_CONF, VMCORE_SAVE_BUSYBOX.
# shellcheck disable=SC2154 # initdir, srcmods, kernel, hostonly are dracut's

vmcore_modules=/lib/modules/vmcore-save
vmcore_links="cat cp dd df dmesg echo grep ip kill ls mkdir mount mv ps reboot rm sh sleep sync
	tail umount vi"

# Disks of common machines, for an image that is not for one host. What the kernel lacks is left out.
vmcore_disks="virtio_pci virtio_blk virtio_scsi nvme ahci ata_piix sd_mod xen_blkfront
	vmw_pvscsi"

# Only when asked for by name.
check() {
	return 255
}

depends() {
	return 0
}

# vmcore_setting KEY... - print the lines of the configuration that start with one of the keys.
vmcore_setting() {
	awk -v keys="$*" 'BEGIN { n = split(keys, k, " "); for (i = 1; i <= n; i++) want[k[i]] = 1 }
		{ sub(/(^|[ \t])#.*/, "") } $1 in want { $1 = $1; print }' "$vmcore_conf"
}

# vmcore_kmod NAME - print "insmod PATH PARAMETERS" or "builtin NAME" for all that NAME needs,
# in load order. The root of links makes every kmod find the tree, be it in /lib or /usr/lib.
vmcore_kmod() {
	local root="$DRACUT_TMPDIR/vmcore-save"

	if ! [[ -d $root ]]; then
		mkdir -p "$root/usr/lib/modules"
		ln -s usr/lib "$root/lib"
		ln -s "$(readlink -f "$srcmods")" "$root/usr/lib/modules/$kernel"
	fi
	modprobe -d "$root" -S "$kernel" -i --show-depends "$1" 2> /dev/null
}

# vmcore_device DEVICE - print the device node of a /dev path, UUID=, LABEL=, PARTUUID= or PARTLABEL=.
vmcore_device() {
	local value=${1#*=}

	case $1 in
	/dev/*) readlink -e "$1" ;;
	*=*) blkid -l -o device -t "${1%%=*}=${value//\"/}" ;;
	*) return 1 ;;
	esac
}

# vmcore_host_drivers DEVICE - print the drivers of a device and of all that it hangs on.
vmcore_host_drivers() {
	local path numbers

	numbers=$(stat -L -c '%Hr:%Lr' "$1") && path=$(readlink -e "/sys/dev/block/$numbers") || return 1
	if compgen -G "$path/slaves/*" > /dev/null; then
		dfatal "vmcore-save: $1 is put together from other devices (LVM, dm-crypt, md)," \
			"which the crash image cannot do: choose a target on a plain partition"
		return 1
	fi
	for (( ; ${#path} > ${#vmcore_sys}; )); do
		if [[ -e $path/driver/module ]]; then
			basename "$(readlink -f "$path/driver/module")"
		elif [[ -r $path/modalias ]] && vmcore_kmod "$(< "$path/modalias")" > /dev/null; then
			cat "$path/modalias"
		fi
		path=${path%/*}
	done
}

# vmcore_names - print what must be loaded, before dependencies: drivers, extras, file system.
vmcore_names() {
	local name fstype device node

	read -r fstype device <<< "$(vmcore_setting ext2 ext3 ext4 xfs btrfs vfat)"
	if [[ -z $device ]]; then
		dfatal "vmcore-save: $vmcore_conf names no target, such as 'ext4 UUID=...'"
		return 1
	fi
	if [[ $hostonly ]]; then
		if ! node=$(vmcore_device "$device") || [[ -z $node ]]; then
			dfatal "vmcore-save: no device $device here; --no-hostonly builds for another machine"
			return 1
		fi
		vmcore_host_drivers "$node" || return 1
	else
		for name in $vmcore_disks; do
			vmcore_kmod "$name" > /dev/null && echo "$name"
		done
	fi
	vmcore_setting extra_modules | cut -s -d ' ' -f 2-
	echo "fs-$fstype"
	[[ $fstype != vfat ]] || echo "nls_cp437 nls_ascii"
}

# vmcore_install_module PATH [PARAMETERS] - put one module and its line into the image.
vmcore_install_module() {
	local path=$1 name=${1##*/} unpack

	shift
	case $name in
	*.ko.xz) unpack="xz -dc" ;;
	*.ko.zst) unpack="zstd -dcq" ;;
	*.ko.gz) unpack="gzip -dc" ;;
	*) unpack="cat" ;;
	esac
	name=${name%%.ko*}.ko
	if ! $unpack "$path" > "$initdir$vmcore_modules/$name"; then
		dfatal "vmcore-save: cannot unpack $path"
		return 1
	fi
	echo "$vmcore_modules/$name${*:+ $*}" >> "$initdir/etc/vmcore-save/modules"
}

vmcore_install_modules() {
	local name names kind path params lines seen=" "

	[[ -e $srcmods/modules.builtin ]] ||
		dwarn "vmcore-save: no $srcmods/modules.builtin: what is built in counts as missing"
	mkdir -p "$initdir$vmcore_modules"
	: > "$initdir/etc/vmcore-save/modules"
	names=$(vmcore_names) || return 1
	for name in $names; do
		if ! lines=$(vmcore_kmod "$name"); then
			dfatal "vmcore-save: kernel $kernel has no module ${name#fs-}"
			return 1
		fi
		while read -r kind path params; do
			[[ $kind == insmod && $seen != *" $path "* ]] || continue
			seen+="$path "
			# shellcheck disable=SC2086
			vmcore_install_module "$path" $params || return 1
		done <<< "$lines"
	done
}

# vmcore_install_static FILE [TARGET] - the image has no libraries.
vmcore_install_static() {
	local to=$initdir${2:-$1}

	if head -c 4096 "$1" | LC_ALL=C grep -aq '/ld-linux\|/ld-musl\|/ld64\|/ld\.so'; then
		dfatal "vmcore-save: $1 is not a static program, and the image has no libraries"
		return 1
	fi
	mkdir -p "${to%/*}" && install -m 0755 "$1" "$to"
}

# What the image was made from, for whoever finds it; without times, so that it is reproducible.
vmcore_build_note() {
	local version

	version=$("$vmcore_bin" --version 2> /dev/null < /dev/null | head -n 1)
	echo "kernel: $kernel"
	echo "program: ${version:-vmcore-save}"
	echo "program-sha256: $(sha256sum < "$vmcore_bin" | cut -d ' ' -f 1)"
	echo "generator: dracut ${DRACUT_VERSION:-}${hostonly:+ hostonly}"
	sed "s,^$vmcore_modules/,module: ," "$initdir/etc/vmcore-save/modules"
}

installkernel() {
	local vmcore_bin=${VMCORE_SAVE_BIN:-/usr/sbin/vmcore-save} dir file
	local vmcore_conf=${VMCORE_SAVE_CONF:-/etc/vmcore-save.conf} vmcore_sys=/sys/devices
	local vmcore_busybox=${VMCORE_SAVE_BUSYBOX:-/usr/share/vmcore-save/busybox}

	[[ -e $vmcore_busybox ]] || vmcore_busybox=/bin/busybox
	for file in "$vmcore_bin" "$vmcore_conf" "$vmcore_busybox"; do
		[[ -r $file ]] && continue
		dfatal "vmcore-save: cannot read $file"
		return 1
	done
	for dir in bin dev etc/vmcore-save mnt proc sys tmp; do
		mkdir -p "$initdir/$dir"
	done
	vmcore_install_static "$vmcore_bin" /init || return 1
	vmcore_install_static "$vmcore_busybox" /bin/busybox || return 1
	install -m 0644 "$vmcore_conf" "$initdir/etc/vmcore-save.conf" || return 1
	for file in $vmcore_links; do
		ln -sf busybox "$initdir/bin/$file"
	done
	for file in $(vmcore_setting extra_bins | cut -s -d ' ' -f 2-); do
		vmcore_install_static "$file" || return 1
	done
	if [[ $EUID == 0 && -z ${DRACUT_NO_MKNOD-} && ! -c $initdir/dev/console ]]; then
		mknod -m 0600 "$initdir/dev/console" c 5 1
	fi
	vmcore_install_modules || return 1
	vmcore_build_note > "$initdir/etc/vmcore-save/build"

	# The list above is all that is needed: keep dracut from adding modules.builtin and a
	# modules.dep of its own.
	# shellcheck disable=SC2034
	no_kernel=yes
}
