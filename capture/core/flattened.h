/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's flattened form: a file as a stream of the writes that make it.
 *
 *	0	"makedumpfile", zeros to 16 bytes; type 1; version 1; zeros to 4096 bytes
 *	4096	records: offset, size (8 bytes each), then size bytes
 *	end	a record whose offset and size are -1
 *
 * All numbers are signed and big-endian. Records come in any order; where they overlap the
 * later one counts, as it would on writing. Source: makedumpfile IMPLEMENTATION and
 * makedumpfile.h (struct makedumpfile_header, makedumpfile_data_header); QEMU dump/dump.c
 * writes the same.
 */
#ifndef CAPTURE_CORE_FLATTENED_H
#define CAPTURE_CORE_FLATTENED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAT_SIGNATURE	  "makedumpfile"
#define FLAT_HEADER_BYTES 4096
#define FLAT_TYPE	  1
#define FLAT_VERSION	  1
#define FLAT_RECORD_BYTES 16
#define FLAT_END	  UINT64_MAX /* -1, as offset and as size */

struct core_file;
struct file_view;

/*
 * One or more records that follow each other in the file and in the offsets they are for.
 * Holding each record would take memory as the dump grows; within an extent they are found
 * by their headers.
 * @start, @end: offsets that it stands for
 * @raw: where in the file its first record is
 */
struct flat_extent {
	uint64_t start, end, raw;
};

/* The most extents that are kept: 3 MiB, twice that while overlaps are being resolved. */
#define FLAT_EXTENTS_MAX (128u * 1024)

/** struct flat_index - Extents by ascending start, none overlapping another. */
struct flat_index {
	struct flat_extent *extents;
	size_t nr;
	uint64_t end;
};

/** struct flat_cursor - Where a view read last: @extent, and in it the record at @raw, which
 * stands for offsets from @start on. */
struct flat_cursor {
	size_t extent;
	uint64_t raw, start;
};

/** flat_matches() - Whether @head, of at least 16 bytes, starts a flattened file. */
bool flat_matches(const uint8_t *head);

/**
 * flat_index_create() - Walk all records of a file, which may end anywhere.
 * Return: 0; -ENOMEM; -EBADMSG another version, or records that cannot be; -EFBIG records
 * too scattered for FLAT_EXTENTS_MAX; -EIO. Each is logged.
 */
int flat_index_create(const struct core_file *file, struct file_view *view,
		      struct flat_index **index_ret);
void flat_index_destroy(struct flat_index *index);

/**
 * flat_find() - Where in the file the byte at @offset is.
 * @cursor: zeroed before the first call
 * @raw_ret: its place, where there is one
 * @len_ret: how many bytes are there in a row; or, with -ENODATA, are missing
 *
 * Return: 0; -ENODATA never written; -EIO.
 */
int flat_find(const struct flat_index *index, struct flat_cursor *cursor, struct file_view *view,
	      uint64_t offset, uint64_t *raw_ret, uint64_t *len_ret);

/** flat_next() - The first offset from @offset on that was written; UINT64_MAX: none. */
uint64_t flat_next(const struct flat_index *index, uint64_t offset);

#endif
