/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of one dump, and files that carry their final name only once they
 * are complete and on disk.
 */
#ifndef CAPTURE_TARGET_DIR_H
#define CAPTURE_TARGET_DIR_H

#include <stddef.h>
#include <time.h>

#include "lib/dump_dir.h"

/**
 * dir_open_path() - Open a directory below @root_fd, making what is missing of it (0755).
 * @path: absolute; symbolic links in it, absolute ones too, stay within @root_fd
 * @fd_ret: to be closed by the caller
 *
 * Return: 0; -ENOTDIR, -ELOOP, -EROFS, -ENOSPC … Not logged.
 */
int dir_open_path(int root_fd, const char *path, int *fd_ret);

/** dir_format_name() - "2026-11-23-22:10" in UTC with @sep for the ':', and "-N" behind
 * it for @suffix above 0. */
void dir_format_name(char name[DIR_NAME_SIZE], time_t when, char sep, unsigned suffix);

/**
 * dir_create_stamped() - Make a directory (0700) named by the time, with the first free
 * suffix where the name is taken.
 * @name_ret: its name
 * @fd_ret: to be closed by the caller
 *
 * A file system that takes no ':' in a name (vfat) gets '-' instead.
 * Return: 0; -EEXIST after 99 taken names; -errno. Not logged.
 */
int dir_create_stamped(int parent_fd, time_t when, char name_ret[DIR_NAME_SIZE], int *fd_ret);

/** dir_open_file() - Make a new file (0600) for writing. Return: fd or -errno. */
int dir_open_file(int dir_fd, const char *name);

/**
 * dir_commit_file() - Make @fd's contents durable and give the file its final name.
 * fsync of the file, rename, fsync of the directory, in this order.
 * Return: 0 or -errno; after a failed fsync the name is still @name.
 */
int dir_commit_file(int dir_fd, int fd, const char *name, const char *final_name);

/** dir_reserve_file() - Ask for @bytes of disk space for @fd beyond its end, so that it can
 * be rewritten in place on a full disk. Best effort: not every file system can. */
void dir_reserve_file(int fd, size_t bytes);

/**
 * dir_replace_file() - Write a small file so that its old or its new contents are there.
 * @name: of the file; @tmp_name: of the temporary one beside it
 *
 * Where a disk is too full for a second file, an existing one is overwritten in place.
 * Return: 0 or -errno.
 */
int dir_replace_file(int dir_fd, const char *name, const char *tmp_name, const char *data,
		     size_t len);

#endif
