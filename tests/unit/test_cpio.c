// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/cpio.h"
#include "lib/util.h"
#include "tests/unit/test.h"

struct sink {
	char data[4096];
	size_t len;
	int err;
};

static int sink_write(void *ctx, const void *data, size_t len)
{
	struct sink *s = ctx;

	if (s->err)
		return s->err;
	if (len > sizeof(s->data) - s->len)
		return -ENOSPC;
	memcpy(s->data + s->len, data, len);
	s->len += len;
	return 0;
}

/* Header fields: ino mode uid gid nlink mtime size devmajor devminor major minor namesize check */
TEST(cpio, every_byte_of_an_archive)
{
	static const char want[] = "070701"
				   "00000001"
				   "000041ED"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000000"
				   "d\0"
				   "070701"
				   "00000002"
				   "000081A4"
				   "00000001"
				   "00000002"
				   "00000001"
				   "00000000"
				   "00000005"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000006"
				   "00000000"
				   "d/abc\0"
				   "hello\0\0\0"
				   "070701"
				   "00000003"
				   "0000A1FF"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000002"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000002"
				   "00000000"
				   "l\0"
				   "to\0\0"
				   "070701"
				   "00000004"
				   "00002180"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000005"
				   "00000001"
				   "00000004"
				   "00000000"
				   "tty\0\0\0"
				   "070701"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000001"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "00000000"
				   "0000000B"
				   "00000000"
				   "TRAILER!!!\0\0\0";
	static const struct cpio_entry entries[] = {
		{ .name = "/d", .mode = S_IFDIR | 0755 },
		{ "d/abc", S_IFREG | 0644, 1, 2, 0, 0, "hello", 5 },
		{ "/l", S_IFLNK | 0777, 0, 0, 0, 0, "to", 2 },
		{ "tty", S_IFCHR | 0600, 0, 0, 5, 1, NULL, 0 },
	};
	struct sink s = { .len = 0 };
	struct cpio c;

	cpio_init(&c, sink_write, &s);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		CHECK_EQ(cpio_add(&c, &entries[i]), 0);
	CHECK_EQ(cpio_finish(&c), 0);
	CHECK_EQ(s.len % 512, 0);
	CHECK_EQ(s.len, c.offset);
	CHECK(s.len >= sizeof(want) - 1);
	CHECK_EQ(memcmp(s.data, want, sizeof(want) - 1), 0);
	for (size_t i = sizeof(want) - 1; i < s.len; i++)
		CHECK_EQ(s.data[i], 0);
}

TEST(cpio, refuses_what_the_format_cannot_hold)
{
	static char long_name[CPIO_NAME_MAX + 2];
	struct cpio_entry e = { .name = "/", .mode = S_IFDIR | 0755 };
	struct sink s = { .len = 0 };
	struct cpio c;

	cpio_init(&c, sink_write, &s);
	CHECK_EQ(cpio_add(&c, &e), -EINVAL);
	memset(long_name, 'x', CPIO_NAME_MAX);
	e.name = long_name;
	CHECK_EQ(cpio_add(&c, &e), -EINVAL);
#if SIZE_MAX > UINT32_MAX
	e.name = "big";
	e.size = (size_t)UINT32_MAX + 1;
	CHECK_EQ(cpio_add(&c, &e), -EINVAL);
#endif
	CHECK_EQ(s.len, 0);
}

TEST(cpio, passes_a_write_error_on)
{
	struct cpio_entry e = { .name = "f", .mode = S_IFREG };
	struct sink s = { .err = -ENOSPC };
	struct cpio c;

	cpio_init(&c, sink_write, &s);
	CHECK_EQ(cpio_add(&c, &e), -ENOSPC);
	CHECK_EQ(cpio_finish(&c), -ENOSPC);
}

TEST(cpio, all_entries_have_the_time_that_is_set)
{
	struct cpio_entry e = { .name = "f", .mode = S_IFREG };
	struct sink s = { .err = 0 };
	struct cpio c;

	cpio_init(&c, sink_write, &s);
	c.mtime = 0x65432100;
	CHECK_EQ(cpio_add(&c, &e), 0);
	CHECK_EQ(memcmp(s.data + 6 + 5 * 8, "65432100", 8), 0);
}
