// SPDX-License-Identifier: GPL-2.0-or-later
/* Which pages go out, in which order, and under which number. */
#include <errno.h>
#include <stdlib.h>

#include "capture/dump/plan.h"
#include "capture/mm/vital.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/mm_builder.h"
#include "tests/unit/test.h"

#define PAGE 4096ull

/* The bitmap, as a sink that counts how often it is read. */
struct bitmap {
	uint8_t *bits;
	uint64_t bytes;
	unsigned reads;
};

static int bitmap_emit(void *ctx, uint64_t pfn, const uint8_t *kept)
{
	struct bitmap *b = ctx;

	if (kept && range_within(pfn / 8, PLAN_WINDOW_BYTES, b->bytes))
		memcpy(b->bits + pfn / 8, kept, PLAN_WINDOW_BYTES);
	return 0;
}

static int bitmap_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct bitmap *b = ctx;

	if (!range_within(offset, len, b->bytes))
		return -EIO;
	memcpy(buf, b->bits + offset, len);
	b->reads++;
	return 0;
}

/* A plan whose first phase is through. */
struct planned {
	struct core *core;
	struct dump_options options;
	struct dump_stats stats;
	struct dump_job job;
	struct bitmap bitmap;
	struct dump_sink sink;
	struct plan *plan;
};

static bool planned_init(struct planned *p, struct core *core, unsigned level, bool read_back)
{
	*p = (struct planned){ .core = core, .options = { .level = level } };
	p->job = (struct dump_job){
		.core = core,
		.options = &p->options,
		.stats = &p->stats,
		.page_size = PAGE,
	};
	p->sink = (struct dump_sink){ .read = bitmap_read, .ctx = &p->bitmap };
	if (plan_create(&p->job, &p->plan))
		return false;
	p->bitmap.bytes = ROUND_UP(DIV_ROUND_UP(p->job.max_pfn, 8), PLAN_WINDOW_BYTES);
	p->bitmap.bits = calloc(1, p->bitmap.bytes);
	if (!p->bitmap.bits || plan_scan(p->plan, bitmap_emit, &p->bitmap))
		return false;
	if (read_back)
		plan_read_back(p->plan, &p->sink, 0);
	return true;
}

static void planned_deinit(struct planned *p)
{
	plan_destroy(p->plan);
	free(p->bitmap.bits);
}

static bool is_kept(const struct planned *p, uint64_t pfn)
{
	return p->bitmap.bits[pfn / 8] >> pfn % 8 & 1;
}

/* All pages from @start to @end, each once, each with the number of kept ones before it.
 * Return: how many; -1 where that is not so. */
static int64_t walk(struct planned *p, uint64_t start, uint64_t end)
{
	_Alignas(struct batch) static struct batch b;
	uint8_t *seen = calloc(1, p->bitmap.bytes);
	int64_t nr = 0;

	plan_start(p->plan, start, end);
	for (;;) {
		b = (struct batch){ .max = BATCH_PAGES };
		plan_fill(p->plan, &b);
		if (!b.nr)
			break;
		for (unsigned i = 0; i < b.nr; i++) {
			const uint64_t pfn = b.pages[i].pfn;

			if (pfn < start || pfn >= end || !is_kept(p, pfn) ||
			    seen[pfn / 8] >> pfn % 8 & 1 ||
			    plan_pfn(p->plan, b.pages[i].rank) != pfn)
				nr = INT64_MIN;
			seen[pfn / 8] |= 1u << pfn % 8;
			nr++;
		}
	}
	free(seen);
	return nr < 0 ? -1 : nr;
}

/* How many pages there are, and whether their numbers are those from 0 on. */
static int64_t walk_only(struct planned *p)
{
	struct batch b = { .max = BATCH_PAGES };
	uint64_t sum = 0, nr = 0;

	plan_start(p->plan, 0, UINT64_MAX);
	for (plan_fill(p->plan, &b); b.nr; b.nr = 0, plan_fill(p->plan, &b))
		for (unsigned i = 0; i < b.nr; i++, nr++)
			sum += b.pages[i].rank;
	return sum == nr * (nr - 1) / 2 ? (int64_t)nr : -1;
}

static int64_t count_kept(const struct planned *p, uint64_t start, uint64_t end)
{
	int64_t nr = 0;

	for (uint64_t pfn = start; pfn < end; pfn++)
		nr += is_kept(p, pfn);
	return nr;
}

/* A machine with a bit of everything, from 1 GiB on. */
static struct core *mixed_core(void)
{
	static const struct {
		uint64_t pfn;
		const char *text;
	} pages[] = {
		{ 0x40000, "" },     { 0x40001, "type=buddy order=1" },
		{ 0x40003, "lru" },  { 0x40004, "lru anon" },
		{ 0x40005, "" },     { 0x47fff, "" },
		{ 0x48000, "slab" }, { 0x48001, "" },
		{ 0x48007, "lru" },  { 0x48400, "" },
	};
	struct mm_builder m;
	struct core *core;

	mm_builder_init(&m, mm_kernel_6_1);
	core_builder_ram(&m.core, 0x40000 * PAGE, 6 * PAGE);
	core_builder_ram(&m.core, 0x47ff0 * PAGE, 0x500 * PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		mm_builder_page(&m, pages[i].pfn, pages[i].text);
	return core_open_fd(mm_builder_finish(&m), "test", &core) ? NULL : core;
}

TEST(plan, every_kept_page_once)
{
	for (unsigned level = 0; level <= 31; level += 31) {
		for (int read_back = 0; read_back <= 1; read_back++) {
			struct core *core = mixed_core();
			struct planned p;
			int64_t all;

			CHECK(core);
			CHECK(planned_init(&p, core, level, read_back));
			all = count_kept(&p, 0, p.job.max_pfn);
			CHECK_EQ(plan_kept(p.plan), all);
			CHECK_EQ(walk(&p, 0, p.job.max_pfn), all);
			CHECK_EQ(walk(&p, 0x40001, 0x48001), count_kept(&p, 0x40001, 0x48001));
			CHECK_EQ(walk(&p, 0x48001, UINT64_MAX),
				 count_kept(&p, 0x48001, p.job.max_pfn));
			CHECK_EQ(plan_pfn(p.plan, all), p.job.max_pfn);
			CHECK_EQ(plan_rank(p.plan, p.job.max_pfn + 5), all);
			CHECK_EQ(plan_rank(p.plan, 0x40005), count_kept(&p, 0, 0x40005));
			planned_deinit(&p);
			core_close(core);
		}
	}
}

/* The vital tiers by turns; then the stretch around the slab page; then what else there is. */
TEST(plan, the_most_valuable_first)
{
	const struct vital_range *ranges;
	struct core *core = mixed_core();
	unsigned last = 0, turn;
	struct vital *vital;
	struct planned p;
	struct batch b = { .max = 1 };
	size_t nr;

	CHECK(core);
	CHECK_EQ(vital_create(core, &vital), 0);
	ranges = vital_ranges(vital, &nr);
	CHECK(nr > 0); /* the page tables at least */
	CHECK(planned_init(&p, core, 31, true));
	plan_start(p.plan, 0, UINT64_MAX);
	for (plan_fill(p.plan, &b); b.nr; b.nr = 0, plan_fill(p.plan, &b)) {
		const uint64_t pfn = b.pages[0].pfn;

		turn = pfn / 512 == 0x48000 / 512 ? VITAL_NR_TIERS : VITAL_NR_TIERS + 1;
		for (size_t i = 0; i < nr; i++)
			if (pfn >= ranges[i].pfn && pfn < ranges[i].pfn + ranges[i].nr)
				turn = ranges[i].tier;
		CHECK(turn >= last);
		last = turn;
	}
	CHECK_EQ(last, VITAL_NR_TIERS + 1);
	planned_deinit(&p);
	vital_destroy(vital);
	core_close(core);
}

/* More windows than stay in memory: some are read back, or classified once more. */
TEST(plan, more_than_memory_holds)
{
	for (int read_back = 0; read_back <= 1; read_back++) {
		struct core_builder b;
		struct core *core;
		struct planned p;

		core_builder_init(&b);
		for (uint64_t i = 0; i < 60; i++) /* one in 8 windows */
			core_builder_ram(&b, i * 8 * PLAN_WINDOW_PAGES * PAGE + i * PAGE, 3 * PAGE);
		core_builder_ram(&b, 600ull * PLAN_WINDOW_PAGES * PAGE, 40000 * PAGE);
		CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
		CHECK(planned_init(&p, core, 0, read_back));
		CHECK_EQ(plan_kept(p.plan), 40180);
		CHECK_EQ(walk(&p, 0, UINT64_MAX), 40180);
		CHECK_EQ(plan_pfn(p.plan, 4), 8 * PLAN_WINDOW_PAGES + 2);
		CHECK(!read_back == !p.bitmap.reads);
		planned_deinit(&p);
		core_close(core);
	}
}

/*
 * So many windows that the number of kept pages is known only every 32nd one. Ranges cross
 * the first and the last window of a stride; at the end one page says how large it all is.
 */
TEST(plan, ranks_known_now_and_then)
{
	const uint64_t windows = 16384 * 32, pages = PLAN_WINDOW_PAGES;
	static const uint64_t at[] = { 0, 31, 32, 33, 63, 64, 1000 };
	struct core_builder b;
	struct core *core;
	struct planned p;

	if (SIZE_MAX == UINT32_MAX)
		return; /* this test's own bitmap, of 2 GiB, does not fit */
	core_builder_init(&b);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		core_builder_ram(&b, (at[i] * pages + 5) * PAGE, 3 * PAGE);
	core_builder_ram(&b, (200 * pages - 2) * PAGE, (40 * pages + 4) * PAGE);
	core_builder_ram(&b, (windows * pages - 1) * PAGE, PAGE);
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK(planned_init(&p, core, 0, true));
	CHECK_EQ(plan_kept(p.plan), 3 * 7 + 40 * pages + 4 + 1);
	CHECK_EQ(plan_rank(p.plan, 32 * pages), 6);
	CHECK_EQ(plan_rank(p.plan, 63 * pages + 6), 13);
	CHECK_EQ(plan_rank(p.plan, 200 * pages), 20);
	CHECK_EQ(plan_rank(p.plan, 1), 0);
	CHECK_EQ(plan_pfn(p.plan, 6), 32 * pages + 5);
	CHECK_EQ(plan_pfn(p.plan, plan_kept(p.plan) - 1), windows * pages - 1);
	CHECK_EQ(walk(&p, 0, 100 * pages), 18);
	p.bitmap.reads = 0;
	CHECK_EQ(walk_only(&p), plan_kept(p.plan));
	CHECK(p.bitmap.reads < 1000);
	planned_deinit(&p);
	core_close(core);
}
