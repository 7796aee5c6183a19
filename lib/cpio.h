/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes a cpio archive in the "newc" format, the one that the kernel unpacks as
 * initramfs (Documentation/driver-api/early-userspace/buffer-format.rst). The same
 * entries give the same bytes: times are 0, or what cpio.mtime says, and inode numbers
 * count from 1.
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <stddef.h>
#include <stdint.h>

#define CPIO_NAME_MAX 4095u /* PATH_MAX of the kernel, with the NUL */

/** cpio_write_fn - Takes the next @len bytes of the archive. Return: 0 or -errno. */
typedef int cpio_write_fn(void *ctx, const void *data, size_t len);

struct cpio {
	cpio_write_fn *write;
	void *ctx;	 /* borrowed */
	uint64_t offset; /* bytes written so far */
	uint32_t ino;	 /* of the latest entry */
	uint32_t mtime;	 /* of all entries, seconds; the caller may set it */
};

/**
 * struct cpio_entry - One file, directory, symbolic link or device node.
 * @name: path; a leading slash is left out of the archive
 * @mode: type and permissions as in stat(2)
 * @major, @minor: of a device node, else 0
 * @data, @size: contents of a file, target of a symbolic link (without NUL)
 */
struct cpio_entry {
	const char *name;
	uint32_t mode;
	uint32_t uid, gid;
	uint32_t major, minor;
	const void *data;
	size_t size;
};

void cpio_init(struct cpio *c, cpio_write_fn *write, void *ctx);

/**
 * cpio_add() - Append one entry.
 * Return: 0, what the write function returned, or -EINVAL for a name that is empty,
 * longer than CPIO_NAME_MAX or data of 4 GiB and more, which the format cannot hold.
 */
int cpio_add(struct cpio *c, const struct cpio_entry *entry);

/** cpio_finish() - Append the trailer and pad to 512 bytes. Return: as cpio_add(). */
int cpio_finish(struct cpio *c);

#endif
