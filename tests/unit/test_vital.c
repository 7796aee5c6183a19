// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "capture/mm/vital.h"
#include "capture/mm/vital_set.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define PAGE 4096ull

/* The set as text: "PFN+NR:TIER ...", numbers in decimal. */
static void set_text(const struct vital_range *r, size_t nr, char *text, size_t room)
{
	text[0] = 0;
	for (size_t len = 0; nr && len < room; nr--, r++)
		len += (size_t)snprintf(text + len, room - len, "%s%" PRIu64 "+%u:%u",
					len ? " " : "", r->pfn, r->nr, r->tier);
}

static struct core *open_ram(const uint64_t start_len[][2], size_t nr)
{
	struct core_builder b;
	struct core *core = NULL;

	core_builder_init(&b);
	for (size_t i = 0; i < nr; i++)
		core_builder_ram(&b, start_len[i][0], start_len[i][1]);
	core_open_fd(core_builder_finish(&b), "test", &core);
	return core;
}

TEST(vital, set_keeps_the_lowest_tier)
{
	/* "PFN+NR:TIER ..." in, the same out; memory is pages 16 to 4095 */
	static const char *const cases[][2] = {
		{ "", "" },
		{ "20+5:3", "20+5:3" },
		{ "20+5:3 25+5:3", "20+10:3" },
		{ "25+5:3 20+5:3", "20+10:3" },
		{ "20+5:3 25+5:4", "20+5:3 25+5:4" },
		{ "20+10:3 24+2:1", "20+4:3 24+2:1 26+4:3" },
		{ "20+10:3 24+2:5", "20+10:3" },
		{ "20+2:3 24+2:3 28+2:3 18+14:5",
		  "18+2:5 20+2:3 22+2:5 24+2:3 26+2:5 28+2:3 30+2:5" },
		{ "20+2:3 24+2:3 28+2:3 18+14:1", "18+14:1" },
		{ "20+10:3 25+10:1 30+10:2", "20+5:3 25+10:1 35+5:2" },
		{ "20+10:3 20+10:3 22+2:3", "20+10:3" },
		{ "0+20:2", "16+4:2" },
		{ "0+16:2", "" },
		{ "4090+1000:2", "4090+6:2" },
		{ "5000+1:2", "" },
	};
	static const uint64_t ram[][2] = { { 16 * PAGE, 4080 * PAGE } };
	struct core *core = open_ram(ram, 1);
	char text[256];

	CHECK(core);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* at once, and each range merged in before the next */
		for (int step = 0; step < 2; step++) {
			static struct vital_set set;
			const char *p = cases[i][0];
			unsigned pfn, nr, tier;
			int used;

			vital_set_init(&set, core);
			for (; sscanf(p, "%u+%u:%u%n", &pfn, &nr, &tier, &used) == 3; p += used) {
				vital_set_add(&set, pfn * PAGE, nr * PAGE, tier);
				if (step)
					CHECK_EQ(vital_set_finish(&set), 0);
			}
			CHECK_EQ(vital_set_finish(&set), 0);
			set_text(set.ranges, set.nr, text, sizeof(text));
			CHECK_STR(text, cases[i][1]);
			vital_set_deinit(&set);
		}
	}
	core_close(core);
}

TEST(vital, set_cuts_bytes_to_pages_that_exist)
{
	static const uint64_t ram[][2] = { { 0x1000, 0x2c00 }, { 0x8400, 0x1000 } };
	static struct vital_set set;
	struct core *core = open_ram(ram, 2);
	char text[64];

	CHECK(core);
	vital_set_init(&set, core);
	vital_set_add(&set, 0x1fff, 2, 1);
	vital_set_add(&set, 0x3c00, 0x100, 2); /* page 3 is there, but not these bytes */
	vital_set_add(&set, 0x3fff, 0x5000, 3);
	vital_set_add(&set, UINT64_MAX - 5, UINT64_MAX, 0);
	CHECK_EQ(vital_set_finish(&set), 0);
	set_text(set.ranges, set.nr, text, sizeof(text));
	CHECK_STR(text, "1+2:1 8+1:3");
	vital_set_add(&set, 0, UINT64_MAX, 4);
	CHECK_EQ(vital_set_finish(&set), 0);
	set_text(set.ranges, set.nr, text, sizeof(text));
	CHECK_STR(text, "1+2:1 3+1:4 8+1:3 9+1:4");
	vital_set_deinit(&set);
	core_close(core);
}

/* Every second page of a large memory, first as a high tier, then as lower ones. */
TEST(vital, set_is_bounded)
{
	static const uint64_t ram[][2] = { { 0, (VITAL_MAX_RANGES + 30000) * 2 * PAGE } };
	static struct vital_set set;
	struct core *core = open_ram(ram, 1);
	size_t nr[VITAL_NR_TIERS] = { 0 };

	CHECK(core);
	vital_set_init(&set, core);
	for (uint64_t i = 0; i < VITAL_MAX_RANGES + 30000; i++)
		vital_set_add(&set, i * 2 * PAGE, PAGE, VITAL_MAPPED);
	for (uint64_t i = 0; i < 10000; i++)
		vital_set_add(&set, (VITAL_MAX_RANGES + 20000 + i) * 2 * PAGE, PAGE, VITAL_TASKS);
	CHECK_EQ(vital_set_finish(&set), 0);
	CHECK_EQ(set.nr, VITAL_MAX_RANGES);
	for (size_t i = 0; i < set.nr; i++) {
		CHECK(!i || set.ranges[i].pfn > set.ranges[i - 1].pfn);
		nr[set.ranges[i].tier]++;
	}
	CHECK_EQ(nr[VITAL_TASKS], 10000);
	CHECK_EQ(nr[VITAL_MAPPED], VITAL_MAX_RANGES - 10000);
	vital_set_deinit(&set);
	core_close(core);
}

/*
 * A machine of 16 MiB: the image's text, read-only data and data at 2, 4 and 6 MiB, a linear
 * map with a table for its first 2 MiB, and a page mapped somewhere else.
 */
TEST(vital, page_tables_tell_tiers)
{
	static const uint64_t image = 0xffffffff81000000, direct = 0xffff888000000000;
	static const uint64_t root = 6 << 20, nx = 1ull << 63;
	struct core_builder b;
	struct vital *v;
	struct core *core;
	uint64_t table = root + PAGE;
	const struct vital_range *r;
	char text[512];
	size_t nr;

	core_builder_init(&b);
	core_builder_ram(&b, 0, 16 << 20);
	b.loads[0].p_vaddr = direct;
	core_builder_map(&b, root, &table, 2, (uint64_t[2]){ image, 2 << 20 });
	core_builder_map(&b, root, &table, 2, (uint64_t[2]){ image + (4 << 20), (6 << 20) | nx });
	core_builder_put64(&b, root + 2 * PAGE + 8 * 9, (4 << 20) | nx | 0x81);
	for (uint64_t at = 2 << 20; at < 16 << 20; at += 2 << 20)
		core_builder_map(&b, root, &table, 2, (uint64_t[2]){ direct + at, at });
	core_builder_map(&b, root, &table, 1, (uint64_t[2]){ direct, 0 });
	core_builder_map(&b, root, &table, 1, (uint64_t[2]){ 0xffffc90000000000, 0x800000 });
	core_builder_vmcoreinfo(&b, "SYMBOL(init_top_pgt)=ffffffff81400000\n"
				    "SYMBOL(_stext)=ffffffff81000000\n"
				    "NUMBER(phys_base)=-14680064\n");
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK_EQ(vital_create(core, &v), 0);
	r = vital_ranges(v, &nr);
	set_text(r, nr, text, sizeof(text));
	CHECK_STR(text, "512+512:8 1024+512:7 1536+9:0 1545+503:1 2048+1:11");
	vital_destroy(v);
	core_close(core);
}

TEST(vital, nothing_known_is_nothing)
{
	static const uint64_t ram[][2] = { { 0, 16 << 20 } };
	struct core *core = open_ram(ram, 1);
	struct vital *v;
	size_t nr;

	CHECK(core);
	CHECK_EQ(vital_create(core, &v), 0);
	vital_ranges(v, &nr);
	CHECK_EQ(nr, 0);
	vital_destroy(v);
	core_close(core);
}
