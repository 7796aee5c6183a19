// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "capture/core/vmcoreinfo.h"
#include "tests/unit/test.h"

static const char text[] = "OSRELEASE=6.1.0-50-cloud-amd64\n"
			   "BUILD-ID=00ff\n"
			   "PAGESIZE=4096\n"
			   "no equals sign\n"
			   "=no key\n"
			   "SYMBOL(init_top_pgt)=ffffffff8a210000\n"
			   "SYMBOL(bad)=ffffffff8a210000 \n"
			   "SYMBOL(huge)=fffffffffffffffff\n"
			   "SIZE(page)=64\n"
			   "SIZE(negative)=-64\n"
			   "OFFSET(page.flags)=0\n"
			   "LENGTH(mem_section)=2048\n"
			   "NUMBER(PG_lru)=4\n"
			   "NUMBER(PG_lru)=5\n"
			   "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n"
			   "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=4110417920\n"
			   "NUMBER(VMALLOC_START)=0xff20000000000000\n"
			   "NUMBER(octal)=010\n"
			   "NUMBER(empty)=\n"
			   "NUMBER(lowest)=-9223372036854775808\n"
			   "NUMBER(too_low)=-9223372036854775809\n"
			   "KERNELOFFSET=9200000\n"
			   "CRASHTIME=1700000000\n"
			   "LAST=no newline";

static struct vmcoreinfo *parse(void)
{
	struct vmcoreinfo *vi = NULL;

	return vmcoreinfo_parse(text, sizeof(text) - 1, &vi) ? NULL : vi;
}

TEST(vmcoreinfo, looks_up_by_type)
{
	struct vmcoreinfo *vi = parse();
	uint64_t v = 0;
	size_t len;

	CHECK(vi);
	CHECK_STR(vmcoreinfo_string(vi, "OSRELEASE"), "6.1.0-50-cloud-amd64");
	CHECK_STR(vmcoreinfo_string(vi, "LAST"), "no newline");
	CHECK(!vmcoreinfo_string(vi, "no equals sign"));
	CHECK(!vmcoreinfo_string(vi, ""));
	CHECK_EQ(vmcoreinfo_symbol(vi, "init_top_pgt", &v), 0);
	CHECK_EQ(v, 0xffffffff8a210000);
	CHECK_EQ(vmcoreinfo_size(vi, "page", &v), 0);
	CHECK_EQ(v, 64);
	CHECK_EQ(vmcoreinfo_offset(vi, "page.flags", &v), 0);
	CHECK_EQ(v, 0);
	CHECK_EQ(vmcoreinfo_length(vi, "mem_section", &v), 0);
	CHECK_EQ(v, 2048);
	CHECK_EQ(vmcoreinfo_hex(vi, "KERNELOFFSET", &v), 0);
	CHECK_EQ(v, 0x9200000);
	CHECK(!memcmp(vmcoreinfo_raw(vi, &len), text, sizeof(text) - 1));
	CHECK_EQ(len, sizeof(text) - 1);
	vmcoreinfo_free(vi);
}

TEST(vmcoreinfo, numbers)
{
	static const struct {
		const char *name;
		int err;
		int64_t value;
	} cases[] = {
		{ "PG_lru", 0, 4 }, /* the first of two */
		{ "PAGE_BUDDY_MAPCOUNT_VALUE", 0, -129 },
		{ "PAGE_SLAB_MAPCOUNT_VALUE", 0, 4110417920 },
		{ "VMALLOC_START", 0, (int64_t)0xff20000000000000 },
		{ "octal", 0, 10 },
		{ "empty", -EBADMSG, 0 },
		{ "lowest", 0, INT64_MIN },
		{ "too_low", -EBADMSG, 0 },
		{ "absent", -ENODATA, 0 },
	};
	struct vmcoreinfo *vi = parse();

	CHECK(vi);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = 0;

		CHECK_EQ(vmcoreinfo_number(vi, cases[i].name, &v), cases[i].err);
		CHECK_EQ(v, cases[i].value);
	}
	vmcoreinfo_free(vi);
}

TEST(vmcoreinfo, malformed_values_are_not_numbers)
{
	struct vmcoreinfo *vi = parse();
	uint64_t v = 42;

	CHECK(vi);
	CHECK_EQ(vmcoreinfo_symbol(vi, "bad", &v), -EBADMSG);
	CHECK_EQ(vmcoreinfo_symbol(vi, "huge", &v), -EBADMSG);
	CHECK_EQ(vmcoreinfo_size(vi, "negative", &v), -EBADMSG);
	CHECK_EQ(vmcoreinfo_hex(vi, "OSRELEASE", &v), -EBADMSG);
	CHECK_EQ(v, 42);
	vmcoreinfo_free(vi);
}

TEST(vmcoreinfo, refuses_what_is_none)
{
	static char big[VMCOREINFO_MAX_BYTES + 1];
	struct vmcoreinfo *vi = NULL;

	memset(big, 'a', sizeof(big));
	big[1] = '=';
	CHECK_EQ(vmcoreinfo_parse("", 0, &vi), -EBADMSG);
	CHECK_EQ(vmcoreinfo_parse("\0\0\0\n\xff", 5, &vi), -EBADMSG);
	CHECK_EQ(vmcoreinfo_parse(big, sizeof(big), &vi), -EBADMSG);
	CHECK(!vi);
	CHECK_EQ(vmcoreinfo_parse(big, sizeof(big) - 1, &vi), 0);
	vmcoreinfo_free(vi);
}
