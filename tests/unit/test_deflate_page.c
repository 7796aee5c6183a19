// SPDX-License-Identifier: GPL-2.0-or-later
#include <zlib.h>

#include "capture/dump/deflate_page_private.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* The code space that lengths take, in units of 2^-15; a complete code takes all 32768. */
static unsigned code_space(const uint8_t *lengths, unsigned n)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += lengths[i] ? 32768u >> lengths[i] : 0;
	return sum;
}

TEST(deflate_page, codes_are_complete)
{
	for (unsigned k = 0; k < DEFLATE_CODES; k++) {
		const struct deflate_trained *t = &deflate_trained[k];
		bool fixed = t->header_bits == 3;

		for (unsigned i = 0; i < DEFLATE_NR_LITLEN; i++)
			CHECK(t->litlen[i] >= 1 && t->litlen[i] <= DEFLATE_MAX_BITS);
		for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
			CHECK(t->dist[i] >= 1 && t->dist[i] <= DEFLATE_MAX_BITS);
		CHECK_EQ(code_space(t->litlen, ARRAY_SIZE(t->litlen)), 32768);
		/* The fixed code's distances 30 and 31 exist but do not occur. */
		CHECK_EQ(code_space(t->dist, DEFLATE_NR_DIST), fixed ? 32768 - 2048 : 32768);
		CHECK(fixed || !(t->litlen[286] | t->litlen[287]));
		CHECK(t->header_bits >= 3 && t->header_bits <= 8 * DEFLATE_HEADER_MAX);
		CHECK(!(t->header[0] & 1)); /* BFINAL is the encoder's */
	}
}

/* Bits of a block, first bit lowest. */
struct bits {
	uint8_t data[4096];
	size_t nr;
};

static void put(struct bits *b, unsigned bits, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++, b->nr++)
		b->data[b->nr / 8] |= (uint8_t)((bits >> i & 1) << b->nr % 8);
}

/* What zlib makes of code @k's header is what the table says: each literal comes back. */
static void inflate_literals(unsigned k)
{
	const struct deflate_trained *t = &deflate_trained[k];
	struct bits b = {.nr = 0};
	uint16_t codes[DEFLATE_NR_LITLEN + 2];
	uint8_t out[512];
	z_stream z = {.next_in = b.data, .next_out = out, .avail_out = sizeof(out)};

	deflate_huffman(t->litlen, ARRAY_SIZE(codes), codes);
	for (unsigned i = 0; i < t->header_bits; i++)
		put(&b, t->header[i / 8] >> i % 8 & 1, 1);
	b.data[0] |= 1;
	for (unsigned i = 0; i < 256; i++)
		put(&b, codes[i], t->litlen[i]);
	put(&b, codes[DEFLATE_END], t->litlen[DEFLATE_END]);
	z.avail_in = (uInt)DIV_ROUND_UP(b.nr, 8);
	CHECK_EQ(inflateInit2(&z, -15), Z_OK);
	CHECK_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
	CHECK_EQ(z.total_out, 256);
	CHECK_EQ(z.avail_in, 0);
	for (unsigned i = 0; i < 256; i++)
		CHECK_EQ(out[i], i);
	inflateEnd(&z);
}

TEST(deflate_page, headers_say_what_the_codes_are)
{
	for (unsigned k = 0; k < DEFLATE_CODES; k++)
		inflate_literals(k);
}

TEST(deflate_page, length_symbols)
{
	static const struct {
		unsigned len, symbol, extra;
	} cases[] = {
		{3, 257, 0},  {10, 264, 0},  {11, 265, 1},  {12, 265, 1},  {13, 266, 1},
		{18, 268, 1}, {19, 269, 2},  {34, 272, 2},  {35, 273, 3},  {66, 276, 3},
		{67, 277, 4}, {130, 280, 4}, {131, 281, 5}, {257, 284, 5}, {258, 285, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned extra;

		CHECK_EQ(deflate_length_symbol(cases[i].len, &extra), cases[i].symbol);
		CHECK_EQ(extra, cases[i].extra);
	}
}

/* All lengths and distances of one page: a match of each, alone in zeros. */
TEST(deflate_page, every_match_comes_back)
{
	static uint8_t page[DEFLATE_PAGE_MAX], out[2 * DEFLATE_PAGE_MAX], back[DEFLATE_PAGE_MAX];
	struct deflate_page *s;

	CHECK_EQ(deflate_page_create(&s), 0);
	for (size_t dist = 4; dist < 40000; dist += dist < 600 ? 1 : 331) {
		size_t len = 4 + dist % 300, n, size = dist + len + 64;
		uLongf got = sizeof(back);
		uint32_t x = (uint32_t)dist;

		for (size_t i = 0; i < size; i++) {
			x = x * 1664525 + 1013904223;
			page[i] = i >= dist && i < dist + len ? page[i - dist] : (uint8_t)(x >> 24);
		}
		n = deflate_page_compress(s, page, size, out, sizeof(out));
		CHECK(n > 0);
		CHECK_EQ(uncompress(back, &got, out, n), Z_OK);
		CHECK(got == size && memcmp(page, back, size) == 0);
	}
	deflate_page_destroy(s);
}

TEST(deflate_page, any_length)
{
	uint8_t page[300], out[400], back[300];
	struct deflate_page *s;

	CHECK_EQ(deflate_page_create(&s), 0);
	for (unsigned i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(i / 9 * 7);
	for (size_t len = 0; len <= sizeof(page); len++) {
		size_t n = deflate_page_compress(s, page, len, out, sizeof(out));
		uLongf got = sizeof(back);

		CHECK(n > 0);
		CHECK_EQ(uncompress(back, &got, out, n), Z_OK);
		CHECK(got == len && memcmp(page, back, len) == 0);
	}
	CHECK_EQ(deflate_page_compress(s, page, DEFLATE_PAGE_MAX + 1, out, sizeof(out)), 0);
	deflate_page_destroy(s);
}
