// SPDX-License-Identifier: GPL-2.0-or-later
/* The fast way to find matches: greedy, from the last position with each hash. */
#include "capture/dump/deflate_sequence.h"

/* Every so many bytes (as a shift) without a match, two more are passed over at a time. */
#define SKIP 6

const uint8_t deflate_length_symbols[256] = {
#define X4(a)  a, a, a, a
#define X8(a)  X4(a), X4(a)
#define X16(a) X8(a), X8(a)
#define X32(a) X16(a), X16(a)
	0,	 1,	  2,	  3,	  4,	   5,	    6,	     7,	      8,       8,
	9,	 9,	  10,	  10,	  11,	   11,	    X4(12),  X4(13),  X4(14),  X4(15),
	X8(16),	 X8(17),  X8(18), X8(19), X16(20), X16(21), X16(22), X16(23), X32(24), X32(25),
	X32(26), X16(27), X8(27), X4(27), 27,	   27,	    27,	     28
};

/* Of the five lowest bytes: a match of four alone is seldom shorter than its literals. */
static inline uint32_t hash5(uint64_t v)
{
	return (uint32_t)((v << 24) * 0x9e3779b97f4a7c15 >> (64 - DEFLATE_HASH_BITS));
}

unsigned deflate_length_symbol(unsigned len, unsigned *extra_ret)
{
	unsigned i = deflate_length_symbols[len - 3];

	*extra_ret = i < 8 || i == 28 ? 0 : (i - 4) / 4;
	return 257 + i;
}

void deflate_parse_start(struct deflate_matcher *m)
{
	memset(m, 0, sizeof(*m));
}

/* Bytes that are passed over after @missed bytes without a match: literals without a look. */
static inline size_t pass_over(struct deflate_block *b, const uint8_t *in, size_t missed,
			       size_t max)
{
	size_t n = MIN((missed >> SKIP) * 2, max);

	deflate_count_literals(b, in, n);
	return n;
}

void deflate_parse(struct deflate_matcher *m, const uint8_t *in, size_t start, size_t end,
		   struct deflate_block *b)
{
	size_t anchor = start, i = start;

	deflate_block_start(b);
	if (i < end && !i) { /* nothing stands before it */
		b->count[in[0]]++;
		i++;
	}
	while (i + 11 <= end) {
		uint64_t v = get_le64(in + i);
		size_t cand = 0, len;
		unsigned k;

		/* Four positions of one word. */
#pragma GCC unroll 4
		for (k = 0; k < 4; k++, i++, v >>= 8) {
			uint32_t h = hash5(v);

			cand = m->last[h];
			m->last[h] = (uint16_t)i;
			if (get_le32(in + cand) == (uint32_t)v && i - cand <= DEFLATE_WINDOW)
				break;
			b->count[v & 255]++;
		}
		if (k == 4) {
			if ((i - anchor) >> SKIP)
				i += pass_over(b, in + i, i - anchor, end - i);
			continue;
		}
		len = deflate_match_length(in + cand, in + i, 4,
					   MIN(end - i, (size_t)DEFLATE_MAX_MATCH));
		while (i > anchor && cand && in[i - 1] == in[cand - 1] && len < DEFLATE_MAX_MATCH) {
			i--;
			cand--;
			len++;
			b->count[in[i]]--;
		}
		deflate_put_sequence(b, i - anchor, len, i - cand);
		i += len;
		anchor = i;
	}
	deflate_count_literals(b, in + i, end - i);
	b->tail = (unsigned)(end - anchor);
}
