#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The capture kernel's initramfs. As a post-build script of Buildroot: into the root file system, for
# the package's init script; as a post-image script: beside the other images. Buildroot calls it with
# one of the two folders, and has TARGET_DIR, BINARIES_DIR, HOST_DIR and BR2_CONFIG in the environment.

set -eu

# setting NAME - the value of a string in Buildroot's configuration
setting() {
	sed -n "s/^BR2_PACKAGE_VMCORE_SAVE_$1=\"\(.*\)\"\$/\1/p" "$BR2_CONFIG"
}

if [ "$1" = "$TARGET_DIR" ]; then
	mkdir -p "$TARGET_DIR/boot"
	out=$TARGET_DIR/boot/vmcore-save.img
else
	out=$BINARIES_DIR/vmcore-save.img
fi

set -- --root "$TARGET_DIR" --compress zstd -o "$out"
hardware=$(setting HARDWARE)
[ -z "$hardware" ] || set -- --hardware "$hardware" "$@"

"$HOST_DIR/sbin/vmcore-mkimage" "$@"
echo "crash image: $out, $(wc -c <"$out") bytes"
