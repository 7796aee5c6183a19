// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>

#include "capture/core/unpack.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* Data as hexadecimal text. */
static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		char byte[3] = { hex[0], hex[1], 0 };

		if (*hex == ' ')
			continue;
		out[n++] = (uint8_t)strtoul(byte, NULL, 16);
		hex++;
	}
	return n;
}

TEST(core_unpack, snappy_elements)
{
	static const struct {
		const char *packed, *want; /* @want NULL: -EBADMSG for 16 bytes */
	} cases[] = {
		{ "10 3c 30313233343536373839616263646566", "0123456789abcdef" },
		{ "10 f00f 30313233343536373839616263646566", "0123456789abcdef" },
		{ "10 f40f00 30313233343536373839616263646566", "0123456789abcdef" },
		{ "10 fc0f000000 30313233343536373839616263646566", "0123456789abcdef" },
		{ "10 1c 3031323334353637 1108", "0123456701234567" },	     /* copy, 1 byte */
		{ "10 1c 3031323334353637 1e0800", "0123456701234567" },     /* 2 bytes */
		{ "10 1c 3031323334353637 1f08000000", "0123456701234567" }, /* 4 bytes */
		{ "10 00 61 3a0100", "aaaaaaaaaaaaaaaa" },		     /* overlaps itself */
		{ "10 04 6162 360200", "abababababababab" },
		{ "9000 00 61 3a0100", "aaaaaaaaaaaaaaaa" }, /* a longer varint */
		{ "", NULL },
		{ "10", NULL },					      /* nothing */
		{ "0f 38 303132333435363738396162636465", NULL },     /* another length */
		{ "10 3c 3031", NULL },				      /* literal beyond the input */
		{ "10 40 3031323334353637383961626364656667", NULL }, /* beyond the output */
		{ "10 fcffffffff 30", NULL },			      /* a length of 4 GiB */
		{ "10 fc0f", NULL },				      /* cut-off length */
		{ "10 00 61 3a0000", NULL },			      /* offset 0 */
		{ "10 00 61 3a0200", NULL },			      /* before the start */
		{ "10 00 61 3bffffffff", NULL },
		{ "10 00 61 fe0100", NULL }, /* copy beyond the output */
		{ "10 00 61 3a01", NULL },   /* cut-off offset */
		{ "10 00 61", NULL },	     /* ends early */
		{ "ffffffffff0f 00", NULL }, /* a varint without end */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t packed[64], out[16];
		size_t len = from_hex(cases[i].packed, packed);

		CHECK_EQ(unpack_snappy(packed, len, out, 16), cases[i].want ? 0 : -EBADMSG);
		CHECK(!cases[i].want || !memcmp(out, cases[i].want, 16));
	}
}

TEST(core_unpack, garbage_is_refused_by_every_codec)
{
	static const uint32_t flags[] = {
		0,
		1,
#if defined(HAVE_LZO) && HAVE_LZO + 0
		2,
#endif
		4,
		0x20,
	};
	static uint8_t garbage[4000], page[4096];
	struct unpacker u = { 0 };

	memset(garbage, 0xa5, sizeof(garbage));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		CHECK_EQ(unpack_page(&u, flags[i], garbage, sizeof(garbage), page, 4096), -EBADMSG);
	CHECK_EQ(unpack_page(&u, 8, garbage, sizeof(garbage), page, 4096), -EOPNOTSUPP);
	unpacker_deinit(&u);
}
