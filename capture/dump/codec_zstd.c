// SPDX-License-Identifier: GPL-2.0-or-later
#include <zstd.h>

#include "capture/dump/codec_private.h"

static int zstd_create(int level, void **state_ret)
{
	ZSTD_CCtx *ctx;

	level = codec_level(&codec_zstd, level);
	if (!level)
		return -EINVAL;
	ctx = ZSTD_createCCtx();
	if (!ctx)
		return -ENOMEM;
	/* A reader knows how long a page is. */
	if (ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level)) ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0))) {
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

const struct codec codec_zstd = {
	.name = "zstd",
	.option = 'z',
	.page_flag = DUMP_DH_COMPRESSED_ZSTD,
	.min_level = -7,
	.max_level = 19,
	.default_level = 1, /* makedumpfile's */
	.create = zstd_create,
	.destroy = zstd_destroy,
	.compress = zstd_compress,
};
