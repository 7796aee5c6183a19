/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are never half-written. */
#ifndef CONTROL_FILE_H
#define CONTROL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * file_replace() - Put @text in the place of @path: written beside it, synced, renamed, and the
 * directory synced. The directory is made where only it is missing.
 * Return: 0 or -errno, logged; @path is as before then.
 */
int file_replace(const char *path, const char *text, size_t len, mode_t mode);

/** file_rewrite() - The same, with the mode and the owner that @path has, 0644 and ours where it is
 * not there. A symbolic link is replaced, not followed. */
int file_rewrite(const char *path, const char *text, size_t len);

/** file_rename_synced() - rename(2), with what @from holds and the directory synced.
 * Return: 0 or -errno, logged. */
int file_rename_synced(const char *from, const char *to);

#endif
