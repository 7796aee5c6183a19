// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/page_run.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

#define ANON	1u /* bits of an index into plain_class */
#define CACHE	2u
#define PRIVATE 4u

/* What a page is that is no tail or head, no bad one and has no type. */
static const uint8_t plain_class[] = {
	[0] = PAGE_KEPT,
	[PRIVATE] = PAGE_KEPT,
	[CACHE] = PAGE_CACHE,
	[CACHE | PRIVATE] = PAGE_CACHE_PRIVATE,
	[ANON] = PAGE_USER,
	[ANON | PRIVATE] = PAGE_USER,
	[ANON | CACHE] = PAGE_USER,
	[ANON | CACHE | PRIVATE] = PAGE_USER,
};

/*
 * The short cut is for pages without @odd flags and with a _mapcount of -1 or more, which
 * have no type.
 */
struct quick {
	bool usable;
	uint64_t odd;
	uint64_t swap; /* both bits, or one that no page has beside the other: never true */
};

static struct quick find_quick(const struct page_facts *f)
{
	return (struct quick){
		.usable = f->word == 8 && !f->big_endian,
		.odd = f->head | f->hwpoison | f->slab,
		.swap = f->swapbacked ? f->swapcache | f->swapbacked : UINT64_MAX,
	};
}

/*
 * Go through as many pages as the short cut can judge, from index *@i on to before @end.
 * Return: whether tails are still those of a slab. All is copied for the compiler, which
 * cannot know that @class does not overlap it.
 */
static bool classify_plain(const struct page_facts *f, const struct quick *quick, bool slab,
			   const uint8_t *pages, uint64_t *at, uint64_t end, uint8_t *class)
{
	const uint64_t odd = quick->odd, swap = quick->swap, lru = f->lru, private = f->private;
	const uint32_t size = f->size, off_flags = f->off_flags, off_mapping = f->off_mapping,
		       off_mapcount = f->off_mapcount, off_head = f->off_compound_head;
	uint64_t i = *at;
	const uint8_t *page = pages + i * size;

	for (; i < end; i++, page += size) {
		uint64_t flags = get_le64(page + off_flags);
		unsigned index;

		if (flags & odd)
			break;
		if (get_le64(page + off_head) & 1) {
			class[i] = slab ? PAGE_SLAB : PAGE_KEPT;
			continue;
		}
		if ((int32_t)get_le32(page + off_mapcount) < -1)
			break;
		index = get_le64(page + off_mapping) & ANON;
		index |= (flags & lru) || (flags & swap) == swap ? CACHE : 0;
		index |= flags & private ? PRIVATE : 0;
		class[i] = plain_class[index];
		slab = false;
	}
	*at = i;
	return slab;
}

/* Ask the page at index @i. Return: how many it speaks for. */
static uint64_t classify_one(const struct page_facts *f, struct page_walk *walk,
			     const struct page_run *run, uint64_t i, uint8_t *class)
{
	const uint8_t *page = run->pages + i * f->size;
	const uint8_t *next = i + 1 < run->have ? page + f->size : NULL;
	uint64_t pfn = run->pfn + i;
	struct page_verdict v = page_classify(f, pfn, page, next);
	uint64_t nr = MIN(v.nr, run->nr - i);

	if (!v.tail)
		walk->slab_end =
			v.class == PAGE_SLAB ? ROUND_UP(pfn + 1, (uint64_t)PAGE_SLAB_MAX) : 0;
	else if (pfn < walk->slab_end && v.class == PAGE_KEPT)
		v.class = PAGE_SLAB;
	class[i] = (uint8_t)v.class;
	if (v.nr > 1) {
		memset(class + i + 1, (int)v.rest, nr - 1);
		walk->extent_class = v.rest;
		walk->extent_end = pfn + v.nr;
		walk->extent_nr = v.nr;
	}
	return nr;
}

void page_run_classify(const struct page_facts *f, struct page_walk *walk,
		       const struct page_run *run, uint8_t *class)
{
	const struct quick quick = find_quick(f);
	uint64_t i = 0;

	while (i < run->nr) {
		bool slab = run->pfn + i < walk->slab_end;
		uint64_t end = slab ? MIN(run->nr, walk->slab_end - run->pfn) : run->nr;

		if (quick.usable && !classify_plain(f, &quick, slab, run->pages, &i, end, class))
			walk->slab_end = 0;
		if (i < end)
			i += classify_one(f, walk, run, i, class);
	}
}
