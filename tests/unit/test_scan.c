// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/mm/scan.h"
#include "lib/util.h"
#include "tests/unit/scan_walk.h"
#include "tests/unit/test.h"

#define LOW_PAGES (MM_BUILDER_LOW_BYTES / 4096)

TEST(scan, classifies_through_the_section_table)
{
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	mm_builder_text(&m, "ram 10000-1000f;" /* in section 2 */
			    "10000-10003 free=2; 10004 lru; 10005 lru private;"
			    "10006-10007 folio=1 lru anon; 10008 type=slab; 10009 type=offline");
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK(!scan_problem(w->scan));
	CHECK_EQ(scan_max_pfn(w->scan), 0x10010);
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 16);
	CHECK_STR(scan_walk_classes(w, 0xffff, 18), "_ffffcpuusokkkkkk_");
	CHECK_STR(scan_walk_classes(w, 0, 4), "????"); /* section 0 is not in the table */
	scan_walk_end(w);
}

TEST(scan, every_layout_of_the_table)
{
	static const struct mm_machine machines[] = {
		{ 0 },
		{ .table = MM_TABLE_EXTREME_PTR },
		{ .table = MM_TABLE_STATIC },
		{ .levels = 5 },
		{ .no_vmemmap = true },
		{ .levels = 5, .no_vmemmap = true, .table = MM_TABLE_STATIC },
		{ .no_vmemmap = true, .table = MM_TABLE_EXTREME_PTR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init_machine(&m, mm_kernel_6_1, &machines[i]);
		mm_builder_text(&m, "ram 8000-8001; 8000 lru; 8001 anon;"
				    "ram 17fff-18000; 17fff anon; 18000 lru private");
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK(!scan_problem(w->scan));
		CHECK_STR(scan_walk_classes(w, 0x8000, 2), "cu");
		CHECK_STR(scan_walk_classes(w, 0x17ffe, 4), "_up_");
		scan_walk_end(w);
	}
}

TEST(scan, a_table_that_is_nowhere)
{
	static const char *const cases[][2] = {
		{ "SYMBOL(mem_section)", "ffff888000000000" },
		{ "SYMBOL(mem_section)", "fffffffffffffff8" },
		{ "LENGTH(mem_section)", "0" },
		{ "SIZE(mem_section)", "8192" },
		{ "SIZE(mem_section)", "0" },
		{ "OFFSET(mem_section.section_mem_map)", "16" },
		{ "NUMBER(SECTION_SIZE_BITS)", "11" },
		{ "NUMBER(SECTION_SIZE_BITS)", "64" },
		{ "NUMBER(SECTION_SIZE_BITS)", "-1" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, mm_kernel_6_1);
		free(m.core.notes);
		m.core.notes = NULL;
		m.core.notes_len = 0;
		core_builder_vmcoreinfo(&m.core,
					mm_kernel_with(mm_kernel_6_1, cases[i][0], cases[i][1]));
		mm_builder_text(&m, "ram 8000-8001; 8000 lru; 8001 anon");
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x8000, 2), "??");
		CHECK(scan_problem(w->scan));
		scan_walk_end(w);
	}
}

TEST(scan, extents_cross_windows_holes_and_sections)
{
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x40000000, 0x10000000); /* the first 256 MiB ... */
	core_builder_ram(&m.core, 0x7ffff000, 0x3000);	   /* ... and the last page of 1 GiB */
	mm_builder_page(&m, 0x40000, "head type=hugetlb");
	mm_builder_page(&m, 0x40001, "tail compound=18");
	mm_builder_page(&m, 0x48000, "lru"); /* never asked: the head has spoken for it */
	mm_builder_page(&m, 0x80000, "lru");
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK_STR(scan_walk_classes(w, 0x40000, 4), "uuuu");
	CHECK_STR(scan_walk_classes(w, 0x47ffe, 4), "uuuu");
	CHECK_STR(scan_walk_classes(w, 0x4fffe, 4), "uu__");
	CHECK_STR(scan_walk_classes(w, 0x7fffe, 5), "_uck_");
	scan_walk_end(w);
}

TEST(scan, unreadable_struct_pages_are_unknown)
{
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x8000000, 0x100000);
	mm_builder_page(&m, 0x8000, "lru");  /* maps the struct pages to 0x803f */
	mm_builder_page(&m, 0x8080, "anon"); /* 0x8080 to 0x80bf */
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK(!scan_problem(w->scan));
	CHECK_STR(scan_walk_classes(w, 0x8000, 2), "ck");
	CHECK_STR(scan_walk_classes(w, 0x803e, 4), "kk??");
	CHECK_STR(scan_walk_classes(w, 0x807e, 4), "??uk");
	CHECK_STR(scan_walk_classes(w, 0x80be, 4), "kk??");
	scan_walk_end(w);
}

/* As makedumpfile has it; see the top of scan.c. */
TEST(scan, partial_pages)
{
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x8000000, 0x1c00); /* ends within page 0x8001 */
	core_builder_ram(&m.core, 0x8001e00, 0x1200); /* goes on there, ends at page 0x8003 */
	core_builder_ram(&m.core, 0x8004800, 0x800);  /* starts within page 0x8004 */
	core_builder_ram(&m.core, 0x8006800, 0x100);
	for (unsigned i = 0; i < 8; i++)
		mm_builder_page(&m, 0x8000 + i, "lru");
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK_STR(scan_walk_classes(w, 0x8000, 8), "ccc_k_k_");
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 5);
	CHECK_EQ(scan_max_pfn(w->scan), 0x8007);
	scan_walk_end(w);
}

/* What an ELF dump left out when it was filtered stays left out. */
TEST(scan, pages_without_data_are_absent)
{
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x8000000, 0x4000);
	core_builder_ram(&m.core, 0x8004000, 0x2000);
	core_builder_ram(&m.core, 0x8006000, 0x1000);
	core_builder_ram(&m.core, 0x8007800, 0x2000);
	for (unsigned i = 0; i < 10; i++)
		mm_builder_page(&m, 0x8000 + i, "lru");
	m.core.loads[1].p_filesz = 0x1800;
	m.core.loads[2].p_filesz = 0;
	m.core.loads[3].p_filesz = 0x800;
	m.core.loads[4].p_filesz = 0;
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK_STR(scan_walk_classes(w, 0x8000, 10), "cc____c___");
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 3);
	CHECK_EQ(scan_max_pfn(w->scan), 0x800a);
	scan_walk_end(w);
}

TEST(scan, without_a_memory_map_all_is_kept)
{
	static const struct {
		const char *vmcoreinfo;
		bool use_memory_map;
		const char *problem, *want;
	} cases[] = {
		{ NULL, false, NULL, "kk_" },
		{ mm_kernel_6_12, false, NULL, "kk_" },
		{ NULL, true, "the core has no vmcoreinfo", "??_" },
		{ "SIZE(page)=64\n", true, "vmcoreinfo lacks OFFSET(page.flags)", "??_" },
		{ "SIZE(page)=x\n", true, "vmcoreinfo has a malformed SIZE(page)", "??_" },
		{ "SYMBOL(mem_map)=ffffffff80000000\n", true, "vmcoreinfo lacks SIZE(page)",
		  "??_" },
		{ mm_kernel_6_12, true, "no struct page can be reached through mem_section",
		  "??_" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_builder b;
		struct scan_walk *w;

		core_builder_init(&b);
		core_builder_ram(&b, 0, 0x2000);
		if (cases[i].vmcoreinfo)
			core_builder_vmcoreinfo(&b, cases[i].vmcoreinfo);
		w = scan_walk_start(core_builder_finish(&b), cases[i].use_memory_map);
		CHECK_STR(scan_problem(w->scan) ? scan_problem(w->scan) : "-",
			  cases[i].problem ? cases[i].problem : "-");
		CHECK_STR(scan_walk_classes(w, 0, 3), cases[i].want);
		scan_walk_end(w);
	}
}

TEST(scan, memory_map_is_needed_for_bad_memory_at_any_level)
{
	static const struct {
		const char *vmcoreinfo;
		unsigned level;
		bool needed;
	} cases[] = {
		{ "NUMBER(PG_hwpoison)=20\n", 0, true },
		{ "NUMBER(PG_hwpoison)=20\n", 1, true },
		{ "NUMBER(PG_lru)=5\n", 0, false },
		{ "NUMBER(PG_lru)=5\n", 1, false },
		{ "NUMBER(PG_lru)=5\n", 2, true },
		{ NULL, 1, false },
		{ NULL, 16, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_builder b;
		struct scan_walk *w;

		core_builder_init(&b);
		core_builder_ram(&b, 0, 0x1000);
		if (cases[i].vmcoreinfo)
			core_builder_vmcoreinfo(&b, cases[i].vmcoreinfo);
		w = scan_walk_start(core_builder_finish(&b), false);
		CHECK_EQ(scan_needs_memory_map(w->core, cases[i].level), cases[i].needed);
		scan_walk_end(w);
	}
}

TEST(scan, a_slab_keeps_its_tails)
{
	static const char *const kernels[] = { mm_kernel_6_1, mm_kernel_6_12 };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, kernels[i]);
		core_builder_ram(&m.core, 0x8000000, 0xc000);
		mm_builder_page(&m, 0x8000, i ? "head type=slab" : "head slab");
		mm_builder_page(&m, 0x8001, "tail compound=2");
		mm_builder_page(&m, 0x8002, "tail hwpoison");
		mm_builder_page(&m, 0x8003, "tail");
		mm_builder_page(&m, 0x8004, "head");
		mm_builder_page(&m, 0x8005, "tail compound=1");
		mm_builder_page(&m, 0x8006, i ? "type=slab" : "slab");
		mm_builder_page(&m, 0x8007, "");
		mm_builder_page(&m, 0x8008, "tail");
		w = scan_walk_start(mm_builder_finish(&m), true);
		CHECK_STR(scan_walk_classes(w, 0x8000, 9), "sshskkskk");
		scan_walk_end(w);
	}
}

/* From wherever one starts, a page's class is the same. */
TEST(scan, seeking_agrees_with_walking)
{
	static const uint64_t pfns[] = { 0x40000, 0x40001, 0x47fff, 0x48000, 0x4c123,
					 0x7ffff, 0x80000, 0x80001, 0x80002 };
	static const char want[] = "uuuuuucsk";
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x40000000, 0x10000000);
	core_builder_ram(&m.core, 0x7ffff000, 0x4000);
	mm_builder_page(&m, 0x40000, "head type=hugetlb");
	mm_builder_page(&m, 0x40001, "tail compound=18");
	mm_builder_page(&m, 0x48000, "type=buddy order=3"); /* the head has spoken for it */
	mm_builder_page(&m, 0x80000, "lru");
	mm_builder_page(&m, 0x80001, "type=slab");
	w = scan_walk_start(mm_builder_finish(&m), true);
	for (size_t i = ARRAY_SIZE(pfns); i-- > 0;) {
		scan_seek(w->scan, pfns[i]);
		CHECK_EQ(scan_next(w->scan, &w->win), 1);
		CHECK_EQ(w->win.pfn, pfns[i]);
		CHECK_EQ(class_letters[w->win.class[0]], want[i]);
	}
	scan_seek(w->scan, 0x60000); /* a hole */
	CHECK_EQ(scan_next(w->scan, &w->win), 1);
	CHECK_EQ(w->win.pfn, 0x7ffff);
	scan_seek(w->scan, 0x80003);
	CHECK_EQ(scan_next(w->scan, &w->win), 0);
	scan_walk_end(w);
}

TEST(scan, windows_are_bounded_and_ascend)
{
	struct mm_builder m;
	uint64_t next = 0, present = 0;
	unsigned nr = 0;
	struct scan_walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x10000000, 0x18000000); /* three sections */
	core_builder_ram(&m.core, 1ull << 40, 0x2000);	   /* far away */
	mm_builder_page(&m, 1 << 28, "lru");
	w = scan_walk_start(mm_builder_finish(&m), true);
	while (scan_next(w->scan, &w->win)) {
		CHECK(w->win.pfn >= next);
		CHECK(w->win.nr && w->win.nr <= SCAN_WINDOW_PAGES);
		for (uint32_t i = 0; i < w->win.nr; i++)
			present += w->win.class[i] != PAGE_ABSENT;
		next = w->win.pfn + w->win.nr;
		nr++;
	}
	CHECK_EQ(nr, 1 + 3 + 1);
	CHECK_EQ(next, scan_max_pfn(w->scan));
	CHECK_EQ(present, scan_present_pages(w->scan));
	CHECK_EQ(scan_next(w->scan, &w->win), 0);
	CHECK_STR(scan_walk_classes(w, 1 << 28, 3), "ck_");
	scan_walk_end(w);
}
