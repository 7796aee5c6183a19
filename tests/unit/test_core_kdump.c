// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "capture/core/kdump_layout.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder_kdump.h"
#include "tests/unit/test.h"

static int open_quietly(int fd, struct core **core_ret)
{
	enum log_level before = log_level();
	int err;

	log_set_level(LOG_LVL_NONE);
	err = core_open_fd(fd, "test", core_ret);
	log_set_level(before);
	return err;
}

/* What reading one page gives: 'y' its right contents, '-' -ENODATA, '?' what else. */
static char read_page(struct core *core, uint64_t pfn)
{
	static uint8_t page[65536], want[65536];
	size_t size = core_page_size(core);
	int err = core_read_pages(core, pfn * size, page, size);

	kdump_build_page(pfn, want, size);
	if (!err)
		return memcmp(page, want, size) ? '?' : 'y';
	return err == -ENODATA ? '-' : '?';
}

static void check_pages(struct core *core, uint64_t base, const char *reads, const char *held)
{
	for (size_t i = 0; reads[i]; i++) {
		CHECK_EQ(read_page(core, base + i), reads[i]);
		CHECK_EQ(core_holds_page(core, base + i), held[i] == 'y');
	}
	for (size_t i = strlen(reads); i--;) { /* not in order */
		CHECK_EQ(core_holds_page(core, base + i), held[i] == 'y');
		CHECK_EQ(read_page(core, base + i), reads[i]);
	}
}

TEST(core_kdump, forms_of_pages)
{
	static const struct {
		struct kdump_recipe recipe;
		const char *reads, *held;
	} cases[] = {
		{ { .pages = "rclpz" }, "yyyyy", "yyyyy" },
		{ { .pages = " r.0c", .status = 8 }, "-y--y", "-y-yy" },
		{ { .pages = "rc.lz", .version = 1 }, "yy-yy", "yy-yy" },
		{ { .pages = "rc.lz", .version = 5 }, "yy-yy", "yy-yy" },
		{ { .pages = "r.cc", .one_bitmap = true }, "y-yy", "y-yy" },
		{ { .pages = "rclpz.", .block_size = 65536 }, "yyyyy-", "yyyyy-" },
		{ { .pages = "crcr.c", .first_pfn = 2, .end_pfn = 4 }, "--yy--", "--yy--" },
		{ { .pages = "crcr.c", .first_pfn = 3, .end_pfn = 6, .version = 2 },
		  "---y-y",
		  "---y-y" },
		{ { .pages = "crcr.c", .first_pfn = 6, .end_pfn = 6 }, "------", "------" },
		/* beyond the first window, and beyond 64 TiB */
		{ { .pages = "rc.z", .base = 0x7fff }, "yy-y", "yy-y" },
		{ { .pages = "rc.z", .base = 0x412345678 }, "yy-y", "yy-y" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core *core;

		CHECK_EQ(open_quietly(kdump_build(&cases[i].recipe), &core), 0);
		check_pages(core, cases[i].recipe.base, cases[i].reads, cases[i].held);
		core_close(core);
	}
}

TEST(core_kdump, highest_pages_there_can_be)
{
	const struct kdump_recipe recipe = { .pages = "c.z", .base = (1ull << 40) - 3 };
	struct core *core;

	CHECK_EQ(open_quietly(kdump_build(&recipe), &core), 0);
	CHECK_EQ(core_end_paddr(core), 1ull << 52);
	check_pages(core, recipe.base, "y-y", "y-y");
	core_close(core);
}

TEST(core_kdump, segments_are_the_runs_of_bitmap_1)
{
	static const struct core_segment want[] = {
		{ .paddr = 0x1000, .memsz = 0x3000 },
		{ .paddr = 0x6000, .memsz = 0x1000 },
	};
	const struct kdump_recipe recipe = { .pages = " c.0  r" };
	const struct core_segment *seg;
	struct core *core;
	uint8_t buf[16];
	size_t nr;

	CHECK_EQ(open_quietly(kdump_build(&recipe), &core), 0);
	seg = core_segments(core, &nr);
	CHECK_EQ(nr, ARRAY_SIZE(want));
	for (size_t i = 0; i < nr; i++) {
		CHECK_EQ(seg[i].paddr, want[i].paddr);
		CHECK_EQ(seg[i].memsz, want[i].memsz);
		CHECK_EQ(seg[i].filesz, want[i].memsz);
	}
	CHECK_EQ(core_read_paddr(core, 0x1ff8, buf, 8), 0);
	CHECK_EQ(core_read_paddr(core, 0x1ff8, buf, 9), -ENODATA);
	core_loads(core, &nr);
	CHECK_EQ(nr, 0);
	core_close(core);
}

TEST(core_kdump, runs_and_ranks_across_windows)
{
	/* 40 pages around the end of a window, then the same pattern read with a reader */
	const struct kdump_recipe recipe = { .pages = "ccccccccccrrrrrrrrrr..........zzzzzzzzzz",
					     .base = 32768 - 15 };
	struct core_reader *reader;
	uint8_t page[4096], want[4096];
	struct core *core;
	bool held;

	CHECK_EQ(open_quietly(kdump_build(&recipe), &core), 0);
	CHECK_EQ(core_held_run(core, 0, UINT64_MAX, &held), 32768 - 15);
	CHECK(!held);
	CHECK_EQ(core_held_run(core, recipe.base, 100, &held), 15); /* at least up to the window */
	CHECK(held);
	CHECK_EQ(core_held_run(core, recipe.base + 15, 100, &held), 5);
	CHECK(held);
	CHECK_EQ(core_held_run(core, recipe.base + 20, 3, &held), 3);
	CHECK(!held);
	CHECK_EQ(core_held_run(core, recipe.base + 40, 100, &held), 100);
	CHECK(!held);
	CHECK_EQ(core_reader_create(core, &reader), 0);
	for (unsigned i = 0; i < 40; i += 3) {
		uint64_t pfn = recipe.base + i * 7 % 40;
		int err = core_reader_read_pages(reader, pfn * 4096, page, 4096);

		CHECK_EQ(err, recipe.pages[i * 7 % 40] == '.' ? -ENODATA : 0);
		kdump_build_page(pfn, want, 4096);
		CHECK(err || !memcmp(page, want, 4096));
	}
	core_reader_destroy(reader);
	core_close(core);
}

TEST(core_kdump, vmcoreinfo_is_found)
{
	static const struct kdump_recipe recipes[] = {
		{ .pages = "r", .vmcoreinfo = "OSRELEASE=6.1\nPAGESIZE=4096\n" },
		{ .pages = "r", .vmcoreinfo = "OSRELEASE=6.1\n", .version = 3 },
		{ .pages = "r", .vmcoreinfo = "OSRELEASE=6.1\n", .no_notes = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(recipes); i++) {
		struct core_note note;
		struct core *core;
		size_t pos = 0;

		CHECK_EQ(open_quietly(kdump_build(&recipes[i]), &core), 0);
		CHECK(core_vmcoreinfo(core));
		CHECK_STR(vmcoreinfo_string(core_vmcoreinfo(core), "OSRELEASE"), "6.1");
		CHECK(core_next_note(core, &pos, &note)); /* made where there is none */
		CHECK_EQ(note.name_len, sizeof("VMCOREINFO"));
		CHECK_EQ(note.desc_len, strlen(recipes[i].vmcoreinfo));
		CHECK(!memcmp(note.desc, recipes[i].vmcoreinfo, note.desc_len));
		core_close(core);
	}
}

TEST(core_kdump, block_size_is_the_page_size)
{
	const struct kdump_recipe recipe = { .pages = "rc", .vmcoreinfo = "PAGESIZE=65536\n" };
	struct core *core;

	CHECK_EQ(open_quietly(kdump_build(&recipe), &core), 0);
	CHECK_EQ(core_page_size(core), 4096);
	check_pages(core, 0, "yy", "yy");
	core_close(core);
}

#define HEADER(field) offsetof(struct kdump_header, field)
#define SUB(field)    (4096 + offsetof(struct kdump_sub_header, field))

TEST(core_kdump, refuses_impossible_headers)
{
	static const struct {
		size_t at, len;
		uint64_t value;
		int err;
	} cases[] = {
		{ HEADER(header_version), 4, 0, -EOPNOTSUPP },
		{ HEADER(header_version), 4, 7, -EOPNOTSUPP },
		{ HEADER(header_version), 4, 0x06000000, -EOPNOTSUPP }, /* big-endian */
		{ HEADER(block_size), 4, 0, -EBADMSG },
		{ HEADER(block_size), 4, 6144, -EBADMSG },
		{ HEADER(block_size), 4, 131072, -EBADMSG },
		{ HEADER(block_size), 4, UINT32_MAX, -EBADMSG },
		{ HEADER(utsname.machine), 2, 0x7870, -EOPNOTSUPP },
		{ HEADER(sub_hdr_size), 4, UINT32_MAX, -EBADMSG },
		{ HEADER(bitmap_blocks), 4, 0, -EBADMSG },
		{ SUB(max_mapnr_64), 8, 1ull << 20, -EBADMSG }, /* bitmaps too small for it */
		{ SUB(max_mapnr_64), 8, (1ull << 40) + 1, -EBADMSG },
		{ SUB(max_mapnr_64), 8, UINT64_MAX, -EBADMSG },
		{ 3 * 4096, 8, 0, -ENODATA }, /* bitmap 1 */
	};
	const struct kdump_recipe recipe = { .pages = "rc" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = kdump_build(&recipe);
		struct core *core;
		uint8_t raw[8];

		put_le64(raw, cases[i].value);
		CHECK_EQ(io_pwrite_full(fd, raw, cases[i].len, cases[i].at), 0);
		CHECK_EQ(open_quietly(fd, &core), cases[i].err);
	}
}

TEST(core_kdump, strange_headers_that_harm_nothing)
{
	static const struct {
		size_t at;
		uint64_t value;
		const char *reads;
	} cases[] = {
		{ SUB(offset_note), UINT64_MAX - 8, "yy" },
		{ SUB(size_note), UINT64_MAX, "yy" },
		{ SUB(size_vmcoreinfo), UINT64_MAX, "yy" },
		{ SUB(offset_vmcoreinfo), UINT64_MAX, "yy" },
		/* bitmaps that reach beyond the file, and descriptors behind them */
		{ HEADER(bitmap_blocks), 0xffffffff00000000 | UINT32_MAX, "--" },
	};
	const struct kdump_recipe recipe = { .pages = "rc", .vmcoreinfo = "A=b\n" };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int fd = kdump_build(&recipe);
		struct core *core;
		uint8_t raw[8];

		put_le64(raw, cases[i].value);
		CHECK_EQ(io_pwrite_full(fd, raw, cases[i].at < 4096 ? 4 : 8, cases[i].at), 0);
		CHECK_EQ(open_quietly(fd, &core), 0);
		CHECK_EQ(read_page(core, 0), cases[i].reads[0]);
		CHECK_EQ(read_page(core, 1), cases[i].reads[1]);
		core_close(core);
	}
}

TEST(core_kdump, bad_descriptors_spoil_their_page_only)
{
	static const struct {
		size_t at;
		uint64_t value;
		int err;
	} cases[] = {
		{ offsetof(struct kdump_page_desc, offset), UINT64_MAX - 100, -ENODATA },
		{ offsetof(struct kdump_page_desc, offset), 1ull << 40, -ENODATA },
		{ offsetof(struct kdump_page_desc, offset), 0, -ENODATA },
		{ offsetof(struct kdump_page_desc, offset), 64, -EBADMSG }, /* other data */
		{ offsetof(struct kdump_page_desc, size), 0, -EBADMSG },
		{ offsetof(struct kdump_page_desc, size), UINT32_MAX, -EBADMSG },
		{ offsetof(struct kdump_page_desc, size), 4097, -EBADMSG },
		{ offsetof(struct kdump_page_desc, size), 9, -EBADMSG },
		{ offsetof(struct kdump_page_desc, flags), 0, -EBADMSG }, /* not a whole page */
		{ offsetof(struct kdump_page_desc, flags), 4, -EBADMSG },
		{ offsetof(struct kdump_page_desc, flags), 3, -EOPNOTSUPP },
		{ offsetof(struct kdump_page_desc, flags), 0x40, -EOPNOTSUPP },
	};
	const struct kdump_recipe recipe = { .pages = "ccc" };
	static uint8_t page[3 * 4096];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t desc = kdump_build_descs(&recipe) + sizeof(struct kdump_page_desc);
		int fd = kdump_build(&recipe);
		struct core *core;
		uint8_t raw[8];

		put_le64(raw, cases[i].value);
		CHECK_EQ(io_pwrite_full(fd, raw, cases[i].at ? 4 : 8, desc + cases[i].at), 0);
		CHECK_EQ(open_quietly(fd, &core), 0);
		CHECK_EQ(core_read_pages(core, 0x1000, page, 4096), cases[i].err);
		CHECK_EQ(core_read_pages(core, 0, page, sizeof(page)), cases[i].err);
		CHECK_EQ(core_read_paddr(core, 0x1008, page, 8), cases[i].err);
		CHECK_EQ(read_page(core, 0), 'y');
		CHECK_EQ(read_page(core, 2), 'y');
		core_close(core);
	}
}

TEST(core_kdump, cut_off_anywhere)
{
	const struct kdump_recipe recipe = { .pages = "crlzp.c", .vmcoreinfo = "OSRELEASE=x\n" };
	int whole = kdump_build(&recipe);
	off_t end = lseek(whole, 0, SEEK_END);

	close(whole);
	for (off_t len = 0; len < end; len += len < 16384 ? 1001 : 57) {
		int fd = kdump_build(&recipe);
		struct core *core;

		CHECK_EQ(ftruncate(fd, len), 0);
		if (open_quietly(fd, &core))
			continue;
		for (uint64_t pfn = 0; pfn < 7; pfn++) {
			char got = read_page(core, pfn);

			CHECK(got == 'y' || got == '-'); /* never something else */
		}
		core_close(core);
	}
}
