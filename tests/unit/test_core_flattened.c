// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "capture/core/file.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/core_builder_kdump.h"
#include "tests/unit/test.h"

/* A file of @len bytes, of which each says where it is. */
static int make_plain(size_t len)
{
	int fd = memfd_create("plain", MFD_CLOEXEC);

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)(i * 7 + (i >> 8));

		if (io_pwrite_full(fd, &byte, 1, i))
			abort();
	}
	return fd;
}

static int open_quietly(int fd, struct core_file **file_ret)
{
	enum log_level before = log_level();
	int err;

	log_set_level(LOG_LVL_NONE);
	err = core_file_open(fd, "test", file_ret);
	log_set_level(before);
	return err;
}

/* Whether [@start, @end) reads as in make_plain(), in pieces of several sizes. */
static bool reads_right(struct core_file *file, size_t start, size_t end)
{
	static const size_t sizes[] = { 1, 7, 64, 300 };
	struct file_view *view;
	uint8_t buf[512];
	bool right = true;

	if (file_view_create(file, 128, &view))
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(sizes) && right; k++) {
		for (size_t at = start; at < end && right; at += sizes[k]) {
			size_t n = MIN(sizes[k], end - at);

			right = !file_view_read(view, at, buf, n);
			for (size_t i = 0; i < n && right; i++)
				right = buf[i] == (uint8_t)((at + i) * 7 + ((at + i) >> 8));
		}
	}
	file_view_destroy(view);
	return right;
}

TEST(core_flattened, records_in_any_order)
{
	static const struct {
		size_t nr;
		struct flat_piece pieces[6];
		size_t extents;
	} cases[] = {
		{ 1, { { 0, 1000 } }, 1 },
		{ 3, { { 0, 300 }, { 300, 300 }, { 600, 400 } }, 1 },
		{ 3, { { 600, 400 }, { 300, 300 }, { 0, 300 } }, 3 },
		{ 4, { { 500, 500 }, { 0, 1 }, { 1, 0 }, { 1, 499 } }, 2 },
		{ 4, { { 0, 100 }, { 500, 500 }, { 100, 400 }, { 0, 0 } }, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_file *file;

		CHECK_EQ(open_quietly(flatten(make_plain(1000), cases[i].pieces, cases[i].nr),
				      &file),
			 0);
		CHECK(file->flat);
		CHECK_EQ(file->flat->nr, cases[i].extents);
		CHECK_EQ(file->size, 1000);
		CHECK(reads_right(file, 0, 1000));
		CHECK_EQ(core_file_next_data(file, 999), 999);
		CHECK_EQ(core_file_next_data(file, 1000), UINT64_MAX);
		core_file_close(file);
	}
}

/* What stands at each offset of 16 after these records, each full of its own letter. */
TEST(core_flattened, later_records_count)
{
	static const struct {
		struct flat_piece pieces[5];
		const char *want;
	} cases[] = {
		{ { { 0, 16 }, { 0, 4 } }, "bbbbaaaaaaaaaaaa" },
		{ { { 0, 16 }, { 6, 4 } }, "aaaaaabbbbaaaaaa" },
		{ { { 0, 16 }, { 12, 4 } }, "aaaaaaaaaaaabbbb" },
		{ { { 6, 4 }, { 0, 16 } }, "bbbbbbbbbbbbbbbb" },
		{ { { 0, 8 }, { 4, 12 }, { 2, 4 } }, "aaccccbbbbbbbbbb" },
		{ { { 4, 8 }, { 0, 16 }, { 4, 4 }, { 6, 1 } }, "bbbbccdcbbbbbbbb" },
		{ { { 0, 16 }, { 0, 12 }, { 0, 8 }, { 0, 4 } }, "ddddccccbbbbaaaa" },
		{ { { 0, 4 }, { 0, 8 }, { 0, 12 }, { 0, 16 } }, "dddddddddddddddd" },
		{ { { 0, 4 }, { 12, 4 } }, "aaaa        bbbb" }, /* ' ' was never written */
		{ { { 8, 4 }, { 8, 8 }, { 7, 2 } }, "       ccbbbbbbb" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t at = FLAT_HEADER_BYTES;
		struct core_file *file;
		struct file_view *view;
		int fd = flatten(make_plain(64), cases[i].pieces, ARRAY_SIZE(cases[i].pieces));

		for (size_t k = 0; k < ARRAY_SIZE(cases[i].pieces); k++) {
			char data[16];

			memset(data, 'a' + (int)k, sizeof(data));
			at += FLAT_RECORD_BYTES;
			CHECK_EQ(io_pwrite_full(fd, data, cases[i].pieces[k].size, at), 0);
			at += cases[i].pieces[k].size;
		}
		CHECK_EQ(open_quietly(fd, &file), 0);
		CHECK_EQ(file_view_create(file, 0, &view), 0);
		for (size_t k = 0; k < 16; k++) {
			char byte;
			int err = file_view_read(view, k, &byte, 1);

			CHECK_EQ(err, cases[i].want[k] == ' ' ? -ENODATA : 0);
			CHECK_EQ(err ? ' ' : byte, cases[i].want[k]);
		}
		file_view_destroy(view);
		core_file_close(file);
	}
}

TEST(core_flattened, cut_off_anywhere)
{
	static const struct flat_piece pieces[] = { { 100, 200 }, { 0, 100 }, { 300, 50 } };

	for (off_t len = FLAT_HEADER_BYTES; len < FLAT_HEADER_BYTES + 410; len += 3) {
		size_t first = (size_t)MAX((off_t)0, len - FLAT_HEADER_BYTES - FLAT_RECORD_BYTES);
		int fd = flatten(make_plain(350), pieces, ARRAY_SIZE(pieces));
		struct core_file *file;

		CHECK_EQ(ftruncate(fd, len), 0);
		CHECK_EQ(open_quietly(fd, &file), 0);
		CHECK(reads_right(file, 100, 100 + MIN(first, (size_t)200)));
		CHECK(!first || !reads_right(file, 0, file->size + 1));
		core_file_close(file);
	}
}

TEST(core_flattened, refuses_what_cannot_be)
{
	static const struct {
		uint64_t at, value;
		int err;
	} cases[] = {
		{ 16, 2, -EBADMSG }, /* type */
		{ 24, 2, -EBADMSG }, /* version */
		{ FLAT_HEADER_BYTES, UINT64_MAX - 50, -EBADMSG },
		{ FLAT_HEADER_BYTES + 8, UINT64_MAX, -EBADMSG },
		{ FLAT_HEADER_BYTES, 1ull << 63, -EBADMSG },
		{ FLAT_HEADER_BYTES + 8, INT64_MAX, 0 }, /* cut off */
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = flatten(make_plain(100), NULL, 100);
		struct core_file *file;
		uint8_t raw[8];

		put_be64(raw, cases[i].value);
		CHECK_EQ(io_pwrite_full(fd, raw, 8, cases[i].at), 0);
		CHECK_EQ(open_quietly(fd, &file), cases[i].err);
		if (!cases[i].err)
			core_file_close(file);
	}
}

/* @nr records of one byte each, every one on its own or following the last. */
static int many_records(size_t nr, uint64_t stride)
{
	size_t len = FLAT_HEADER_BYTES + nr * (FLAT_RECORD_BYTES + 1);
	uint8_t *raw = calloc(1, len);
	int fd = memfd_create("flattened", MFD_CLOEXEC);

	if (!raw || fd < 0)
		abort();
	memcpy(raw, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE));
	put_be64(raw + 16, 1);
	put_be64(raw + 24, 1);
	for (size_t i = 0; i < nr; i++) {
		uint8_t *rec = raw + FLAT_HEADER_BYTES + i * (FLAT_RECORD_BYTES + 1);

		put_be64(rec, i * stride);
		put_be64(rec + 8, 1);
		rec[FLAT_RECORD_BYTES] = (uint8_t)(i * 7 + (i >> 8));
	}
	if (io_write_full(fd, raw, len))
		abort();
	free(raw);
	return fd;
}

TEST(core_flattened, index_is_bounded)
{
	struct core_file *file;
	struct file_view *view;
	uint8_t byte;

	CHECK_EQ(open_quietly(many_records(140000, 1), &file), 0);
	CHECK_EQ(file->size, 140000);
	CHECK(file->flat->nr <= 140000 / 64 + 1);
	CHECK(reads_right(file, 139000, 140000));
	core_file_close(file);

	CHECK_EQ(open_quietly(many_records(FLAT_EXTENTS_MAX, 2), &file), 0);
	CHECK_EQ(file->flat->nr, FLAT_EXTENTS_MAX);
	CHECK_EQ(file_view_create(file, 0, &view), 0);
	CHECK_EQ(file_view_read(view, 2000, &byte, 1), 0);
	CHECK_EQ(byte, (uint8_t)(1000 * 7 + (1000 >> 8)));
	CHECK_EQ(file_view_read(view, 2001, &byte, 1), -ENODATA);
	file_view_destroy(view);
	core_file_close(file);

	CHECK_EQ(open_quietly(many_records(FLAT_EXTENTS_MAX + 1, 2), &file), -EFBIG);
	CHECK_EQ(open_quietly(many_records(5000, 0), &file), -EBADMSG); /* all at one place */
}

static struct core *open_core(int fd)
{
	enum log_level before = log_level();
	struct core *core = NULL;
	int err;

	log_set_level(LOG_LVL_NONE);
	err = core_open_fd(fd, "test", &core);
	log_set_level(before);
	return err ? NULL : core;
}

TEST(core_flattened, elf_core_within)
{
	struct core_builder b;
	struct core *core;
	uint8_t buf[8];

	for (size_t record = 100; record < 100000; record = record * 5 + 3) {
		core_builder_init(&b);
		b.end = 4096;
		core_builder_ram(&b, 0x1000, 0x4000);
		core_builder_ram(&b, 0x8000, 0x1000);
		core_builder_vmcoreinfo(&b, "OSRELEASE=x\n");
		core_builder_put64(&b, 0x2ff8, 0x1234);
		core = open_core(flatten(core_builder_finish(&b), NULL, record));
		CHECK(core);
		CHECK_STR(vmcoreinfo_string(core_vmcoreinfo(core), "OSRELEASE"), "x");
		CHECK_EQ(core_end_paddr(core), 0x9000);
		CHECK_EQ(core_read_paddr(core, 0x2ff8, buf, 8), 0);
		CHECK_EQ(get_le64(buf), 0x1234);
		CHECK_EQ(core_read_paddr(core, 0x5000, buf, 8), -ENODATA);
		core_close(core);
	}
}

TEST(core_flattened, kdump_within)
{
	/* Data, descriptors, bitmaps, headers: the other way round. */
	static const struct flat_piece pieces[] = {
		{ 5 * 4096, 30000 }, { 3 * 4096, 2 * 4096 }, { 4096, 2 * 4096 }, { 0, 4096 }
	};
	const struct kdump_recipe recipe = { .pages = "rc.lzp", .vmcoreinfo = "OSRELEASE=x\n" };
	uint8_t page[4096], want[4096];

	for (unsigned map = 0; map < 2; map++) {
		struct core *core = open_core(flatten(kdump_build(&recipe), pieces, 4));

		CHECK(core);
		core_set_access(core, map ? CORE_ACCESS_MMAP : CORE_ACCESS_READ);
		for (uint64_t pfn = 0; pfn < 6; pfn++) {
			CHECK_EQ(core_read_pages(core, pfn * 4096, page, 4096),
				 pfn == 2 ? -ENODATA : 0);
			kdump_build_page(pfn, want, 4096);
			CHECK(pfn == 2 || !memcmp(page, want, 4096));
		}
		core_close(core);
	}
}
