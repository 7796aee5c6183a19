# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # module-setup.sh's variables and functions
#
# Targets on devices that are put together from others: LVM (linear, striped), md raid1.
# What lies below them is written down, bottom up, as docs/stack.md has it, with names that
# hold after a reboot; vmcore-save puts it together without any tool of LVM's or md's. A
# logical volume it maps as LVM's metadata have it then, so that its table is recorded to be
# compared, and to refuse here what cannot be.

# vmcore_stable_name NODE - print what finds a device that is not put together again.
vmcore_stable_name() {
	local type uuid part

	type=$(blkid -p -s TYPE -o value "$1")
	uuid=$(blkid -p -s UUID -o value "$1")
	part=$(blkid -p -s PART_ENTRY_UUID -o value "$1")
	if [[ $type == LVM2_member && $uuid ]]; then
		echo "UUID=$uuid"
	elif [[ $part ]]; then
		echo "PARTUUID=$part"
	else
		vmcore_problem "$1, a device below the target, has neither an LVM nor a partition UUID" \
			"by which it could be found again"
		return 1
	fi
}

# vmcore_stack_name M:N - print how a table names the device below.
vmcore_stack_name() {
	local path

	path=$(readlink -e "/sys/dev/block/$1") || return 1
	if [[ -r $path/dm/name ]]; then
		cat "$path/dm/name"
	elif [[ -e $path/md ]]; then
		basename "$path"
	else
		vmcore_stable_name "/dev/$(sed -n 's/^DEVNAME=//p' "$path/uevent")"
	fi
}

# vmcore_stack_refuse NAME TYPE - say why a kind of mapper target cannot be.
vmcore_stack_refuse() {
	local why="the crash image cannot put together a $2 device"

	case $2 in
	crypt)
		why="it is encrypted, and the crash kernel has no key for it: the kernel would have to
			hand it over (CONFIG_CRASH_DM_CRYPT), which is not supported"
		;;
	thin* | cache* | snapshot*)
		why="its map changes while the system runs, so that writing by a recorded one would
			destroy data ($2)"
		;;
	multipath) why="it is reached by more than one path (multipath)" ;;
	raid) why="LVM's own raid is not supported; md raid1 below LVM is" ;;
	esac
	vmcore_problem "$1:" "$(tr -s '\t\n' '  ' <<< "$why")(choose another target)"
}

vmcore_stack_dm() { # vmcore_stack_dm SYSFS
	local name uuid table start sectors type words word split

	name=$(< "$1/dm/name")
	uuid=$(< "$1/dm/uuid")
	if [[ $name != [A-Za-z0-9]* || $name == *[!A-Za-z0-9+_.-]* ]]; then
		vmcore_problem "the mapper's name \"$name\" has characters that a stack file cannot hold"
		return 1
	fi
	if ! table=$(dmsetup table "$name") || [[ -z $table ]]; then
		vmcore_problem "dmsetup, of the package dmsetup or device-mapper, does not tell the table of $name"
		return 1
	fi
	vmcore_stack+="dm $name ${uuid:--}"$'\n'
	while read -r start sectors type words; do
		if [[ $type != linear && $type != striped ]]; then
			vmcore_stack_refuse "$name" "$type"
			return 1
		fi
		vmcore_stack+="table $start $sectors $type"
		for word in $words; do
			if [[ $word == *:* ]]; then
				word=$(vmcore_stack_name "$word") || return 1
			fi
			vmcore_stack+=" $word"
		done
		vmcore_stack+=$'\n'
	done <<< "$table"
	if [[ $uuid == LVM-* ]]; then
		split=$(dmsetup splitname --noheadings -c --separator / -o vg_name,lv_name "$name" LVM)
		vmcore_stack+="link ${split// /}"$'\n'
	fi
	vmcore_need dm_mod
}

vmcore_stack_md() { # vmcore_stack_md SYSFS
	local level version members member uuid link name=${1##*/}

	level=$(< "$1/md/level")
	version=$(< "$1/md/metadata_version")
	members=$(< "$1/md/raid_disks")
	if [[ $level != raid1 ]]; then
		vmcore_problem "$name: md $level is not supported, raid1 is: choose another target"
		return 1
	fi
	if [[ $version != 0.90 && $version != 1.[012] ]]; then
		vmcore_problem "$name: an array with \"$version\" metadata is not supported"
		return 1
	fi
	for member in "$1"/slaves/*; do
		uuid=$(blkid -p -s UUID -o value "/dev/$(sed -n 's/^DEVNAME=//p' "$member/uevent")")
		[[ -z $uuid ]] || break
	done
	if [[ -z $uuid ]]; then
		vmcore_problem "$name: no member tells the array's UUID"
		return 1
	fi
	vmcore_stack+="md $name $uuid raid1 $version $members"$'\n'
	for link in /dev/md/*; do
		[[ $(readlink -e "$link") == "/dev/$name" && $link != *[!A-Za-z0-9+_./-]* ]] || continue
		vmcore_stack+="link ${link#/dev/}"$'\n'
		break
	done
	vmcore_need md_mod raid1
}

# vmcore_stack_walk SYSFS - append a device to $vmcore_stack, behind all that is below it.
vmcore_stack_walk() {
	local path=$1 below

	[[ ! -e $path/partition ]] || path=${path%/*}
	[[ $vmcore_stack_seen != *" $path "* ]] || return 0
	vmcore_stack_seen+="$path "
	for below in "$path"/slaves/*; do
		[[ -e $below ]] || continue
		vmcore_stack_walk "$(readlink -e "$below")" || return 1
	done
	if [[ -r $path/dm/name ]]; then
		vmcore_stack_dm "$path"
	elif [[ -e $path/md/level ]]; then
		vmcore_stack_md "$path"
	elif compgen -G "$path/slaves/*" > /dev/null; then
		vmcore_problem "${path##*/} is put together in a way that the crash image does not know"
		return 1
	else
		vmcore_drivers "$path"
	fi
}

# vmcore_stack_record NODE... - set $vmcore_stack to the text for what lies below the devices; only
# the first one's failure counts.
vmcore_stack_record() {
	local node path before seen vmcore_stack_seen=" "

	vmcore_stack=
	for node; do
		before=$vmcore_stack seen=$vmcore_stack_seen
		if ! path=$(readlink -e "/sys/dev/block/$(stat -L -c '%Hr:%Lr' "$node")") ||
			! vmcore_stack_walk "$path"; then
			[[ $vmcore_severity != dfatal ]] || return 1
			vmcore_stack=$before vmcore_stack_seen=$seen
		fi
		vmcore_severity=dwarn
	done
}

vmcore_part_stack() {
	local vmcore_stack type vmcore_severity=dfatal

	[[ -z $vmcore_full ]] || return 0 # dracut's modules put it together
	[[ ${#vmcore_nodes[@]} -gt 0 ]] || return 0
	read -r _ type _ < <(vmcore_setting target)
	[[ -z $type || $(vmcore_kind "$type") == block ]] || vmcore_severity=dwarn
	vmcore_stack_record "${vmcore_nodes[@]}" || return 1
	[[ -z $vmcore_stack ]] || printf '%s' "$vmcore_stack" > "$initdir/etc/vmcore-save/stack"
}
