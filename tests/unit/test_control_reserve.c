// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/reserve.h"

#include "control/dumps/history.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define MIB(x) ((uint64_t)((x) * (1 << 20)))

/* init_size of the kernels, sizes of the bench's images, and what docs/measurements.md found. */
TEST(control, reserve_is_near_what_was_measured)
{
	static const struct {
		double kernel, packed, unpacked;
		unsigned found;
	} cases[] = {
		{ 63.6, 1.3, 2.5, 84 }, /* 6.1, ext4 on virtio-blk */
		{ 55.9, 1.3, 2.5, 68 }, /* 6.12 */
		{ 60.2, 1.1, 2.2, 76 }, /* 7.2 */
		{ 60.2, 2.5, 6.0, 92 }, /* 7.2, xfs */
		{ 63.6, 4.9, 14, 96 },	/* 6.1, ssh */
		{ 55.9, 4.9, 14, 84 },	/* 6.12, ssh */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reserve r = { .kernel = MIB(cases[i].kernel),
				     .packed = MIB(cases[i].packed),
				     .unpacked = MIB(cases[i].unpacked) };

		reserve_compute(&r, &(struct history){ 0 });
		CHECK_EQ(r.smallest, r.computed);
		CHECK(r.smallest >= MIB(cases[i].found));
		CHECK(r.smallest <= MIB(cases[i].found) * 5 / 4);
		CHECK(r.recommended >= r.smallest * 5 / 4);
		CHECK(r.recommended <= MIB(cases[i].found) * 5 / 3);
		CHECK_EQ(r.recommended % RESERVE_STEP, 0);
	}
}

TEST(control, kernels_that_tell_their_size)
{
	uint8_t head[1024] = { 0 };

	CHECK_EQ(reserve_kernel_bytes(head, sizeof(head)), 0);
	memcpy(head + 0x202, "HdrS", 4);
	head[0x207] = 2;
	head[0x206] = 9;
	head[0x262] = 0x40;
	CHECK_EQ(reserve_kernel_bytes(head, sizeof(head)), 0);
	head[0x206] = 10;
	CHECK_EQ(reserve_kernel_bytes(head, sizeof(head)), 4 << 20);
	CHECK_EQ(reserve_kernel_bytes(head, 0x263), 0);
	CHECK_EQ(reserve_kernel_bytes(head, 0), 0);
}

/* What captures have taken counts where it is more than the terms. */
TEST(control, reserve_learns_from_captures)
{
	static const struct {
		unsigned captures;
		double peak, total, smallest;
	} cases[] = {
		{ 1, 20, 64, 98 },  /* 60 + 20 + 1, less than the terms */
		{ 3, 70, 128, 132 } /* 60 + 70 + 2 */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct history h = { .captures = cases[i].captures,
					   .peak_kib = MIB(cases[i].peak) >> 10,
					   .total_kib = MIB(cases[i].total) >> 10 };
		struct reserve r = { .kernel = MIB(60), .packed = MIB(4), .unpacked = MIB(10) };

		reserve_compute(&r, &h);
		CHECK_EQ(r.smallest, MIB(cases[i].smallest));
		CHECK_EQ(r.captures, cases[i].captures);
		CHECK_EQ(r.computed, MIB(98));
	}
}

#define RECORD(verdict_, kernel_, ...)                                                             \
	{                                                                                          \
		.ours = true, .record = {.verdict = verdict_, .kernel = kernel_, __VA_ARGS__ }     \
	}

TEST(control, history_of_dumps)
{
	struct dump list[] = {
		RECORD("complete", "5.10", .mem_total_kib = 900, .mem_available_min_kib = 1),
		/* none of it is true */
		RECORD("complete", "6.1", .mem_total_kib = 5, .mem_available_min_kib = 9),
		RECORD("failed", "6.1", .mem_total_kib = 100, .mem_available_min_kib = 60,
		       .dump_bytes = 500, .kept = 1),
		RECORD("complete", "6.1", .mem_total_kib = 120, .mem_available_min_kib = 50,
		       .dump_bytes = UINT64_MAX, .kept = 5),
		RECORD("complete", "6.1", .dump_bytes = 1, .kept = UINT64_MAX),
		RECORD("complete", "6.1", .dump_bytes = 5, .kept = 3, .zero = 4),
		RECORD("complete", NULL, .dump_bytes = 5000, .kept = 5, .zero = 2),
		RECORD("complete", "6.1", .dump_bytes = 1, .kept = 5),
		{ .record = { .kernel = "6.1", .mem_total_kib = 999, .mem_available_min_kib = 1 } },
	};
	struct dumps dumps = { .list = list, .nr = ARRAY_SIZE(list) };
	struct history h;

	history_of(&dumps, "6.1", 4096, &h);
	CHECK_EQ(h.captures, 2);
	CHECK_EQ(h.peak_kib, 70);
	CHECK_EQ(h.total_kib, 120);
	CHECK_EQ(h.spare_kib, 60);
	CHECK_EQ(h.file_bytes, 5000);
	CHECK_EQ(h.memory_bytes, 3 * 4096);
	history_of(&dumps, "6.12", 4096, &h);
	CHECK_EQ(h.captures, 0);
	CHECK_EQ(h.peak_kib, 0);
	CHECK_EQ(h.file_bytes, 5000);
}
