// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/check.h"

#include <stdlib.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "tests/unit/test.h"

#define HEAD_BYTES 512u
#define PE_AT	   0x80u
#define OPTIONAL   (PE_AT + 24)

static void make_head(uint8_t head[HEAD_BYTES], unsigned magic, unsigned entries, unsigned size)
{
	const unsigned directory = OPTIONAL + (magic == 0x20b ? 112 : 96);

	memset(head, 0, HEAD_BYTES);
	memcpy(head, "MZ", 2);
	head[0x3c] = PE_AT;
	memcpy(head + PE_AT, "PE\0\0", 4);
	put_le16(head + OPTIONAL, (uint16_t)magic);
	put_le32(head + directory - 4, entries);
	put_le32(head + directory + 36, size);
}

TEST(control, kernels_that_are_signed)
{
	static const struct {
		unsigned magic, entries, size;
		bool is;
	} cases[] = {
		{ 0x20b, 6, 1000, true },  { 0x10b, 16, 1000, true },  { 0x20b, 16, 0, false },
		{ 0x20b, 4, 1000, false }, { 0x107, 16, 1000, false },
	};
	uint8_t head[HEAD_BYTES];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_head(head, cases[i].magic, cases[i].entries, cases[i].size);
		CHECK_EQ(check_is_signed(head, HEAD_BYTES), cases[i].is);
	}
	make_head(head, 0x20b, 6, 1);
	for (size_t len = 0; len < OPTIONAL + 112 + 40; len++) {
		_free_ void *exact = malloc(len + !len); /* a sanitizer sees a byte too far */

		CHECK(exact);
		memcpy(exact, head, len);
		CHECK(!check_is_signed(exact, len));
	}
	put_le32(head + 0x3c, UINT32_MAX);
	CHECK(!check_is_signed(head, HEAD_BYTES));
}
