// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/codec_private.h"

#if HAVE_SNAPPY
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAGE 65536
#define WORST(n) (32 + (n) + (n) / 6) /* snappy_max_compressed_length() */

/* snappy_compress() wants room for the worst. */
struct snappy {
	char out[WORST(MAX_PAGE)];
};

static int snappy_create(int level, void **state_ret)
{
	struct snappy *s;

	if (level)
		return -EINVAL;
	s = malloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	*state_ret = s;
	return 0;
}

static void snappy_destroy(void *state)
{
	free(state);
}

static size_t snappy_page(void *state, const void *page, size_t len, void *out, size_t out_len)
{
	struct snappy *s = state;
	size_t n = sizeof(s->out);

	if (snappy_compress(page, len, s->out, &n) != SNAPPY_OK || n > out_len)
		return 0;
	memcpy(out, s->out, n);
	return n;
}
#endif

const struct codec codec_snappy = {
	.name = "snappy",
	.option = 'p',
	.page_flag = DUMP_DH_COMPRESSED_SNAPPY,
#if HAVE_SNAPPY
	.create = snappy_create,
	.destroy = snappy_destroy,
	.compress = snappy_page,
#endif
};
