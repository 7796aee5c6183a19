#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# build.sh OUTPUT
#
# Builds the image's busybox, static, from the distribution's source package (with its
# patches) and busybox.fragment. Where that cannot be done, the distribution's own static
# busybox is taken instead. Either way one line says which. BUSYBOX_SOURCE may name an
# unpacked source tree; then nothing is downloaded. CC and CROSS_COMPILE are honoured.
set -eu

# What the make above this one was told is not meant for busybox's.
unset MAKEFLAGS MFLAGS MAKELEVEL O V

here=$(cd "$(dirname "$0")" && pwd)
out=$1
work=$out.build
log=$PWD/$work.log
case $work in /*) log=$work.log ;; esac

say() {
	printf '  %-7s %s\n' BUSYBOX "$*"
}

# The package sources that this machine already trusts, asked for source packages too.
fetch() {
	apt="$work/apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	# shellcheck disable=SC2016 # apt puts these in
	apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | grep ' main$' | sort -u > "$apt/sources.list"
	[ -s "$apt/sources.list" ] || return 1
	root=$(cd "$apt" && pwd)
	set -- -qq -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$root/lists" -o Dir::Cache="$root/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=30
	apt-get "$@" update || return 1
	(cd "$work" && apt-get "$@" source --download-only busybox)
}

unpack() {
	set -- "$work"/busybox_*.orig.tar.*
	[ -e "$1" ] || return 1
	mkdir -p "$work/src"
	tar -xf "$1" -C "$work/src" --strip-components=1 || return 1
	for debian in "$work"/busybox_*.debian.tar.*; do
		[ -e "$debian" ] || continue
		tar -xf "$debian" -C "$work/src" || return 1
	done
	[ -e "$work/src/debian/patches/series" ] || return 0
	while read -r patch _; do
		case $patch in '' | '#'*) continue ;; esac
		patch -s -f -p1 -d "$work/src" < "$work/src/debian/patches/$patch" || return 1
	done < "$work/src/debian/patches/series"
}

# configure SOURCE - allnoconfig and the fragment. busybox's allnoconfig takes no fragment, and
# oldconfig answers what the fragment brings into view with the default, often yes: so all that
# is not in the fragment is set back to no, as often as it takes for more to come into view.
configure() {
	make -s -C "$1" allnoconfig || return 1
	for _ in 1 2 3 4; do
		awk -F= 'FNR == NR { if (/^CONFIG_/) { print; set[$1] = 1 } next }
			$1 in set { next }
			$2 == "y" { print "# " $1 " is not set"; next }
			{ split($0, w, " "); if (!(w[2] in set)) print }' \
			"$here/busybox.fragment" "$1/.config" > "$work/config"
		cp "$work/config" "$1/.config"
		yes '' | make -s -C "$1" oldconfig || return 1
	done
}

# compile SOURCE - every line of the fragment must be in the configuration that results
compile() {
	# The banner carries a date: that of the release, so that builds are the same.
	SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$1/LICENSE")}
	export SOURCE_DATE_EPOCH
	configure "$1" || return 1
	grep '^CONFIG_' "$here/busybox.fragment" | sort > "$work/wanted"
	sort "$1/.config" | comm -23 "$work/wanted" - > "$work/lost"
	if [ -s "$work/lost" ]; then
		echo "these lines of busybox.fragment had no effect:"
		cat "$work/lost"
		return 1
	fi
	make -s -C "$1" -j"$(nproc)" ${CC:+CC="$CC"} CROSS_COMPILE="${CROSS_COMPILE-}" \
		SKIP_STRIP=n busybox || return 1
	cp "$1/busybox" "$out"
}

build() {
	if [ -n "${BUSYBOX_SOURCE-}" ]; then
		cp -a "$BUSYBOX_SOURCE/." "$work/src"
	else
		fetch && unpack
	fi && compile "$work/src"
}

fall_back() {
	for file in /bin/busybox /usr/bin/busybox; do
		[ -x "$file" ] || continue
		head -c 4096 "$file" | LC_ALL=C grep -aq '/ld-linux\|/ld-musl\|/ld64\|/ld\.so' && continue
		cp "$file" "$out"
		say "$out: no build from source (see $log); took the distribution's $file"
		return 0
	done
	say "no source package (see $log) and no static busybox: install busybox-static" >&2
	return 1
}

rm -rf "$work"
mkdir -p "$work/src"
say "building $out from the distribution's source package (about a minute)"
if build > "$log" 2>&1; then
	rm -rf "$work"
	say "$out: built from source, $(wc -c < "$out") bytes"
else
	fall_back
fi
