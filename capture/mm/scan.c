// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walk. Pages that a PT_LOAD holds only in part are present; one whose first byte is
 * in no PT_LOAD is kept without asking the memory map. What a PT_LOAD describes but does
 * not hold (beyond p_filesz) is not present: that is how an ELF dump says what had been
 * filtered out of it. All of this is as makedumpfile has it, but for the page that a PT_LOAD
 * ends in the middle of, which it leaves out.
 */
#include "capture/mm/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/mm/facts.h"
#include "capture/mm/memmap.h"
#include "capture/mm/page_run.h"
#include "lib/util.h"

#define PEEK_BEHIND 512u /* pages of a range behind which one looks at a single page first */

/*
 * @map: NULL where pages are not classified; they are @fallback then
 * @segment, @pfn: where the walk is: nothing before @pfn is left, and no segment before
 *	@segment reaches beyond it
 */
struct scan {
	struct core *core;
	const struct core_segment *segments;
	size_t nr_segments;
	unsigned page_shift;

	struct mm_facts facts;
	struct memmap *map;
	enum page_class fallback;
	char problem[160];

	size_t segment;
	uint64_t pfn;
	struct page_walk walk;
};

static uint64_t first_pfn(const struct scan *s, const struct core_segment *seg)
{
	return seg->paddr >> s->page_shift;
}

/* One past the last pfn that the file holds something of; first_pfn() where nothing. */
static uint64_t end_pfn(const struct scan *s, const struct core_segment *seg)
{
	if (!seg->filesz)
		return first_pfn(s, seg);
	return DIV_ROUND_UP(seg->paddr + seg->filesz, 1ull << s->page_shift);
}

static int prepare_map(struct scan *s)
{
	int err = mm_facts_load(s->core, NULL, &s->facts, s->problem, sizeof(s->problem));

	if (err)
		return err;
	err = core_setup_vaddr(s->core);
	if (err) {
		snprintf(s->problem, sizeof(s->problem),
			 "the kernel's virtual addresses cannot be translated");
		return err;
	}
	err = memmap_create(s->core, &s->facts, &s->map);
	if (err)
		snprintf(s->problem, sizeof(s->problem), "no struct page can be reached through %s",
			 s->facts.flatmem ? "contig_page_data" : "mem_section");
	return err;
}

bool scan_needs_memory_map(const struct core *core, unsigned dump_level)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	int64_t bit;

	return dump_level > DUMP_LEVEL_ZERO || (vi && !vmcoreinfo_number(vi, "PG_hwpoison", &bit));
}

int scan_create(struct core *core, bool use_memory_map, struct scan **scan_ret)
{
	struct scan *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->core = core;
	s->segments = core_segments(core, &s->nr_segments);
	s->page_shift = (unsigned)__builtin_ctzl(core_page_size(core));
	s->fallback = use_memory_map ? PAGE_UNKNOWN : PAGE_KEPT;
	if (use_memory_map && prepare_map(s) == -ENOMEM) {
		scan_destroy(s);
		return -ENOMEM;
	}
	scan_rewind(s);
	*scan_ret = s;
	return 0;
}

void scan_destroy(struct scan *scan)
{
	if (!scan)
		return;
	memmap_destroy(scan->map);
	free(scan);
}

const char *scan_problem(const struct scan *scan)
{
	return scan->problem[0] ? scan->problem : NULL;
}

void scan_rewind(struct scan *scan)
{
	scan->segment = 0;
	scan->pfn = 0;
	scan->walk = (struct page_walk){ 0 };
}

uint64_t scan_max_pfn(const struct scan *scan)
{
	return DIV_ROUND_UP(core_end_paddr(scan->core), 1ull << scan->page_shift);
}

uint64_t scan_present_pages(const struct scan *scan)
{
	uint64_t nr = 0, from = 0;

	for (size_t i = 0; i < scan->nr_segments; i++) {
		uint64_t start = MAX(first_pfn(scan, &scan->segments[i]), from);
		uint64_t end = end_pfn(scan, &scan->segments[i]);

		if (end <= start)
			continue; /* the rest of a page that the segment before began */
		nr += end - start;
		from = end;
	}
	return nr;
}

/* Ask the memory map for the class of pages from @pfn on. Return: of how many. */
static uint64_t classify_run(struct scan *s, uint64_t pfn, uint64_t max, uint8_t *class)
{
	struct memmap_run run;

	/* Behind a large range there often is another one. Its head says it all, and the rest
	 * need not be read. */
	if (pfn == s->walk.extent_end && s->walk.extent_nr >= PEEK_BEHIND)
		max = 1;
	memmap_read(s->map, pfn, max, &run);
	s->walk.extent_end = 0;
	if (run.pages)
		page_run_classify(&s->facts.page, &s->walk,
				  &(struct page_run){ pfn, run.pages, run.nr, run.have }, class);
	else
		memset(class, PAGE_UNKNOWN, run.nr);
	return run.nr;
}

/* Classify present pages [pfn, end), which start in a segment. */
static void classify(struct scan *s, uint64_t pfn, uint64_t end, uint8_t *class)
{
	while (pfn < end) {
		uint64_t nr = end - pfn;

		if (pfn < s->walk.extent_end) {
			nr = MIN(nr, s->walk.extent_end - pfn);
			memset(class, (int)s->walk.extent_class, nr);
		} else if (s->map) {
			nr = classify_run(s, pfn, nr, class);
		} else {
			memset(class, (int)s->fallback, nr);
		}
		pfn += nr;
		class += nr;
	}
}

/* The part of segment @seg from s->pfn on. A first page that begins before the segment is
 * kept unseen, unless a large page's head has spoken for it. */
static void scan_segment(struct scan *s, const struct core_segment *seg, uint64_t end,
			 uint8_t *class)
{
	if (s->map && s->pfn << s->page_shift < seg->paddr && s->pfn >= s->walk.extent_end) {
		*class ++ = PAGE_KEPT;
		s->pfn++;
	}
	classify(s, s->pfn, end, class);
	s->pfn = end;
}

static bool pages_left(const struct scan *s, const struct core_segment *seg)
{
	return end_pfn(s, seg) > MAX(s->pfn, first_pfn(s, seg));
}

/* Move to the next page that is present. Return: whether there is one. */
static bool find_present(struct scan *s)
{
	while (s->segment < s->nr_segments && !pages_left(s, &s->segments[s->segment]))
		s->segment++;
	if (s->segment == s->nr_segments)
		return false;
	s->pfn = MAX(s->pfn, first_pfn(s, &s->segments[s->segment]));
	return true;
}

/* Classify from the present page s->pfn on, whose class is @class[0], to the last one before
 * @limit. */
static void walk_to(struct scan *s, uint64_t limit, uint8_t *class)
{
	const uint64_t from = s->pfn;

	for (; s->segment < s->nr_segments; s->segment++) {
		const struct core_segment *seg = &s->segments[s->segment];
		uint64_t start = first_pfn(s, seg), end = MIN(end_pfn(s, seg), limit);

		if (start >= limit)
			break;
		if (!pages_left(s, seg))
			continue;
		if (s->pfn < start) {
			memset(class + (s->pfn - from), PAGE_ABSENT, start - s->pfn);
			s->pfn = start;
		}
		scan_segment(s, seg, end, class + (s->pfn - from));
		if (s->pfn == limit)
			break;
	}
}

int scan_next(struct scan *scan, struct scan_window *win)
{
	if (!find_present(scan))
		return 0;
	win->pfn = scan->pfn;
	walk_to(scan, ROUND_UP(win->pfn + 1, (uint64_t)SCAN_WINDOW_PAGES), win->class);
	win->nr = (uint32_t)(scan->pfn - win->pfn);
	return 1;
}

/* Put the walk at @pfn: of the segments that begin before it, only the last can reach it. */
static void set_position(struct scan *s, uint64_t pfn)
{
	size_t lo = 0, hi = s->nr_segments;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (first_pfn(s, &s->segments[mid]) < pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	s->segment = lo ? lo - 1 : 0;
	s->pfn = pfn;
	s->walk = (struct page_walk){ 0 };
}

/* Whether a walk would ask the page at @pfn, if no head before it has spoken for it. */
static bool is_asked(struct scan *s, uint64_t pfn)
{
	set_position(s, pfn);
	for (; s->segment < s->nr_segments; s->segment++) {
		const struct core_segment *seg = &s->segments[s->segment];

		if (first_pfn(s, seg) > pfn)
			break;
		if (pages_left(s, seg))
			return seg->paddr <= pfn << s->page_shift;
	}
	return false;
}

/* Does the page at @pfn speak for @nr or more? */
static bool speaks_for(struct scan *s, uint64_t pfn, uint64_t nr, struct page_verdict *v_ret)
{
	struct memmap_run run;

	if (!is_asked(s, pfn))
		return false;
	memmap_read(s->map, pfn, 1, &run);
	if (!run.pages)
		return false;
	*v_ret = page_classify(&s->facts.page, pfn, run.pages,
			       run.have > 1 ? run.pages + s->facts.page.size : NULL);
	return v_ret->nr >= nr;
}

/*
 * Find the head that a walk would have taken @pfn's class from. What one head speaks for is
 * aligned to its size, so two such ranges are disjoint or one is within the other: the head
 * sought is the lowest that reaches @pfn, and none before it has spoken for it.
 */
static void find_extent(struct scan *s, uint64_t pfn)
{
	uint64_t last = pfn;
	struct page_verdict v;

	for (unsigned order = PAGE_MAX_ORDER; s->map && order > 0; order--) {
		uint64_t head = pfn >> order << order;

		if (head == pfn)
			break;
		if (head == last || !speaks_for(s, head, pfn - head + 1, &v)) {
			last = head;
			continue;
		}
		set_position(s, pfn);
		s->walk.extent_class = v.rest;
		s->walk.extent_end = head + v.nr;
		return;
	}
	set_position(s, pfn);
}

void scan_seek(struct scan *scan, uint64_t pfn)
{
	uint8_t class[PAGE_SLAB_MAX];

	find_extent(scan, pfn / PAGE_SLAB_MAX * PAGE_SLAB_MAX);
	if (!find_present(scan) || scan->pfn >= pfn)
		return;
	walk_to(scan, pfn, class); /* to learn what the heads before @pfn say */
	scan->pfn = pfn;
}
