/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at the directory where dumps will be, in limited time: a share whose server is down, or
 * a disk that is dying, answers never.
 */
#ifndef CONTROL_CHECK_LOOK_H
#define CONTROL_CHECK_LOOK_H

#include <stdbool.h>
#include <stdint.h>

#define LOOK_SECONDS 20u /* the longest that a look takes */

/**
 * struct look - What was seen.
 * @there: the directory is there already; what is missing of it is made at the first dump
 * @read_only: its file system is, as it is mounted now
 * @free_bytes: in it, for others than root
 * @magic: of the file system, statfs(2)
 * @why: where it fails: in the words of mount(8), or empty
 */
struct look {
	bool there, read_only;
	uint64_t free_bytes;
	long magic;
	char why[160];
};

/**
 * struct look_source - What is to be mounted.
 * @what: a device, HOST:/EXPORT or a tag; @type: for mount(8)
 * @options: further ones of the configuration; may be empty
 * @path: the directory in it
 */
struct look_source {
	const char *what, *type, *options, *path;
};

/**
 * look_at() - Look at a directory of what is mounted.
 *
 * Return: 0; -ENOTDIR something else is in its place; -ETIMEDOUT; another -errno. Not logged.
 */
int look_at(const char *directory, struct look *look_ret);

/**
 * look_into() - Mount something read-only, where nobody else sees it, and look at a directory.
 *
 * Nothing on the device changes: no journal is replayed. With mount(8), which has a module loaded
 * where the file system needs one.
 * Return: as of look_at(); -EPERM not allowed to; -EIO it cannot be mounted, look->why says why;
 * -EBUSY it cannot be mounted while it is in use otherwise.
 */
int look_into(const struct look_source *source, struct look *look_ret);

#endif
