/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges many struct pages one after the other: page_classify() for each that no page before
 * has spoken for, with a short cut for the commonest ones. Pure.
 */
#ifndef CAPTURE_MM_PAGE_RUN_H
#define CAPTURE_MM_PAGE_RUN_H

#include <stdint.h>

#include "capture/mm/page.h"

/* No slab is larger than a block of the buddy allocator (kernel mm/slub.c: slub_max_order)
 * and each is aligned to its size: which one a tail belongs to is decided within as many
 * pages, aligned. */
#define PAGE_SLAB_MAX 1024u

/**
 * struct page_walk - What the pages so far say of those that follow.
 * @extent_class, @extent_end: the class of pages before pfn @extent_end
 * @extent_nr: how many pages the last head spoke for
 * @slab_end: the last page that was asked and is no tail is a slab's; tails before this pfn
 *	belong to it
 *
 * All zero where a walk begins.
 */
struct page_walk {
	enum page_class extent_class;
	uint64_t extent_end;
	uint32_t extent_nr;
	uint64_t slab_end;
};

/** struct page_run - @nr struct pages, of pfn @pfn on; @have of them can be read, @nr or one
 * more. */
struct page_run {
	uint64_t pfn;
	const uint8_t *pages;
	uint64_t nr;
	uint64_t have;
};

/**
 * page_run_classify() - Fill in the class of each page of @run.
 * @walk: carried from one run to the next. Its extent is not asked for: @run->pfn is not
 *	within it.
 * @class: @run->nr bytes, enum page_class
 */
void page_run_classify(const struct page_facts *f, struct page_walk *walk,
		       const struct page_run *run, uint8_t *class);

#endif
