/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a target of the configuration is mounted on this system. */
#ifndef CONTROL_MOUNTS_H
#define CONTROL_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/command.h"
#include "lib/config.h"

/**
 * struct mount_wanted - A file system that is looked for.
 * @source: as mountinfo names it, HOST:/export or a tag; NULL for one on a disk
 * @device: its number, of one on a disk; 0 for none
 * @path: of a directory in it
 */
struct mount_wanted {
	const char *source;
	dev_t device;
	const char *path;
};

/**
 * mounts_search() - Look for it in the text of /proc/PID/mountinfo, proc_pid_mountinfo(5).
 * @dir_ret: how wanted->path is called here, owned by the caller
 *
 * Of several mounts the one with all of the file system counts before one with the part of it
 * that holds the path, as of a bind mount or a subvolume.
 * Return: 0; -ENOENT; -ENOMEM.
 */
int mounts_search(const char *mountinfo, const struct mount_wanted *wanted, char **dir_ret);

/**
 * mounts_device() - The block device that a configuration means.
 * @where: "/dev/…", or UUID= and the like, by the links that udev makes
 * @node_ret: its path, with in->root, owned by the caller
 *
 * Return: 0; -ENODEV; -ENOMEM.
 */
int mounts_device(const struct invocation *in, const char *where, dev_t *device_ret,
		  char **node_ret);

/**
 * mounts_find() - The directory of a target that is a file system.
 * @dir_ret: with in->root, owned by the caller
 *
 * Return: as of mounts_search(); -ENODEV where its disk is not there.
 */
int mounts_find(const struct invocation *in, const struct config_target *target, char **dir_ret);

#endif
