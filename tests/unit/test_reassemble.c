// SPDX-License-Identifier: GPL-2.0-or-later
/* A split dump put together again, on files in memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/codec.h"
#include "capture/dump/reassemble.h"
#include "capture/output.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define PAGE  4096u
#define START 0x100000u
#define PAGES 1200u
#define PARTS 3u

static struct core *make_core(void)
{
	struct core_builder b;
	struct core *core;

	core_builder_init(&b);
	core_builder_ram(&b, START, PAGES * PAGE);
	for (uint64_t i = 0; i < PAGES; i++)
		if (i % 3)
			core_builder_put64(&b, START + i * PAGE + 8 * i % PAGE, i);
	core_builder_vmcoreinfo(&b, "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nCRASHTIME=1700000000\n");
	return core_open_fd(core_builder_finish(&b), "test", &core) ? NULL : core;
}

static int make_file(struct output *o)
{
	*o = (struct output){ .fd = memfd_create("dump", MFD_CLOEXEC) };
	return o->fd < 0 ? -errno : 0;
}

/* A dump in @nr files. */
static int make_dump(struct output *files, unsigned nr)
{
	struct dump_options options = { .level = 1, .codec = codec_find('c') };
	struct dump_sink sinks[PARTS];
	struct core *core = make_core();
	struct dump_stats stats;
	int err = core ? 0 : -ENOMEM;

	for (unsigned i = 0; !err && i < nr; i++) {
		err = make_file(&files[i]);
		sinks[i] = output_sink(&files[i]);
	}
	if (!err)
		err = dump_write(core, sinks, nr, &options, &stats);
	core_close(core);
	return err;
}

static int put_together(struct output *files, unsigned nr, struct output *out,
			struct dump_stats *stats)
{
	struct reassemble_input inputs[PARTS];
	struct dump_sink sink = output_sink(out);

	for (unsigned i = 0; i < nr; i++)
		inputs[i] = (struct reassemble_input){ files[i].fd, "part" };
	return reassemble(inputs, nr, &sink, &(bool){ false }, stats);
}

static void close_files(struct output *files, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++)
		close(files[i].fd);
}

/* Both files as cores: the same pages with the same contents. Return: how many; -1 if not. */
static int64_t same_pages(const struct output *a, const struct output *b)
{
	struct core *x, *y;
	int64_t nr = 0;

	if (core_open_fd(dup(a->fd), "a", &x) || core_open_fd(dup(b->fd), "b", &y))
		return -1;
	for (uint64_t pfn = 0; pfn < (START / PAGE) + PAGES; pfn++) {
		uint8_t p[PAGE], q[PAGE];

		if (core_holds_page(x, pfn) != core_holds_page(y, pfn))
			nr = INT64_MIN;
		if (!core_holds_page(x, pfn))
			continue;
		if (core_read_pages(x, pfn * PAGE, p, PAGE) ||
		    core_read_pages(y, pfn * PAGE, q, PAGE) || memcmp(p, q, PAGE))
			nr = INT64_MIN;
		nr++;
	}
	core_close(x);
	core_close(y);
	return nr < 0 ? -1 : nr;
}

TEST(reassemble, any_order)
{
	static const unsigned orders[][PARTS] = { { 0, 1, 2 }, { 2, 0, 1 } };
	struct output whole, parts[PARTS], out, files[PARTS];
	struct dump_stats stats;

	CHECK_EQ(make_dump(&whole, 1), 0);
	CHECK_EQ(make_dump(parts, PARTS), 0);
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		for (unsigned n = 0; n < PARTS; n++)
			files[n] = parts[orders[i][n]];
		CHECK_EQ(make_file(&out), 0);
		CHECK_EQ(put_together(files, PARTS, &out, &stats), 0);
		CHECK_EQ(stats.kept_pages, PAGES);
		CHECK_EQ(stats.zero_pages, PAGES / 3);
		CHECK_EQ(same_pages(&whole, &out), PAGES);
		close(out.fd);
	}
	close_files(parts, PARTS);
	close(whole.fd);
}

static void put32(const struct output *f, uint64_t at, uint32_t value)
{
	uint8_t raw[4];

	put_le32(raw, value);
	if (io_pwrite_full(f->fd, raw, sizeof(raw), at))
		abort();
}

/* Wrong files, and files that lie, each of them told. @len: a file cut off, where not 0 */
TEST(reassemble, what_cannot_be)
{
	static const struct {
		const char *what;
		unsigned nr;
		uint64_t at;
		uint32_t value;
		off_t len;
	} cases[] = {
		{ "a part is missing", 2, 0, 0x2055444b, 0 },
		{ "no dump", 3, 0, 1, 0 },
		{ "an old header", 3, 8, 5, 0 },
		{ "an odd page size", 3, 428, 4097, 0 },
		{ "a huge page size", 3, 428, 1u << 30, 0 },
		{ "sub header beyond the file", 3, 432, INT32_MAX, 0 },
		{ "bitmaps beyond the file", 3, 436, INT32_MAX - 1, 0 },
		{ "another machine", 3, 12, 0x78, 0 },
		{ "not split", 3, PAGE + 12, 0, 0 },
		{ "another level", 3, PAGE + 8, 31, 0 },
		{ "pages that another part has", 3, PAGE + 80, 5, 0 },
		{ "cut off in the headers", 3, 0, 0, 5000 },
		{ "cut off in the bitmaps", 3, 0, 0, 13000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct output parts[PARTS], out;
		struct dump_stats stats;

		CHECK_EQ(make_dump(parts, PARTS), 0);
		CHECK_EQ(make_file(&out), 0);
		if (cases[i].len)
			CHECK_EQ(ftruncate(parts[1].fd, cases[i].len), 0);
		else if (cases[i].nr == PARTS)
			put32(&parts[1], cases[i].at, cases[i].value);
		if (put_together(parts, cases[i].nr, &out, &stats) != -EBADMSG)
			test_fail(__FILE__, __LINE__, "%s was taken", cases[i].what);
		close_files(parts, PARTS);
		close(out.fd);
	}
}

/* What a part lacks, the whole lacks, and says so. */
TEST(reassemble, incomplete_part)
{
	const uint64_t descs = 2 * PAGE + 2 * PAGE;
	struct output parts[PARTS], out;
	const uint8_t zeros[sizeof(struct kdump_page_desc)] = { 0 };
	struct dump_stats stats;
	uint8_t status[4];

	CHECK_EQ(make_dump(parts, PARTS), 0);
	CHECK_EQ(make_file(&out), 0);
	put32(&parts[2], 424, DUMP_DH_COMPRESSED_ZLIB | DUMP_DH_COMPRESSED_INCOMPLETE);
	CHECK_EQ(io_pwrite_full(parts[2].fd, zeros, sizeof(zeros), descs), 0);
	CHECK_EQ(put_together(parts, PARTS, &out, &stats), 0);
	CHECK_EQ(stats.kept_pages, PAGES - 1);
	CHECK_EQ(stats.planned_pages, PAGES);
	CHECK(io_pread_full(out.fd, status, sizeof(status), 424) == 4);
	CHECK_EQ(get_le32(status), DUMP_DH_COMPRESSED_ZLIB | DUMP_DH_COMPRESSED_INCOMPLETE);
	close_files(parts, PARTS);
	close(out.fd);
}

/* Where the first file's disk is full, all files are parts of one dump all the same. */
TEST(reassemble, after_a_full_disk)
{
	struct dump_options options = { .codec = codec_find('c') };
	struct output parts[PARTS], out;
	struct core *core = make_core();
	struct dump_sink sinks[PARTS];
	struct dump_stats stats;
	bool incomplete = false;
	struct reassemble_input inputs[PARTS];
	struct dump_sink sink;

	CHECK(core);
	for (unsigned i = 0; i < PARTS; i++) {
		CHECK_EQ(make_file(&parts[i]), 0);
		sinks[i] = output_sink(&parts[i]);
		inputs[i] = (struct reassemble_input){ parts[i].fd, "part" };
	}
	parts[0].limit = 5 * PAGE + PAGES * sizeof(struct kdump_page_desc) + PAGE;
	CHECK_EQ(dump_write(core, sinks, PARTS, &options, &stats), -EFBIG);
	core_close(core);
	CHECK_EQ(make_file(&out), 0);
	sink = output_sink(&out);
	CHECK_EQ(reassemble(inputs, PARTS, &sink, &incomplete, &stats), 0);
	CHECK(incomplete);
	CHECK_EQ(stats.planned_pages, PAGES);
	CHECK(stats.kept_pages > 0);
	CHECK(stats.kept_pages < PAGES / PARTS);
	close_files(parts, PARTS);
	close(out.fd);
}

/* Damage to a page is that page's alone. */
TEST(reassemble, bad_pages)
{
	const uint64_t descs = 2 * PAGE + 2 * PAGE;
	static const struct {
		unsigned field; /* in the descriptor */
		uint32_t value;
	} cases[] = {
		{ 4, 0xffffffff }, /* offset, its upper half */
		{ 4, 1 },
		{ 8, 0 }, /* size */
		{ 8, PAGE + 1 },
	};
	struct output parts[PARTS], out;
	struct dump_stats stats;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(make_dump(parts, PARTS), 0);
		CHECK_EQ(make_file(&out), 0);
		put32(&parts[1], descs + 24 * i + cases[i].field, cases[i].value);
		CHECK_EQ(put_together(parts, PARTS, &out, &stats), 0);
		CHECK_EQ(stats.kept_pages, PAGES - 1);
		CHECK_EQ(stats.unreadable_pages, 1);
		CHECK_EQ(stats.first_read_errno, EBADMSG);
		close_files(parts, PARTS);
		close(out.fd);
	}
}
