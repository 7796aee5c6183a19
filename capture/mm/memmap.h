/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finds and reads the array of struct page: SPARSEMEM's section table
 * (mem_section), with and without SPARSEMEM_EXTREME and with or without vmemmap; and
 * FLATMEM's single array. Kernel: include/linux/mmzone.h, mm/sparse.c, mm/page_alloc.c.
 */
#ifndef CAPTURE_MM_MEMMAP_H
#define CAPTURE_MM_MEMMAP_H

#include <stdint.h>

#include "capture/core/core.h"
#include "capture/mm/facts.h"

#define MEMMAP_RUN_BYTES (64u * 1024) /* struct pages that are read at once */

struct memmap;

/**
 * struct memmap_run - Consecutive struct pages.
 * @pages: @have of them, borrowed until the next call; NULL where they cannot be read
 * @nr: pfns that this run speaks for, at least 1
 * @have: @nr, or @nr + 1 where the page after the run could be read as well
 */
struct memmap_run {
	const uint8_t *pages;
	uint64_t nr;
	uint64_t have;
};

/**
 * memmap_create() - Find the section table, or the single array.
 * @core: borrowed; core_setup_vaddr() has succeeded
 * @facts: borrowed
 * @map_ret: owned by the caller
 *
 * Return: 0; -ENOMEM; -ENODATA no section of the core's memory leads to a readable
 * struct page.
 */
int memmap_create(struct core *core, const struct mm_facts *facts, struct memmap **map_ret);
void memmap_destroy(struct memmap *map);

/** memmap_read() - The struct pages from @pfn on, at most @max (at least 1) of them. */
void memmap_read(struct memmap *map, uint64_t pfn, uint64_t max, struct memmap_run *run_ret);

#endif
