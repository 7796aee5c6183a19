/* SPDX-License-Identifier: GPL-2.0-or-later */
/* md arrays with a superblock, by ioctl (include/uapi/linux/raid/md_u.h), without mdadm. */
#ifndef CAPTURE_TARGET_MD_H
#define CAPTURE_TARGET_MD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** md_running() - Whether the array of this kernel's name has been started. */
bool md_running(const char *name);

/**
 * md_start() - Start an array that is not running.
 * @name: of the kernel ("md127")
 * @major, @minor: version of its superblock
 * @members, @nr: devices that hold this array's UUID; the kernel leaves out those whose
 *	event counter says that they are out of date
 *
 * It starts read-only and turns writable at the first write; a resync that it would need is
 * left for the next boot, whose superblock still says that it is needed.
 * Return: 0, -errno.
 */
int md_start(const char *name, unsigned major, unsigned minor, const dev_t *members, size_t nr);

/** md_stop() - Stop it in order, so that it is marked clean. Return: 0; -EBUSY while it is in
 * use; -errno. */
int md_stop(const char *name);

#endif
