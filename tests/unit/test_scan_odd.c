// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines that are not as most are, and memory maps that a crash has damaged. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/util.h"
#include "tests/unit/scan_walk.h"
#include "tests/unit/test.h"

#define TIB (1ull << (40 - 12)) /* pages */

static struct scan_walk *walk_text(const char *kernel, const char *text)
{
	struct mm_builder m;

	mm_builder_init(&m, kernel);
	mm_builder_text(&m, text);
	return scan_walk_start(mm_builder_finish(&m), true);
}

/* Two nodes with a hole in each, memory that is hotplugged far above them, and a section
 * that has RAM but no memory map (yet). */
TEST(scan_odd, nodes_with_holes)
{
	struct scan_walk *w =
		walk_text(mm_kernel_6_12, "ram 8000-803f; ram 8080-80bf;"
					  "ram 18000-1803f; ram 18100-1810f;"
					  "ram 4000000-400003f; ram 30000-3000f;"
					  "8000-803f lru; 8080-80bf anon;"
					  "18000-1803f lru private; 18100-1810f free=4;"
					  "4000000-400003f free=6");

	CHECK(!scan_problem(w->scan));
	CHECK_STR(scan_walk_classes(w, 0x803e, 4), "cc__");
	CHECK_STR(scan_walk_classes(w, 0x807f, 4), "_uuu");
	CHECK_STR(scan_walk_classes(w, 0x80be, 4), "uu__");
	CHECK_STR(scan_walk_classes(w, 0x1803e, 4), "pp__");
	CHECK_STR(scan_walk_classes(w, 0x18100, 18), "ffffffffffffffff__");
	CHECK_STR(scan_walk_classes(w, 0x3fffffe, 4), "__ff");
	CHECK_STR(scan_walk_classes(w, 0x2ffff, 3), "_??");
	scan_walk_end(w);
}

TEST(scan_odd, memory_of_100_tib)
{
	static const struct mm_machine machines[] = { { 0 }, { .levels = 5, .no_vmemmap = true } };

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init_machine(&m, mm_kernel_7_1, &machines[i]);
		mm_builder_text(&m, "ram 640000000-64000001f;" /* at 100 TiB */
				    "640000000-64000000f free=4; 640000010 lru;"
				    "640000012-640000013 folio=1 lru anon; 640000014 type=slab");
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK(!scan_problem(w->scan));
		CHECK_EQ(scan_max_pfn(w->scan), 100 * TIB + 0x20);
		CHECK_STR(scan_walk_classes(w, 100 * TIB - 1, 34),
			  "_ffffffffffffffffckuuskkkkkkkkkkk_");
		CHECK_STR(scan_walk_from(w, 100 * TIB + 0xf, 4), "fcku");
		scan_walk_end(w);
	}
}

/* The array of struct pages need not be a power of two apart, nor in one piece. */
TEST(scan_odd, struct_pages_across_pages_of_memory)
{
	static const char *const sizes[] = { "72", "80", "96" };
	static const struct mm_machine machines[] = { { 0 }, { .no_vmemmap = true } };

	for (size_t i = 0; i < ARRAY_SIZE(sizes) * 2; i++) {
		const char *kernel = mm_kernel_with(mm_kernel_6_1, "SIZE(page)", sizes[i / 2]);
		struct mm_builder m;
		struct scan_walk *w;
		char text[256];

		mm_builder_init_machine(&m, kernel, &machines[i % 2]);
		snprintf(text, sizeof(text), "%s",
			 "ram 8000-bfff; 8000-803f folio=2 lru; 8040-8047 free=3;"
			 "8048-8080 lru anon; 8081-8100 lru private; bfff anon");
		mm_builder_text(&m, text);
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x8000, 0x40), "cccccccccccccccccccccccccccccccc"
							      "cccccccccccccccccccccccccccccccc");
		CHECK_STR(scan_walk_classes(w, 0x8040, 10), "ffffffffuu");
		CHECK_STR(scan_walk_classes(w, 0x807f, 4), "uupp");
		CHECK_STR(scan_walk_from(w, 0x80ff, 2), "pp");
		CHECK_STR(scan_walk_classes(w, 0xbfff, 2), "u_");
		CHECK_STR(scan_walk_classes(w, 0x9000, 2), "??");
		scan_walk_end(w);
	}
}

/* CONFIG_HUGETLB_PAGE_OPTIMIZE_VMEMMAP: all pages of memory with the struct pages of a huge
 * page are one and the same, so that each 64th seems to be a head (f41f2ed43ca5, 5.14). */
TEST(scan_odd, hugetlb_with_an_optimised_vmemmap)
{
	static const char *const kernels[] = { mm_kernel_6_1, mm_kernel_6_6, mm_kernel_6_12 };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, kernels[i]);
		mm_builder_text(&m, "ram 8000-87ff; 8000-87ff lru; 8200-83ff folio=9 hugetlb");
		for (unsigned page = 1; page < 8; page++)
			mm_builder_share_page(&m, 0x8200 + page * 64, 0x8200);
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x81ff, 4), "cuuu");
		CHECK_STR(scan_walk_classes(w, 0x823f, 4), "uuuu");
		CHECK_STR(scan_walk_classes(w, 0x83fe, 4), "uucc");
		CHECK_STR(scan_walk_from(w, 0x8240, 4), "uuuu");
		scan_walk_end(w);
	}
}

/* What is wrong costs the pages that it describes their class, and no others. */
TEST(scan_odd, corrupt_section_table)
{
	static const uint64_t bad[] = {
		0,		    /* absent */
		1,		    /* present, no memory map */
		2,		    /* a memory map, not present */
		3,		    /* at no address */
		0x0000800000000003, /* not canonical */
		0xffffc0000000000f, /* not mapped */
		0xfffffffffffff00f, /* wraps */
		0xffffeaffffff000f, /* not mapped */
		0xffffffffffffffff,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, mm_kernel_6_12);
		mm_builder_text(&m, "ram 8000-1ffff; 8000-8007 lru; 17ff8-17fff lru;"
				    "18000-18007 lru");
		mm_builder_section(&m, 2, bad[i]);
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x8000, 8), "cccccccc");
		CHECK_STR(scan_walk_classes(w, 0x17ffc, 8), "????cccc");
		scan_walk_end(w);
	}
}

TEST(scan_odd, corrupt_root_of_the_section_table)
{
	static const uint64_t bad[] = {
		0, 1, 0xffffffffffffffff, 0x8000000000000000, 0xffff8880003ffff8, 0xffff888000200000
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, mm_kernel_6_12);
		/* sections 255 and 256: the last of one root, the first of the next one */
		mm_builder_text(&m, "ram 7fffc0-8000ff; 7ffff8-7fffff lru; 800000-800007 lru");
		core_builder_put64(&m.core, 0x100008, bad[i]);
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x7ffffc, 8), "cccc????");
		scan_walk_end(w);
	}
}

TEST(scan_odd, corrupt_page_tables)
{
	static const struct {
		unsigned level;
		uint64_t value;
		const char *want; /* pages 0x8038 to 0x8047; the entry is that of 0x8040 */
	} cases[] = {
		{ 1, 0, "cccccccc????????" },
		{ 1, 0xfffffffff003, "cccccccc????????" },
		{ 1, UINT64_MAX, "cccccccc????????" },
		{ 2, 0, "????????????????" },
		{ 2, 0x000ffffffffff063, "????????????????" },
		{ 2, 0x000ffffffffff0e3, "????????????????" },
		{ 3, UINT64_MAX, "????????????????" },
		{ 4, UINT64_MAX, "????????????????" }, /* no such large page */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, mm_kernel_6_12);
		/* at 64 GiB other tables lead to the struct pages: one probes well */
		mm_builder_text(&m, "ram 8000-8fff; ram 2000000000-200000000f;"
				    "8000-80ff lru; 2000000000-200000000f anon");
		mm_builder_corrupt_entry(&m, cases[i].level, 0x8040, cases[i].value);
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK(!scan_problem(w->scan) || cases[i].level == 4);
		CHECK_STR(scan_walk_classes(w, 0x8038, 16), cases[i].want);
		if (cases[i].level < 4)
			CHECK_STR(scan_walk_classes(w, 0x2000000000, 2), "uu");
		scan_walk_end(w);
	}
}

/* What cannot be translated is passed as far as the page tables say: a section is not asked
 * about 32768 times. */
TEST(scan_odd, how_much_is_not_mapped)
{
	static const struct {
		uint64_t vaddr, len;
		int err;
	} cases[] = {
		{ 0xffffea0000201000, 0x1000, -ENODATA },     /* beside a page */
		{ 0xffffea0000400123, 0x1ffedd, -ENODATA },   /* beside a table of pages */
		{ 0xffffea0040000000, 0x40000000, -ENODATA }, /* beside a table of 2 MiB pages */
		{ 0xfffff00000000000, 0x8000000000, -ENODATA },
		{ 0x0000ea0000200000, 1, -ENODATA }, /* not canonical */
		{ 0xffffea0000200040, 0xfc0, 0 },
	};
	struct scan_walk *w = walk_text(mm_kernel_6_12, "ram 8000-8000; 8000 lru");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t paddr, len = 0;

		CHECK_EQ(core_vaddr_to_range(w->core, cases[i].vaddr, &paddr, &len), cases[i].err);
		CHECK_EQ(len, cases[i].len);
	}
	scan_walk_end(w);
}

/* What a future kernel no longer says, or says in another way, must not be guessed. */
TEST(scan_odd, facts_of_a_future_kernel)
{
	static const struct {
		const char *kernel, *key, *value;
	} cases[] = {
		{ mm_kernel_7_1, "SIZE(page)", NULL },
		{ mm_kernel_7_1, "SIZE(page)", "0" },
		{ mm_kernel_7_1, "SIZE(page)", "16" },
		{ mm_kernel_7_1, "SIZE(page)", "68" },
		{ mm_kernel_7_1, "SIZE(page)", "4096" },
		{ mm_kernel_7_1, "SIZE(page)", "18446744073709551615" },
		{ mm_kernel_7_1, "OFFSET(page.flags)", NULL },
		{ mm_kernel_7_1, "OFFSET(page.mapping)", NULL },
		{ mm_kernel_7_1, "OFFSET(page.mapping)", "60" },
		{ mm_kernel_7_1, "OFFSET(page.mapping)", "4294967296" },
		{ mm_kernel_7_1, "OFFSET(page.mapping)", "0" }, /* over page.flags */
		{ mm_kernel_7_1, "OFFSET(page.mapping)", "25" },
		{ mm_kernel_7_1, "OFFSET(page._mapcount)", NULL },
		{ mm_kernel_7_1, "OFFSET(page._mapcount)", "44" }, /* over page.private */
		{ mm_kernel_7_1, "OFFSET(page.private)", NULL },
		{ mm_kernel_7_1, "OFFSET(page.compound_info)", NULL },
		{ mm_kernel_7_1, "OFFSET(page.compound_info)", "64" },
		{ mm_kernel_7_1, "LENGTH(zone.free_area)", NULL },
		{ mm_kernel_7_1, "LENGTH(zone.free_area)", "0" },
		{ mm_kernel_7_1, "NUMBER(PG_lru)", NULL },
		{ mm_kernel_7_1, "NUMBER(PG_lru)", "64" },
		{ mm_kernel_7_1, "NUMBER(PG_lru)", "-1" },
		{ mm_kernel_7_1, "NUMBER(PG_lru)", "14" }, /* PG_private */
		{ mm_kernel_7_1, "NUMBER(PG_private)", NULL },
		{ mm_kernel_7_1, "NUMBER(PG_swapcache)", NULL },
		{ mm_kernel_7_1, "NUMBER(PG_head_mask)", NULL },
		{ mm_kernel_7_1, "NUMBER(PG_head_mask)", "0" },
		{ mm_kernel_7_1, "NUMBER(PG_head_mask)", "96" },
		{ mm_kernel_7_1, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)", NULL },
		{ mm_kernel_7_1, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", NULL },
		/* what a page in use has in _mapcount */
		{ mm_kernel_7_1, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "-1" },
		{ mm_kernel_7_1, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "-16777216" },
		{ mm_kernel_7_1, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)", "0" },
		{ mm_kernel_7_1, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "-1" },
		{ mm_kernel_7_1, "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)", "1" },
		{ mm_kernel_7_1, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)", "-184549376" }, /* slab */
		{ mm_kernel_7_1, "SYMBOL(mem_section)", NULL },
		{ mm_kernel_7_1, "LENGTH(mem_section)", NULL },
		{ mm_kernel_7_1, "SIZE(mem_section)", NULL },
		{ mm_kernel_7_1, "SIZE(mem_section)", "4" },
		{ mm_kernel_7_1, "OFFSET(mem_section.section_mem_map)", NULL },
		{ mm_kernel_7_1, "NUMBER(SECTION_SIZE_BITS)", "19" },
		{ mm_kernel_7_1, "NUMBER(SECTION_SIZE_BITS)", "41" },
		{ mm_kernel_7_1, "NUMBER(SECTION_SIZE_BITS)", "0x" },
		{ mm_kernel_6_1, "NUMBER(PG_slab)", NULL },
		{ mm_kernel_6_1, "NUMBER(PG_slab)", "4" }, /* PG_lru */
		{ mm_kernel_6_1, "OFFSET(page.compound_order)", "64" },
		{ mm_kernel_6_1, "OFFSET(page.compound_dtor)", "4294967300" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_builder b;
		struct core *core;
		struct mm_facts facts;
		char problem[160] = "";

		core_builder_init(&b);
		core_builder_ram(&b, 0, 4096);
		core_builder_vmcoreinfo(
			&b, mm_kernel_with(cases[i].kernel, cases[i].key, cases[i].value));
		CHECK_EQ(core_open_fd(core_builder_finish(&b), "facts", &core), 0);
		if (!mm_facts_load(core, NULL, &facts, problem, sizeof(problem)) || !problem[0])
			test_fail(__FILE__, __LINE__, "%s=%s is believed", cases[i].key,
				  cases[i].value ? cases[i].value : "(absent)");
		core_close(core);
	}
}

static int find_mapping(void *ctx, enum mm_fact_kind kind, const char *name, uint64_t *value_ret)
{
	if (kind != MM_FACT_OFFSET || strcmp(name, "page.mapping"))
		return -ENODATA;
	*value_ret = *(uint64_t *)ctx;
	return 0;
}

TEST(scan_odd, facts_from_elsewhere)
{
	static const struct {
		uint64_t offset;
		int err;
	} cases[] = { { 24, 0 }, { 25, -EBADMSG } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t offset = cases[i].offset;
		const struct mm_fact_source more = { find_mapping, &offset };
		struct core_builder b;
		struct core *core;
		struct mm_facts facts;
		char problem[160];

		core_builder_init(&b);
		core_builder_ram(&b, 0, 4096);
		core_builder_vmcoreinfo(
			&b, mm_kernel_with(mm_kernel_6_12, "OFFSET(page.mapping)", NULL));
		CHECK_EQ(core_open_fd(core_builder_finish(&b), "facts", &core), 0);
		CHECK_EQ(mm_facts_load(core, &more, &facts, problem, sizeof(problem)),
			 cases[i].err);
		if (!cases[i].err)
			CHECK_EQ(facts.page.off_mapping, 24);
		core_close(core);
	}
}

#define NODE 0x1fe000ull /* paddr of the only node's struct pglist_data, in the direct map */

/* FLATMEM: the node says from which pfn on its array is, and how many pages it has. */
static struct scan_walk *walk_flat(uint64_t array, uint64_t start, uint64_t spanned)
{
	struct mm_builder m;
	char kernel[4096];

	snprintf(kernel, sizeof(kernel),
		 "%sSYMBOL(mem_map)=ffff8880001fd000\nSYMBOL(contig_page_data)=ffff8880001fe000\n"
		 "OFFSET(pglist_data.node_mem_map)=0\nOFFSET(pglist_data.node_start_pfn)=8\n"
		 "OFFSET(pglist_data.node_spanned_pages)=16\n",
		 mm_kernel_with(mm_kernel_6_1, "SYMBOL(mem_section)", NULL));
	mm_builder_init(&m, kernel);
	mm_builder_text(&m, "ram 8000-80ff; 8000-80ff lru; 8010-801f anon; 8040-807f free=6");
	core_builder_put64(&m.core, NODE, array ? array : mm_builder_page_vaddr(&m, start));
	core_builder_put64(&m.core, NODE + 8, start);
	core_builder_put64(&m.core, NODE + 16, spanned);
	return scan_walk_start(mm_builder_finish(&m), true);
}

TEST(scan_odd, flatmem)
{
	/* The array begins in the middle of memory and ends before it does. */
	struct scan_walk *w = walk_flat(0, 0x8008, 0xe8);

	CHECK(!scan_problem(w->scan));
	CHECK_STR(scan_walk_classes(w, 0x8006, 4), "??cc");
	CHECK_STR(scan_walk_classes(w, 0x800f, 18), "cuuuuuuuuuuuuuuuuc");
	CHECK_STR(scan_walk_classes(w, 0x807f, 3), "fcc");
	CHECK_STR(scan_walk_classes(w, 0x80ee, 4), "cc??");
	CHECK_STR(scan_walk_from(w, 0x80ef, 2), "c?");
	scan_walk_end(w);
}

/* What no node says: all is kept. */
TEST(scan_odd, flatmem_that_cannot_be)
{
	static const struct {
		uint64_t array, start, spanned;
	} cases[] = {
		{ 0xffff9000deadb000, 0x8008, 0xf8 }, /* not mapped */
		{ 0, 1ull << 60, 0xf8 },
		{ 0, 0x8008, UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scan_walk *w = walk_flat(cases[i].array, cases[i].start, cases[i].spanned);

		CHECK_STR(scan_problem(w->scan) ? scan_problem(w->scan) : "-",
			  "no struct page can be reached through contig_page_data");
		CHECK_STR(scan_walk_classes(w, 0x8000, 4), "????");
		scan_walk_end(w);
	}
}
