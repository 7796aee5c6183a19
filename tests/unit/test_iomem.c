// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "lib/iomem.h"
#include "lib/util.h"
#include "tests/unit/test.h"
#include "tests/unit/x86_builder.h"

TEST(iomem, malformed)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{ "00001000-00001fff : System RAM\n", 0 },
		{ "00001000-00001fff : System RAM", 0 },
		{ "00001000-00001fff : \n", 0 },
		{ "", -EACCES },
		{ "00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n", -EACCES },
		{ "\n", -EBADMSG },
		{ "xyz\n", -EBADMSG },
		{ "1000\n", -EBADMSG },
		{ "1000-\n", -EBADMSG },
		{ "1000-1fff\n", -EBADMSG },
		{ "1000-1fff :", -EBADMSG },
		{ "2000-1fff : System RAM\n", -EBADMSG },
		{ "0-ffffffffffffffff : System RAM\n", -EBADMSG },
		{ "0-1ffffffffffffffff : System RAM\n", -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iomem m = { 0 };

		CHECK_EQ(iomem_parse(cases[i].text, &m), cases[i].err);
		CHECK_EQ(m.nr, !cases[i].err);
		iomem_free(&m);
	}
}

TEST(iomem, types)
{
	static const struct {
		const char *name;
		enum iomem_type type;
	} cases[] = {
		{ "System RAM", IOMEM_RAM },
		{ "System RAM (kmem)", IOMEM_RAM_DRIVER },
		{ "System RAM (virtio_mem)", IOMEM_RAM_DRIVER },
		{ "System ROM", IOMEM_OTHER },
		{ "Reserved", IOMEM_RESERVED },
		{ "reserved", IOMEM_RESERVED },
		{ "ACPI Tables", IOMEM_ACPI_TABLES },
		{ "ACPI Non-volatile Storage", IOMEM_ACPI_NVS },
		{ "Persistent Memory (legacy)", IOMEM_PMEM_LEGACY },
		{ "Crash kernel", IOMEM_CRASH },
		{ "", IOMEM_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(iomem_type(cases[i].name, strlen(cases[i].name)), cases[i].type);
}

TEST(iomem, tree)
{
	struct iomem m, crash = { 0 };

	CHECK_EQ(iomem_parse(x86_iomem_high, &m), 0);
	CHECK_EQ(m.ranges[7].type, IOMEM_CRASH);
	CHECK_EQ(m.ranges[7].depth, 1);
	CHECK_EQ(m.ranges[7].end, 0x7a000000);
	CHECK_EQ(m.ranges[m.nr - 1].depth, 2);
	CHECK_EQ(iomem_select(&crash, &m, IOMEM_CRASH), 0);
	CHECK_EQ(crash.nr, 2);
	CHECK_EQ(crash.ranges[1].start, 0x1e0000000);
	iomem_free(&crash);
	iomem_free(&m);
}

TEST(iomem, exclude)
{
	static const struct {
		uint64_t start, end;
		size_t nr;
		uint64_t ranges[4]; /* start, end; start, end */
	} cases[] = {
		{ 0, 0x1000, 1, { 0x1000, 0x5000 } },
		{ 0x5000, 0x6000, 1, { 0x1000, 0x5000 } },
		{ 0, 0x2000, 1, { 0x2000, 0x5000 } },
		{ 0x4000, 0x9000, 1, { 0x1000, 0x4000 } },
		{ 0x1000, 0x5000, 0, { 0 } },
		{ 0, UINT64_MAX, 0, { 0 } },
		{ 0x3000, 0x3000, 1, { 0x1000, 0x5000 } },
		{ 0x2000, 0x3000, 2, { 0x1000, 0x2000, 0x3000, 0x5000 } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct iomem m = { 0 };

		CHECK_EQ(iomem_add(&m, 0x1000, 0x5000, IOMEM_RAM), 0);
		CHECK_EQ(iomem_exclude(&m, cases[i].start, cases[i].end), 0);
		CHECK_EQ(m.nr, cases[i].nr);
		for (size_t j = 0; j < m.nr; j++) {
			CHECK_EQ(m.ranges[j].start, cases[i].ranges[2 * j]);
			CHECK_EQ(m.ranges[j].end, cases[i].ranges[2 * j + 1]);
		}
		iomem_free(&m);
	}
}

TEST(iomem, sort_joins)
{
	struct iomem m = { 0 };

	CHECK_EQ(iomem_add(&m, 0x3000, 0x4000, IOMEM_RAM), 0);
	CHECK_EQ(iomem_add(&m, 0x1000, 0x2000, IOMEM_RAM), 0);
	CHECK_EQ(iomem_add(&m, 0x4000, 0x5000, IOMEM_RESERVED), 0);
	CHECK_EQ(iomem_add(&m, 0x2000, 0x3800, IOMEM_RAM), 0);
	CHECK_EQ(iomem_add(&m, 0x2000, 0x2000, IOMEM_RAM), -EINVAL);
	iomem_sort(&m);
	CHECK_EQ(m.nr, 2);
	CHECK_EQ(m.ranges[0].start, 0x1000);
	CHECK_EQ(m.ranges[0].end, 0x4000);
	iomem_free(&m);
}
