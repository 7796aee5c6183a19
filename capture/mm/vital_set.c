// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/vital_set.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/util.h"

void vital_set_init(struct vital_set *set, struct core *core)
{
	*set = (struct vital_set){ .core = core, .full_tier = VITAL_NR_TIERS };
}

void vital_set_deinit(struct vital_set *set)
{
	free(set->ranges);
	set->ranges = NULL;
}

static uint64_t range_end(const struct vital_range *r)
{
	return r->pfn + r->nr;
}

static int cmp_pending(const void *a, const void *b)
{
	const struct vital_range *x = a, *y = b;

	if (x->tier != y->tier)
		return x->tier < y->tier ? -1 : 1;
	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* Ranges that come one after the other; @to NULL: they are only counted. */
struct emitter {
	struct vital_range *to;
	size_t nr;
	struct vital_range last;
};

static void emit(struct emitter *e, uint64_t pfn, uint64_t end, uint8_t tier)
{
	if (e->nr && e->last.tier == tier && range_end(&e->last) == pfn &&
	    end - e->last.pfn <= UINT32_MAX) {
		e->last.nr += (uint32_t)(end - pfn);
	} else {
		e->last = (struct vital_range){ pfn, (uint32_t)(end - pfn), tier };
		e->nr++;
	}
	if (e->to)
		e->to[e->nr - 1] = e->last;
}

struct cursor {
	const struct vital_range *next, *stop;
	uint64_t pfn, end; /* what is left of the range before @next */
	uint8_t tier;
};

/* Return: false at the end. */
static bool cursor_fill(struct cursor *c)
{
	while (c->pfn >= c->end) {
		if (c->next == c->stop)
			return false;
		/* Pending ranges may overlap the ones before. */
		c->pfn = MAX(c->next->pfn, c->end);
		c->end = MAX(range_end(c->next), c->pfn);
		c->tier = c->next->tier;
		c->next++;
	}
	return true;
}

/* Lay @b over @a: both ascending. */
static void merge(struct emitter *e, struct cursor a, struct cursor b)
{
	for (;;) {
		bool have_a = cursor_fill(&a), have_b = cursor_fill(&b);
		struct cursor *first = !have_b || (have_a && a.pfn <= b.pfn) ? &a : &b;
		struct cursor *other = first == &a ? &b : &a;
		uint64_t end = first->end;

		if (!have_a && !have_b)
			return;
		if (have_a && have_b && other->pfn == first->pfn) {
			end = MIN(a.end, b.end);
			emit(e, a.pfn, end, MIN(a.tier, b.tier));
			a.pfn = b.pfn = end;
			continue;
		}
		if (have_a && have_b)
			end = MIN(end, other->pfn);
		emit(e, first->pfn, end, first->tier);
		first->pfn = end;
	}
}

/* Too many: leave out the highest tier's, from the highest address down. */
static void evict(struct vital_set *set)
{
	while (set->nr > VITAL_MAX_RANGES) {
		unsigned worst = 0;
		size_t too_many = set->nr - VITAL_MAX_RANGES, left = 0, keep = 0, n = 0;

		for (size_t i = 0; i < set->nr; i++) {
			if (set->ranges[i].tier > worst) {
				worst = set->ranges[i].tier;
				left = 0;
			}
			left += set->ranges[i].tier == worst;
		}
		keep = left - MIN(left, too_many);
		for (size_t i = 0; i < set->nr; i++)
			if (set->ranges[i].tier != worst || keep)
				keep -= (set->ranges[n++] = set->ranges[i]).tier == worst;
		set->nr = n;
		set->full_tier = MIN(set->full_tier, worst);
	}
}

/* Bring in the pending ranges from @start to @stop, which are of one tier. */
static void merge_group(struct vital_set *set, unsigned start, unsigned stop)
{
	const struct cursor a = { .next = set->ranges,
				  .stop = set->ranges ? set->ranges + set->nr : NULL };
	const struct cursor b = { .next = set->pending + start, .stop = set->pending + stop };
	struct emitter e = { 0 };

	merge(&e, a, b);
	e = (struct emitter){ .to = malloc(e.nr * sizeof(*e.to)) };
	if (!e.to) {
		set->err = -ENOMEM;
		return;
	}
	merge(&e, a, b);
	free(set->ranges);
	set->ranges = e.to;
	set->nr = e.nr;
	evict(set);
}

static void flush(struct vital_set *set)
{
	unsigned start = 0;

	qsort(set->pending, set->nr_pending, sizeof(set->pending[0]), cmp_pending);
	for (unsigned i = 1; i <= set->nr_pending && !set->err; i++) {
		if (i < set->nr_pending && set->pending[i].tier == set->pending[start].tier)
			continue;
		merge_group(set, start, i);
		start = i;
	}
	set->nr_pending = 0;
}

static void add_pfns(struct vital_set *set, uint64_t pfn, uint64_t nr, enum vital_tier tier)
{
	struct vital_range *last = set->nr_pending ? &set->pending[set->nr_pending - 1] : NULL;

	if (last && last->tier == tier && range_end(last) == pfn && nr <= UINT32_MAX - last->nr) {
		last->nr += (uint32_t)nr;
		return;
	}
	while (nr && !set->err) {
		uint32_t n = (uint32_t)MIN(nr, (uint64_t)UINT32_MAX);

		if (set->nr_pending == VITAL_SET_PENDING)
			flush(set);
		set->pending[set->nr_pending++] = (struct vital_range){ pfn, n, (uint8_t)tier };
		pfn += n;
		nr -= n;
	}
}

/* Index of the first segment that ends after @paddr. */
static size_t first_segment(const struct core_segment *seg, size_t nr, uint64_t paddr)
{
	size_t lo = 0;

	while (lo < nr) {
		size_t mid = lo + (nr - lo) / 2;

		if (seg[mid].paddr + seg[mid].memsz <= paddr)
			lo = mid + 1;
		else
			nr = mid;
	}
	return lo;
}

void vital_set_add(struct vital_set *set, uint64_t paddr, uint64_t len, enum vital_tier tier)
{
	uint64_t page = core_page_size(set->core), end;
	const struct core_segment *seg;
	size_t nr;

	if (tier >= set->full_tier || !len)
		return;
	if (__builtin_add_overflow(paddr, len, &end))
		end = UINT64_MAX;
	seg = core_segments(set->core, &nr);
	for (size_t i = first_segment(seg, nr, paddr); i < nr && seg[i].paddr < end; i++) {
		uint64_t from = MAX(paddr, seg[i].paddr) / page;
		uint64_t to = (MIN(end, seg[i].paddr + seg[i].memsz) - 1) / page;

		add_pfns(set, from, to - from + 1, tier);
	}
}

int vital_set_finish(struct vital_set *set)
{
	flush(set);
	return set->err;
}
