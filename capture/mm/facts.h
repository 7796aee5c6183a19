/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmcoreinfo says about struct page and where these are, checked. */
#ifndef CAPTURE_MM_FACTS_H
#define CAPTURE_MM_FACTS_H

#include <stdint.h>

#include "capture/core/core.h"
#include "capture/mm/page.h"

/**
 * struct mm_facts - One kernel's memory model.
 * @section_shift: log2 of the pages in a section; in FLATMEM more than any memory has
 * @flatmem: there is one array of struct page, that of the only node; else SPARSEMEM, which
 *	the rest describes
 * @node: address of the node's struct pglist_data
 * @nr_roots: entries of mem_section[]
 */
struct mm_facts {
	struct page_facts page;
	bool flatmem;
	uint64_t node, node_mem_map, node_start_pfn, node_spanned; /* address, offsets in it */
	uint64_t mem_section;
	uint64_t nr_roots;
	uint64_t section_size; /* sizeof(struct mem_section) */
	uint64_t section_map;  /* offset of section_mem_map in it */
	unsigned section_shift;
};

enum mm_fact_kind {
	MM_FACT_SIZE,	/* "page": sizeof(struct page), bytes */
	MM_FACT_OFFSET, /* "page.mapping", bytes */
	MM_FACT_LENGTH, /* "zone.free_area": elements of an array */
	MM_FACT_NUMBER, /* "PG_lru": a constant */
	MM_FACT_SYMBOL, /* "mem_section": an address */
};

/**
 * struct mm_fact_source - Where else a fact may be found that vmcoreinfo lacks: the crashed
 * kernel's kallsyms and BTF. Only what no memory map can be read without is asked for, and
 * what comes back is checked like the rest.
 * @find: Return: 0; -ENODATA.
 */
struct mm_fact_source {
	int (*find)(void *ctx, enum mm_fact_kind kind, const char *name, uint64_t *value_ret);
	void *ctx;
};

/**
 * mm_facts_load() - Fill *@facts_ret from the core's vmcoreinfo.
 * @more: asked for what vmcoreinfo lacks; may be NULL
 * @problem: on failure a sentence that says what is missing or wrong
 * @problem_len: its room
 *
 * Refuses what no kernel can mean: fields that overlap or do not fit, flags that share a bit,
 * page types that a page in use may seem to have. All pages are kept then.
 *
 * Return: 0; -ENODATA; -EBADMSG.
 */
int mm_facts_load(const struct core *core, const struct mm_fact_source *more,
		  struct mm_facts *facts_ret, char *problem, size_t problem_len);

#endif
