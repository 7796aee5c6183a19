/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds x86_64 cores with a memory map that is written as text:
 *
 *	mm_builder_init(&m, mm_kernel_6_12);
 *	mm_builder_text(&m, "ram 8000-bfff;"
 *			    "8000-87ff free=10;"
 *			    "8800 lru private;"
 *			    "9000-97ff folio=9 lru anon");
 *	fd = mm_builder_finish(&m);
 *
 * A line gives the struct pages of one pfn, or of a range of them (hexadecimal, the last one
 * included), words that say what each holds: the flags "lru private swapcache swapbacked slab
 * hwpoison head"; "anon" and "tail" set their bits in mapping and compound_head;
 * "type=buddy", slab, hugetlb, offline or unaccepted; "order=N" is page.private; "compound=N"
 * and "hugetlb" are what the second page of a compound page holds in that kernel;
 * "mapcount=N", "mapping=N", "flags=N" raw. The rest is as of a page in use by the kernel.
 *
 * As the first word, "folio=N" makes each 2^N pages of the range a compound page, whose head
 * the other words describe ("hugetlb" whichever way the kernel says it), and "free=N" a block
 * of the buddy allocator.
 *
 * A page that is never mentioned is all zero, if another in its page of memory is; else its
 * struct page is not mapped, or, where no page of its section is mentioned, its section is
 * not present.
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

/** mm_kernel_with() - @vmcoreinfo with another value of @key, or without it where @value is
 * NULL. Lasts for four calls. */
const char *mm_kernel_with(const char *vmcoreinfo, const char *key, const char *value);

/* The low 4 MiB of RAM, where page tables, section table and struct pages are put; the
 * first 2 MiB of it are in the direct map, at 0xffff888000000000. */
#define MM_BUILDER_LOW_BYTES 0x400000

#define MM_BUILDER_SECTION_PAGES 32768ull
#define MM_BUILDER_ROOTS	 0x100000ull /* paddr of mem_section[], pointers to 256 sections each */

/**
 * struct mm_machine - What is unlike the usual machine; all zero for that.
 * @levels: of page tables, 4 or 5
 * @table: how the section table is laid out. A static one has 256 sections.
 * @no_vmemmap: each section's struct pages are somewhere else
 * @low_bytes: more low RAM than MM_BUILDER_LOW_BYTES, for more struct pages
 */
struct mm_machine {
	unsigned levels;
	enum {
		MM_TABLE_EXTREME,
		MM_TABLE_EXTREME_PTR,
		MM_TABLE_STATIC
	} table;
	bool no_vmemmap;
	uint64_t low_bytes;
};

struct mm_builder {
	struct core_builder core;
	struct page_facts facts;
	struct mm_machine machine;
	uint64_t next_table;	/* free, for page tables */
	uint64_t next_sections; /* free, for pages of sections */
	uint64_t next_page;	/* free, for struct pages */
	uint64_t known_section; /* the last one added, and 1 */
	uint64_t last_vaddr;	/* the last page of struct pages written, virtual and ... */
	uint64_t last_paddr;	/* ... physical */
};

void mm_builder_init(struct mm_builder *m, const char *vmcoreinfo);
void mm_builder_init_machine(struct mm_builder *m, const char *vmcoreinfo,
			     const struct mm_machine *machine);

/** mm_builder_text() - Add RAM and struct pages; lines end with a newline or a semicolon. */
void mm_builder_text(struct mm_builder *m, const char *text);

/** mm_builder_page() - Write the struct page of @pfn, and its section if it is new. */
void mm_builder_page(struct mm_builder *m, uint64_t pfn, const char *words);

/** mm_builder_large_section() - Map the struct pages of a whole section, all zero so far, by
 * one 2 MiB page. */
void mm_builder_large_section(struct mm_builder *m, uint64_t section);

/** mm_builder_same_section() - Map the struct pages of a section to those of another one that
 * mm_builder_large_section() has made. */
void mm_builder_same_section(struct mm_builder *m, uint64_t section, uint64_t as);

/** mm_builder_share_page() - Map the page of memory that holds @pfn's struct page to that of
 * @as, as hugetlb's optimised vmemmap has it. */
void mm_builder_share_page(struct mm_builder *m, uint64_t pfn, uint64_t as);

/** mm_builder_section() - Write a section_mem_map as it stands. */
void mm_builder_section(struct mm_builder *m, uint64_t section, uint64_t value);

/** mm_builder_map() - Map a page of 4 KiB (@level 1), 2 MiB (2) or 1 GiB (3). */
void mm_builder_map(struct mm_builder *m, unsigned level, uint64_t vaddr, uint64_t paddr);

/** mm_builder_corrupt_entry() - Overwrite what leads to @pfn's struct page: the entry of a
 * page table of @level. */
void mm_builder_corrupt_entry(struct mm_builder *m, unsigned level, uint64_t pfn, uint64_t value);

/** mm_builder_page_vaddr() - Virtual address of @pfn's struct page. */
uint64_t mm_builder_page_vaddr(const struct mm_builder *m, uint64_t pfn);

/** mm_builder_get64() - Read low RAM. */
uint64_t mm_builder_get64(struct mm_builder *m, uint64_t paddr);

int mm_builder_finish(struct mm_builder *m);

/** mm_text_page() - Write a struct page, of f->size bytes. */
void mm_text_page(const struct page_facts *f, const char *text, uint8_t *page);

/** mm_text_facts() - The facts that mm_facts_load() makes of a vmcoreinfo; aborts where it
 * refuses. */
void mm_text_facts(const char *vmcoreinfo, struct mm_facts *facts_ret);

#endif
