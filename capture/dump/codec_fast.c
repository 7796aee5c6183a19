// SPDX-License-Identifier: GPL-2.0-or-later
/* Our own deflate encoder at its fastest: pages that every reader's zlib inflates. */
#include "capture/dump/codec_private.h"
#include "capture/dump/deflate_page.h"

static int fast_create(int level, void **state_ret)
{
	struct deflate_page *state;
	int err;

	if (level)
		return -EINVAL;
	err = deflate_page_create(DEFLATE_FAST, &state);
	if (!err)
		*state_ret = state;
	return err;
}

static void fast_destroy(void *state)
{
	deflate_page_destroy(state);
}

static size_t fast_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	return deflate_page_compress(state, page, len, out, out_len);
}

const struct codec codec_fast = {
	.name = "fast",
	.page_flag = DUMP_DH_COMPRESSED_ZLIB,
	.create = fast_create,
	.destroy = fast_destroy,
	.compress = fast_compress,
};
