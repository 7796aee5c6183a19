// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/mm/vital.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_RANKS   16384u	     /* 128 KiB */
#define MAX_BLOCKS  (8u * 64 * 1024) /* 64 KiB of bits */
#define BLOCK_PAGES 512u	     /* at least */
#define MAX_SLOTS   256u	     /* 1 MiB of bitmap: all of it up to 32 GiB of memory */

enum plan_pass {
	PASS_VITAL, /* and one for each other tier */
	PASS_SLAB = VITAL_NR_TIERS,
	PASS_REST,
	PASS_END,
};

/* A window of the bitmap in memory. */
struct slot {
	uint64_t window; /* its number; all ones: empty */
	uint64_t bits[PLAN_WINDOW_BYTES / 8];
};

/*
 * @rank: kept pages before window i * stride; the last one: all of them
 * @slab: a bit for each @block_pages pages
 * @span, @span_end: pages of the present pass that are yet to be looked at
 * @range: of @ranges: in a vital pass the next one, else the first that does not end
 *	before @span_end
 * @at_pfn, @at_rank: the last page whose rank is known; @at_pfn all ones: none
 */
struct plan {
	struct dump_job *job;
	struct scan *scan;
	bool drop[PAGE_NR_CLASSES];
	struct vital *vital;
	const struct vital_range *ranges;
	size_t nr_ranges;

	uint64_t nr_windows, stride;
	uint64_t *rank;
	uint64_t kept;
	uint64_t block_pages;
	uint8_t *slab;

	struct slot *slots;
	unsigned nr_slots;
	const struct dump_sink *sink;
	uint64_t sink_offset;

	uint64_t start, end;
	unsigned pass;
	uint64_t span, span_end;
	size_t range;
	uint64_t at_pfn, at_rank;

	struct scan_window window;
};

static unsigned popcount(uint64_t x)
{
	return (unsigned)__builtin_popcountll(x);
}

/* Set bits in bits [from, to) of @bits. */
static uint64_t count_bits(const uint64_t *bits, unsigned from, unsigned to)
{
	uint64_t n = 0;

	if (from >= to)
		return 0;
	for (unsigned w = from / 64; w <= (to - 1) / 64; w++) {
		uint64_t x = le64toh(bits[w]);

		if (w == from / 64)
			x &= UINT64_MAX << from % 64;
		if (w == (to - 1) / 64)
			x &= UINT64_MAX >> (63 - (to - 1) % 64);
		n += popcount(x);
	}
	return n;
}

/* The first set bit in [from, to); @to where there is none. */
static unsigned find_bit(const uint64_t *bits, unsigned from, unsigned to)
{
	while (from < to) {
		uint64_t x = le64toh(bits[from / 64]) >> from % 64;

		if (x)
			return MIN(from + (unsigned)__builtin_ctzll(x), to);
		from = (from / 64 + 1) * 64;
	}
	return to;
}

static int allocate(struct plan *p)
{
	uint64_t blocks;

	p->nr_windows = DIV_ROUND_UP(p->job->max_pfn, PLAN_WINDOW_PAGES);
	p->stride = MAX(DIV_ROUND_UP(p->nr_windows, MAX_RANKS), (uint64_t)1);
	p->rank = calloc(p->nr_windows / p->stride + 2, sizeof(*p->rank));
	p->block_pages = BLOCK_PAGES;
	while (p->job->max_pfn / p->block_pages >= MAX_BLOCKS)
		p->block_pages *= 2;
	blocks = p->job->max_pfn / p->block_pages + 1;
	p->slab = calloc(DIV_ROUND_UP(blocks, 8), 1);
	p->nr_slots = p->nr_windows ? (unsigned)MIN(p->nr_windows, (uint64_t)MAX_SLOTS) : 1;
	p->slots = malloc(p->nr_slots * sizeof(*p->slots));
	if (!p->rank || !p->slab || !p->slots)
		return -ENOMEM;
	for (unsigned i = 0; i < p->nr_slots; i++)
		p->slots[i].window = UINT64_MAX;
	return 0;
}

int dump_job_scan(struct dump_job *job, struct scan **scan_ret)
{
	struct dump_stats *stats = job->stats;
	const char *problem;
	int err = scan_create(job->core, scan_needs_memory_map(job->core, job->options->level),
			      scan_ret);

	if (err)
		return err;
	problem = scan_problem(*scan_ret);
	snprintf(stats->scan_problem, sizeof(stats->scan_problem), "%s", problem ? problem : "");
	job->max_pfn = scan_max_pfn(*scan_ret);
	job->present_pages = stats->present_pages = scan_present_pages(*scan_ret);
	return 0;
}

int plan_create(struct dump_job *job, struct plan **plan_ret)
{
	struct plan *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->job = job;
	for (int class = 0; class < PAGE_NR_CLASSES; class ++)
		p->drop[class] = page_class_dropped(class, job->options->level);
	err = dump_job_scan(job, &p->scan);
	if (!err)
		err = allocate(p);
	if (err) {
		plan_destroy(p);
		return err;
	}
	*plan_ret = p;
	return 0;
}

void plan_destroy(struct plan *p)
{
	if (!p)
		return;
	vital_destroy(p->vital);
	scan_destroy(p->scan);
	free(p->slots);
	free(p->slab);
	free(p->rank);
	free(p);
}

void plan_read_back(struct plan *p, const struct dump_sink *sink, uint64_t offset)
{
	p->sink = sink->read ? sink : NULL;
	p->sink_offset = offset;
}

uint64_t plan_kept(const struct plan *p)
{
	return p->kept;
}

/* ---- the first phase ---- */

static void mark_slab(struct plan *p, uint64_t pfn)
{
	uint64_t block = pfn / p->block_pages;

	p->slab[block / 8] |= 1u << block % 8;
}

/* Make p->window into bits. Return: how many are set. */
static uint64_t window_bits(struct plan *p, uint64_t *bits)
{
	const struct scan_window *w = &p->window;
	uint64_t n = 0, first = w->pfn % PLAN_WINDOW_PAGES;

	memset(bits, 0, PLAN_WINDOW_BYTES);
	for (uint32_t i = 0; i < w->nr; i++) {
		const uint64_t bit = first + i;

		if (p->drop[w->class[i]])
			continue;
		bits[bit / 64] |= 1ull << bit % 64;
		n++;
	}
	for (unsigned i = 0; i < PLAN_WINDOW_BYTES / 8; i++)
		bits[i] = htole64(bits[i]);
	return n;
}

/* What the core does not hold is no part of the dump. Return: how many bits went. */
static uint64_t clear_absent(struct plan *p, uint64_t *bits)
{
	uint64_t gone = 0, pfn = p->window.pfn, end = pfn + p->window.nr;

	while (pfn < end) {
		bool held;
		uint64_t nr = core_held_run(p->job->core, pfn, end - pfn, &held);

		for (uint64_t i = pfn; !held && i < pfn + nr; i++) {
			const uint64_t bit = i % PLAN_WINDOW_PAGES;
			const uint64_t mask = htole64(1ull << bit % 64);

			gone += !!(bits[bit / 64] & mask);
			bits[bit / 64] &= ~mask;
		}
		pfn += nr;
	}
	return gone;
}

static void count_classes(struct plan *p, uint64_t kept)
{
	struct dump_stats *stats = p->job->stats;
	const struct scan_window *w = &p->window;
	uint32_t nr[PAGE_NR_CLASSES] = { 0 };
	uint64_t seen = 0;

	for (uint32_t i = 0; i < w->nr; i++) {
		nr[w->class[i]]++;
		if (w->class[i] == PAGE_SLAB)
			mark_slab(p, w->pfn + i);
	}
	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++) {
		stats->pages[class] += nr[class];
		seen += nr[class];
	}
	stats->scanned_pages += seen;
	stats->dropped_pages += seen - kept;
}

/* Windows up to @window have been counted. */
static void set_ranks(struct plan *p, uint64_t from, uint64_t window)
{
	for (uint64_t i = DIV_ROUND_UP(from, p->stride); i * p->stride <= window; i++)
		p->rank[i] = p->kept;
}

int plan_scan(struct plan *p, plan_emit_fn *emit, void *ctx)
{
	uint64_t next = 0; /* the first window whose rank is not set */

	scan_rewind(p->scan);
	while (scan_next(p->scan, &p->window)) {
		const uint64_t window = p->window.pfn / PLAN_WINDOW_PAGES;
		struct slot *s = &p->slots[window % p->nr_slots];
		uint64_t n;
		int err;

		s->window = window;
		n = window_bits(p, s->bits);
		n -= clear_absent(p, s->bits);
		set_ranks(p, next, window);
		next = window + 1;
		p->kept += n;
		count_classes(p, n);
		err = emit(ctx, window * PLAN_WINDOW_PAGES, n ? (const uint8_t *)s->bits : NULL);
		if (err)
			return err;
	}
	set_ranks(p, next, (p->nr_windows / p->stride + 1) * p->stride);
	p->job->stats->planned_pages = p->kept;
	return 0;
}

/* ---- the bitmap, once it is made ---- */

static bool scan_again(struct plan *p, uint64_t window, struct slot *s)
{
	memset(s->bits, 0, PLAN_WINDOW_BYTES);
	scan_seek(p->scan, window * PLAN_WINDOW_PAGES);
	if (!scan_next(p->scan, &p->window) || p->window.pfn / PLAN_WINDOW_PAGES != window)
		return false;
	window_bits(p, s->bits);
	clear_absent(p, s->bits);
	return true;
}

static const uint64_t *load_window(struct plan *p, uint64_t window)
{
	struct slot *s = &p->slots[window % p->nr_slots];
	const uint64_t at = p->sink_offset + window * PLAN_WINDOW_BYTES;

	if (s->window == window)
		return s->bits;
	s->window = window;
	if (!p->sink || p->sink->read(p->sink->ctx, at, s->bits, PLAN_WINDOW_BYTES))
		scan_again(p, window, s);
	return s->bits;
}

/* Whether the windows from @window to that of the next entry in p->rank hold no kept page. */
static bool none_from(const struct plan *p, uint64_t window)
{
	return p->rank[window / p->stride] == p->rank[window / p->stride + 1];
}

/* The first kept page in [from, to); @to where there is none. */
static uint64_t find_kept(struct plan *p, uint64_t from, uint64_t to)
{
	while (from < to) {
		const uint64_t window = from / PLAN_WINDOW_PAGES;
		const uint64_t base = window * PLAN_WINDOW_PAGES;
		const uint64_t limit = MIN(to - base, (uint64_t)PLAN_WINDOW_PAGES);
		uint64_t bit;

		if (none_from(p, window)) {
			from = MIN((window / p->stride + 1) * p->stride * PLAN_WINDOW_PAGES, to);
			continue;
		}
		bit = find_bit(load_window(p, window), (unsigned)(from - base), (unsigned)limit);
		from = base + bit;
		if (bit < limit)
			break;
	}
	return from;
}

uint64_t plan_rank(struct plan *p, uint64_t pfn)
{
	const uint64_t window = pfn / PLAN_WINDOW_PAGES, entry = window / p->stride;
	uint64_t at = entry * p->stride * PLAN_WINDOW_PAGES, rank;

	if (pfn >= p->job->max_pfn)
		return p->kept;
	rank = p->rank[entry];
	if (p->at_pfn <= pfn && p->at_pfn >= at) {
		at = p->at_pfn;
		rank = p->at_rank;
	}
	for (; at / PLAN_WINDOW_PAGES < window; at = ROUND_UP(at + 1, PLAN_WINDOW_PAGES))
		rank += count_bits(load_window(p, at / PLAN_WINDOW_PAGES), at % PLAN_WINDOW_PAGES,
				   PLAN_WINDOW_PAGES);
	rank += count_bits(load_window(p, window), at % PLAN_WINDOW_PAGES, pfn % PLAN_WINDOW_PAGES);
	p->at_pfn = pfn;
	p->at_rank = rank;
	return rank;
}

/* The set bit that has @nr before it, which is there. */
static unsigned nth_bit(const uint64_t *bits, uint64_t nr)
{
	unsigned word = 0;
	uint64_t x;

	for (; nr >= popcount(bits[word]); word++)
		nr -= popcount(bits[word]);
	for (x = le64toh(bits[word]); nr; nr--)
		x &= x - 1;
	return word * 64 + (unsigned)__builtin_ctzll(x);
}

uint64_t plan_pfn(struct plan *p, uint64_t rank)
{
	uint64_t lo = 0, hi = p->nr_windows / p->stride + 1;

	if (rank >= p->kept)
		return p->job->max_pfn;
	while (hi - lo > 1) { /* p->rank[lo] <= rank < p->rank[hi] */
		uint64_t mid = lo + (hi - lo) / 2;

		if (p->rank[mid] <= rank)
			lo = mid;
		else
			hi = mid;
	}
	rank -= p->rank[lo];
	for (uint64_t window = lo * p->stride; window < p->nr_windows; window++) {
		const uint64_t *bits = load_window(p, window);
		const uint64_t nr = count_bits(bits, 0, PLAN_WINDOW_PAGES);

		if (rank < nr)
			return window * PLAN_WINDOW_PAGES + nth_bit(bits, rank);
		rank -= nr;
	}
	return p->job->max_pfn;
}

/* ---- the second phase ---- */

/* Without memory for it the dump is in pfn order. */
static void find_vital(struct plan *p)
{
	uint64_t pages[VITAL_NR_TIERS] = { 0 };

	if (vital_create(p->job->core, &p->vital))
		return;
	p->ranges = vital_ranges(p->vital, &p->nr_ranges);
	for (size_t i = 0; i < p->nr_ranges; i++)
		pages[p->ranges[i].tier] += p->ranges[i].nr;
	for (int tier = 0; tier < VITAL_NR_TIERS; tier++)
		log_debug("vital: %8" PRIu64 " pages of %s", pages[tier], vital_tier_name(tier));
}

void plan_start(struct plan *p, uint64_t start_pfn, uint64_t end_pfn)
{
	p->start = start_pfn;
	p->end = MIN(end_pfn, p->job->max_pfn);
	p->pass = PASS_VITAL;
	p->range = 0;
	p->span = p->span_end = 0;
	p->at_pfn = UINT64_MAX;
	if (!p->vital)
		find_vital(p);
}

/* The next range of this tier. */
static bool next_vital(struct plan *p)
{
	while (p->range < p->nr_ranges) {
		const struct vital_range *r = &p->ranges[p->range++];

		p->span = MAX(r->pfn, p->start);
		p->span_end = MIN(r->pfn + r->nr, p->end);
		if (r->tier == p->pass && p->span < p->span_end)
			return true;
	}
	return false;
}

static bool has_slab(const struct plan *p, uint64_t block)
{
	return p->slab[block / 8] >> block % 8 & 1;
}

/* Move on to the first range that does not end before @pfn. Where it begins: max_pfn where
 * there is none; at most @pfn where @pfn is in it. */
static uint64_t skip_ranges(struct plan *p, uint64_t pfn)
{
	while (p->range < p->nr_ranges && p->ranges[p->range].pfn + p->ranges[p->range].nr <= pfn)
		p->range++;
	return p->range < p->nr_ranges ? p->ranges[p->range].pfn : p->job->max_pfn;
}

/* The next pages that are in no range, in blocks with slab or in those without. */
static bool next_other(struct plan *p)
{
	const bool slab = p->pass == PASS_SLAB;
	uint64_t pfn = MAX(p->span_end, p->start);

	while (pfn < p->end) {
		uint64_t block = pfn / p->block_pages, limit = skip_ranges(p, pfn);

		if (limit <= pfn) {
			pfn = p->ranges[p->range].pfn + p->ranges[p->range].nr;
			continue;
		}
		limit = MIN(limit, p->end);
		p->span = p->span_end = pfn;
		while (p->span_end < limit && has_slab(p, block) == slab)
			p->span_end = MIN(++block * p->block_pages, limit);
		if (p->span < p->span_end)
			return true;
		pfn = MIN((block + 1) * p->block_pages, limit);
	}
	return false;
}

static bool next_span(struct plan *p)
{
	while (p->pass < PASS_END) {
		if (p->pass < PASS_SLAB ? next_vital(p) : next_other(p))
			return true;
		p->pass++;
		p->range = 0;
		p->span = p->span_end = 0;
	}
	return false;
}

void plan_fill(struct plan *p, struct batch *b)
{
	while (b->nr < b->max) {
		uint64_t pfn = find_kept(p, p->span, p->span_end);

		if (pfn == p->span_end) {
			if (!next_span(p))
				return;
			continue;
		}
		b->pages[b->nr++] = (struct batch_page){ .pfn = pfn, .rank = plan_rank(p, pfn) };
		p->span = pfn + 1;
	}
}
