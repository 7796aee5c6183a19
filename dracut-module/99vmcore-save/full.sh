# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # dracut's and module-setup.sh's variables
#
# A full image: dracut brings up storage and network, and its last step before it would look
# for a root is vmcore-save --capture, which does not come back. So is its first step when
# it gives up. A guard from the beginning resets the machine where it does neither.

vmcore_boot_s=300 # for dracut, beside device_timeout

# vmcore_hook NAME PRIORITY TEXT
vmcore_hook() {
	local file=$DRACUT_TMPDIR/vmcore-save-$1.sh

	printf '#!/bin/sh\n%s\n' "$3" > "$file"
	inst_hook "$1" "$2" "$file"
}

vmcore_install_hooks() {
	local seconds capture="exec /usr/sbin/vmcore-save --capture"

	seconds=$(($(vmcore_value device_timeout) + vmcore_boot_s))
	# A root on the command line is the crashed system's.
	vmcore_hook cmdline 00 "/usr/sbin/vmcore-save --guard $seconds
root=vmcore-save
rootok=1
unset root_unset" || return 1
	vmcore_hook pre-mount 00 "$capture" || return 1
	vmcore_hook emergency 00 "$capture" || return 1
	vmcore_hook shutdown-emergency 00 "$capture" || return 1
	dracut_need_initqueue
	mkdir -p "$initdir/etc/cmdline.d"
	echo "rd.shell=0 rd.emergency=reboot rd.timeout=$seconds rd.retry=$(vmcore_value device_timeout)" \
		> "$initdir/etc/cmdline.d/99-vmcore-save.conf"
}

# Loaded by udev and on demand: no list of ours.
vmcore_install_full_modules() {
	local name kind path

	for name in "${vmcore_needed[@]}"; do
		while read -r kind path _; do
			[[ $kind == insmod ]] || continue
			path=${path##*/}
			hostonly='' instmods "${path%%.ko*}" || return 1
		done < <(vmcore_kmod "$name")
	done
}

vmcore_install_full() {
	vmcore_install_static "$vmcore_bin" /usr/sbin/vmcore-save || return 1
	vmcore_install_hooks || return 1
	vmcore_install_full_modules
}
