/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file below a core, whatever is in it: its bytes as they stand, or, where it is in
 * makedumpfile's flattened form, as they would stand after `makedumpfile -R`. Offsets are
 * those of the rearranged file.
 */
#ifndef CAPTURE_CORE_FILE_H
#define CAPTURE_CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/core/flattened.h"

/**
 * struct core_file - An open file. Does not change once it is open, but for @map.
 * @raw_size: bytes that the file holds
 * @size: one past the last byte that can be read through a view
 * @mtime: when it was written last, seconds since 1970
 * @regular: its size can be asked for again
 * @in_proc: it is /proc/vmcore
 * @map: views map it; else they read it
 * @flat: NULL where the file is not flattened
 */
struct core_file {
	int fd;
	char *name;
	uint64_t raw_size, size, mtime;
	bool regular, in_proc, map;
	struct flat_index *flat;
};

/** core_file_open() - Take over @fd (also on failure). Return: 0, -errno, logged. */
int core_file_open(int fd, const char *name, struct core_file **file_ret);
void core_file_close(struct core_file *file);

/** core_file_next_data() - Where from @offset on something was written, as far as can be
 * told at no cost; UINT64_MAX where nothing follows. */
uint64_t core_file_next_data(const struct core_file *file, uint64_t offset);

/** struct file_view - One thread's way of reading a file: a window that is mapped, or a
 * buffer that reads ahead. At most CORE_MAP_BYTES of address space, or the buffer. */
struct file_view;

#define CORE_MAP_BYTES (4u * 1024 * 1024)

/**
 * file_view_create() - Return: 0 or -ENOMEM.
 * @read_ahead: bytes to read at once where less is asked for and the file is read, not
 *	mapped; 0 for nothing beyond what is asked for
 */
int file_view_create(const struct core_file *file, size_t read_ahead, struct file_view **view_ret);
void file_view_destroy(struct file_view *view);

/**
 * file_view_read() - Read @len bytes at @offset.
 * Return: 0; -ENODATA where a byte is beyond the file's end or was never written to a
 * flattened file; -EIO where the file has become shorter since, or cannot be read; another
 * errno of read(2). @buf is undefined on failure.
 */
int file_view_read(struct file_view *view, uint64_t offset, void *buf, size_t len);

/** file_view_read_padded() - The same, with zeros for what is not in the file. */
int file_view_read_padded(struct file_view *view, uint64_t offset, void *buf, size_t len);

/** file_view_raw() - Read the file as it is, flattened or not; as file_view_read(). */
int file_view_raw(struct file_view *view, uint64_t offset, void *buf, size_t len);

#endif
