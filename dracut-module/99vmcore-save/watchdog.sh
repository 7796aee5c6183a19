# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034,SC2154 # module-setup.sh's variables, and dracut's
#
# The hardware watchdog's driver, loaded before all others, since one of them may hang.

# Common ones, for an image that is not for one host, each behind what makes its device. No
# softdog: it lives in the kernel that it should watch.
vmcore_watchdogs="i6300esb lpc_ich iTCO_wdt sp5100_tco ib700wdt wdat_wdt"

# vmcore_watchdog_drivers - print the drivers of this host's watchdogs and of what they hang on.
vmcore_watchdog_drivers() {
	local path

	for path in /sys/class/watchdog/watchdog*/device; do
		path=$(readlink -e "$path") || continue
		for (( ; ${#path} > ${#vmcore_sys}; )); do
			[[ ! -e $path/driver/module ]] || basename "$(readlink -f "$path/driver/module")"
			path=${path%/*}
		done
	done
}

vmcore_part_watchdog() {
	local vmcore_place="$vmcore_conf: watchdog" needed=("${vmcore_needed[@]}")

	[[ $(vmcore_setting watchdog) != *no ]] || return 0
	vmcore_needed=()
	# shellcheck disable=SC2046,SC2086
	if [[ $hostonly ]]; then
		vmcore_want $(vmcore_watchdog_drivers)
	else
		vmcore_want $vmcore_watchdogs
	fi
	vmcore_needed+=("${needed[@]}")
}
