/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an initramfs as the kernel does: cpio archives in the "newc" format one behind the other,
 * zeros between, each of which may be compressed. dracut's have the CPUs' microcode before the
 * rest, uncompressed (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef CONTROL_ARCHIVE_H
#define CONTROL_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_MAX_PACKED 16u /* compressed pieces; real images have one or two */

/**
 * struct archive_entry - One file; all is borrowed until the function returns.
 * @name: NUL-terminated; without "/" or "./" at its begin
 * @mode: as in stat(2)
 * @data, @size: contents; not NUL-terminated
 */
struct archive_entry {
	const char *name;
	uint32_t mode;
	const char *data;
	size_t size;
};

/** archive_fn - Gets each entry. Return: 0, or a -errno that ends the walk. */
typedef int archive_fn(void *ctx, const struct archive_entry *entry);

/**
 * archive_walk() - Call @fn for each entry of an initramfs.
 * @max: most bytes that may come of each compressed piece
 *
 * Return: 0; -EBADMSG damaged or cut off; -EOPNOTSUPP neither cpio nor a known compression; -E2BIG
 * more than ARCHIVE_MAX_PACKED compressed pieces; what decompress() or @fn returned.
 */
int archive_walk(const void *data, size_t len, size_t max, archive_fn *fn, void *ctx);

/** archive_unread() - What packs an image for which archive_walk() returns -EOPNOTSUPP: "bzip2",
 * "lzma", "lzop"; NULL where that is none of what the kernel unpacks. */
const char *archive_unread(const void *data, size_t len);

#endif
