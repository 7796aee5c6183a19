/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device holds by its own superblock. */
#ifndef CONTROL_CHECK_FS_TYPE_H
#define CONTROL_CHECK_FS_TYPE_H

#define FS_TYPE_SIZE 32

/**
 * fs_type_of() - The type of what is on a device or in a file, as libblkid names it.
 * @type: "ext4", "crypto_LUKS" …; empty where it knows nothing of what is there
 *
 * Return: 0; -EUCLEAN there are signatures of more than one thing; -errno. Not logged.
 */
int fs_type_of(const char *node, char type[FS_TYPE_SIZE]);

#endif
