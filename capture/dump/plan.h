/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which pages a kdump-compressed dump holds, and the order in which they go out.
 *
 * All pages are classified once (plan_scan()); the bitmap of what is kept goes to the
 * dump itself, window by window, and comes back from there when it is needed again. What
 * stays in memory is bounded: the number of kept pages before every so many windows, a
 * bit for every so many pages that says "slab is here", and some windows of the bitmap.
 *
 * Then pages go out (plan_fill()): what a reader needs most, tier by tier
 * (capture/mm/vital.h), the neighbourhood of slab pages, the rest.
 */
#ifndef CAPTURE_DUMP_PLAN_H
#define CAPTURE_DUMP_PLAN_H

#include "capture/dump/dump_private.h"

#define PLAN_WINDOW_PAGES SCAN_WINDOW_PAGES
#define PLAN_WINDOW_BYTES (PLAN_WINDOW_PAGES / 8)

struct plan;

/** plan_emit_fn - Takes the bits of the pages from @pfn, a multiple of PLAN_WINDOW_PAGES, on
 * that are kept: PLAN_WINDOW_BYTES. NULL: called for the time's sake only. */
typedef int plan_emit_fn(void *ctx, uint64_t pfn, const uint8_t *kept);

/** plan_create() - Return: 0; -ENOMEM. Fills the job's max_pfn and present_pages. */
int plan_create(struct dump_job *job, struct plan **plan_ret);
void plan_destroy(struct plan *p);

/**
 * plan_scan() - Classify all pages.
 * @emit: called by ascending pfn for each window that holds a kept page, and once in a
 *	while with NULL
 * Return: 0; what @emit returned. Counts in the job's stats.
 */
int plan_scan(struct plan *p, plan_emit_fn *emit, void *ctx);

/** plan_read_back() - Where the bitmap can be read again; without this, or where it cannot
 * be read, windows are classified a second time. @sink is borrowed. */
void plan_read_back(struct plan *p, const struct dump_sink *sink, uint64_t offset);

/** plan_kept() - How many pages the dump will hold. */
uint64_t plan_kept(const struct plan *p);

/** plan_pfn() - The pfn of the kept page that has @rank kept ones before it; max_pfn where
 * there are no more. */
uint64_t plan_pfn(struct plan *p, uint64_t rank);

/** plan_rank() - How many kept pages there are before @pfn. */
uint64_t plan_rank(struct plan *p, uint64_t pfn);

/** plan_start() - Begin with the pages from @start_pfn up to @end_pfn. */
void plan_start(struct plan *p, uint64_t start_pfn, uint64_t end_pfn);

/** plan_fill() - Put the next pages into an empty batch. None: that was all. */
void plan_fill(struct plan *p, struct batch *b);

#endif
