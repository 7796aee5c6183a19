/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What depmod(8) would write about a kernel's modules, for a tree that it has not seen. */
#ifndef INITRAMFS_MODINDEX_H
#define INITRAMFS_MODINDEX_H

/** struct modindex - Texts as of the files of these names; owned by the caller. */
struct modindex {
	char *dep, *softdep, *alias;
};

/**
 * modindex_build() - Look into each module below a folder.
 * @dir: /lib/modules/VERSION
 * @index_ret: the same for the same modules; a line of @dep has only what the module itself names
 *
 * Return: 0; -ENOENT where there are no modules; -errno. Logged.
 */
int modindex_build(const char *dir, struct modindex *index_ret);

#endif
