/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of the crashed kernel's log, in memory that outlives a reset: where a pstore
 * backend takes messages of users (ramoops with a pmsg_size, pstore_blk), the next system
 * finds it as /sys/fs/pstore/pmsg-*, be there a target or not.
 */
#ifndef CAPTURE_INIT_PSTORE_H
#define CAPTURE_INIT_PSTORE_H

#include <stddef.h>

#define PSTORE_DEVICE "/dev/pmsg0"

/**
 * pstore_save() - Write the end of a log, by lines, with a line of ours before it.
 * @device: PSTORE_DEVICE but in tests; it is not made
 * @save_log: writes the whole log to a descriptor that cannot seek
 * @bytes: at most so many, from pstore_room()
 * @saved_ret: bytes of the log among them
 *
 * Return: 0; -ENOENT there is no such device; -errno, not logged.
 */
int pstore_save(const char *device, int (*save_log)(void *ctx, int fd), void *ctx, size_t bytes,
		size_t *saved_ret);

/**
 * pstore_keep_log() - Have the kernel write the end of its own log, with what the capture said, to
 * pstore at the reboot, as it else does after a panic alone (kernel: kmsg_dump(),
 * printk.always_kmsg_dump). Of backends ERST alone: the kernel drives it by itself, where
 * efi-pstore would call a firmware that a crash may have left in any state, and ramoops
 * has a max_reason of its own.
 * @root: put before the paths of sysfs; "" but in tests
 *
 * Return: 0; -ENODEV where that is not the backend; -errno. Not logged.
 */
int pstore_keep_log(const char *root);

/** pstore_room() - How much the backend has for such messages; a guess where it does not say. */
size_t pstore_room(void);

#endif
