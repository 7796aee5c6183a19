// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/dump/codec.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define PAGE 4096

static void fill(uint8_t *page, int kind)
{
	uint32_t x = 12345;

	for (int i = 0; i < PAGE; i++) {
		x = x * 1103515245 + 12345;
		page[i] = kind == 0 ? 0 : kind == 1 ? (uint8_t)(i / 16) : (uint8_t)(x >> 16);
	}
}

/* Decompress with the library that readers use, not the one that wrote. */
static size_t expand(const struct codec *c, const uint8_t *in, size_t len, uint8_t *out)
{
	uLongf n = PAGE;

	if (c->page_flag == DUMP_DH_COMPRESSED_ZSTD)
		return ZSTD_decompress(out, PAGE, in, len);
	return uncompress(out, &n, in, len) == Z_OK ? n : 0;
}

TEST(codec, round_trip)
{
	static const char options[] = "cz";

	for (int o = 0; options[o]; o++) {
		const struct codec *c = codec_find(options[o]);
		void *state;

		CHECK(c && c->create);
		CHECK_EQ(c->create(0, &state), 0);
		for (int kind = 0; kind < 2; kind++) {
			uint8_t page[PAGE], out[PAGE], back[PAGE];
			size_t n;

			fill(page, kind);
			n = c->compress(state, page, PAGE, out, PAGE - 1);
			CHECK(n > 0 && n < PAGE);
			CHECK_EQ(expand(c, out, n, back), PAGE);
			CHECK(memcmp(page, back, PAGE) == 0);
		}
		c->destroy(state);
	}
}

TEST(codec, what_does_not_gain_is_refused)
{
	static const char options[] = "cz";

	for (int o = 0; options[o]; o++) {
		const struct codec *c = codec_find(options[o]);
		uint8_t page[PAGE], out[PAGE];
		void *state;

		fill(page, 2);
		CHECK_EQ(c->create(0, &state), 0);
		CHECK_EQ(c->compress(state, page, PAGE, out, PAGE - 1), 0);
		c->destroy(state);
	}
}

TEST(codec, table)
{
	void *state;

	CHECK(codec_find('l') && !codec_find('l')->create);
	CHECK(codec_find('p') && !codec_find('p')->create);
	CHECK(!codec_find('q'));
	CHECK(codec_find_name("zstd") == codec_find('z'));
	CHECK(!codec_find_name("brotli"));
	CHECK_EQ(codec_find('c')->create(99, &state), -EINVAL);
}
