/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmcoreinfo says about struct page and the section table, checked. */
#ifndef CAPTURE_MM_FACTS_H
#define CAPTURE_MM_FACTS_H

#include <stdint.h>

#include "capture/core/core.h"
#include "capture/mm/page.h"

/**
 * struct mm_facts - One kernel's memory model.
 * @section_shift: log2 of the pages in a section
 * @nr_roots: entries of mem_section[]
 */
struct mm_facts {
	struct page_facts page;
	uint64_t mem_section;
	uint64_t nr_roots;
	uint64_t section_size; /* sizeof(struct mem_section) */
	uint64_t section_map;  /* offset of section_mem_map in it */
	unsigned section_shift;
};

/**
 * mm_facts_load() - Fill *@facts_ret from the core's vmcoreinfo.
 * @problem: on failure a sentence that says what is missing or wrong
 * @problem_len: its room
 *
 * Return: 0; -ENODATA; -EBADMSG.
 */
int mm_facts_load(const struct core *core, struct mm_facts *facts_ret, char *problem,
		  size_t problem_len);

#endif
