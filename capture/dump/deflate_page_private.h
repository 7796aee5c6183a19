/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the parts of the page encoder (deflate_page.h), its training tool and its
 * tests: the tokens that parsing makes of a page, and the Huffman codes to choose from.
 * "RFC 1951" numbers symbols as used here.
 */
#ifndef CAPTURE_DUMP_DEFLATE_PAGE_PRIVATE_H
#define CAPTURE_DUMP_DEFLATE_PAGE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/dump/deflate_page.h"

#define DEFLATE_MIN_MATCH  3
#define DEFLATE_MAX_MATCH  258
#define DEFLATE_WINDOW	   32768
#define DEFLATE_END	   256 /* end of block */
#define DEFLATE_NR_LITLEN  286
#define DEFLATE_NR_DIST	   30
#define DEFLATE_MAX_BITS   14 /* of our codes: four literals fill 56 bits */
#define DEFLATE_MAX_CODES  32
#define DEFLATE_HEADER_MAX 128 /* bytes, whole words */

/* A block's input. A page of 4 KiB is one block; a larger one may change codes on its way. */
#define DEFLATE_BLOCK 4096

/*
 * Counts, costs and code lengths of one block: literals, end of block and match lengths by
 * their symbol, distances behind them; padded to whole vectors.
 */
#define DEFLATE_DIST0	288
#define DEFLATE_SYMBOLS 320

/**
 * struct deflate_sequence - Literals, as they stand in the page, and the match behind them.
 * @literals: how many
 * @dist_bits: extra bits of the match's distance
 * @dist: symbol of its distance
 * @length: of the match, less 3
 */
struct deflate_sequence {
	uint16_t literals;
	uint16_t dist_bits;
	uint8_t dist;
	uint8_t length;
};

/**
 * struct deflate_block - What parsing made of up to DEFLATE_BLOCK bytes.
 * @nr: sequences
 * @tail: literals behind the last
 * @count: of each symbol, with the end of block
 */
struct deflate_block {
	unsigned nr;
	unsigned tail;
	uint16_t count[DEFLATE_SYMBOLS];
	struct deflate_sequence sequences[DEFLATE_BLOCK / DEFLATE_MIN_MATCH];
};

#define DEFLATE_HASH_BITS 11

/** struct deflate_matcher - Where the bytes with each hash were last seen in the page. */
struct deflate_matcher {
	uint16_t last[1 << DEFLATE_HASH_BITS];
};

/** deflate_parse_start() - Forget the previous page. */
void deflate_parse_start(struct deflate_matcher *m);

/**
 * deflate_parse() - Tokens and counts of @in[@start, @end); matches reach back to @in.
 * @end - @start is at most DEFLATE_BLOCK, and @end at most 64 KiB.
 */
void deflate_parse(struct deflate_matcher *m, const uint8_t *in, size_t start, size_t end,
		   struct deflate_block *b);

#define DEFLATE_FINDER_BITS 11

/**
 * struct deflate_finder - The last two positions with each hash, the last one lowest.
 * @near: of three bytes
 * @far: of seven
 */
struct deflate_finder {
	uint32_t near[1 << DEFLATE_FINDER_BITS];
	uint32_t far[1 << DEFLATE_FINDER_BITS];
};

/** deflate_lazy_start(), deflate_parse_lazy() - The same, of the thorough way. */
void deflate_lazy_start(struct deflate_finder *f);
void deflate_parse_lazy(struct deflate_finder *f, const uint8_t *in, size_t start, size_t end,
			struct deflate_block *b);

/** deflate_length_symbol() - Of a match of @len bytes, with the number of its extra bits. */
unsigned deflate_length_symbol(unsigned len, unsigned *extra_ret);

/**
 * struct deflate_trained - A Huffman code to choose, as deflate_page_tables.c holds it.
 * @litlen: code lengths; the last two symbols exist in RFC 1951's fixed code only
 * @header: what stands before a block's tokens, from BFINAL (0 here) on, first bit lowest
 */
struct deflate_trained {
	uint8_t litlen[DEFLATE_NR_LITLEN + 2];
	uint8_t dist[DEFLATE_NR_DIST];
	uint16_t header_bits;
	uint8_t header[DEFLATE_HEADER_MAX];
};

/**
 * struct deflate_set - Codes that were trained together.
 * @nr: a multiple of 8, at most DEFLATE_MAX_CODES
 */
struct deflate_set {
	const struct deflate_trained *codes;
	unsigned nr;
};

/** deflate_sets - Of each enum deflate_effort. */
extern const struct deflate_set deflate_sets[DEFLATE_EFFORTS];

/** deflate_huffman() - The codes of @n code lengths, each with its first bit lowest. */
void deflate_huffman(const uint8_t *lengths, unsigned n, uint16_t *codes);

#endif
