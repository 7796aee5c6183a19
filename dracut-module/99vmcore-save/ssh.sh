# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the image needs for an ssh target: this system's client with its libraries, the key,
# and the host keys that this system knows of the server. docs/ssh.md tells of each.
# shellcheck disable=SC2154 # initdir, hostonly are dracut's; the rest is module-setup.sh's

vmcore_ssh_dir=/etc/vmcore-save/ssh

# vmcore_ssh_name - print the host as known_hosts has it; ssh_parse_where() agrees. The port is
# among the options, where the configuration has put it.
vmcore_ssh_name() {
	local host=${vmcore_where##*@} port

	port=$(tr , '\n' <<< "$vmcore_options" | sed -n 's/^port=//Ip' | head -n 1)
	if [[ ${port:-22} == 22 ]]; then echo "$host"; else echo "[$host]:$port"; fi
}

# vmcore_ssh_known NAME - print the lines of known_hosts that are about the host.
vmcore_ssh_known() {
	local file home=${HOME:-/root}

	for file in "$home/.ssh/known_hosts" "$home/.ssh/known_hosts2" /etc/ssh/ssh_known_hosts \
		/etc/ssh/ssh_known_hosts2; do
		[[ ! -r $file ]] || ssh-keygen -F "$1" -f "$file" | grep -v '^#'
	done
}

# The key must open without a passphrase: nobody is there to type one.
vmcore_ssh_key() {
	local key error

	key=$(vmcore_value sshkey)
	if ! [[ -r $key ]]; then
		vmcore_problem "there is no key $key; make one with: ssh-keygen -t ed25519 -N ''" \
			"-f $key, and let the server take it: ssh-copy-id -i $key $vmcore_where"
		return 1
	fi
	if ! error=$(ssh-keygen -y -P '' -f "$key" 2>&1 > /dev/null); then
		vmcore_problem "$key cannot be used without a passphrase: ${error##*$'\n'}"
		return 1
	fi
	vmcore_install "$key" "$vmcore_ssh_dir/key" 0600
}

vmcore_ssh_host() {
	local name known file=$initdir$vmcore_ssh_dir/known_hosts

	name=$(vmcore_ssh_name)
	known=$(vmcore_ssh_known "$name")
	if [[ -z $known ]]; then
		vmcore_problem "no host key of $name is known here, and a dump goes to nobody else:" \
			"log in once as root (ssh $vmcore_where) and compare the key, or put" \
			"what ssh-keyscan says of it into /etc/ssh/ssh_known_hosts"
		return 1
	fi
	mkdir -p "${file%/*}"
	[[ ! -e $file ]] || known+=$'\n'$(< "$file")
	sort -u <<< "$known" > "$file"
}

# dracut's helper finds the libraries; what a client loads by name it cannot see.
vmcore_ssh_client() {
	local ssh=/usr/bin/ssh lib

	if ! [[ -x $ssh ]] || ! command -v ssh-keygen > /dev/null; then
		vmcore_problem "there is no $ssh with ssh-keygen: install OpenSSH's client"
		return 1
	fi
	# Else dracut gathers libraries at its end, for an image with its own userspace alone.
	# shellcheck disable=SC2034
	local DRACUT_RESOLVE_DEPS=1
	inst_binary "$ssh" || return 1
	# Names and users were libraries of their own up to glibc 2.33.
	for lib in libnss_files.so.2 libnss_dns.so.2; do
		lib=$(ldconfig -p | awk -v lib="$lib" '$1 == lib { print $NF; exit }')
		[[ -z $lib ]] || inst_library "$lib" || return 1
	done
}

# OpenSSH refuses to work for a user that has no name.
vmcore_ssh_system() {
	grep -qs '^root:' "$initdir/etc/passwd" ||
		echo 'root:x:0:0::/:/bin/sh' >> "$initdir/etc/passwd"
	[[ -e $initdir/etc/nsswitch.conf ]] ||
		printf '%s\n' 'passwd: files' 'hosts: files dns' > "$initdir/etc/nsswitch.conf"
	# The first part of the dump's directory over there.
	[[ -z $hostonly || -e $initdir/etc/hostname ]] || uname -n > "$initdir/etc/hostname"
}

vmcore_target_ssh() {
	vmcore_ssh_client && vmcore_ssh_key && vmcore_ssh_host && vmcore_ssh_system
}
