#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Holds the tree to who may include whom (see the Makefile's comment and CONTRIBUTING.md):
#	lib <- arch <- { loader, core <- mm <- dump, core <- report }, lib <- net <- target <- init,
#	lib <- initramfs, lib <- control
#	control <- its folders, which do not know each other but for dumps
# Only the main files, capture/*.c and loader/main.c, see everything; tests do as well.
# Prints each include that breaks a rule as FILE: HEADER and then exits 1.

set -eu
cd "${1:-$(dirname "$0")/..}"

# area | the areas whose headers it may include, besides its own
rules() {
	cat <<'TABLE'
lib
arch lib
loader arch lib
capture/core arch lib
capture/mm capture/core arch lib
capture/dump capture/mm capture/core arch lib
capture/report capture/core arch lib
capture/net lib
capture/target capture/net lib
capture/init capture/target capture/net lib
initramfs lib
control control/boot control/check control/dumps control/migrate control/rehearsal lib
control/boot control lib
control/check control control/dumps lib
control/dumps control lib
control/migrate control lib
control/rehearsal control control/dumps lib
TABLE
}

area_of() {
	case $1 in
	lib/*) echo lib ;;
	arch/*) echo arch ;;
	loader/*) echo loader ;;
	initramfs/*) echo initramfs ;;
	capture/*/* | control/*/*) echo "$1" | cut -d / -f 1-2 ;;
	control/*) echo control ;;
	*) echo other ;;
	esac
}

allowed() {
	[ "$1" = "$2" ] && return 0
	rules | while read -r area may; do
		[ "$area" = "$1" ] || continue
		case " $may " in *" $2 "*) echo yes ;; esac
	done | grep -q yes
}

broken=0
for file in $(find lib arch loader capture initramfs control -name '*.[ch]' | sort); do
	area=$(area_of "$file")
	if [ "$area" = other ] || [ "$file" = loader/main.c ]; then
		continue
	fi
	# shellcheck disable=SC2013 # no header has a blank in its name
	for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
		if [ ! -e "$header" ]; then
			echo "$file: $header is not written from the top"
			broken=1
		elif ! allowed "$area" "$(area_of "$header")"; then
			echo "$file: $header, which $area may not include"
			broken=1
		fi
	done
done
exit $broken
