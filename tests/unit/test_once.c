// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/init/once.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "tests/unit/test.h"

#define CHUNK (64u << 10)

static void fill(char *map, size_t len)
{
	for (size_t i = 0; i < len; i++)
		map[i] = (char)(i * 7 + i / 4096);
}

/* Whether the kernel still reads there. */
static bool readable(const char *at)
{
	_close_ int fd = memfd_create("once", MFD_CLOEXEC);

	return write(fd, at, 1) == 1;
}

/* A write into a memfd: the kernel reads it from its beginning to its end. */
static void read_once(size_t len, bool reads, bool goes)
{
	_once_ struct once once = ONCE_NONE;
	_close_ int fd = memfd_create("once", MFD_CLOEXEC);
	_free_ char *want = malloc(len), *got = malloc(len);
	int err;

	CHECK(fd >= 0 && want && got);
	CHECK_EQ(once_map(&once, len), 0);
	CHECK(once.len >= len);
	fill(once.map, len);
	fill(want, len);
	err = once_lend(&once, CHUNK);
	/* Not everybody may be told of faults; then nothing goes away. */
	if (err)
		CHECK(err == -EPERM || err == -ENOSYS);
	if (!reads)
		return;
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, once.map + done, len - done);

		CHECK(n > 0);
		if (n <= 0)
			return;
		done += n;
	}
	CHECK_EQ(io_pread_full(fd, got, len, 0), (ssize_t)len);
	CHECK(memcmp(got, want, len) == 0);
	CHECK(readable(once.map + len - 1));
	CHECK_EQ(readable(once.map), err || !goes);
}

TEST(once, memory_goes_away_behind_who_reads_it)
{
	static const struct {
		size_t len;
		bool goes; /* the first page, once the last one is asked for */
	} cases[] = {
		{ 1, false },	   { 4095, false },	    { 4096, false },
		{ 4097, false },   { CHUNK + 4096, false }, { CHUNK + 4097, true },
		{ 1000000, true }, { 4 << 20, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		read_once(cases[i].len, true, cases[i].goes);
		read_once(cases[i].len, false, cases[i].goes);
	}
}

TEST(once, no_memory_of_no_size)
{
	struct once once;

	CHECK_EQ(once_map(&once, 0), -EINVAL);
	CHECK_EQ(once_map(&once, SIZE_MAX), -EINVAL);
	once_unmap(&once);
}
