// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines with far more RAM than the tests have: the core's file is a hole but for the low
 * memory, and sections share their struct pages. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/unit/scan_walk.h"
#include "tests/unit/test.h"

#define GIB	      (1ull << (30 - 12)) /* pages */
#define TIB	      (GIB * 1024)
#define SECTION_PAGES MM_BUILDER_SECTION_PAGES

/* Anonymous memory in use, KiB: what is not the core's file. */
static unsigned long anon_kib(void)
{
	unsigned long kib = 0;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %lu", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/*
 * 1 TiB in two nodes. Sections take turns: one that is free, one of huge pages, one in which
 * every 512th page has a class of its own.
 */
TEST(scan_large, a_terabyte)
{
	static const uint64_t models[] = { 4 * GIB / SECTION_PAGES, 4 * GIB / SECTION_PAGES + 1,
					   4 * GIB / SECTION_PAGES + 2 };
	const struct mm_machine machine = { .low_bytes = 0x1000000 };
	const uint64_t nodes[][2] = { { 4 * GIB, 512 * GIB }, { 2 * TIB, 512 * GIB } };
	uint64_t pages[PAGE_NR_CLASSES] = { 0 }, sections = 0;
	unsigned long before, most = 0;
	struct mm_builder m;
	struct scan_walk *w;

	mm_builder_init_machine(&m, mm_kernel_6_12, &machine);
	for (size_t i = 0; i < ARRAY_SIZE(models); i++)
		mm_builder_large_section(&m, models[i]);
	for (uint64_t i = 0; i < SECTION_PAGES; i += 1024)
		mm_builder_page(&m, models[0] * SECTION_PAGES + i, "type=buddy order=10");
	for (uint64_t i = 0; i < SECTION_PAGES; i += 512) {
		mm_builder_page(&m, models[1] * SECTION_PAGES + i, "lru anon head");
		mm_builder_page(&m, models[1] * SECTION_PAGES + i + 1, "tail compound=9");
		mm_builder_page(&m, models[2] * SECTION_PAGES + i, "lru private");
	}
	for (size_t n = 0; n < ARRAY_SIZE(nodes); n++) {
		core_builder_ram(&m.core, nodes[n][0] << 12, nodes[n][1] << 12);
		for (uint64_t i = 0; i < nodes[n][1] / SECTION_PAGES; i++, sections++)
			if (sections >= ARRAY_SIZE(models))
				mm_builder_same_section(
					&m, nodes[n][0] / SECTION_PAGES + i,
					models[sections % 96 < 94 ? sections % 2 : 2]);
	}
	before = anon_kib();
	w = scan_walk_start(mm_builder_finish(&m), true);
	CHECK(!scan_problem(w->scan));
	for (unsigned i = 0; scan_next(w->scan, &w->win); i++) {
		for (uint32_t k = 0; k < w->win.nr; k += 512)
			pages[w->win.class[k]] += 512;
		if (i % 256 == 0)
			most = MAX(most, anon_kib());
	}
	CHECK_EQ(scan_max_pfn(w->scan), 2 * TIB + 512 * GIB);
	CHECK_EQ(pages[PAGE_UNKNOWN], machine.low_bytes >> 12);
	CHECK_EQ(pages[PAGE_FREE] + pages[PAGE_USER] + pages[PAGE_CACHE_PRIVATE], TIB);
	CHECK_EQ(pages[PAGE_FREE] / SECTION_PAGES + pages[PAGE_USER] / SECTION_PAGES +
			 pages[PAGE_CACHE_PRIVATE] / SECTION_PAGES,
		 sections);
	CHECK(pages[PAGE_CACHE_PRIVATE] >= 150 * SECTION_PAGES);
	if (most > before + 2048)
		test_fail(__FILE__, __LINE__, "%lu KiB more at most", most - before);
	scan_walk_end(w);
}

/*
 * Headers may claim what they like: where there is no memory map it takes no time to say so.
 * Once there are no sections, once there are all, of which one has struct pages.
 */
TEST(scan_large, claims_of_memory_that_has_no_map)
{
	for (unsigned sections = 0; sections < 2; sections++) {
		const uint64_t ram = (sections ? 16 : 8) * TIB;
		uint64_t known = 0, unknown = 0, root;
		int fd;
		double start, without, with;
		struct mm_builder m;
		struct scan_walk *w;

		mm_builder_init(&m, mm_kernel_6_12);
		core_builder_ram(&m.core, 1ull << 32, ram << 12);
		mm_builder_page(&m, 1 << 20, "lru");
		for (uint64_t nr = 33; sections && nr < 256; nr++)
			mm_builder_section(&m, nr, 0xffffea000000000f);
		root = mm_builder_get64(&m, MM_BUILDER_ROOTS);
		for (uint64_t i = 1; sections && i < ram / SECTION_PAGES / 256; i++)
			core_builder_put64(&m.core, MM_BUILDER_ROOTS + 8 * i, root);
		fd = mm_builder_finish(&m);
		start = cpu_seconds();
		w = scan_walk_start(dup(fd), false);
		while (scan_next(w->scan, &w->win))
			;
		scan_walk_end(w);
		without = cpu_seconds() - start;
		start = cpu_seconds();
		w = scan_walk_start(fd, true);
		CHECK(!scan_problem(w->scan));
		while (scan_next(w->scan, &w->win)) {
			for (uint32_t k = 0; k < w->win.nr; k += 64) {
				known += w->win.class[k] == PAGE_CACHE;
				unknown += w->win.class[k] == PAGE_UNKNOWN ? 64 : 0;
			}
		}
		CHECK_EQ(known, 1);
		CHECK_EQ(unknown, ram + (MM_BUILDER_LOW_BYTES >> 12) - 64);
		with = cpu_seconds() - start;
		/* Hardly more; 20 times as much where each page is looked for. */
		if (with > 6 * without + 0.2)
			test_fail(__FILE__, __LINE__, "%.1f s, where %.1f s fill the windows", with,
				  without);
		scan_walk_end(w);
	}
}
