// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/reserve.h"

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

		reserve_compute(&r);
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
