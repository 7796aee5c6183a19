// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "lib/util.h"
#include "loader/place.h"
#include "tests/unit/test.h"

/* Two pieces: [0x10000, 0x20000) and [0x100000, 0x180000). */
static int make(struct place *p)
{
	*p = (struct place){ .what = "the test's memory", .max = UINT64_MAX };
	return iomem_add(&p->free, 0x10000, 0x20000, IOMEM_CRASH) ||
	       iomem_add(&p->free, 0x100000, 0x180000, IOMEM_CRASH);
}

TEST(place, holes)
{
	static const struct {
		struct place_want want;
		uint64_t place_min, place_max;
		int err;
		uint64_t addr;
	} cases[] = {
		{ { .len = 1 }, 0, UINT64_MAX, 0, 0x10000 },
		{ { .len = 1, .top = true }, 0, UINT64_MAX, 0, 0x17f000 },
		{ { .len = 0x1001, .top = true }, 0, UINT64_MAX, 0, 0x17e000 },
		{ { .len = 0x10000 }, 0, UINT64_MAX, 0, 0x10000 },
		{ { .len = 0x10001 }, 0, UINT64_MAX, 0, 0x100000 },
		{ { .len = 1, .align = 0x100000 }, 0, UINT64_MAX, 0, 0x100000 },
		{ { .len = 1, .align = 0x40000, .top = true }, 0, UINT64_MAX, 0, 0x140000 },
		{ { .len = 1, .min = 0x12345 }, 0, UINT64_MAX, 0, 0x13000 },
		{ { .len = 1, .max = 0x20000, .top = true }, 0, UINT64_MAX, 0, 0x1f000 },
		{ { .len = 0x1000 }, 0x18800, UINT64_MAX, 0, 0x19000 },
		{ { .len = 0x1000, .top = true }, 0, 0x18800, 0, 0x17000 },
		{ { .len = 0x80000 }, 0, UINT64_MAX, 0, 0x100000 },
		{ { .len = 0x80001 }, 0, UINT64_MAX, -EADDRNOTAVAIL, 0 },
		{ { .len = 1, .min = 0x180000 }, 0, UINT64_MAX, -EADDRNOTAVAIL, 0 },
		{ { .len = 1, .max = 0x10fff }, 0, UINT64_MAX, -EADDRNOTAVAIL, 0 },
		{ { .len = 1 }, 0x20000, 0x100000, -EADDRNOTAVAIL, 0 },
		{ { .len = 1, .align = 1ULL << 63 }, 0, UINT64_MAX, -EADDRNOTAVAIL, 0 },
		{ { .len = 1, .align = 0x3000 }, 0, UINT64_MAX, -EINVAL, 0 },
		{ { .len = 0 }, 0, UINT64_MAX, -EINVAL, 0 },
		{ { .len = UINT64_MAX }, 0, UINT64_MAX, -EINVAL, 0 },
		{ { .len = UINT64_MAX - 8191, .top = true }, 0, UINT64_MAX, -EADDRNOTAVAIL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct place_want want = cases[i].want;
		char why[WHY_SIZE] = "";
		struct place p;
		uint64_t addr = 0;

		CHECK_EQ(make(&p), 0);
		p.min = cases[i].place_min;
		p.max = cases[i].place_max;
		want.name = "the thing";
		CHECK_EQ(place_take(&p, &want, &addr, why), cases[i].err);
		CHECK_EQ(addr, cases[i].addr);
		CHECK_EQ(strlen(why) > 20, cases[i].err != 0);
		iomem_free(&p.free);
	}
}

TEST(place, says_the_numbers)
{
	struct place_want want = { .name = "the kernel", .len = 53 << 20, .max = 1ULL << 32 };
	char why[WHY_SIZE];
	struct place p;
	uint64_t addr;

	CHECK_EQ(make(&p), 0);
	CHECK_EQ(place_take(&p, &want, &addr, why), -EADDRNOTAVAIL);
	CHECK_STR(why, "the kernel takes 53 MiB and finds no place in the test's memory, whose "
		       "largest free piece has 512 KiB (it must lie between 0x0 and 0x100000000)");
	iomem_free(&p.free);
}

/* What was taken once is not given again. */
TEST(place, until_full)
{
	struct place_want want = { .name = "a page", .len = 4096 };
	uint64_t addr, seen[0x200] = { 0 };
	char why[WHY_SIZE];
	struct place p;
	size_t n = 0;

	CHECK_EQ(make(&p), 0);
	CHECK_EQ(place_take_at(&p, &want, 0x13000, why), 0);
	CHECK_EQ(place_take_at(&p, &want, 0x13000, why), -EADDRNOTAVAIL);
	CHECK_EQ(place_take_at(&p, &want, 0x13001, why), -EINVAL);
	for (; !place_take(&p, &want, &addr, why); n++) {
		CHECK(addr / 4096 < ARRAY_SIZE(seen) && !seen[addr / 4096]);
		CHECK(addr != 0x13000);
		seen[addr / 4096] = 1;
		want.top = !want.top;
	}
	CHECK_EQ(n, 0x10 + 0x80 - 1);
	CHECK_EQ(place_largest(&p), 0);
	iomem_free(&p.free);
}
