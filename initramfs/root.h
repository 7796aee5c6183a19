/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root file system of another machine, unpacked into a folder: nothing of it is run, and its
 * symbolic links lead where they would lead there.
 */
#ifndef INITRAMFS_ROOT_H
#define INITRAMFS_ROOT_H

/**
 * root_path() - Where a path of that file system lies on this one.
 * @root: the folder
 * @path: absolute there
 * @path_ret: owned by the caller
 *
 * Return: 0; -ENOENT where there is nothing; -ELOOP, -ENAMETOOLONG, -ENOMEM or -errno. Not logged.
 */
int root_path(const char *root, const char *path, char **path_ret);

/**
 * root_modules() - The folder of a kernel's modules.
 * @version: which kernel; NULL where there is only one
 * @dir_ret: owned by the caller
 *
 * Return: 0; -ENOENT where there is none; -EINVAL where there are several; -errno. Logged.
 */
int root_modules(const char *root, const char *version, char **dir_ret);

#endif
