// SPDX-License-Identifier: GPL-2.0-or-later
/* How large a dump would become, beside what it becomes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/dump/codec.h"
#include "capture/dump/estimate.h"
#include "capture/output.h"
#include "capture/saver.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/mm_builder.h"
#include "tests/unit/test.h"

#define PAGE  4096ull
#define FIRST 0x8000ull
#define NR    4096ull /* pages, a quarter of each kind */

/* Kernel pages that pack to about a half, free ones that do not pack, cache, zeros. */
static int mixed_fd(void)
{
	static const char *const kinds[] = { "", "free=10", "lru", "" };
	static uint8_t data[PAGE];
	struct mm_builder m;
	char text[64];

	srandom(1);
	mm_builder_init(&m, mm_kernel_6_12);
	core_builder_ram(&m.core, FIRST * PAGE, NR * PAGE);
	for (unsigned k = 0; k < 4; k++) {
		uint64_t from = FIRST + k * NR / 4;

		snprintf(text, sizeof(text), "%llx-%llx %s", (unsigned long long)from,
			 (unsigned long long)from + NR / 4 - 1, kinds[k]);
		mm_builder_text(&m, text);
		for (uint64_t pfn = from; k < 3 && pfn < from + NR / 4; pfn++) {
			for (size_t i = 0; i < PAGE; i++)
				data[i] = k == 1 || i % 2 ? random() : 'x';
			core_builder_put(&m.core, pfn * PAGE, data, PAGE);
		}
	}
	return mm_builder_finish(&m);
}

static int64_t dump_size(struct core *core, const struct dump_options *options)
{
	_close_ int fd = memfd_create("dump", 0);
	struct output out = { .fd = fd };
	const struct dump_sink sink = output_sink(&out);
	struct dump_stats stats;
	struct stat sb;

	if (fd < 0 || dump_write(core, &sink, 1, options, &stats) || fstat(fd, &sb))
		return -1;
	return sb.st_size;
}

TEST(estimate, is_near_what_it_becomes)
{
	static const char *const codecs[] = { "fast", "zstd", NULL };
	struct core *core;

	CHECK_EQ(core_open_fd(mixed_fd(), "test", &core), 0);
	for (size_t i = 0; i < ARRAY_SIZE(codecs); i++) {
		struct dump_options options = {
			.codec = codecs[i] ? codec_find_name(codecs[i]) : NULL,
		};
		struct estimate e;

		CHECK_EQ(estimate_make(core, &options, &e), 0);
		CHECK_EQ(e.pages[PAGE_CACHE], NR / 4);
		CHECK(e.sampled[PAGE_FREE] >= ESTIMATE_SAMPLES / 2);
		for (options.level = 0; options.level <= 31; options.level++) {
			/* Headers and bitmaps are estimated by their upper bound. */
			int64_t size = dump_size(core, &options);
			int64_t guess = estimate_bytes(&e, options.level) - (1 << 20);
			struct dump_stats stats;

			CHECK_EQ(dump_count(core, &options, &stats), 0);
			CHECK_EQ(estimate_pages(&e, options.level), stats.planned_pages);
			CHECK(guess > size - size / 20 - (64 << 10));
			CHECK(guess < size + size / 20 + (512 << 10));
			CHECK((uint64_t)size < estimate_most(core));
		}
	}
	core_close(core);
}

static int refuse(void *ctx, const struct dump_stats *stats)
{
	(void)ctx;
	(void)stats;
	return 1;
}

TEST(estimate, can_be_ended)
{
	struct dump_options options = { .progress = refuse };
	struct estimate e = { .fixed = 7 };
	struct core *core;

	CHECK_EQ(core_open_fd(mixed_fd(), "test", &core), 0);
	CHECK_EQ(estimate_make(core, &options, &e), -ECANCELED);
	CHECK_EQ(e.fixed, 7);
	core_close(core);
}

static void no_alive(void *ctx)
{
	(void)ctx;
}

/* Levels by the room there is: asked for, next in the list, none, and beyond the list. */
TEST(estimate, decides_on_the_level)
{
	static const struct {
		const char *collector;
		uint64_t kib;
		bool last;
		int ret;
		unsigned level;
	} cases[] = {
		{ "vmcore-save -d 1", 1 << 20, false, 0, 1 }, /* more than there is memory */
		{ "vmcore-save -d 1", 16 << 10, false, 0, 1 },
		{ "vmcore-save -d 1,16,31", 12 << 10, false, 0, 16 },
		{ "vmcore-save -d 1,16,31", 8 << 10, false, 0, 31 },
		{ "vmcore-save -d 1,16", 8 << 10, false, -ENOSPC, 0 },
		{ "vmcore-save -d 1,16", 8 << 10, true, 0, 31 },
		{ "vmcore-save -d 31", 1 << 10, false, -ENOSPC, 0 },
		{ "vmcore-save -d 31", 1 << 10, true, 0, 31 },
		{ "vmcore-save -d 1,31 -L 8M", 1 << 20, false, 0, 31 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_close_ int fd = mixed_fd();
		struct init_saver ops;
		uint64_t need = 0;
		struct saver s;
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		saver_init(&s, &ops);
		CHECK_EQ(ops.fit(ops.ctx, 1, false, &need, no_alive, NULL), -ENODATA);
		CHECK_EQ(ops.configure(ops.ctx, cases[i].collector), 0);
		CHECK_EQ(ops.open(ops.ctx, path), 0);
		CHECK_EQ(ops.fit(ops.ctx, cases[i].kib << 10, cases[i].last, &need, no_alive, NULL),
			 cases[i].ret);
		if (cases[i].ret)
			CHECK(need > cases[i].kib << 10);
		else
			CHECK_EQ(s.options.levels[s.first], cases[i].level);
		core_close(s.core);
	}
}
