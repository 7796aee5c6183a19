/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both ways to find matches share: how a match is measured and noted down. */
#ifndef CAPTURE_DUMP_DEFLATE_SEQUENCE_H
#define CAPTURE_DUMP_DEFLATE_SEQUENCE_H

#include <string.h>

#include "capture/dump/deflate_page_private.h"
#include "lib/bytes.h"
#include "lib/util.h"

/* Length symbol, less 257, of each match length, less 3 (RFC 1951 3.2.5). */
extern const uint8_t deflate_length_symbols[256];

static inline void deflate_block_start(struct deflate_block *b)
{
	memset(b->count, 0, sizeof(b->count));
	b->count[DEFLATE_END] = 1;
	b->nr = 0;
}

static inline void deflate_count_literals(struct deflate_block *b, const uint8_t *p, size_t n)
{
	for (; n; n--, p++)
		b->count[*p]++;
}

static inline void deflate_put_sequence(struct deflate_block *b, size_t literals, size_t len,
					size_t dist)
{
	uint32_t x = (uint32_t)dist - 1;
	unsigned shift = 30 - (unsigned)__builtin_clz(x | 2);
	unsigned symbol = (x >> shift) + 2 * shift;

	b->count[257 + deflate_length_symbols[len - 3]]++;
	b->count[DEFLATE_DIST0 + symbol]++;
	b->sequences[b->nr++] = (struct deflate_sequence){
		.literals = (uint16_t)literals,
		.dist_bits = (uint16_t)(x & ((1u << shift) - 1)),
		.dist = (uint8_t)symbol,
		.length = (uint8_t)(len - 3),
	};
}

/* How many bytes are the same at @a and @b, up to @max; the first @len are. */
static inline size_t deflate_match_length(const uint8_t *a, const uint8_t *b, size_t len,
					  size_t max)
{
	while (len + 8 <= max) {
		uint64_t diff = get_le64(a + len) ^ get_le64(b + len);

		if (diff)
			return len + (unsigned)__builtin_ctzll(diff) / 8;
		len += 8;
	}
	while (len < max && a[len] == b[len])
		len++;
	return len;
}

#endif
