/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks all pages of a core in ascending pfn order, a window at a time, and says
 * of each what it is. Reads each struct page once; memory use does not depend on
 * how much RAM the crashed machine had.
 */
#ifndef CAPTURE_MM_SCAN_H
#define CAPTURE_MM_SCAN_H

#include <stdint.h>

#include "capture/core/core.h"

/**
 * enum page_class - What the crashed kernel's memory map says of a page.
 *
 * What may be dropped is decided by makedumpfile(8)'s dump levels, see
 * page_class_dropped(). PAGE_KEPT, PAGE_SLAB and PAGE_UNKNOWN are never dropped.
 */
enum page_class {
	PAGE_ABSENT,	    /* the core holds nothing of it: not part of the dump at all */
	PAGE_KEPT,	    /* kernel data, page tables, reserved ... */
	PAGE_SLAB,	    /* slab, the tails of a slab's compound page included */
	PAGE_UNKNOWN,	    /* no struct page could be read or understood: kept */
	PAGE_CACHE,	    /* page cache without private data */
	PAGE_CACHE_PRIVATE, /* page cache with private data */
	PAGE_USER,	    /* anonymous memory, hugetlb */
	PAGE_FREE,	    /* in the buddy allocator, or unaccepted */
	PAGE_HWPOISON,	    /* bad memory: reading it could end the capture kernel */
	PAGE_OFFLINE,	    /* ballooned or logically offline */
	PAGE_NR_CLASSES
};

/* makedumpfile(8)'s -d bits. */
#define DUMP_LEVEL_ZERO		 1u
#define DUMP_LEVEL_CACHE	 2u
#define DUMP_LEVEL_CACHE_PRIVATE 4u /* implies DUMP_LEVEL_CACHE */
#define DUMP_LEVEL_USER		 8u
#define DUMP_LEVEL_FREE		 16u
#define DUMP_LEVEL_MAX		 31u

/** page_class_name() - "cache", "free" …, as reports and JSON call it. */
const char *page_class_name(enum page_class class);

/** page_class_dropped() - Whether pages of @class are left out at @dump_level. Bad and
 * offline pages are at every level: where the memory map was looked at, they must not be
 * read. */
int page_class_dropped(enum page_class class, unsigned dump_level);

#define SCAN_WINDOW_PAGES 32768u

/** struct scan_window - One run of consecutive pfns. */
struct scan_window {
	uint64_t pfn;			  /* first */
	uint32_t nr;			  /* pages in @class, 1 to SCAN_WINDOW_PAGES */
	uint8_t class[SCAN_WINDOW_PAGES]; /* enum page_class of pfn + i */
};

struct scan;

/**
 * scan_needs_memory_map() - Whether a dump at @dump_level has to classify pages.
 *
 * Levels 0 and 1 drop nothing by class, but where the kernel knows bad memory (PG_hwpoison)
 * that must be left out, and with it goes what is offline. As in makedumpfile.
 */
bool scan_needs_memory_map(const struct core *core, unsigned dump_level);

/**
 * scan_create() - Prepare a walk.
 * @core: borrowed until scan_destroy()
 * @use_memory_map: false to take every present page as PAGE_KEPT; normally what
 *	scan_needs_memory_map() says
 * @scan_ret: owned by the caller
 *
 * Where the crashed kernel's facts do not suffice to read its memory map, the
 * walk still works, every page is PAGE_UNKNOWN, and scan_problem() says why.
 * Return: 0 or -ENOMEM.
 */
int scan_create(struct core *core, bool use_memory_map, struct scan **scan_ret);
void scan_destroy(struct scan *scan);

/** scan_problem() - NULL, or the sentence why pages could not be classified. Borrowed. */
const char *scan_problem(const struct scan *scan);

/**
 * scan_next() - The next window that holds at least one present page.
 * Return: 1 with *@win filled; 0 at the end. Never fails: what cannot be read is
 * PAGE_UNKNOWN.
 */
int scan_next(struct scan *scan, struct scan_window *win);

/** scan_rewind() - Start again at the first page. */
void scan_rewind(struct scan *scan);

/**
 * scan_seek() - Go on at the first present page at or after @pfn, forwards or backwards.
 *
 * Each page's class is then what a walk from the start says. A window ends at the next
 * multiple of SCAN_WINDOW_PAGES; so from the start of a window on, seeking and walking
 * yield the same windows. Costs at most a few reads of struct pages.
 */
void scan_seek(struct scan *scan, uint64_t pfn);

/** scan_max_pfn() - One past the highest pfn of any PT_LOAD. */
uint64_t scan_max_pfn(const struct scan *scan);

/** scan_present_pages() - Number of pages that some PT_LOAD holds, whole or in part. */
uint64_t scan_present_pages(const struct scan *scan);

#endif
