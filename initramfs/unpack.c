// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/unpack.h"

#include <elf.h>
#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

/* Grows while a decoder fills it. */
struct buffer {
	uint8_t *data;
	size_t len, size;
};

/* Makes room for more. Return: 0, -ENOMEM or -EFBIG. */
static int buffer_grow(struct buffer *b)
{
	size_t size = b->size ? b->size * 2 : 1u << 20;
	void *data;

	if (size > UNPACK_MAX)
		return -EFBIG;
	data = realloc(b->data, size);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->size = size;
	return 0;
}

static int unpack_gzip(const void *in, size_t len, struct buffer *out)
{
	z_stream z = { .next_in = (void *)(uintptr_t)in, .avail_in = (uInt)len };
	int err = 0, zerr = Z_OK;

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return -ENOMEM;
	while (!err && zerr == Z_OK) {
		if (out->len == out->size)
			err = buffer_grow(out);
		if (err)
			break;
		z.next_out = out->data + out->len;
		z.avail_out = (uInt)(out->size - out->len);
		zerr = inflate(&z, Z_NO_FLUSH);
		out->len = out->size - z.avail_out;
	}
	inflateEnd(&z);
	return err ? err : zerr == Z_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_xz(const void *in, size_t len, struct buffer *out)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret zerr = LZMA_OK;
	int err = 0;

	if (lzma_stream_decoder(&z, UNPACK_MAX, LZMA_CONCATENATED) != LZMA_OK)
		return -ENOMEM;
	z.next_in = in;
	z.avail_in = len;
	while (!err && zerr == LZMA_OK) {
		if (out->len == out->size)
			err = buffer_grow(out);
		if (err)
			break;
		z.next_out = out->data + out->len;
		z.avail_out = out->size - out->len;
		zerr = lzma_code(&z, LZMA_FINISH);
		out->len = out->size - z.avail_out;
	}
	lzma_end(&z);
	return err ? err : zerr == LZMA_STREAM_END ? 0 : -EBADMSG;
}

static int unpack_zstd(const void *in, size_t len, struct buffer *out)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer from = { in, len, 0 };
	size_t left = 1;
	int err = 0;

	if (!z)
		return -ENOMEM;
	while (!err && left && !ZSTD_isError(left)) {
		ZSTD_outBuffer to;
		size_t before = from.pos;

		if (out->len == out->size)
			err = buffer_grow(out);
		if (err)
			break;
		to = (ZSTD_outBuffer){ out->data, out->size, out->len };
		left = ZSTD_decompressStream(z, &to, &from);
		if (left && from.pos == before && to.pos == out->len)
			break; /* it wants more than there is */
		out->len = to.pos;
	}
	ZSTD_freeDCtx(z);
	return err ? err : left ? -EBADMSG : 0;
}

static const struct {
	const char *name;
	uint8_t magic[6];
	size_t len;
	int (*unpack)(const void *in, size_t len, struct buffer *out);
} formats[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, unpack_gzip },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, unpack_zstd },
};

int unpack_file(const char *path, void **data_ret, size_t *len_ret)
{
	_free_ char *raw = NULL;
	struct buffer out = { 0 };
	const char *format = "ELF";
	size_t len, i;
	int err = io_read_file(path, UNPACK_MAX, &raw, &len);

	for (i = 0; !err && i < ARRAY_SIZE(formats); i++) {
		if (len < formats[i].len || memcmp(raw, formats[i].magic, formats[i].len))
			continue;
		format = formats[i].name;
		err = formats[i].unpack(raw, len, &out);
		break;
	}
	if (!err && i == ARRAY_SIZE(formats))
		out = (struct buffer){ (uint8_t *)take_ptr(raw), len, len };
	if (!err && (out.len < SELFMAG || memcmp(out.data, ELFMAG, SELFMAG)))
		err = -EBADMSG;
	if (err == -EBADMSG)
		log_error("%s: broken %s file, or no kernel module", path, format);
	else if (err)
		log_error("%s: %s", path, strerror(-err));
	if (err) {
		free(out.data);
		return err;
	}
	*data_ret = out.data;
	*len_ret = out.len;
	return 0;
}
