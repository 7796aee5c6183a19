// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The walk. Pages that a PT_LOAD holds only in part are present; one whose first byte is
 * in no PT_LOAD is kept without asking the memory map. What a PT_LOAD describes but does
 * not hold (beyond p_filesz) is not present: that is how an ELF dump says what had been
 * filtered out of it. All of this is as makedumpfile has it.
 */
#include "capture/mm/scan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/mm/facts.h"
#include "capture/mm/memmap.h"
#include "capture/mm/page.h"
#include "lib/util.h"

/*
 * @map: NULL where pages are not classified; they are @fallback then
 * @segment, @pfn: where the walk is: nothing before @pfn is left, and no segment before
 *	@segment reaches beyond it
 * @extent_class, @extent_end: what the last head said of the pages that follow it
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
	enum page_class extent_class;
	uint64_t extent_end;
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
	int err = mm_facts_load(s->core, &s->facts, s->problem, sizeof(s->problem));

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
		snprintf(s->problem, sizeof(s->problem),
			 "no struct page can be reached through mem_section");
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
	scan->extent_end = 0;
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

/* Classify the pages of one run; @class is that of its first pfn. */
static void classify_run(struct scan *s, uint64_t pfn, const struct memmap_run *run,
			 uint8_t *class)
{
	const struct page_facts *f = &s->facts.page;
	uint64_t i = 0;

	while (i < run->nr) {
		const uint8_t *page = run->pages + i * f->size;
		const uint8_t *next = i + 1 < run->have ? page + f->size : NULL;
		struct page_verdict v = page_classify(f, pfn + i, page, next);
		uint64_t nr = MIN(v.nr, run->nr - i);

		class[i] = (uint8_t)v.class;
		if (v.nr > 1) {
			memset(class + i + 1, (int)v.rest, nr - 1);
			s->extent_class = v.rest;
			s->extent_end = pfn + i + v.nr;
		}
		i += nr;
	}
}

/* Classify present pages [pfn, end), which start in a segment. */
static void classify(struct scan *s, uint64_t pfn, uint64_t end, uint8_t *class)
{
	while (pfn < end) {
		struct memmap_run run;

		if (pfn < s->extent_end) {
			run.nr = MIN(end, s->extent_end) - pfn;
			memset(class, (int)s->extent_class, run.nr);
		} else if (!s->map) {
			run.nr = end - pfn;
			memset(class, (int)s->fallback, run.nr);
		} else {
			memmap_read(s->map, pfn, end - pfn, &run);
			if (run.pages)
				classify_run(s, pfn, &run, class);
			else
				memset(class, PAGE_UNKNOWN, run.nr);
		}
		pfn += run.nr;
		class += run.nr;
	}
}

/* The part of segment @seg from s->pfn on. A first page that begins before the segment is
 * kept unseen, unless a large page's head has spoken for it. */
static void scan_segment(struct scan *s, const struct core_segment *seg, uint64_t end,
			 uint8_t *class)
{
	if (s->map && s->pfn << s->page_shift < seg->paddr && s->pfn >= s->extent_end) {
		*class++ = PAGE_KEPT;
		s->pfn++;
	}
	classify(s, s->pfn, end, class);
	s->pfn = end;
}

static bool pages_left(const struct scan *s, const struct core_segment *seg)
{
	return end_pfn(s, seg) > MAX(s->pfn, first_pfn(s, seg));
}

int scan_next(struct scan *scan, struct scan_window *win)
{
	uint64_t limit;

	while (scan->segment < scan->nr_segments &&
	       !pages_left(scan, &scan->segments[scan->segment]))
		scan->segment++;
	if (scan->segment == scan->nr_segments)
		return 0;
	scan->pfn = MAX(scan->pfn, first_pfn(scan, &scan->segments[scan->segment]));
	win->pfn = scan->pfn;
	win->nr = 0;
	limit = ROUND_UP(win->pfn + 1, (uint64_t)SCAN_WINDOW_PAGES);

	for (; scan->segment < scan->nr_segments; scan->segment++) {
		const struct core_segment *seg = &scan->segments[scan->segment];
		uint64_t start = first_pfn(scan, seg), end = MIN(end_pfn(scan, seg), limit);

		if (start >= limit)
			break;
		if (!pages_left(scan, seg))
			continue;
		if (scan->pfn < start) {
			memset(win->class + win->nr, PAGE_ABSENT, start - scan->pfn);
			scan->pfn = start;
		}
		scan_segment(scan, seg, end, win->class + (scan->pfn - win->pfn));
		win->nr = (uint32_t)(scan->pfn - win->pfn);
		if (scan->pfn == limit)
			break;
	}
	return 1;
}
