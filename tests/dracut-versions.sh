#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tests/dracut-versions.sh [SUITE...]       default: trixie sid
#
# Builds the crash image with each suite's own dracut and kmod, in a chroot, for the suite's
# own cloud kernel (compressed modules), and compares the files in it with the list below.
# Takes vmcore-save and busybox from $O (default build). Chroots stay in $CHROOTS (default
# $O/chroots) for the next time. Needs root, debootstrap and a network: without them the
# line for the suite says SKIP. Lines are "ok", "FAIL" or "SKIP" and "image/dracut-SUITE".
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
O=${O:-build}
mkdir -p "${CHROOTS:=$O/chroots}"
CHROOTS=$(cd "$CHROOTS" && pwd)
failed=0

verdict() { # verdict ok|FAIL|SKIP SUITE WHY
	printf '%-4s image/dracut-%s%s\n' "$1" "$2" "${3:+: $3}"
	[ "$1" != FAIL ] || failed=$((failed + 1))
}

make_chroot() { # make_chroot SUITE DIR
	rm -rf "$2.new"
	debootstrap --variant=minbase --include=dracut-core,cpio,zstd,xz-utils,kmod "$1" "$2.new" \
		"$uri" > "$2.log" 2>&1 || return 1
	# A mirror may lag behind: an old list of packages is good enough, a wrongly signed one is not.
	# shellcheck disable=SC2016
	chroot "$2.new" sh -euc '
		apt="apt-get -qq -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false"
		$apt update
		mkdir /kernel && cd /kernel
		image=$(apt-cache depends linux-image-cloud-amd64 |
			sed -n "s/^ *Depends: \(linux-image-[^ ]*\)$/\1/p" | head -n 1)
		$apt download "$image"
		# Since 7.x the modules are packages of their own, modules.builtin in one of them.
		for part in base modules; do
			$apt download "linux-$part-${image#linux-image-}" || true
		done
		for deb in *.deb; do dpkg -x "$deb" .; done
		rm ./*.deb
		cd usr/lib/modules && depmod -b /kernel "$(ls)" 2> /dev/null || depmod -b /kernel/usr "$(ls)"
		apt-get clean' >> "$2.log" 2>&1 || return 1
	mv "$2.new" "$2"
}

# What an image holds but for the modules, of which there must be some.
want() {
	cat <<'LIST'
.
bin
bin/busybox
dev
dev/console
etc
etc/vmcore-save
etc/vmcore-save.conf
etc/vmcore-save/build
etc/vmcore-save/modules
init
lib
mnt
proc
sys
tmp
usr
usr/lib
usr/lib/dracut
usr/lib/dracut/build-parameter.txt
usr/lib/dracut/modules.txt
usr/lib/modules
usr/lib/modules/vmcore-save
LIST
}

build_in() { # build_in DIR MODE OUTPUT
	# shellcheck disable=SC2016
	chroot "$1" sh -euc '
		cd /vmcore-save
		kver=$(ls /kernel/usr/lib/modules)
		VMCORE_SAVE_BIN=vmcore-save VMCORE_SAVE_CONF=conf VMCORE_SAVE_BUSYBOX=busybox \
			dracut-module/vmcore-save-dracut --no-hostonly \
			--kmoddir "/kernel/usr/lib/modules/$kver" --compress "$1" --force "$2" "$kver"
		' sh "$2" "$3" > "$1.build.log" 2>&1
}

check_image() { # check_image DIR - prints what is wrong
	files=$(cpio -t --quiet < "$1/vmcore-save/cat.img")
	printf '%s\n' "$files" | grep -v '^bin/[a-z]*$\|/modules/vmcore-save/[^/]*\.ko$' > "$1.have"
	echo bin/busybox >> "$1.have"
	want | LC_ALL=C sort > "$1.want"
	LC_ALL=C sort -o "$1.have" "$1.have"
	diff "$1.want" "$1.have" || return 0
	rm -rf "$1.image"
	mkdir "$1.image"
	(cd "$1.image" && cpio -i --quiet < "$1/vmcore-save/cat.img")
	[ -s "$1.image/etc/vmcore-save/modules" ] || echo "no modules"
	while read -r module _; do
		# In the image, modules are packed by zstd; trixie's and sid's kernels use xz.
		zstd -dcq "$1.image/usr$module" 2> /dev/null | head -c 4 | tail -c 3 | grep -qx ELF ||
			echo "$module is no ELF, packed by zstd"
	done < "$1.image/etc/vmcore-save/modules"
	zstd -dcq "$1/vmcore-save/zstd.img" | cpio -t --quiet | wc -l |
		grep -qx "$(printf '%s\n' "$files" | wc -l)" || echo "zstd differs"
}

check_suite() {
	dir=$CHROOTS/$1
	if [ ! -e "$dir" ] && ! make_chroot "$1" "$dir"; then
		verdict SKIP "$1" "no chroot, see $dir.log"
		return 0
	fi
	rm -rf "$dir/vmcore-save"
	mkdir "$dir/vmcore-save"
	cp -a "$top/dracut-module" "$O/vmcore-save" "$dir/vmcore-save/"
	cp "$busybox" "$dir/vmcore-save/busybox"
	printf 'ext4 UUID=01234567-89ab-cdef-0123-456789abcdef\npath /var/crash\nextra_modules loop\n' \
		> "$dir/vmcore-save/conf"
	if ! build_in "$dir" cat cat.img || ! build_in "$dir" zstd zstd.img; then
		verdict FAIL "$1" "dracut failed: $(tail -n 1 "$dir.build.log")"
		return 0
	fi
	wrong=$(check_image "$dir")
	if [ -n "$wrong" ]; then
		printf '%s\n' "$wrong" | sed 's/^/# /'
		verdict FAIL "$1" "the image is not as it should be"
	else
		verdict ok "$1" "" # the version is in the image's build note
		sed -n 's/^generator: /# /p' "$dir.image/etc/vmcore-save/build"
	fi
}

[ $# -gt 0 ] || set -- trixie sid
why=
[ "$(id -u)" = 0 ] || why="not root"
[ -n "$why" ] || command -v debootstrap > /dev/null || why="no debootstrap"
[ -n "$why" ] || { uri=$("$top/tests/qemu/fetch" mirror); } || why="no Debian archive in apt's sources"
busybox=$O/busybox
[ -e "$busybox" ] || busybox=/bin/busybox
for suite; do
	if [ -n "$why" ]; then
		verdict SKIP "$suite" "$why"
	else
		check_suite "$suite"
	fi
done
[ "$failed" = 0 ]
