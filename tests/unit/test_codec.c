// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/dump/codec.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/expand.h"
#include "tests/unit/test.h"

#define MAX_PAGE 65536
#define CANARY	 0xc5

static uint32_t random_next(uint32_t *x)
{
	*x = *x * 1103515245 + 12345;
	return *x >> 16;
}

static void fill_zero(uint8_t *page, size_t len)
{
	memset(page, 0, len);
}

static void fill_random(uint8_t *page, size_t len)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < len; i++)
		page[i] = (uint8_t)random_next(&x);
}

static void fill_text(uint8_t *page, size_t len)
{
	static const char *const words[] = {
		"kernel ", "panic ", "page ", "of ", "memory\n", "0x"
	};
	uint32_t x = 1;

	for (size_t i = 0; i < len;) {
		const char *w = words[random_next(&x) % ARRAY_SIZE(words)];

		for (; *w && i < len; w++)
			page[i++] = (uint8_t)*w;
	}
}

static void fill_pointers(uint8_t *page, size_t len)
{
	uint32_t x = 7;

	for (size_t i = 0; i < len; i += 8)
		put_le64(page + i, 0xffff888100000000 | (uint64_t)random_next(&x) << 6);
}

/* Repeats of every length with every gap between them. */
static void fill_runs(uint8_t *page, size_t len)
{
	uint32_t x = 3;
	size_t i = 0;

	for (size_t run = 1; i < len; run = run % 300 + 1) {
		for (size_t n = run % 13; n && i < len; n--)
			page[i++] = (uint8_t)random_next(&x);
		for (size_t n = run; n && i < len; n--, i++)
			page[i] = i > run ? page[i - 1 - run / 3] : 0;
	}
}

/* Every byte value, so every literal, and no match. */
static void fill_bytes(uint8_t *page, size_t len)
{
	for (size_t i = 0; i < len; i++)
		page[i] = (uint8_t)(i % 256 * 167 + i / 256 * 101);
}

/* Its only matches are as far away as they can be. */
static void fill_far(uint8_t *page, size_t len)
{
	fill_random(page, len);
	memcpy(page + len - 64, page, 64);
	if (len > 32768)
		memcpy(page + 32768, page, 300);
}

/* Compresses up to its last bytes, which are single. */
static void fill_end(uint8_t *page, size_t len)
{
	memset(page, 0x5a, len);
	fill_random(page + len - 7, 7);
}

static const struct {
	const char *name;
	void (*fill)(uint8_t *page, size_t len);
	bool packs; /* by any codec */
} kinds[] = {
	{ "zero", fill_zero, true }, { "random", fill_random, false },
	{ "text", fill_text, true }, { "pointers", fill_pointers, true },
	{ "runs", fill_runs, true }, { "bytes", fill_bytes, false },
	{ "far", fill_far, false },  { "single bytes at the end", fill_end, true },
};

struct pages {
	int level; /* of the state */
	uint8_t in[MAX_PAGE];
	uint8_t out[MAX_PAGE + MAX_PAGE / 4];
	uint8_t again[MAX_PAGE + MAX_PAGE / 4];
	uint8_t back[MAX_PAGE];
};

static bool canary_lives(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != CANARY)
			return false;
	return true;
}

/* Return: packed length; -1 and a failed test where it does not unpack. */
static int64_t round_trip(const struct codec *c, void *state, struct pages *p, size_t len,
			  size_t room)
{
	size_t n;

	memset(p->out, CANARY, sizeof(p->out));
	n = c->compress(state, p->in, len, p->out, room);
	if (n > room || !canary_lives(p->out + room, sizeof(p->out) - room)) {
		test_fail(__FILE__, __LINE__, "%s: %zu bytes in room for %zu", c->name, n, room);
		return -1;
	}
	if (n && (!expand_page(c, p->out, n, p->back, len) || memcmp(p->in, p->back, len))) {
		test_fail(__FILE__, __LINE__, "%s: a page of %zu does not unpack", c->name, len);
		return -1;
	}
	return (int64_t)n;
}

static void every_kind(const struct codec *c, void *state, struct pages *p, size_t len)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		int64_t n;

		kinds[k].fill(p->in, len);
		n = round_trip(c, state, p, len, len - 1);
		CHECK(n >= 0);
		if (kinds[k].packs && !n)
			test_fail(__FILE__, __LINE__, "%s: %s of %zu does not pack", c->name,
				  kinds[k].name, len);
		/* With room enough, what does not gain packs as well. */
		CHECK(round_trip(c, state, p, len, sizeof(p->out)) > 0);
	}
}

static void with_each_codec(void (*run)(const struct codec *c, void *state, struct pages *p))
{
	struct pages *p = malloc(sizeof(*p));

	for (size_t i = 0; p && codec_at(i); i++) {
		const struct codec *c = codec_at(i);
		void *state;

		/* The default, and where there are levels the lowest. */
		for (p->level = 0; c->create; p->level = c->min_level) {
			CHECK_EQ(c->create(p->level, &state), 0);
			run(c, state, p);
			c->destroy(state);
			if (p->level == c->min_level)
				break;
		}
	}
	CHECK(p != NULL);
	free(p);
}

static void every_size(const struct codec *c, void *state, struct pages *p)
{
	for (size_t len = 4096; len <= MAX_PAGE; len *= 2)
		every_kind(c, state, p, len);
}

TEST(codec, round_trip)
{
	with_each_codec(every_size);
}

/* Packed by our own encoder, which knows the length before it writes. */
static bool is_ours(const struct codec *c, int level)
{
	return !level && (c == codec_find_name("fast") || c == codec_find_name("zlib"));
}

static void every_room(const struct codec *c, void *state, struct pages *p)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		size_t len = k % 2 ? 4096 : 16384;
		int64_t need;

		kinds[k].fill(p->in, len);
		need = round_trip(c, state, p, len, sizeof(p->out));
		CHECK(need > 0);
		for (int64_t room = 0; room < need + 16;
		     room += room < 24 || room + 24 > need ? 1 : 97) {
			int64_t n = round_trip(c, state, p, len, (size_t)room);

			CHECK(n >= 0);
			/* libdeflate and zstd want more room than they use in the end. */
			CHECK(room < need || n == need || !is_ours(c, p->level));
		}
	}
}

TEST(codec, never_writes_behind_its_room)
{
	with_each_codec(every_room);
}

/* A dump is the same bytes at any number of threads: no page may depend on the last. */
static void after_each_other(const struct codec *c, void *state, struct pages *p)
{
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t before = 0; before < ARRAY_SIZE(kinds); before++) {
			void *fresh;
			size_t n;

			kinds[before].fill(p->in, MAX_PAGE);
			c->compress(state, p->in, before % 2 ? MAX_PAGE : 4096, p->out,
				    sizeof(p->out));
			kinds[k].fill(p->in, 4096);
			memset(p->out, 0, sizeof(p->out));
			n = c->compress(state, p->in, 4096, p->out, sizeof(p->out));
			CHECK_EQ(c->create(p->level, &fresh), 0);
			memset(p->again, 0xff, sizeof(p->again));
			CHECK_EQ(c->compress(fresh, p->in, 4096, p->again, sizeof(p->again)), n);
			c->destroy(fresh);
			CHECK(memcmp(p->out, p->again, n) == 0);
		}
}

TEST(codec, a_page_packs_alike_after_any_other)
{
	with_each_codec(after_each_other);
}

TEST(codec, levels)
{
	for (size_t i = 0; codec_at(i); i++) {
		const struct codec *c = codec_at(i);
		void *state = NULL;

		if (!c->create)
			continue;
		CHECK(!c->default_level ||
		      (c->min_level <= c->default_level && c->default_level <= c->max_level));
		CHECK_EQ(c->create(c->max_level + 1, &state), -EINVAL);
		if (c->min_level != 1) /* 0 asks for the default */
			CHECK_EQ(c->create(c->min_level - 1, &state), -EINVAL);
		CHECK(!state);
		CHECK_EQ(c->create(c->min_level, &state), 0);
		c->destroy(state);
		CHECK_EQ(c->create(c->max_level, &state), 0);
		c->destroy(state);
		c->destroy(NULL);
	}
}

TEST(codec, table)
{
	static const struct {
		const char *name;
		char option;
		uint32_t flag;
	} want[] = {
		{ "fast", 0, DUMP_DH_COMPRESSED_ZLIB },
		{ "zlib", 'c', DUMP_DH_COMPRESSED_ZLIB },
		{ "zstd", 'z', DUMP_DH_COMPRESSED_ZSTD },
		{ "lzo", 'l', DUMP_DH_COMPRESSED_LZO },
		{ "snappy", 'p', DUMP_DH_COMPRESSED_SNAPPY },
	};

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const struct codec *c = codec_find_name(want[i].name);

		CHECK(c && c == codec_at(i));
		CHECK_EQ(c->option, want[i].option);
		CHECK_EQ(c->page_flag, want[i].flag);
		CHECK(!want[i].option || codec_find(want[i].option) == c);
	}
	CHECK(!codec_at(ARRAY_SIZE(want)));
	CHECK(!codec_find(0) && !codec_find('q') && !codec_find_name("brotli"));
	CHECK_EQ(!!codec_find('l')->create, HAVE_LZO);
	CHECK_EQ(!!codec_find('p')->create, HAVE_SNAPPY);
}
