/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INITRAMFS_UNPACK_H
#define INITRAMFS_UNPACK_H

#include <stddef.h>

#define UNPACK_MAX (256u << 20)

/**
 * unpack_file() - Read a kernel module: ELF as it is, or gzip, xz, zstd or lz4 of that.
 * @data_ret: owned by the caller
 *
 * What the file is tells its contents, not its name.
 *
 * Return: 0; -errno; -EBADMSG for a broken file or one that holds no ELF; -EFBIG for more
 * than UNPACK_MAX bytes. Errors are logged.
 */
int unpack_file(const char *path, void **data_ret, size_t *len_ret);

#endif
