// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/deflate_page.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/deflate_page_private.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define ZLIB_HEADER   0x0178 /* deflate, fastest; little-endian */
#define ZLIB_OVERHEAD 6	     /* with the Adler-32 */

/* One code made ready for writing: bit strings and how long they are. */
struct code {
	uint16_t literal[256];
	uint8_t literal_bits[256];
	uint32_t match[256]; /* with the length's extra bits, << 8 | how long */
	uint16_t dist[DEFLATE_NR_DIST];
	uint8_t dist_bits[DEFLATE_NR_DIST];
	uint8_t dist_total[DEFLATE_NR_DIST]; /* with the extra bits */
	uint16_t end;
	uint8_t end_bits;
};

typedef uint16_t u16x8 __attribute__((vector_size(16)));

struct deflate_page {
	enum deflate_effort effort;
	struct deflate_set set;
	union {
		struct deflate_matcher matcher;
		struct deflate_finder finder;
	};
	struct deflate_block block;
	u16x8 *cost;	     /* bits of each symbol, in each code: nr / 8 vectors per symbol */
	struct code codes[]; /* nr, and the costs behind them */
};

#define COST_BYTES(nr) (sizeof(uint16_t) * DEFLATE_SYMBOLS * (nr))
#define STATE_BYTES(nr)                                                                            \
	(ROUND_UP(sizeof(struct deflate_page) + sizeof(struct code) * (nr), 64) + COST_BYTES(nr))

_Static_assert(STATE_BYTES(16) <= 68 * 1024, "deflate_page.h says so");
_Static_assert(STATE_BYTES(DEFLATE_MAX_CODES) <= 108 * 1024, "deflate_page.h says so");
_Static_assert(DEFLATE_MAX_BITS *(DEFLATE_BLOCK + 1) <= UINT16_MAX, "choose_code()");
_Static_assert(4 * DEFLATE_MAX_BITS <= 56, "put_literals()");

/* Where bits go; fewer than eight are pending between two calls. */
struct bit_writer {
	uint64_t bits;
	unsigned nr;
	uint8_t *next;
	uint8_t *end;
};

void deflate_huffman(const uint8_t *lengths, unsigned n, uint16_t *codes)
{
	uint16_t next[DEFLATE_MAX_BITS + 2] = { 0 };
	unsigned of_length[DEFLATE_MAX_BITS + 1] = { 0 };

	for (unsigned i = 0; i < n; i++)
		of_length[lengths[i]]++;
	of_length[0] = 0;
	for (unsigned l = 1; l <= DEFLATE_MAX_BITS; l++)
		next[l + 1] = (uint16_t)((next[l] + of_length[l]) << 1);
	for (unsigned i = 0; i < n; i++) {
		uint16_t code = lengths[i] ? next[lengths[i]]++ : 0;

		codes[i] = 0;
		for (unsigned bit = 0; bit < lengths[i]; bit++)
			codes[i] |= (uint16_t)((code >> bit & 1) << (lengths[i] - 1 - bit));
	}
}

static unsigned dist_extra(unsigned symbol)
{
	return symbol < 4 ? 0 : symbol / 2 - 1;
}

static void code_prepare(struct code *c, const struct deflate_trained *t)
{
	uint16_t litlen[DEFLATE_NR_LITLEN + 2];

	deflate_huffman(t->litlen, DEFLATE_NR_LITLEN + 2, litlen);
	memcpy(c->literal, litlen, sizeof(c->literal));
	memcpy(c->literal_bits, t->litlen, sizeof(c->literal_bits));
	c->end = litlen[DEFLATE_END];
	c->end_bits = t->litlen[DEFLATE_END];
	for (unsigned len = 3, first = 3, symbol = 0; len <= DEFLATE_MAX_MATCH; len++) {
		unsigned extra, s = deflate_length_symbol(len, &extra);

		if (s != symbol)
			first = len;
		symbol = s;
		c->match[len - 3] = (litlen[s] | (uint32_t)(len - first) << t->litlen[s]) << 8 |
				    (t->litlen[s] + extra);
	}
	deflate_huffman(t->dist, DEFLATE_NR_DIST, c->dist);
	memcpy(c->dist_bits, t->dist, sizeof(c->dist_bits));
	for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
		c->dist_total[i] = (uint8_t)(t->dist[i] + dist_extra(i));
}

/* Column @cost of a table of @stride columns. */
static void cost_prepare(uint16_t *cost, unsigned stride, const struct deflate_trained *t)
{
	for (unsigned i = 0; i < DEFLATE_NR_LITLEN; i++)
		cost[i * stride] = t->litlen[i];
	for (unsigned len = 3; len <= DEFLATE_MAX_MATCH; len++) {
		unsigned extra, s = deflate_length_symbol(len, &extra);

		cost[s * stride] = (uint16_t)(t->litlen[s] + extra);
	}
	for (unsigned i = 0; i < DEFLATE_NR_DIST; i++)
		cost[(DEFLATE_DIST0 + i) * stride] = (uint16_t)(t->dist[i] + dist_extra(i));
}

int deflate_page_create(enum deflate_effort effort, struct deflate_page **state_ret)
{
	const struct deflate_set set = deflate_sets[effort];
	struct deflate_page *s = aligned_alloc(64, STATE_BYTES(set.nr));

	if (!s)
		return -ENOMEM;
	memset(s, 0, STATE_BYTES(set.nr));
	s->effort = effort;
	s->set = set;
	s->cost = (u16x8 *)((uint8_t *)s + STATE_BYTES(set.nr) - COST_BYTES(set.nr));
	for (unsigned i = 0; i < set.nr; i++) {
		code_prepare(&s->codes[i], &set.codes[i]);
		cost_prepare((uint16_t *)s->cost + i, set.nr, &set.codes[i]);
	}
	*state_ret = s;
	return 0;
}

void deflate_page_destroy(struct deflate_page *state)
{
	free(state);
}

/* Bits of the block in each of 8 x @vectors codes, without its header. */
static inline __attribute__((always_inline)) void
sum_costs(const u16x8 *cost, const struct deflate_block *b, unsigned vectors, u16x8 *sum_ret)
{
	u16x8 sum[DEFLATE_MAX_CODES / 8] = { 0 };

	/* 16 bits hold it: a byte of input takes 14 bits at most, a byte in a match less. */
	for (unsigned i = 0; i < DEFLATE_SYMBOLS; i += 8, cost += 8 * vectors) {
		uint64_t some[2]; /* of eight symbols that stand together, often none occurs */

		memcpy(some, b->count + i, sizeof(some));
		if (!(some[0] | some[1]))
			continue;
#pragma GCC unroll 8
		for (unsigned k = 0; k < 8; k++)
			for (unsigned v = 0; v < vectors; v++)
				sum[v] += cost[k * vectors + v] * b->count[i + k];
	}
	memcpy(sum_ret, sum, vectors * sizeof(*sum));
}

/* The code that writes the block in the fewest bits, and how many. */
static unsigned choose_code(const struct deflate_page *s, unsigned *bits_ret)
{
	u16x8 sum[DEFLATE_MAX_CODES / 8];
	unsigned best = 0, best_bits = UINT32_MAX;

	if (s->set.nr == 16)
		sum_costs(s->cost, &s->block, 2, sum);
	else
		sum_costs(s->cost, &s->block, 4, sum);
	for (unsigned i = 0; i < s->set.nr; i++) {
		unsigned bits = sum[i / 8][i % 8] + s->set.codes[i].header_bits;

		if (bits < best_bits) {
			best_bits = bits;
			best = i;
		}
	}
	*bits_ret = best_bits;
	return best;
}

/* Whole bytes leave; @roomy: eight bytes may be written at next. */
static inline void flush(struct bit_writer *w, bool roomy)
{
	if (roomy) {
		put_le64(w->next, w->bits);
	} else {
		for (unsigned i = 0; i < w->nr / 8; i++)
			w->next[i] = (uint8_t)(w->bits >> 8 * i);
	}
	w->next += w->nr / 8;
	w->bits >>= w->nr & ~7u;
	w->nr &= 7;
}

/* @nr is at most 56. */
static inline void put_bits(struct bit_writer *w, uint64_t bits, unsigned nr, bool roomy)
{
	w->bits |= bits << w->nr;
	w->nr += nr;
	flush(w, roomy);
}

/*
 * A run of literals, four at a time. How many the last four are is hard to predict, so all
 * are looked up and the bits of those behind the run are masked off.
 * Four bytes may be read wherever one literal stands: a match follows.
 */
static inline void put_literals(struct bit_writer *w, const struct code *c, const uint8_t *p,
				size_t n, bool roomy)
{
	for (; n; p += 4) {
		uint32_t v = get_le32(p);
		uint64_t bits = c->literal[v & 255];
		unsigned end1 = c->literal_bits[v & 255], end2, end3, end4;

		bits |= (uint64_t)c->literal[v >> 8 & 255] << end1;
		end2 = end1 + c->literal_bits[v >> 8 & 255];
		bits |= (uint64_t)c->literal[v >> 16 & 255] << end2;
		end3 = end2 + c->literal_bits[v >> 16 & 255];
		bits |= (uint64_t)c->literal[v >> 24] << end3;
		end4 = end3 + c->literal_bits[v >> 24];
		if (n > 4) {
			put_bits(w, bits, end4, roomy);
			n -= 4;
			continue;
		}
		end4 = n > 3 ? end4 : n > 2 ? end3 : n > 1 ? end2 : end1;
		put_bits(w, bits & ~(~UINT64_C(0) << end4), end4, roomy);
		break;
	}
}

static inline __attribute__((always_inline)) void
put_block(struct bit_writer *out, const uint8_t *in, const struct deflate_block *b,
	  const struct code *c, const struct deflate_trained *t, bool final, bool roomy)
{
	struct bit_writer w = *out;
	unsigned left = t->header_bits;
	uint64_t word = get_le32(t->header) | final;

	for (unsigned i = 4; left > 32; left -= 32, i += 4) {
		put_bits(&w, word, 32, roomy);
		word = get_le32(t->header + i);
	}
	put_bits(&w, word, left, roomy);
	for (unsigned i = 0; i < b->nr; i++) {
		const struct deflate_sequence s = b->sequences[i];
		uint32_t match = c->match[s.length];
		uint64_t dist = c->dist[s.dist] | (uint64_t)s.dist_bits << c->dist_bits[s.dist];

		put_literals(&w, c, in, s.literals, roomy);
		put_bits(&w, match >> 8 | dist << (match & 255),
			 (match & 255) + c->dist_total[s.dist], roomy);
		in += s.literals + s.length + 3;
	}
	put_literals(&w, c, in, b->tail & ~3u, roomy);
	for (unsigned i = b->tail & ~3u; i < b->tail; i++)
		put_bits(&w, c->literal[in[i]], c->literal_bits[in[i]], roomy);
	put_bits(&w, c->end, c->end_bits, roomy);
	*out = w;
}

size_t deflate_page_compress(struct deflate_page *s, const void *page, size_t len, void *out,
			     size_t out_len)
{
	struct bit_writer w = { .next = (uint8_t *)out + 2, .end = (uint8_t *)out + out_len };
	size_t at = 0;

	if (len > DEFLATE_PAGE_MAX || out_len < ZLIB_OVERHEAD)
		return 0;
	put_le16(out, ZLIB_HEADER);
	if (s->effort == DEFLATE_FAST)
		deflate_parse_start(&s->matcher);
	else
		deflate_lazy_start(&s->finder);
	do {
		size_t end = MIN(len, at + DEFLATE_BLOCK);
		unsigned bits, c;
		size_t room = (size_t)(w.end - w.next);

		if (s->effort == DEFLATE_FAST)
			deflate_parse(&s->matcher, page, at, end, &s->block);
		else
			deflate_parse_lazy(&s->finder, page, at, end, &s->block);
		c = choose_code(s, &bits);
		if (DIV_ROUND_UP(w.nr + bits, 8) + 4 > room)
			return 0;
		if ((w.nr + bits) / 8 + 8 <= room)
			put_block(&w, (const uint8_t *)page + at, &s->block, &s->codes[c],
				  &s->set.codes[c], end == len, true);
		else
			put_block(&w, (const uint8_t *)page + at, &s->block, &s->codes[c],
				  &s->set.codes[c], end == len, false);
		at = end;
	} while (at < len);
	if (w.nr)
		*w.next++ = (uint8_t)w.bits;
	put_be32(w.next, libdeflate_adler32(1, page, len));
	return (size_t)(w.next - (uint8_t *)out) + 4;
}
