// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <zlib.h>

#include "capture/dump/deflate_page_private.h"
#include "lib/bytes.h"
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

static void check_code(const struct deflate_trained *t)
{
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

TEST(deflate_page, codes_are_complete)
{
	for (unsigned e = 0; e < DEFLATE_EFFORTS; e++) {
		CHECK(deflate_sets[e].nr % 8 == 0 && deflate_sets[e].nr <= DEFLATE_MAX_CODES);
		for (unsigned k = 0; k < deflate_sets[e].nr; k++)
			check_code(&deflate_sets[e].codes[k]);
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

/* What zlib makes of a code's header is what the table says: each literal comes back. */
static void inflate_literals(const struct deflate_trained *t)
{
	struct bits b = { .nr = 0 };
	uint16_t codes[DEFLATE_NR_LITLEN + 2];
	uint8_t out[512];
	z_stream z = { .next_in = b.data, .next_out = out, .avail_out = sizeof(out) };

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
	for (unsigned e = 0; e < DEFLATE_EFFORTS; e++)
		for (unsigned k = 0; k < deflate_sets[e].nr; k++)
			inflate_literals(&deflate_sets[e].codes[k]);
}

TEST(deflate_page, length_symbols)
{
	static const struct {
		unsigned len, symbol, extra;
	} cases[] = {
		{ 3, 257, 0 },	{ 10, 264, 0 },	 { 11, 265, 1 },  { 12, 265, 1 },  { 13, 266, 1 },
		{ 18, 268, 1 }, { 19, 269, 2 },	 { 34, 272, 2 },  { 35, 273, 3 },  { 66, 276, 3 },
		{ 67, 277, 4 }, { 130, 280, 4 }, { 131, 281, 5 }, { 257, 284, 5 }, { 258, 285, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned extra;

		CHECK_EQ(deflate_length_symbol(cases[i].len, &extra), cases[i].symbol);
		CHECK_EQ(extra, cases[i].extra);
	}
}

static void with_each_effort(void (*run)(struct deflate_page *s))
{
	for (unsigned e = 0; e < DEFLATE_EFFORTS; e++) {
		struct deflate_page *s;

		CHECK_EQ(deflate_page_create((enum deflate_effort)e, &s), 0);
		run(s);
		deflate_page_destroy(s);
	}
}

/* A match of nearly every length and distance, alone among random bytes. */
static void every_match(struct deflate_page *s)
{
	static uint8_t page[DEFLATE_PAGE_MAX], out[2 * DEFLATE_PAGE_MAX], back[DEFLATE_PAGE_MAX];

	for (size_t dist = 1; dist < 40000; dist += dist < 600 ? 1 : 331) {
		size_t len = 3 + dist % 300, n, size = dist + len + 64;
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
}

TEST(deflate_page, every_match_comes_back)
{
	with_each_effort(every_match);
}

/* In rooms of exactly the page's size, so that a sanitizer sees a read behind it. */
static void every_length(struct deflate_page *s)
{
	uint8_t out[400], back[300];

	for (size_t len = 0; len <= sizeof(back); len++) {
		uint8_t *page = malloc(len ? len : 1);
		uLongf got = sizeof(back);
		size_t n;

		for (unsigned i = 0; i < len; i++)
			page[i] = (uint8_t)(i / 9 * 7);
		n = deflate_page_compress(s, page, len, out, sizeof(out));
		CHECK(n > 0);
		CHECK_EQ(uncompress(back, &got, out, n), Z_OK);
		CHECK(got == len && memcmp(page, back, len) == 0);
		free(page);
	}
	CHECK_EQ(deflate_page_compress(s, back, DEFLATE_PAGE_MAX + 1, out, sizeof(out)), 0);
}

TEST(deflate_page, any_length)
{
	with_each_effort(every_length);
}

/* Three bytes that come again, and nothing longer: what the thorough way is for. */
TEST(deflate_page, small_is_smaller_than_fast)
{
	uint8_t page[4096], out[8192];
	size_t n[DEFLATE_EFFORTS];
	uint32_t x = 1;

	for (size_t i = 0; i + 8 <= sizeof(page); i += 8) {
		x = x * 1664525 + 1013904223;
		put_le64(page + i, 0xffff888000000000 | (uint64_t)(x >> 8) << 8);
	}
	for (unsigned e = 0; e < DEFLATE_EFFORTS; e++) {
		struct deflate_page *s;

		CHECK_EQ(deflate_page_create((enum deflate_effort)e, &s), 0);
		n[e] = deflate_page_compress(s, page, sizeof(page), out, sizeof(out));
		deflate_page_destroy(s);
	}
	CHECK(n[DEFLATE_FAST] > 0 && n[DEFLATE_SMALL] > 0);
	CHECK(n[DEFLATE_SMALL] < n[DEFLATE_FAST]);
}
