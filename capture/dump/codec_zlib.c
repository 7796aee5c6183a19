// SPDX-License-Identifier: GPL-2.0-or-later
#include <libdeflate.h>

#include "capture/dump/codec_private.h"

static int zlib_create(int level, void **state_ret)
{
	struct libdeflate_compressor *c;

	level = codec_level(&codec_zlib, level);
	if (!level)
		return -EINVAL;
	c = libdeflate_alloc_compressor(level);
	if (!c)
		return -ENOMEM;
	*state_ret = c;
	return 0;
}

static void zlib_destroy(void *state)
{
	if (state)
		libdeflate_free_compressor(state);
}

static size_t zlib_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	return libdeflate_zlib_compress(state, page, len, out, out_len);
}

const struct codec codec_zlib = {
	.name = "zlib",
	.option = 'c',
	.page_flag = DUMP_DH_COMPRESSED_ZLIB,
	.min_level = 1,
	.max_level = 12,
	.default_level = 1,
	.create = zlib_create,
	.destroy = zlib_destroy,
	.compress = zlib_compress,
};
