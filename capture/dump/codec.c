// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/codec.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>
#include <zstd.h>

#include "lib/util.h"

/* Level 1 of both: what makedumpfile writes, and the fastest of a usable ratio. */
#define DEFAULT_LEVEL 1

static int deflate_create(int level, void **state_ret)
{
	struct libdeflate_compressor *c;

	if (level < 0 || level > 12)
		return -EINVAL;
	c = libdeflate_alloc_compressor(level ? level : DEFAULT_LEVEL);
	if (!c)
		return -ENOMEM;
	*state_ret = c;
	return 0;
}

static void deflate_destroy(void *state)
{
	if (state)
		libdeflate_free_compressor(state);
}

static size_t deflate_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	return libdeflate_zlib_compress(state, page, len, out, out_len);
}

static int zstd_create(int level, void **state_ret)
{
	ZSTD_CCtx *ctx;

	if (level < 0 || level > ZSTD_maxCLevel())
		return -EINVAL;
	ctx = ZSTD_createCCtx();
	if (!ctx)
		return -ENOMEM;
	if (ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel,
						level ? level : DEFAULT_LEVEL))) {
		ZSTD_freeCCtx(ctx);
		return -ENOMEM;
	}
	*state_ret = ctx;
	return 0;
}

static void zstd_destroy(void *state)
{
	ZSTD_freeCCtx(state);
}

static size_t zstd_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	size_t n = ZSTD_compress2(state, out, out_len, page, len);

	return ZSTD_isError(n) ? 0 : n;
}

static const struct codec codecs[] = {
	{"zlib", 'c', DUMP_DH_COMPRESSED_ZLIB, 1, 12, 1, deflate_create, deflate_destroy,
	 deflate_compress},
	{"fast", 0, DUMP_DH_COMPRESSED_ZLIB, 0, 0, 0, deflate_create, deflate_destroy,
	 deflate_compress},
	{"zstd", 'z', DUMP_DH_COMPRESSED_ZSTD, 1, 19, 1, zstd_create, zstd_destroy, zstd_compress},
	{"lzo", 'l', DUMP_DH_COMPRESSED_LZO, 0, 0, 0, NULL, NULL, NULL},
	{"snappy", 'p', DUMP_DH_COMPRESSED_SNAPPY, 0, 0, 0, NULL, NULL, NULL},
};

const struct codec *codec_find(char option)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (codecs[i].option == option)
			return &codecs[i];
	return NULL;
}

const struct codec *codec_find_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++)
		if (streq(codecs[i].name, name))
			return &codecs[i];
	return NULL;
}
