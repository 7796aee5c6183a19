#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut module: an image whose whole userspace is vmcore-save. docs/image.md says what
# is in it. All the work is done in installkernel(), the one step whose failure ends
# dracut with an error and the one that `dracut --kernel-only` runs; with that option
# dracut adds none of its own userspace, and vmcore-save-dracut passes it.
#
# Environment: VMCORE_SAVE_BIN, VMCORE_SAVE_CONF, VMCORE_SAVE_BUSYBOX.
#
# The parts are in the *.sh files beside this one, all of which are sourced; they only
# declare functions and constants. installkernel() calls, where they are declared,
#
#	vmcore_target_KIND	for each target, in their order. KIND is block (file systems
#				and raw), nfs, ssh or virtfs (virtiofs, 9p): see vmcore_kind
#	vmcore_part_NAME	once each, in the order of the names, after the targets
#
# The former find the target in $vmcore_type, $vmcore_where, $vmcore_path and
# $vmcore_options (of mount_options); both also get:
#
#	$hostonly	dracut's: empty for an image that is not for this host
#	$initdir	dracut's: the image's root; $kernel: the kernel's version
#	$vmcore_full	empty for the image of vmcore-save alone, else dracut adds its own
#	$vmcore_conf	the configuration's file; vmcore_setting KEY... prints its
#			lines and the defaults, vmcore_value KEY one value
#	$vmcore_nodes	array: the block devices of the targets so far, on this host
#	vmcore_need MODULE...	the image needs these modules, or fails with a message
#	vmcore_want MODULE...	takes them where the kernel has them
#	vmcore_install FILE [TARGET [MODE]]	a file into the image
#	vmcore_install_static FILE [TARGET]	a program, which must be static
#	vmcore_problem WORD...	says what is wrong with file, line and key before it
#
# and return 0, or 1 after vmcore_problem. It is fatal for the first target and for
# parts; a further target that fails is left out of the image with a warning.
# shellcheck disable=SC2034,SC2154 # what parts read, and what is dracut's

vmcore_links="cat cp dd df dmesg echo grep ip kill ls mkdir mount mv ps reboot rm sh sleep sync
	tail umount vi"

for vmcore_file in "${BASH_SOURCE[0]%/*}"/*.sh; do
	# shellcheck source=/dev/null
	[[ $vmcore_file == */module-setup.sh ]] || . "$vmcore_file"
done

# Only when asked for by name.
check() {
	return 255
}

depends() {
	return 0
}

# vmcore_problem WORD... - say what is wrong with the target or the part under way.
vmcore_problem() {
	local rest=''

	[[ $vmcore_severity != dwarn ]] || rest="; it can be a target only if this is not so at a crash"
	"$vmcore_severity" "vmcore-save: ${vmcore_place:+$vmcore_place: }$*$rest"
}

# vmcore_install FILE [TARGET [MODE]]
vmcore_install() {
	local to=$initdir${2:-$1}

	if ! [[ -r $1 ]]; then
		vmcore_problem "cannot read $1"
		return 1
	fi
	mkdir -p "${to%/*}" && install -m "${3:-0644}" "$1" "$to"
}

# vmcore_install_static FILE [TARGET] - the image has no libraries.
vmcore_install_static() {
	if head -c 4096 "$1" | LC_ALL=C grep -aq '/ld-linux\|/ld-musl\|/ld64\|/ld\.so'; then
		vmcore_problem "$1 is not a static program, and the image has no libraries"
		return 1
	fi
	vmcore_install "$1" "${2:-$1}" 0755 || return 1
	# Symbols are of no use there. Another machine's strip does not know the program: as it is.
	! type -P strip > /dev/null || strip "$initdir${2:-$1}" 2> /dev/null || :
}

# What the image was made from, for whoever finds it; without times, so that it is reproducible.
vmcore_build_note() {
	local version

	version=$("$vmcore_bin" --version 2> /dev/null < /dev/null | head -n 1)
	echo "kernel: $kernel"
	echo "program: ${version:-vmcore-save}"
	echo "program-sha256: $(sha256sum < "$vmcore_bin" | cut -d ' ' -f 1)"
	echo "generator: dracut ${DRACUT_VERSION:-}${hostonly:+ hostonly}"
	echo "image: ${VMCORE_SAVE_CHOICE:-${vmcore_full:+full}}"
	[[ $vmcore_full ]] || sed "s,^$vmcore_modules/,module: ," "$initdir/etc/vmcore-save/modules"
}

# The targets, each by the function for its kind; the root file system is the last one.
vmcore_install_targets() {
	local words kind vmcore_type vmcore_where vmcore_path vmcore_options vmcore_place
	local vmcore_severity=dfatal

	while read -ra words; do
		vmcore_take_target "${words[@]:1}"
		kind=$(vmcore_kind "$vmcore_type")
		if ! declare -F "vmcore_target_$kind" > /dev/null; then
			vmcore_problem "the image cannot have such a target"
			false
		else
			"vmcore_target_$kind"
		fi || [[ $vmcore_severity != dfatal ]] || return 1
		vmcore_severity=dwarn
	done < <(vmcore_setting target)
	! vmcore_wants_rootfs || vmcore_install_rootfs || [[ $vmcore_severity != dfatal ]]
}

vmcore_install_parts() {
	local name

	for name in $(compgen -A function vmcore_part_); do
		"$name" || return 1
	done
}

vmcore_part_extra() {
	local file vmcore_place

	vmcore_place="$vmcore_conf: extra_modules"
	# shellcheck disable=SC2046
	vmcore_need $(vmcore_value extra_modules) || return 1
	vmcore_place="$vmcore_conf: extra_bins"
	for file in $(vmcore_value extra_bins); do
		vmcore_install_hook "$file" || return 1
	done
}

# The userspace of an image that has no other.
vmcore_install_tiny() {
	local dir

	for dir in dev mnt proc sys tmp; do
		mkdir -p "$initdir/$dir"
	done
	vmcore_install_static "$vmcore_bin" /init || return 1
	if [[ $EUID == 0 && -z ${DRACUT_NO_MKNOD-} && ! -c $initdir/dev/console ]]; then
		mknod -m 0600 "$initdir/dev/console" c 5 1
	fi
	vmcore_install_modules || return 1
	# The list of modules is all that is needed: keep dracut from adding modules.builtin and
	# a modules.dep of its own.
	no_kernel=yes
}

vmcore_install_busybox() {
	local file

	[[ -e $vmcore_busybox ]] || vmcore_busybox=/bin/busybox
	vmcore_install_static "$vmcore_busybox" /bin/busybox || return 1
	for file in $vmcore_links; do
		[[ -e $initdir/bin/$file || -L $initdir/bin/$file ]] || ln -s busybox "$initdir/bin/$file"
	done
}

installkernel() {
	local vmcore_bin=${VMCORE_SAVE_BIN:-/usr/sbin/vmcore-save}
	local vmcore_conf vmcore_sys=/sys/devices
	local vmcore_busybox=${VMCORE_SAVE_BUSYBOX:-/usr/lib/vmcore-save/busybox}
	local vmcore_severity=dfatal vmcore_place='' vmcore_config vmcore_full=''
	local vmcore_needed=() vmcore_sure=() vmcore_nodes=()

	! dracut_module_included base || vmcore_full=yes
	[[ -e $srcmods/modules.builtin ]] ||
		dwarn "vmcore-save: no $srcmods/modules.builtin: what is built in counts as missing"
	vmcore_conf=$(vmcore_conf_path)
	vmcore_read_config || return 1
	mkdir -p "$initdir/bin" "$initdir/etc/vmcore-save"
	vmcore_install "$vmcore_conf" /etc/vmcore-save.conf || return 1
	vmcore_install_busybox || return 1
	vmcore_install_targets || return 1
	vmcore_install_parts || return 1
	if [[ $vmcore_full ]]; then
		vmcore_install_full || return 1
	else
		vmcore_install_tiny || return 1
	fi
	vmcore_build_note > "$initdir/etc/vmcore-save/build"
}
