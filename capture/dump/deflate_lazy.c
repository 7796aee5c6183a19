// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thorough way to find matches: four candidates at each position, and a match waits for
 * the next position's to be better.
 *
 * Candidates are compared on their first seven bytes without a branch, and one position
 * ahead of where they are decided on: what costs time here are mispredicted branches.
 */
#include "capture/dump/deflate_sequence.h"

#define FIRST	 7    /* bytes of a candidate that one comparison sees */
#define LOOK	 8    /* bytes that looking at a position reads */
#define TOO_FAR	 4096 /* a match of three takes more bits than its literals */
#define LONG	 12   /* the next position is not tried */
#define REMEMBER 8    /* positions at either end of a match that are */
#define SKIP	 6    /* every so many bytes (as a shift) without a match, one is passed over */

/* What stands behind a position: @best is length (up to FIRST) << 16 | where it starts. */
struct candidates {
	uint32_t best;
	uint32_t far;
};

struct match {
	size_t len;
	size_t dist;
};

static inline uint32_t hash(uint64_t v, unsigned bytes)
{
	return (uint32_t)((v << (64 - 8 * bytes)) * 0x9e3779b97f4a7c15 >>
			  (64 - DEFLATE_FINDER_BITS));
}

static inline void remember(struct deflate_finder *f, const uint8_t *in, size_t i)
{
	uint64_t v = get_le64(in + i);
	uint32_t *near = &f->near[hash(v, 3)], *far = &f->far[hash(v, FIRST)];

	*near = *near << 16 | (uint32_t)i;
	*far = *far << 16 | (uint32_t)i;
}

static inline uint32_t compare(const uint8_t *in, uint64_t v, uint32_t pos)
{
	uint64_t diff = (get_le64(in + pos) ^ v) | UINT64_C(1) << 8 * FIRST;

	return ((uint32_t)__builtin_ctzll(diff) & 0x38) << 13 | pos;
}

/* The longest, of equal ones the nearest. Remembers @i. Positions never seen are 0. */
static inline __attribute__((always_inline)) struct candidates look(struct deflate_finder *f,
								    const uint8_t *in, size_t i)
{
	uint64_t v = get_le64(in + i);
	uint32_t *near = &f->near[hash(v, 3)], *far = &f->far[hash(v, FIRST)];
	uint32_t n = *near, r = *far, a, b;

	*near = n << 16 | (uint32_t)i;
	*far = r << 16 | (uint32_t)i;
	a = MAX(compare(in, v, n & 0xffff), compare(in, v, n >> 16));
	b = MAX(compare(in, v, r & 0xffff), compare(in, v, r >> 16));
	return (struct candidates){ .best = MAX(a, b), .far = r };
}

/* A match of more than the bytes first compared: the longer of the best and @c's others. */
static inline __attribute__((always_inline)) struct match extend(const uint8_t *in, size_t i,
								 size_t end, struct candidates c)
{
	size_t pos = c.best & 0xffff, max = MIN(end - i, (size_t)DEFLATE_MAX_MATCH);
	size_t len = deflate_match_length(in + pos, in + i, FIRST, max);

	for (unsigned k = 0; k < 2; k++, c.far >>= 16) {
		size_t other = c.far & 0xffff, n;

		if (other == pos || len == max || in[other + len] != in[i + len])
			continue;
		n = deflate_match_length(in + other, in + i, 0, max);
		if (n > len) {
			len = n;
			pos = other;
		}
	}
	return (struct match){ .len = len, .dist = i - pos };
}

/* The match at @i; shorter than 3 where there is none. */
static inline __attribute__((always_inline)) struct match measure(const uint8_t *in, size_t i,
								  size_t end, struct candidates c)
{
	struct match m = { .len = c.best >> 16, .dist = i - (c.best & 0xffff) };

	if (m.len == FIRST)
		m = extend(in, i, end, c);
	if (m.dist > TOO_FAR && (m.len == 3 || m.dist > DEFLATE_WINDOW))
		m.len = 0;
	return m;
}

/* Whether @next is worth a literal before it: a byte more, or a fourth of the distance. */
static inline bool better(struct match next, struct match m)
{
	return next.len >= m.len && 4 * (int)(next.len - m.len) +
						    __builtin_clz((uint32_t)next.dist) -
						    __builtin_clz((uint32_t)m.dist) >
					    2;
}

/* The positions inside a match at @i but the first two, which look() has remembered. */
static inline void remember_match(struct deflate_finder *f, const uint8_t *in, size_t i, size_t len,
				  size_t last)
{
	size_t end = MIN(i + len, last + 1), at = i + 2;

	if (len > 2 * REMEMBER) {
		for (; at < MIN(i + REMEMBER, end); at++)
			remember(f, in, at);
		at = i + len - REMEMBER;
	}
	for (; at < end; at++)
		remember(f, in, at);
}

void deflate_lazy_start(struct deflate_finder *f)
{
	memset(f, 0, sizeof(*f));
}

void deflate_parse_lazy(struct deflate_finder *f, const uint8_t *in, size_t start, size_t end,
			struct deflate_block *b)
{
	size_t anchor = start, i = start, last = end > LOOK ? end - LOOK : 0;
	struct candidates next;

	deflate_block_start(b);
	if (i < end && !i) /* nothing stands before it */
		b->count[in[i++]]++;
	if (i < last)
		next = look(f, in, i);
	while (i < last) {
		struct candidates now = next;
		struct match m;

		next = look(f, in, i + 1);
		if (now.best < 3 << 16 || (m = measure(in, i, end, now)).len < 3) {
			size_t step = (i - anchor) >> SKIP;

			b->count[in[i++]]++;
			if (!step)
				continue;
			step = MIN(step, end - i);
			deflate_count_literals(b, in + i, step);
			i += step;
			if (i < last)
				next = look(f, in, i);
			continue;
		}
		while (m.len < LONG && next.best >> 16 >= MIN(m.len, (size_t)FIRST)) {
			struct match n = measure(in, i + 1, end, next);

			if (!better(n, m))
				break;
			b->count[in[i++]]++;
			m = n;
			if (i >= last)
				break;
			next = look(f, in, i + 1);
		}
		deflate_put_sequence(b, i - anchor, m.len, m.dist);
		remember_match(f, in, i, m.len, last);
		i += m.len;
		anchor = i;
		if (i < last)
			next = look(f, in, i);
	}
	deflate_count_literals(b, in + i, end - i);
	b->tail = (unsigned)(end - anchor);
}
