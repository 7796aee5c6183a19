// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/mm/scan.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/mm_builder.h"
#include "tests/unit/test.h"

#define LOW_PAGES (MM_BUILDER_LOW_BYTES / 4096)

struct walk {
	struct core *core;
	struct scan *scan;
	struct scan_window win;
};

static struct walk *walk_start(int fd, bool use_memory_map)
{
	struct walk *w = calloc(1, sizeof(*w));
	enum log_level before = log_level();

	log_set_level(LOG_LVL_NONE);
	if (!w || core_open_fd(fd, "test", &w->core) ||
	    scan_create(w->core, use_memory_map, &w->scan))
		abort();
	log_set_level(before);
	return w;
}

static void walk_end(struct walk *w)
{
	scan_destroy(w->scan);
	core_close(w->core);
	free(w);
}

/* One letter for each of @nr pages from @pfn on, walking from the start. */
static const char *classes(struct walk *w, uint64_t pfn, unsigned nr)
{
	static const char letters[] = "_ks?cpufho";
	static char text[128];

	memset(text, '_', nr);
	text[nr] = '\0';
	scan_rewind(w->scan);
	while (scan_next(w->scan, &w->win))
		for (uint32_t i = 0; i < w->win.nr; i++)
			if (w->win.pfn + i >= pfn && w->win.pfn + i < pfn + nr)
				text[w->win.pfn + i - pfn] = letters[w->win.class[i]];
	return text;
}

TEST(scan, classifies_through_the_section_table)
{
	struct mm_builder m;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x10000000, 0x10000); /* 16 pages in section 2 */
	mm_builder_page(&m, 0x10000, "type=buddy order=2");
	mm_builder_page(&m, 0x10004, "lru");
	mm_builder_page(&m, 0x10005, "lru private");
	mm_builder_page(&m, 0x10006, "lru anon head");
	mm_builder_page(&m, 0x10007, "tail compound=1");
	mm_builder_page(&m, 0x10008, "type=slab");
	mm_builder_page(&m, 0x10009, "type=offline");
	w = walk_start(mm_builder_finish(&m), true);
	CHECK(!scan_problem(w->scan));
	CHECK_EQ(scan_max_pfn(w->scan), 0x10010);
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 16);
	CHECK_STR(classes(w, 0xffff, 18), "_ffffcpuusokkkkkk_");
	CHECK_STR(classes(w, 0, 4), "????"); /* section 0 is not in the table */
	walk_end(w);
}

TEST(scan, every_layout_of_the_table)
{
	static const struct {
		const char *from, *to;
		const char *want;
	} cases[] = {
		{ "SYMBOL(mem_section)=ffff888000100000", "SYMBOL(mem_section)=ffff888000100000",
		  "cu" },
		/* a pointer to the array of roots; it is put at 0x1ff000 below */
		{ "SYMBOL(mem_section)=ffff888000100000", "SYMBOL(mem_section)=ffff8880001ff000",
		  "cu" },
		/* the array of sections itself: not SPARSEMEM_EXTREME */
		{ "SYMBOL(mem_section)=ffff888000100000", "SYMBOL(mem_section)=ffff888000101000",
		  "cu" },
		{ "SYMBOL(mem_section)=ffff888000100000", "SYMBOL(mem_section)=ffff888000000000",
		  "??" },
		{ "LENGTH(mem_section)=512", "LENGTH(mem_section)=0", "??" },
		{ "SIZE(mem_section)=16", "SIZE(mem_section)=8192", "??" },
		{ "SIZE(page)=64", "SIZE(page)=48", "??" }, /* page._mapcount is beyond it */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[2048];
		const char *at = strstr(mm_kernel_6_1, cases[i].from);
		struct mm_builder m;
		struct walk *w;

		CHECK(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - mm_kernel_6_1), mm_kernel_6_1,
			 cases[i].to, at + strlen(cases[i].from));
		mm_builder_init(&m, mm_kernel_6_1);
		free(m.core.notes);
		m.core.notes = NULL;
		m.core.notes_len = 0;
		core_builder_vmcoreinfo(&m.core, text);
		core_builder_put64(&m.core, 0x1ff000, 0xffff888000100000);
		core_builder_ram(&m.core, 0x8000000, 0x2000);
		mm_builder_page(&m, 0x8000, "lru");
		mm_builder_page(&m, 0x8001, "anon");
		w = walk_start(mm_builder_finish(&m), true);
		CHECK_STR(classes(w, 0x8000, 2), cases[i].want);
		CHECK_EQ(!scan_problem(w->scan), cases[i].want[0] != '?');
		walk_end(w);
	}
}

TEST(scan, extents_cross_windows_holes_and_sections)
{
	struct mm_builder m;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x40000000, 0x10000000); /* the first 256 MiB ... */
	core_builder_ram(&m.core, 0x7ffff000, 0x3000);	   /* ... and the last page of 1 GiB */
	mm_builder_page(&m, 0x40000, "head type=hugetlb");
	mm_builder_page(&m, 0x40001, "tail compound=18");
	mm_builder_page(&m, 0x48000, "lru"); /* never asked: the head has spoken for it */
	mm_builder_page(&m, 0x80000, "lru");
	w = walk_start(mm_builder_finish(&m), true);
	CHECK_STR(classes(w, 0x40000, 4), "uuuu");
	CHECK_STR(classes(w, 0x47ffe, 4), "uuuu");
	CHECK_STR(classes(w, 0x4fffe, 4), "uu__");
	CHECK_STR(classes(w, 0x7fffe, 5), "_uck_");
	walk_end(w);
}

TEST(scan, unreadable_struct_pages_are_unknown)
{
	struct mm_builder m;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x8000000, 0x100000);
	mm_builder_page(&m, 0x8000, "lru");  /* maps the struct pages to 0x803f */
	mm_builder_page(&m, 0x8080, "anon"); /* 0x8080 to 0x80bf */
	w = walk_start(mm_builder_finish(&m), true);
	CHECK(!scan_problem(w->scan));
	CHECK_STR(classes(w, 0x8000, 2), "ck");
	CHECK_STR(classes(w, 0x803e, 4), "kk??");
	CHECK_STR(classes(w, 0x807e, 4), "??uk");
	CHECK_STR(classes(w, 0x80be, 4), "kk??");
	walk_end(w);
}

/* As makedumpfile has it; see the top of scan.c. */
TEST(scan, partial_pages)
{
	struct mm_builder m;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x8000000, 0x1c00); /* ends within page 0x8001 */
	core_builder_ram(&m.core, 0x8001e00, 0x1200); /* goes on there, ends at page 0x8003 */
	core_builder_ram(&m.core, 0x8004800, 0x800);  /* starts within page 0x8004 */
	core_builder_ram(&m.core, 0x8006800, 0x100);
	for (unsigned i = 0; i < 8; i++)
		mm_builder_page(&m, 0x8000 + i, "lru");
	w = walk_start(mm_builder_finish(&m), true);
	CHECK_STR(classes(w, 0x8000, 8), "ccc_k_k_");
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 5);
	CHECK_EQ(scan_max_pfn(w->scan), 0x8007);
	walk_end(w);
}

/* What an ELF dump left out when it was filtered stays left out. */
TEST(scan, pages_without_data_are_absent)
{
	struct mm_builder m;
	struct walk *w;

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
	w = walk_start(mm_builder_finish(&m), true);
	CHECK_STR(classes(w, 0x8000, 10), "cc____c___");
	CHECK_EQ(scan_present_pages(w->scan), LOW_PAGES + 3);
	CHECK_EQ(scan_max_pfn(w->scan), 0x800a);
	walk_end(w);
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
		{ "SYMBOL(mem_map)=ffffffff80000000\n", true,
		  "the kernel uses FLATMEM, which is not supported", "??_" },
		{ mm_kernel_6_12, true, "no struct page can be reached through mem_section",
		  "??_" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_builder b;
		struct walk *w;

		core_builder_init(&b);
		core_builder_ram(&b, 0, 0x2000);
		if (cases[i].vmcoreinfo)
			core_builder_vmcoreinfo(&b, cases[i].vmcoreinfo);
		w = walk_start(core_builder_finish(&b), cases[i].use_memory_map);
		CHECK_STR(scan_problem(w->scan) ? scan_problem(w->scan) : "-",
			  cases[i].problem ? cases[i].problem : "-");
		CHECK_STR(classes(w, 0, 3), cases[i].want);
		walk_end(w);
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
		struct walk *w;

		core_builder_init(&b);
		core_builder_ram(&b, 0, 0x1000);
		if (cases[i].vmcoreinfo)
			core_builder_vmcoreinfo(&b, cases[i].vmcoreinfo);
		w = walk_start(core_builder_finish(&b), false);
		CHECK_EQ(scan_needs_memory_map(w->core, cases[i].level), cases[i].needed);
		walk_end(w);
	}
}

TEST(scan, a_slab_keeps_its_tails)
{
	static const char *const kernels[] = { mm_kernel_6_1, mm_kernel_6_12 };

	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		struct mm_builder m;
		struct walk *w;

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
		w = walk_start(mm_builder_finish(&m), true);
		CHECK_STR(classes(w, 0x8000, 9), "sshskkskk");
		walk_end(w);
	}
}

/* From wherever one starts, a page's class is the same. */
TEST(scan, seeking_agrees_with_walking)
{
	static const uint64_t pfns[] = { 0x40000, 0x40001, 0x47fff, 0x48000, 0x4c123, 0x7ffff,
					 0x80000, 0x80001, 0x80002 };
	static const char want[] = "uuuuuucsk";
	struct mm_builder m;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x40000000, 0x10000000);
	core_builder_ram(&m.core, 0x7ffff000, 0x4000);
	mm_builder_page(&m, 0x40000, "head type=hugetlb");
	mm_builder_page(&m, 0x40001, "tail compound=18");
	mm_builder_page(&m, 0x48000, "type=buddy order=3"); /* the head has spoken for it */
	mm_builder_page(&m, 0x80000, "lru");
	mm_builder_page(&m, 0x80001, "type=slab");
	w = walk_start(mm_builder_finish(&m), true);
	for (size_t i = ARRAY_SIZE(pfns); i-- > 0;) {
		static const char letters[] = "_ks?cpufho";

		scan_seek(w->scan, pfns[i]);
		CHECK_EQ(scan_next(w->scan, &w->win), 1);
		CHECK_EQ(w->win.pfn, pfns[i]);
		CHECK_EQ(letters[w->win.class[0]], want[i]);
	}
	scan_seek(w->scan, 0x60000); /* a hole */
	CHECK_EQ(scan_next(w->scan, &w->win), 1);
	CHECK_EQ(w->win.pfn, 0x7ffff);
	scan_seek(w->scan, 0x80003);
	CHECK_EQ(scan_next(w->scan, &w->win), 0);
	walk_end(w);
}

TEST(scan, windows_are_bounded_and_ascend)
{
	struct mm_builder m;
	uint64_t next = 0, present = 0;
	unsigned nr = 0;
	struct walk *w;

	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, 0x10000000, 0x18000000); /* three sections */
	core_builder_ram(&m.core, 1ull << 40, 0x2000);	   /* far away */
	mm_builder_page(&m, 1 << 28, "lru");
	w = walk_start(mm_builder_finish(&m), true);
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
	CHECK_STR(classes(w, 1 << 28, 3), "ck_");
	walk_end(w);
}
