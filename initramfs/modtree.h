/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel's module folder as depmod(8) left it: which modules a name needs, in load
 * order. Names, aliases and soft dependencies mean what they mean to modprobe(8).
 */
#ifndef INITRAMFS_MODTREE_H
#define INITRAMFS_MODTREE_H

#include <stdbool.h>
#include <stddef.h>

#define MODTREE_MAX_MODULES 32768u
#define MODTREE_FILE_MAX    (32u << 20) /* of modules.dep and the like */

struct modtree;

/**
 * modtree_open() - Read modules.dep, .softdep, .alias, .builtin and .builtin.modinfo.
 * @dir: /lib/modules/VERSION. All files may be missing: without modules.dep, the modules tell.
 * @tree_ret: owned by the caller, to be released by modtree_close()
 *
 * Return: 0, -ENOENT without modules, -EBADMSG for a modules.dep that is not one (logged), or
 * -errno.
 */
int modtree_open(const char *dir, struct modtree **tree_ret);
void modtree_close(struct modtree *tree);

/**
 * modtree_need() - Append a module and all that it needs to the tree's load order.
 * @name: of a module, '-' and '_' alike, or an alias such as "fs-ext4"
 *
 * What is there already is not appended again. A name of a built-in module adds nothing.
 *
 * Return: 0, -ENOENT where this kernel has no such module (not logged), -EBADMSG, -ENOMEM.
 */
int modtree_need(struct modtree *tree, const char *name);

/** modtree_nr_loaded() - Length of the load order so far. */
size_t modtree_nr_loaded(const struct modtree *tree);

/** modtree_loaded() - Path of a module, below the tree's folder; valid until modtree_close(). */
const char *modtree_loaded(const struct modtree *tree, size_t i);

#endif
