// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lz4 comes in two formats: frames (lz4_Frame_format.md of the lz4 project) and the legacy
 * one, which is what `lz4 -l` and the kernel's own build write: after the magic number blocks
 * of at most 8 MiB, each behind its compressed length.
 */
#include "lib/decompress.h"

#include <errno.h>
#include <limits.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define LZMA_MEMORY_MAX	 (256ULL << 20)
#define LZ4_LEGACY_MAGIC 0x184c2102
#define LZ4_LEGACY_BLOCK (8u << 20)

/* Grows while a decoder fills it, up to @max. */
struct buffer {
	uint8_t *data;
	size_t len, size, max;
	size_t used; /* of the input, after success */
};

/* Makes room for more. Return: 0, -ENOMEM or -EFBIG. */
static int buffer_grow(struct buffer *b)
{
	size_t size = MIN(b->size ? b->size * 2 : 1u << 20, b->max);
	void *data;

	if (size == b->size)
		return -EFBIG;
	data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

static int buffer_room(struct buffer *b)
{
	return b->len == b->size ? buffer_grow(b) : 0;
}

static int from_gzip(const uint8_t *in, size_t len, struct buffer *out)
{
	z_stream z = { .next_in = (void *)(uintptr_t)in, .avail_in = (uInt)MIN(len, UINT_MAX) };
	int err = 0, zerr = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while (zerr == Z_OK) {
		uInt room;

		err = buffer_room(out);
		if (err)
			break;
		room = (uInt)MIN(out->size - out->len, UINT_MAX);
		z.next_out = out->data + out->len;
		z.avail_out = room;
		zerr = inflate(&z, Z_NO_FLUSH);
		out->len += room - z.avail_out;
	}
	out->used = (size_t)(z.next_in - in);
	inflateEnd(&z);
	return err ? err : zerr == Z_STREAM_END ? 0 : -EBADMSG;
}

static int from_xz(const uint8_t *in, size_t len, struct buffer *out)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret zerr = LZMA_OK;
	int err = 0;

	if (lzma_stream_decoder(&z, LZMA_MEMORY_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	z.next_in = in;
	z.avail_in = len;
	while (zerr == LZMA_OK) {
		err = buffer_room(out);
		if (err)
			break;
		z.next_out = out->data + out->len;
		z.avail_out = out->size - out->len;
		zerr = lzma_code(&z, LZMA_FINISH);
		out->len = out->size - z.avail_out;
	}
	out->used = (size_t)(z.next_in - in);
	lzma_end(&z);
	return err ? err : zerr == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int from_zstd(const uint8_t *in, size_t len, struct buffer *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in, len, 0 };
	size_t left = 1;
	int err = 0;

	if (!z)
		return -ENOMEM;
	while (left && !ZSTD_isError(left)) {
		ZSTD_outBuffer to;
		size_t before = from.pos;

		err = buffer_room(out);
		if (err)
			break;
		to = (ZSTD_outBuffer){ out->data, out->size, out->len };
		left = ZSTD_decompressStream(z, &to, &from);
		if (left && from.pos == before && to.pos == out->len)
			break; /* it wants more than there is */
		out->len = to.pos;
	}
	out->used = from.pos;
	ZSTD_freeDCtx(z);
	return err ? err : left ? -EBADMSG : 0;
}

static int from_lz4_frame(const uint8_t *in, size_t len, struct buffer *out)
{
	LZ4F_dctx *z;
	size_t pos = 0, left = 1;
	int err = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&z, LZ4F_VERSION)))
		return -ENOMEM;
	while (left && !LZ4F_isError(left)) {
		size_t taken = len - pos, given;

		err = buffer_room(out);
		if (err)
			break;
		given = out->size - out->len;
		left = LZ4F_decompress(z, out->data + out->len, &given, in + pos, &taken, NULL);
		if (left && !taken && !given)
			break;
		pos += taken;
		out->len += given;
	}
	out->used = pos;
	LZ4F_freeDecompressionContext(z);
	return err ? err : left ? -EBADMSG : 0;
}

static int from_lz4_block(const uint8_t *in, size_t len, struct buffer *out)
{
	int n;

	while (out->size - out->len < LZ4_LEGACY_BLOCK && out->size < out->max) {
		int err = buffer_grow(out);

		if (err)
			return err;
	}
	n = LZ4_decompress_safe((const char *)in, (char *)out->data + out->len, (int)len,
				(int)MIN(out->size - out->len, (size_t)LZ4_LEGACY_BLOCK));
	if (n < 0)
		return out->size - out->len < LZ4_LEGACY_BLOCK ? -EFBIG : -EBADMSG;
	out->len += (size_t)n;
	return 0;
}

/* It has no end mark: it ends with the file, or where no block can be; the kernel takes it for all
 * that there is (lib/decompress_unlz4.c). */
static int from_lz4_legacy(const uint8_t *in, size_t len, struct buffer *out)
{
	size_t pos = 4;

	while (range_within(pos, 4, len)) {
		uint32_t block = get_le32(in + pos);
		int err;

		/* Files joined together; and the unpacked size that a bzImage has behind it. */
		if (block == LZ4_LEGACY_MAGIC) {
			pos += 4;
			continue;
		}
		pos += 4;
		if (pos == len)
			break;
		if (!block || block > LZ4_COMPRESSBOUND(LZ4_LEGACY_BLOCK) ||
		    !range_within(pos, block, len))
			return -EBADMSG;
		err = from_lz4_block(in + pos, block, out);
		if (err)
			return err;
		pos += block;
	}
	out->used = len;
	return out->len ? 0 : -EBADMSG;
}

static const struct {
	const char *name;
	uint8_t magic[6];
	size_t len;
	int (*run)(const uint8_t *in, size_t len, struct buffer *out);
} formats[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, from_gzip },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, from_xz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, from_zstd },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, from_lz4_frame },
	{ "lz4", { 0x02, 0x21, 0x4c, 0x18 }, 4, from_lz4_legacy },
};

/* Return: an index of formats[], or its size. */
static size_t find_format(const void *in, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (len >= formats[i].len && !memcmp(in, formats[i].magic, formats[i].len))
			break;
	return i;
}

const char *decompress_format(const void *in, size_t len)
{
	size_t i = find_format(in, len);

	return i < ARRAY_SIZE(formats) ? formats[i].name : NULL;
}

int decompress_part(const void *in, size_t len, size_t max, struct decompressed *ret)
{
	struct buffer out = { .max = max };
	size_t i = find_format(in, len);
	int err;

	if (i == ARRAY_SIZE(formats))
		return -EOPNOTSUPP;
	err = formats[i].run(in, len, &out);
	if (err) {
		free(out.data);
		return err;
	}
	*ret = (struct decompressed){ .data = out.data, .len = out.len, .used = out.used };
	return 0;
}

int decompress(const void *in, size_t len, size_t max, void **out_ret, size_t *len_ret)
{
	struct decompressed d;
	int err = decompress_part(in, len, max, &d);

	if (err)
		return err;
	*out_ret = d.data;
	*len_ret = d.len;
	return 0;
}
