/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one struct page says. Pure: bytes in, verdict out.
 *
 * The order of the questions, and so the meaning of each class, is that of
 * makedumpfile(8)'s -d; see page_classify().
 */
#ifndef CAPTURE_MM_PAGE_H
#define CAPTURE_MM_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/mm/scan.h"

/* The largest extent that is believed: a 1 GiB huge page of 4 KiB pages, a 16 GiB one of
 * 64 KiB pages. Anything larger is taken for corruption. */
#define PAGE_MAX_ORDER 18u

/** struct page_type - A value of page._mapcount, as a number below -1, that tells what the
 * page is; mask 0 and value 1 (never equal) where the kernel has no such type. */
struct page_type {
	uint32_t mask;
	uint32_t value;
};

/* Where the kernel says that a compound page is hugetlb. */
enum page_hugetlb {
	PAGE_HUGETLB_NONE, /* nowhere: such pages are kept */
	PAGE_HUGETLB_DTOR, /* compound_dtor in the second page */
	PAGE_HUGETLB_FLAG, /* PG_hugetlb in the second page's flags */
	PAGE_HUGETLB_TYPE, /* the head's page type */
};

/* Where the order of a compound page is. */
enum page_order {
	PAGE_ORDER_NONE,
	PAGE_ORDER_BYTE,  /* a byte of its own in the second page */
	PAGE_ORDER_FLAGS, /* the low byte of the second page's flags */
};

/**
 * struct page_facts - Layout of struct page and meaning of its bits in one kernel.
 *
 * Offsets are in bytes and, with the size of what is there, within @size. A mask of 0
 * means that the kernel has no such flag.
 */
struct page_facts {
	uint32_t size;
	uint8_t word; /* sizeof(unsigned long): 4 or 8 */
	bool big_endian;

	uint32_t off_flags;
	uint32_t off_mapping;
	uint32_t off_mapcount;
	uint32_t off_private;
	uint32_t off_compound_head;
	uint32_t off_order; /* in the second page, where @order is PAGE_ORDER_BYTE */
	uint32_t off_dtor;  /* in the second page, where @hugetlb is PAGE_HUGETLB_DTOR */

	uint64_t lru;
	uint64_t private;
	uint64_t swapcache;
	uint64_t swapbacked;
	uint64_t slab;
	uint64_t hwpoison;
	uint64_t head;
	uint64_t hugetlb_flag;

	struct page_type type_buddy;
	struct page_type type_slab;
	struct page_type type_hugetlb;
	struct page_type type_offline;
	struct page_type type_unaccepted;

	enum page_hugetlb hugetlb;
	enum page_order order;
	uint8_t hugetlb_dtor;
	uint32_t free_orders; /* the buddy allocator's orders, 0 to free_orders - 1 */
};

/**
 * struct page_verdict - What a page is.
 * @class: of the page itself
 * @rest: of the other pages that it speaks for
 * @nr: how many pages, the page itself included; the following @nr - 1 are not to be
 *	asked. Always 1 where nothing is known for certain.
 * @tail: it is a tail of a compound page whose head did not speak for it: part of a slab
 *	where the last page before it that is no tail is one
 */
struct page_verdict {
	enum page_class class;
	enum page_class rest;
	uint32_t nr;
	bool tail;
};

/**
 * page_classify() - Judge one page.
 * @page: its struct page, f->size bytes
 * @next: the struct page after it, NULL where there is none
 *
 * First match wins: compound tail → kept (a droppable head has spoken for it); buddy;
 * unaccepted; LRU or swap cache, not anonymous; anonymous or hugetlb; offline. Bad
 * memory (hwpoison) is asked for before, since it is left out at every level that looks
 * at the memory map; it is so in a tail as well, which makedumpfile would read where the
 * head is kept. makedumpfile asks in the same order, but only the questions that its
 * level needs; on what a kernel can have in memory that comes to the same.
 */
struct page_verdict page_classify(const struct page_facts *f, uint64_t pfn, const uint8_t *page,
				  const uint8_t *next);

#endif
