# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # dracut's and module-setup.sh's variables
#
# What an image for a target beyond the network needs: drivers of interfaces, NFS, and of
# this host, when it is for this host, the interface that leads to the target with its
# addresses, the name servers and the target's address.

# Interfaces of common machines, for an image that is not for one host.
vmcore_nics="virtio_pci virtio_net e1000 e1000e igb igc ixgbe ixgbevf i40e iavf ice r8169 tg3 bnx2 bnx2x
	bnxt_en mlx4_en mlx5_core qede be2net cxgb4 ena gve vmxnet3 xen-netfront atlantic
	virtio_mmio"

vmcore_target_nfs() {
	vmcore_need nfs || return 1
	vmcore_want nfsv3 nfsv4
}

# vmcore_network_hosts - print the hosts beyond the network of the settings that it reads.
vmcore_network_hosts() {
	local key rest word

	while read -r key rest; do
		[[ $key != target ]] || read -r key rest <<< "$rest"
		case $key in
		nfs | nfs4) vmcore_network_host "${rest%%:/*}" ;;
		ssh)
			read -r word _ <<< "$rest"
			vmcore_network_host "${word##*@}"
			;;
		fence_kdump_nodes) for word in $rest; do vmcore_network_host "$word"; done ;;
		esac
	done
}

# vmcore_network_host HOST[:PORT] - print the host alone.
vmcore_network_host() {
	case $1 in
	'') ;;
	\[*) echo "${1%%]*}" | tr -d '[' ;;
	*:*:*) echo "$1" ;;
	*) echo "${1%%:*}" ;;
	esac
}

# vmcore_network_address HOST - print an address of it; ends with 1 where it has none.
vmcore_network_address() {
	local addr

	read -r addr _ < <(getent ahosts "$1")
	[[ $addr ]] && echo "$addr"
}

# vmcore_network_route ADDRESS KEYWORD - print what follows the keyword in the way to it.
vmcore_network_route() {
	ip -o route get "$1" 2> /dev/null | sed -n "s/.* $2 \([^ ]*\).*/\1/p"
}

# vmcore_network_line ADDRESS INTERFACE - print the ip line by which the crash kernel can reach
# it. The kernel knows whether somebody renews an address (its life is limited then), whoever
# that is; interfaces go by hardware address, since without udev names are others.
vmcore_network_line() {
	local src via family=-4 mac prefix

	mac=$(< "/sys/class/net/$2/address") && mac=${mac//:/-}
	src=$(vmcore_network_route "$1" src)
	via=$(vmcore_network_route "$1" via)
	[[ $src != *:* ]] || family=-6
	prefix=$(ip -o $family addr show dev "$2" to "$src" | grep -v ' dynamic ' |
		sed -n 's,.* inet6\? [^ ]*/\([0-9]*\) .*,\1,p' | head -n 1)
	if [[ -z $prefix && $family == -6 ]]; then
		echo "$mac:either6"
	elif [[ -z $prefix ]]; then
		echo "$mac:dhcp"
	elif [[ $family == -6 ]]; then
		echo "[$src]::${via:+[$via]}:$prefix::$mac:none"
	else
		echo "$src::$via:$prefix::$mac:none"
	fi
}

# Not those on this host itself, which the crash kernel does not run.
vmcore_network_nameservers() {
	cat /run/systemd/resolve/resolv.conf /etc/resolv.conf 2> /dev/null |
		awk '$1 == "nameserver" && $2 !~ /^(127\.|::1$)/ && !seen[$2]++ { print $2 }'
}

# vmcore_network_problem SYSFS - print what an interface is that the tiny image cannot use, or
# nothing. DEVTYPE is the kernel's: bond_type, br_type, vlan_type, wlan of cfg80211.
vmcore_network_problem() {
	local name=${1##*/} kind

	kind=$(sed -n 's/^DEVTYPE=//p' "$1/uevent")
	case $kind in
	bond | bridge | vlan | wlan) echo "the $kind $name" ;;
	*)
		if [[ $(< "$1/type") != 1 ]]; then
			echo "$name (no Ethernet)"
		elif ! [[ -e $1/device ]]; then
			echo "$name (a team, a tunnel or the like: no hardware is behind it)"
		fi
		;;
	esac
}

# vmcore_network_to HOST - the driver of the interface that leads to the host, its ip line into
# $vmcore_network_lines, and the host's address into the image.
vmcore_network_to() {
	local addr dev line why

	if ! addr=$(vmcore_network_address "$1") || ! dev=$(vmcore_network_route "$addr" dev) ||
		[[ -z $dev ]]; then
		vmcore_problem "no way to $1 from here; --no-hostonly builds for another machine"
		return 1
	fi
	[[ $addr == "$1" ]] || echo "$addr $1" >> "$initdir/etc/hosts"
	[[ -z $vmcore_full ]] || return 0
	if [[ $dev == lo ]]; then
		vmcore_problem "$1 is this host itself, which is down when it is needed"
		return 1
	fi
	why=$(vmcore_network_problem "/sys/class/net/$dev")
	if [[ $why ]]; then
		vmcore_problem "the way to $1 begins at $why; \"image full\" can do that"
		return 1
	fi
	vmcore_drivers "$(readlink -e "/sys/class/net/$dev/device")" || return 1
	line=$(vmcore_network_line "$addr" "$dev")
	[[ " ${vmcore_network_lines[*]} " == *" $line "* ]] || vmcore_network_lines+=("$line")
}

vmcore_part_network() {
	local hosts host first vmcore_network_lines=() conf=$initdir/etc/vmcore-save.conf vmcore_severity

	hosts=$(vmcore_setting target fence_kdump_nodes | vmcore_network_hosts | sort -u)
	[[ $hosts ]] || return 0
	mkdir -p "$initdir/etc"
	vmcore_want af_packet ipv6 # mostly built in
	if ! [[ $hostonly ]]; then
		# shellcheck disable=SC2086
		vmcore_want $vmcore_nics
		return 0
	fi
	first=$(vmcore_setting target | head -n 1 | vmcore_network_hosts)
	for host in $hosts; do
		vmcore_severity=dwarn
		[[ $host != "$first" ]] || vmcore_severity=dfatal
		vmcore_network_to "$host" || [[ $vmcore_severity == dwarn ]] || return 1
	done
	# What the configuration says counts; what it leaves open is as it is here.
	if [[ -z $(vmcore_setting ip) && ${#vmcore_network_lines[@]} != 0 ]]; then
		printf 'ip %s\n' "${vmcore_network_lines[@]}" >> "$conf"
	fi
	if [[ -z $(vmcore_setting nameserver) ]]; then
		vmcore_network_nameservers | head -n 3 | sed 's/^/nameserver /' >> "$conf"
	fi
}
