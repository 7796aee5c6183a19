// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "capture/mm/page_run.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/mm_builder.h"
#include "tests/unit/test.h"

struct classify_case {
	uint64_t pfn;
	const char *page;
	const char *next; /* NULL: there is none */
	enum page_class class;
	uint32_t nr;
};

static void check_cases(const char *kernel, const struct classify_case *c, size_t nr)
{
	struct mm_facts facts;

	mm_text_facts(kernel, &facts);
	for (; nr; nr--, c++) {
		uint8_t page[64], next[64];
		struct page_verdict v;

		mm_text_page(&facts.page, c->page, page);
		if (c->next)
			mm_text_page(&facts.page, c->next, next);
		v = page_classify(&facts.page, c->pfn, page, c->next ? next : NULL);
		if (v.class != c->class || v.nr != c->nr)
			test_fail(__FILE__, __LINE__,
				  "%.21s: pfn 0x%" PRIx64 " \"%s\" is %s, %u pages; want %s, %u",
				  kernel, c->pfn, c->page, page_class_name(v.class), v.nr,
				  page_class_name(c->class), c->nr);
	}
}

/* The same in all kernels. */
static const struct classify_case common_cases[] = {
	{ 8, "", "", PAGE_KEPT, 1 },
	{ 8, "lru", "", PAGE_CACHE, 1 },
	{ 8, "lru", NULL, PAGE_CACHE, 1 },
	{ 8, "lru private", "", PAGE_CACHE_PRIVATE, 1 },
	{ 8, "private", "", PAGE_KEPT, 1 },
	{ 8, "swapcache swapbacked", "", PAGE_CACHE, 1 },
	{ 8, "swapcache", "", PAGE_KEPT, 1 }, /* the bit means something else then */
	{ 8, "lru anon", "", PAGE_USER, 1 },
	{ 8, "anon", "", PAGE_USER, 1 },
	{ 8, "lru anon private", "", PAGE_USER, 1 },
	{ 8, "swapcache swapbacked anon", "", PAGE_USER, 1 },
	/* page.mapping: KSM, movable, a file's or a device's; mapped by others or not */
	{ 8, "lru mapping=0xffff888003000003", "", PAGE_USER, 1 },
	{ 8, "mapping=0xffff888003000002", "", PAGE_KEPT, 1 },
	{ 8, "mapping=0xffff888003000000", "", PAGE_KEPT, 1 },
	{ 8, "lru mapping=0xffff888003000000 mapcount=7", "", PAGE_CACHE, 1 },
	{ 8, "anon mapcount=0", "", PAGE_USER, 1 },
	/* on the way to an LRU list */
	{ 512, "anon head", "compound=9 tail", PAGE_USER, 512 },
	{ 512, "head mapping=0xffff888003000000", "compound=9 tail", PAGE_KEPT, 1 },
	/* compound pages */
	{ 512, "lru anon head", "compound=9 tail", PAGE_USER, 512 },
	{ 512, "lru head", "compound=2 tail", PAGE_CACHE, 4 },
	{ 512, "lru head", NULL, PAGE_CACHE, 1 },
	{ 514, "lru head", "compound=2 tail", PAGE_CACHE, 1 }, /* misaligned */
	{ 0x80000, "lru head", "compound=19 tail", PAGE_CACHE, 1 },
	{ 0, "lru head", "compound=255 tail", PAGE_CACHE, 1 },
	{ 512, "head", "compound=9 tail", PAGE_KEPT, 1 },
	{ 9, "tail", "", PAGE_KEPT, 1 },
	{ 9, "tail lru anon", "", PAGE_KEPT, 1 },
	/* free pages */
	{ 8, "type=buddy order=3", "", PAGE_FREE, 8 },
	{ 0x400, "type=buddy order=10", "", PAGE_FREE, 1024 },
	{ 0x800, "type=buddy order=11", "", PAGE_UNKNOWN, 1 },
	{ 0, "type=buddy order=0xffffffffffffffff", "", PAGE_UNKNOWN, 1 },
	{ 9, "type=buddy order=3", "", PAGE_UNKNOWN, 1 },
	/* bad and offline memory */
	{ 8, "hwpoison", "", PAGE_HWPOISON, 1 },
	{ 8, "hwpoison lru", "", PAGE_HWPOISON, 1 },
	{ 9, "hwpoison tail", "", PAGE_HWPOISON, 1 },
	{ 8, "hwpoison type=buddy order=3", "", PAGE_HWPOISON, 8 },
	{ 512, "hwpoison lru anon head", "compound=9 tail", PAGE_HWPOISON, 512 },
	{ 8, "type=offline", "", PAGE_OFFLINE, 1 },
};

TEST(classify, common_to_all_kernels)
{
	static const char *const kernels[] = { mm_kernel_5_10, mm_kernel_6_1, mm_kernel_6_6,
					       mm_kernel_6_12, mm_kernel_7_1 };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++)
		check_cases(kernels[i], common_cases, ARRAY_SIZE(common_cases));
}

TEST(classify, slab_flag_up_to_6_9)
{
	static const struct classify_case cases[] = {
		{ 8, "slab anon", "", PAGE_SLAB, 1 },
		{ 8, "slab type=buddy", "", PAGE_SLAB, 1 },
		{ 8, "slab type=offline", "", PAGE_SLAB, 1 },
		{ 8, "slab mapcount=-129 order=3", "", PAGE_SLAB, 1 },
		{ 8, "mapcount=-130 order=3", "", PAGE_KEPT, 1 },
	};

	check_cases(mm_kernel_5_10, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_6_1, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_6_6, cases, ARRAY_SIZE(cases));
}

TEST(classify, slab_type_from_6_10)
{
	static const struct classify_case cases[] = {
		{ 8, "type=slab anon", "", PAGE_SLAB, 1 },
		{ 512, "type=slab head anon", "compound=3 tail", PAGE_SLAB, 1 },
		/* what is below the topmost byte does not matter */
		{ 8, "mapcount=0xf5001234 anon", "", PAGE_SLAB, 1 },
		{ 8, "mapcount=0xf0001234 order=3", "", PAGE_FREE, 8 },
	};

	check_cases(mm_kernel_6_12, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_7_1, cases, ARRAY_SIZE(cases));
}

TEST(classify, hugetlb_in_the_second_page)
{
	static const struct classify_case cases[] = {
		{ 512, "head", "hugetlb compound=9 tail", PAGE_USER, 512 },
		{ 0x40000, "head", "hugetlb compound=18 tail", PAGE_USER, 0x40000 },
		{ 512, "head", "compound=9 tail", PAGE_KEPT, 1 },
		{ 512, "", "hugetlb compound=9 tail", PAGE_KEPT, 1 },
	};

	check_cases(mm_kernel_5_10, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_6_1, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_6_6, cases, ARRAY_SIZE(cases));
}

TEST(classify, hugetlb_as_a_page_type)
{
	static const struct classify_case cases[] = {
		{ 512, "head type=hugetlb", "compound=9 tail", PAGE_USER, 512 },
		{ 512, "head type=hugetlb hwpoison", "compound=9 tail", PAGE_HWPOISON, 512 },
		{ 512, "type=hugetlb", "", PAGE_KEPT, 1 },
	};

	check_cases(mm_kernel_6_12, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_7_1, cases, ARRAY_SIZE(cases));
}

TEST(classify, unaccepted)
{
	static const struct classify_case cases[] = {
		{ 0x400, "type=unaccepted", "", PAGE_FREE, 1024 },
		{ 0x401, "type=unaccepted", "", PAGE_UNKNOWN, 1 },
	};
	static const struct classify_case unknown[] = {
		{ 0x400, "mapcount=-150994944", "", PAGE_KEPT, 1 },
	};

	check_cases(mm_kernel_7_1, cases, ARRAY_SIZE(cases));
	check_cases(mm_kernel_6_12, unknown, ARRAY_SIZE(unknown));
}

TEST(classify, rest_of_a_bad_free_block_is_free)
{
	struct page_verdict v;
	struct mm_facts facts;
	uint8_t page[64];

	mm_text_facts(mm_kernel_6_12, &facts);
	mm_text_page(&facts.page, "hwpoison type=buddy order=3", page);
	v = page_classify(&facts.page, 8, page, NULL);
	CHECK_EQ(v.class, PAGE_HWPOISON);
	CHECK_EQ(v.rest, PAGE_FREE);
	CHECK_EQ(v.nr, 8);
}

/* The same struct page in the other byte order. */
static void swap_page(const struct page_facts *f, const uint8_t *from, uint8_t *to)
{
	const uint32_t words[] = { f->off_flags, f->off_mapping, f->off_private,
				   f->off_compound_head };

	memcpy(to, from, f->size);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		put_be64(to + words[i], get_le64(from + words[i]));
	put_be32(to + f->off_mapcount, get_le32(from + f->off_mapcount));
}

/* The short cut for plain pages exists for one byte order: all must be as without it. */
TEST(classify, short_cut_changes_nothing)
{
	static const char *const words[] = {
		"",
		"lru",
		"lru private",
		"anon",
		"lru anon",
		"tail",
		"tail",
		"tail",
		"tail private",
		"tail hwpoison",
		"hwpoison",
		"head",
		"swapcache",
		"swapcache swapbacked",
		"private",
		"mapcount=0",
		"mapcount=5 lru",
		"mapcount=-2 lru",
		"type=buddy",
		"type=offline",
		"type=slab",
		"type=slab head",
		"mapcount=0x7fffffff anon",
		"flags=0xffffffffffffffff",
		"mapcount=-2147483648",
		"type=hugetlb",
		"type=buddy order=2",
		"compound=1 tail",
	};
	enum {
		NR = 4096,
		PAGE = 64
	};
	uint8_t *little = malloc(NR * PAGE), *big = malloc(NR * PAGE), class[2][NR];
	struct page_walk walk[2] = { { 0 } };
	struct mm_facts facts;
	struct page_facts swapped;
	uint32_t random = 1;

	mm_text_facts(mm_kernel_6_12, &facts);
	swapped = facts.page;
	swapped.big_endian = true;
	for (unsigned i = 0; i < NR; i++) {
		random = random * 1103515245 + 12345;
		mm_text_page(&facts.page, words[(random >> 16) % ARRAY_SIZE(words)],
			     little + i * PAGE);
		swap_page(&facts.page, little + i * PAGE, big + i * PAGE);
	}
	for (unsigned at = 0; at < NR;) { /* runs of 1 to 128 pages */
		unsigned nr;

		random = random * 1103515245 + 12345;
		nr = MIN((random >> 16) % 128 + 1, NR - at);
		if (at < walk[0].extent_end) {
			nr = MIN(nr, (unsigned)walk[0].extent_end - at);
			memset(class[0] + at, 0, nr);
			memset(class[1] + at, 0, nr);
		} else {
			page_run_classify(&facts.page, &walk[0],
					  &(struct page_run){ at, little + at * PAGE, nr, nr },
					  class[0] + at);
			page_run_classify(&swapped, &walk[1],
					  &(struct page_run){ at, big + at * PAGE, nr, nr },
					  class[1] + at);
		}
		at += nr;
	}
	for (unsigned i = 0; i < NR; i++)
		CHECK_EQ(class[0][i], class[1][i]);
	CHECK(!memcmp(&walk[0], &walk[1], sizeof(walk[0])));
	CHECK(memchr(class[0], PAGE_SLAB, NR) && memchr(class[0], PAGE_CACHE_PRIVATE, NR));
	free(little);
	free(big);
}

TEST(classify, dump_levels)
{
	/* makedumpfile(8): which of levels 0, 1, 2, 4, 8, 16 drop a class. */
	static const unsigned levels[] = { 0, 1, 2, 4, 8, 16 };
	static const struct {
		enum page_class class;
		const char *dropped;
	} cases[] = {
		{ PAGE_KEPT, "......" },	  { PAGE_UNKNOWN, "......" },
		{ PAGE_SLAB, "......" },	  { PAGE_CACHE, "..xx.." },
		{ PAGE_CACHE_PRIVATE, "...x.." }, { PAGE_USER, "....x." },
		{ PAGE_FREE, ".....x" },	  { PAGE_HWPOISON, "xxxxxx" },
		{ PAGE_OFFLINE, "xxxxxx" },	  { PAGE_ABSENT, "xxxxxx" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char got[ARRAY_SIZE(levels) + 1] = "";

		for (size_t k = 0; k < ARRAY_SIZE(levels); k++)
			got[k] = page_class_dropped(cases[i].class, levels[k]) ? 'x' : '.';
		CHECK_STR(got, cases[i].dropped);
	}
}
