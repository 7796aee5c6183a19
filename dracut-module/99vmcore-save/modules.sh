# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154 # dracut's and module-setup.sh's variables
#
# Kernel modules: vmcore_need and vmcore_want gather names, vmcore_install_modules puts
# them, with all that they need, into the image and writes the list in load order.

vmcore_modules=/lib/modules/vmcore-save

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

# vmcore_need NAME... - the image needs these modules (or aliases); fails where one is not there.
vmcore_need() {
	local name

	for name; do
		if ! vmcore_kmod "$name" > /dev/null; then
			vmcore_problem "kernel $kernel has no module ${name#fs-}"
			return 1
		fi
		vmcore_needed+=("$name")
		vmcore_sure+=("$name")
	done
}

# vmcore_want NAME... - the image takes these modules if the kernel has them.
vmcore_want() {
	local name

	for name; do
		! vmcore_kmod "$name" > /dev/null || vmcore_needed+=("$name")
	done
}

# vmcore_install_module PATH [PARAMETERS] - put one module and its line into the image. It is
# packed, for the image is unpacked into memory; PID 1 unpacks one module at a time.
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
	if ! type -P "${unpack%% *}" > /dev/null; then
		dfatal "vmcore-save: $path cannot be unpacked: install ${unpack%% *}"
		return 1
	fi
	if ! $unpack "$path" > "$initdir$vmcore_modules/$name"; then
		dfatal "vmcore-save: cannot unpack $path"
		return 1
	fi
	if type -P zstd > /dev/null && zstd -q -19 --no-check "$initdir$vmcore_modules/$name"; then
		mv -f "$initdir$vmcore_modules/$name.zst" "$initdir$vmcore_modules/$name"
	fi
	echo "$vmcore_modules/$name${*:+ $*}" >> "$initdir/etc/vmcore-save/modules"
}

# vmcore_install_firmware MODULE - what the module may ask the kernel for, as far as it is here. The
# kernel reads it from the root file system by itself (Documentation/driver-api/firmware/).
vmcore_install_firmware() {
	local name folder file

	while read -r name; do
		for folder in ${fw_dir//:/ }; do
			for file in "$folder/$name" "$folder/$name".{xz,zst}; do
				[[ -r $file ]] || continue
				vmcore_install "$file" "/lib/firmware/$name${file#"$folder/$name"}" || return 1
				continue 3
			done
		done
	done < <(modinfo -F firmware "$1" 2> /dev/null)
}

vmcore_install_modules() {
	local name kind path params seen=" " sure=" ${vmcore_sure[*]} "

	mkdir -p "$initdir$vmcore_modules"
	: > "$initdir/etc/vmcore-save/modules"
	for name in "${vmcore_needed[@]}"; do
		while read -r kind path params; do
			[[ $kind == insmod && $seen != *" $path "* ]] || continue
			seen+="$path "
			# shellcheck disable=SC2086
			vmcore_install_module "$path" $params || return 1
			# Of all that any machine might have it would be too much.
			[[ $sure != *" $name "* ]] || vmcore_install_firmware "$path" || return 1
		done < <(vmcore_kmod "$name")
	done
}
