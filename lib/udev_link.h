/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that udev gives to disks, for where there is no udev. */
#ifndef LIB_UDEV_LINK_H
#define LIB_UDEV_LINK_H

#define UDEV_SPEC_SIZE 300

/** Why a name of the other kinds cannot be used, for people. */
#define UDEV_LINK_PROBLEM                                                                          \
	"there is no udev in the image to give this name: UUID= or PARTUUID= needs none"

/**
 * udev_link_spec() - What a link in /dev/disk/by-uuid, by-label, by-partuuid or by-partlabel
 * says, as UUID=, LABEL=, PARTUUID= or PARTLABEL=.
 *
 * Return: 0, by the name alone; -EOPNOTSUPP another link in /dev/disk, such as by-id, which tells
 * nothing that is on the disk; -ENOENT no name of udev's.
 */
int udev_link_spec(const char *path, char spec[UDEV_SPEC_SIZE]);

#endif
