/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds x86_64 cores with a memory map, whose struct pages are written as text:
 *
 *	mm_builder_init(&m, mm_kernel_6_12);
 *	core_builder_ram(&m.core, 0x8000000, 0x10000);
 *	mm_builder_page(&m, 0x8000, "type=buddy order=2");
 *	mm_builder_page(&m, 0x8004, "lru anon");
 *	fd = mm_builder_finish(&m);
 *
 * Words of a page: the flags "lru private swapcache swapbacked slab hwpoison head";
 * "anon" and "tail" set their bits in mapping and compound_head; "type=buddy", slab,
 * hugetlb, offline or unaccepted; "order=N" is page.private; "compound=N" and "hugetlb" are what
 * the second page of a compound page holds in that kernel; "mapcount=N" raw. The rest is
 * as of a page in use by the kernel. A page that is never mentioned is all zero, if
 * another in its page of memory is; else it cannot be read.
 */
#ifndef TESTS_UNIT_MM_BUILDER_H
#define TESTS_UNIT_MM_BUILDER_H

#include "capture/mm/facts.h"
#include "tests/unit/core_builder.h"

/* What kernels say in vmcoreinfo, as far as the memory map needs it. */
extern const char mm_kernel_5_10[];
extern const char mm_kernel_6_1[];
extern const char mm_kernel_6_6[];
extern const char mm_kernel_6_12[];
extern const char mm_kernel_7_1[];

/* The low 4 MiB of RAM, where page tables, section table and struct pages are put; the
 * first 2 MiB of it are in the direct map, at 0xffff888000000000. */
#define MM_BUILDER_LOW_BYTES 0x400000

struct mm_builder {
	struct core_builder core;
	struct page_facts facts;
	uint64_t next_table; /* free, for page tables */
	uint64_t next_page;  /* free, for struct pages */
	uint64_t mapped[256]; /* virtual and ... */
	uint64_t backing[256]; /* ... physical addresses of the struct pages */
	size_t nr_mapped;
};

void mm_builder_init(struct mm_builder *m, const char *vmcoreinfo);

/** mm_builder_page() - Write the struct page of @pfn, and its section if it is new. */
void mm_builder_page(struct mm_builder *m, uint64_t pfn, const char *text);

int mm_builder_finish(struct mm_builder *m);

/** mm_text_page() - Write a struct page, of f->size bytes. */
void mm_text_page(const struct page_facts *f, const char *text, uint8_t *page);

/** mm_text_facts() - The facts that mm_facts_load() makes of a vmcoreinfo; aborts where it
 * refuses. */
void mm_text_facts(const char *vmcoreinfo, struct mm_facts *facts_ret);

#endif
