// SPDX-License-Identifier: GPL-2.0-or-later
/* Without a level, our own encoder; with one, libdeflate's. */
#include <libdeflate.h>
#include <stdlib.h>

#include "capture/dump/codec_private.h"
#include "capture/dump/deflate_page.h"

struct zlib {
	struct deflate_page *page; /* one of them */
	struct libdeflate_compressor *libdeflate;
};

static void zlib_destroy(void *state)
{
	struct zlib *z = state;

	if (!z)
		return;
	deflate_page_destroy(z->page);
	libdeflate_free_compressor(z->libdeflate);
	free(z);
}

static int zlib_create(int level, void **state_ret)
{
	struct zlib *z;

	if (level && !codec_level(&codec_zlib, level))
		return -EINVAL;
	z = calloc(1, sizeof(*z));
	if (!z)
		return -ENOMEM;
	if (level)
		z->libdeflate = libdeflate_alloc_compressor(level);
	else if (deflate_page_create(DEFLATE_SMALL, &z->page))
		z->page = NULL;
	if (!z->libdeflate && !z->page) {
		zlib_destroy(z);
		return -ENOMEM;
	}
	*state_ret = z;
	return 0;
}

static size_t zlib_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	const struct zlib *z = state;

	if (z->page)
		return deflate_page_compress(z->page, page, len, out, out_len);
	return libdeflate_zlib_compress(z->libdeflate, page, len, out, out_len);
}

const struct codec codec_zlib = {
	.name = "zlib",
	.option = 'c',
	.page_flag = DUMP_DH_COMPRESSED_ZLIB,
	.min_level = 1,
	.max_level = 12,
	.create = zlib_create,
	.destroy = zlib_destroy,
	.compress = zlib_compress,
};
