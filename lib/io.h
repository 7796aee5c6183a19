/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole reads and writes; nothing here logs, since only callers know the object's role. */
#ifndef LIB_IO_H
#define LIB_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * io_read_full() - Read @len bytes, or up to end of file.
 * Return: bytes read (short only at end of file), or -errno.
 */
ssize_t io_read_full(int fd, void *buf, size_t len);

/** io_pread_full() - The same at @offset, without moving the file position. */
ssize_t io_pread_full(int fd, void *buf, size_t len, uint64_t offset);

/** io_write_full() - Write all @len bytes. Return: 0 or -errno. */
int io_write_full(int fd, const void *buf, size_t len);

/** io_pwrite_full() - Write all @len bytes at @offset. Return: 0 or -errno. */
int io_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset);

/**
 * io_read_file() - Read a whole file of at most @max bytes into memory.
 * @path: file; /proc and /sys files, whose st_size tells nothing, work too
 * @data_ret: NUL-terminated contents, owned by the caller, to be freed with free()
 * @len_ret: length without the NUL; may be NULL
 *
 * Return: 0, -errno, or -EFBIG where the file holds more than @max bytes.
 */
int io_read_file(const char *path, size_t max, char **data_ret, size_t *len_ret);

/** io_write_file() - Write @text to an existing file such as one in /proc or /sys.
 * Return: 0 or -errno. */
int io_write_file(const char *path, const char *text);

#endif
