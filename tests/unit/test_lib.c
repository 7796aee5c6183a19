// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(lib, bytes_are_fixed_endian_and_unaligned)
{
	uint8_t b[9] = { 0 };

	put_le32(b + 1, 0x11223344);
	CHECK_EQ(b[1], 0x44);
	CHECK_EQ(get_be32(b + 1), 0x44332211);
	put_be64(b + 1, 0x0102030405060708);
	CHECK_EQ(get_le64(b + 1), 0x0807060504030201);
}

TEST(lib, range_within_does_not_overflow)
{
	CHECK(range_within(0, 0, 0));
	CHECK(range_within(4, 6, 10));
	CHECK(!range_within(4, 7, 10));
	CHECK(!range_within(8, UINT64_MAX - 4, 100));
	CHECK(!range_within(UINT64_MAX, 1, 10));
}

TEST(lib, read_file_takes_proc_files_and_bounds)
{
	_free_ char *data = NULL;
	size_t len;

	CHECK_EQ(io_read_file("/proc/self/status", 1 << 20, &data, &len), 0);
	CHECK_EQ(strlen(data), len);
	CHECK(len > 100);
	CHECK_EQ(io_read_file("/proc/self/status", 10, &data, &len), -EFBIG);
	CHECK_EQ(io_read_file("/nonexistent/file", 10, &data, &len), -ENOENT);
}

/* Longer ones are refused by a kernel's /dev/kmsg; the end of the line has to be there. */
TEST(lib, log_lines_fit_into_a_record)
{
	enum log_level level = log_level();
	char text[2048], line[2048];
	_close_ int saved = dup(STDERR_FILENO), out = memfd_create("log", 0);
	ssize_t len;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK(saved >= 0 && out >= 0);
	dup2(out, STDERR_FILENO);
	log_set_level(LOG_LVL_ERROR);
	log_error("%s", text);
	log_set_level(level);
	dup2(saved, STDERR_FILENO);
	len = io_pread_full(out, line, sizeof(line), 0);
	CHECK(len > 900 && len + (ssize_t)strlen("<3>") <= 976);
	CHECK_EQ(line[len - 1], '\n');
}
