// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes, as a page, through every codec and back; the first byte chooses room and level. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/expand.h"

#define MAX_PAGE 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct codec *c, void *state, const uint8_t *page, size_t len,
		       size_t room)
{
	static uint8_t back[MAX_PAGE];
	/* Of exactly this size, so that a sanitizer sees a byte too many. */
	uint8_t *out = malloc(room ? room : 1);
	size_t n = c->compress(state, page, len, out, room);

	if (n > room || (n && (!expand_page(c, out, n, back, len) || memcmp(page, back, len))))
		abort();
	if (!n && room >= len + len / 4 + 64)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *page;
	size_t len;

	if (size < 2 || size > MAX_PAGE)
		return 0;
	len = size - 1;
	page = malloc(len);
	memcpy(page, data + 1, len);
	for (size_t i = 0; codec_at(i); i++) {
		int level = data[0] & 1 ? codec_at(i)->min_level : 0;
		void *state;

		if (!codec_at(i)->create || codec_at(i)->create(level, &state))
			continue;
		round_trip(codec_at(i), state, page, len, len * data[0] / 255);
		round_trip(codec_at(i), state, page, len, len + len / 4 + 64);
		codec_at(i)->destroy(state);
	}
	free(page);
	return 0;
}
