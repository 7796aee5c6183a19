/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flattened format: a dump as a stream that can only be appended to, for pipes and
 * ssh. A header, then records (offset, length, bytes) in any order, then an end record;
 * all numbers big-endian. Source: makedumpfile.h (struct makedumpfile_header and
 * makedumpfile_data_header) and IMPLEMENTATION of makedumpfile.
 */
#ifndef CAPTURE_DUMP_FLATTENED_H
#define CAPTURE_DUMP_FLATTENED_H

#include <sys/types.h>

#include "capture/dump/dump.h"

/**
 * struct flat_stream - Where the stream goes.
 * @emit: returns 0 or -errno, and is not called again after that: a record that is cut off
 *	would swallow what follows it
 * @err: what it returned; 0 to begin with
 */
struct flat_stream {
	int (*emit)(void *ctx, const void *buf, size_t len);
	void *ctx;
	int err;
};

/** flat_begin() - Write the stream's header. Return: 0 or what emit returned. */
int flat_begin(struct flat_stream *f);

/** flat_sink() - A sink whose writes become records of @f, which is borrowed. */
struct dump_sink flat_sink(struct flat_stream *f);

/** flat_end() - Write the end record: to be called only where the dump is complete. */
int flat_end(struct flat_stream *f);

/**
 * flat_rearrange() - Make a dump of a stream.
 * @read: fills @buf with @len bytes, fewer only at the end. Return: bytes, or -errno.
 *
 * On failure what came before is in the sink; where it is a dump, it is marked incomplete.
 *
 * Return: 0; -EBADMSG no such stream, or an impossible record; -ENODATA it ends without an
 * end record; -errno of @read or of the sink. All but
 * the sink's are logged.
 */
int flat_rearrange(ssize_t (*read)(void *ctx, void *buf, size_t len), void *ctx,
		   const struct dump_sink *sink);

#endif
