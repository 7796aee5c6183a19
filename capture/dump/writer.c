// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/dump_private.h"
#include "lib/util.h"

#define RETRY_BYTES 4096u

int writer_init(struct writer *w, const struct dump_sink *sink, struct dump_stats *stats)
{
	*w = (struct writer){ .sink = sink, .stats = stats };
	w->buf = malloc(WRITER_BUFFER_BYTES);
	return w->buf ? 0 : -ENOMEM;
}

void writer_deinit(struct writer *w)
{
	free(w->buf);
	w->buf = NULL;
}

void writer_seek(struct writer *w, uint64_t offset)
{
	w->start = offset;
}

uint64_t writer_tell(const struct writer *w)
{
	return w->start + w->used;
}

int writer_put(struct writer *w, uint64_t offset, const void *data, size_t len)
{
	int err = w->sink->write(w->sink->ctx, offset, data, len);

	if (err)
		return err;
	w->stats->bytes_out += len;
	if (offset + len > w->end) {
		w->stats->file_size += offset + len - w->end;
		w->end = offset + len;
	}
	return 0;
}

int writer_put_zeros(struct writer *w, uint64_t offset, uint64_t len)
{
	static const uint8_t zeros[8 * 1024]; /* lies in the image, unpacked, too */

	while (len) {
		size_t n = MIN(len, (uint64_t)sizeof(zeros));
		int err = writer_put(w, offset, zeros, n);

		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

int writer_reserve(struct writer *w, uint64_t offset, uint64_t len)
{
	return w->sink->reserve && len ? w->sink->reserve(w->sink->ctx, offset, len) : 0;
}

int writer_sync(struct writer *w)
{
	return w->sink->sync ? w->sink->sync(w->sink->ctx) : 0;
}

/* The first @n bytes of the buffer are in the sink. */
static void drop_front(struct writer *w, size_t n)
{
	memmove(w->buf, w->buf + n, w->used - n);
	w->used -= n;
	w->start += n;
}

int writer_flush(struct writer *w)
{
	int err;

	if (!w->used)
		return 0;
	err = writer_put(w, w->start, w->buf, w->used);
	if (!err) {
		w->start += w->used;
		w->used = 0;
		return 0;
	}
	/* A full disk takes a little more in smaller pieces. */
	while (w->used) {
		size_t n = MIN(w->used, RETRY_BYTES - w->start % RETRY_BYTES);

		if (writer_put(w, w->start, w->buf, n))
			return err;
		drop_front(w, n);
	}
	return 0;
}

int writer_append(struct writer *w, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		/* So that after the first one, writes start at multiples of the buffer. */
		size_t limit = WRITER_BUFFER_BYTES - w->start % WRITER_BUFFER_BYTES;
		size_t n = MIN(len, limit - w->used);

		memcpy(w->buf + w->used, p, n);
		w->used += n;
		p += n;
		len -= n;
		if (w->used == limit) {
			int err = writer_flush(w);

			if (err)
				return err;
		}
	}
	return 0;
}
