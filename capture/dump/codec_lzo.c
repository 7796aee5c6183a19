// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/codec_private.h"

#if HAVE_LZO
#include <lzo/lzo1x.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAGE 65536
#define WORST(n) ((n) + (n) / 16 + 64 + 3) /* LZO.FAQ: "How much can my data expand?" */

/* lzo1x_1_compress() is told no limit, so it writes where there is room for the worst. */
struct lzo {
	uint8_t scratch[LZO1X_1_MEM_COMPRESS] __attribute__((aligned(16)));
	uint8_t out[WORST(MAX_PAGE)];
};

static int lzo_create(int level, void **state_ret)
{
	struct lzo *s;

	if (level)
		return -EINVAL;
	s = lzo_init() == LZO_E_OK ? malloc(sizeof(*s)) : NULL;
	if (!s)
		return -ENOMEM;
	*state_ret = s;
	return 0;
}

static void lzo_destroy(void *state)
{
	free(state);
}

static size_t lzo_compress(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	struct lzo *s = state;
	bool direct = out_len >= WORST(len);
	lzo_uint n = 0;

	if (len > MAX_PAGE)
		return 0;
	if (lzo1x_1_compress(page, len, direct ? out : s->out, &n, s->scratch) != LZO_E_OK ||
	    n > out_len)
		return 0;
	if (!direct)
		memcpy(out, s->out, n);
	return n;
}
#endif

const struct codec codec_lzo = {
	.name = "lzo",
	.option = 'l',
	.page_flag = DUMP_DH_COMPRESSED_LZO,
#if HAVE_LZO
	.create = lzo_create,
	.destroy = lzo_destroy,
	.compress = lzo_compress,
#endif
};
