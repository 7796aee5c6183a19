// SPDX-License-Identifier: GPL-2.0-or-later
/* Machines of odd shapes, dumped in every form and read again: no byte differs. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/dump/codec.h"
#include "capture/dump/dump.h"
#include "capture/output.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define PAGE_MAX 65536u
#define FILES	 3u

/* @ranges: start and length of each PT_LOAD; a length of 0 ends the list */
static const struct shape {
	const char *name;
	unsigned page_size;
	uint64_t ranges[4][2];
} shapes[] = {
	{ "one page", 4096, { { 0x1000, 0x1000 } } },
	{ "page 0 alone", 4096, { { 0, 0x1000 } } },
	{ "a few bytes", 4096, { { 0x123456, 7 } } },
	{ "ends within pages",
	  4096,
	  { { 0x100800, 0x2345 }, { 0x104100, 0x33000 }, { 0x200001, 0x10000 } } },
	{ "two ranges in one page", 4096, { { 0x100000, 0x100 }, { 0x100900, 0x80 } } },
	{ "on both sides of a window", 4096, { { 0x7ff0000, 0x20000 } } },
	{ "far apart", 4096, { { 0x1000, 0x3000 }, { 1ull << 44, 0x2000 } } },
	{ "64 KiB pages", 65536, { { 0x100000, 0x230000 } } },
	{ "64 KiB pages, ends within", 65536, { { 0x101000, 0x223000 }, { 0x400000, 0x1000 } } },
	{ "64 KiB pages, far apart", 65536, { { 0x100000, 0x20000 }, { 1ull << 45, 0x30000 } } },
	{ "16 KiB pages", 16384, { { 0x100000, 0x230000 }, { 0x334000, 0x3000 } } },
	{ "on both sides of 4 GiB", 4096, { { 0xffff8000, 0x10000 }, { 1ull << 35, 0x1000 } } },
};

static bool can_be(const struct shape *shape, uint16_t machine)
{
	const uint64_t limit = 1ull << arch_find(machine, ELFCLASS64)->paddr_bits;

	for (unsigned i = 0; i < 4; i++)
		if (!range_within(shape->ranges[i][0], shape->ranges[i][1], limit))
			return false;
	return true;
}

static struct core *build(const struct shape *shape, uint16_t machine)
{
	struct core_builder b;
	struct core *core;
	char text[128];

	core_builder_init(&b);
	b.machine = machine;
	for (unsigned i = 0; i < 4 && shape->ranges[i][1]; i++) {
		const uint64_t start = shape->ranges[i][0], len = shape->ranges[i][1];

		core_builder_ram(&b, start, len);
		for (uint64_t at = 0; at + 8 <= len; at += 3 * 4096 + 8)
			core_builder_put64(&b, start + at, start + at * 0x9e3779b97f4a7c15);
	}
	snprintf(text, sizeof(text), "OSRELEASE=6.1.0\nPAGESIZE=%u\nCRASHTIME=1700000000\n",
		 shape->page_size);
	core_builder_vmcoreinfo(&b, text);
	return core_open_fd(core_builder_finish(&b), "test", &core) ? NULL : core;
}

/* A copy of @core in @nr files, opened one by one. */
static int copy(struct core *core, const struct dump_options *o, unsigned nr, struct core **ret)
{
	struct output out[FILES] = { { .fd = -1 } };
	struct dump_sink sinks[FILES] = { { NULL } };
	struct dump_stats stats;
	int err;

	for (unsigned i = 0; i < nr; i++) {
		out[i] = (struct output){ .fd = memfd_create("dump", MFD_CLOEXEC) };
		sinks[i] = output_sink(&out[i]);
	}
	err = dump_write(core, sinks, nr, o, &stats);
	if (!err && stats.kept_pages != stats.present_pages)
		err = -ENODATA;
	for (unsigned i = 0; i < nr; i++) {
		if (err)
			close(out[i].fd);
		else
			err = core_open_fd(out[i].fd, "copy", &ret[i]);
	}
	return err;
}

/* Each page of @core is in one of @copies, as it was. Return: how many. */
static int64_t compare(struct core *core, struct core *const *copies, unsigned nr)
{
	static uint8_t a[PAGE_MAX], b[PAGE_MAX];
	const size_t size = core_page_size(core);
	int64_t pages = 0;
	size_t nr_segs;
	const struct core_segment *segs = core_segments(core, &nr_segs);

	for (size_t i = 0; i < nr_segs; i++) {
		const uint64_t end = DIV_ROUND_UP(segs[i].paddr + segs[i].memsz, size);

		for (uint64_t pfn = segs[i].paddr / size; pfn < end; pfn++) {
			unsigned found = 0;

			if (core_read_pages(core, pfn * size, a, size))
				return -1;
			for (unsigned n = 0; n < nr; n++) {
				if (!core_holds_page(copies[n], pfn))
					continue;
				if (core_page_size(copies[n]) != size ||
				    core_read_pages(copies[n], pfn * size, b, size) ||
				    memcmp(a, b, size))
					return -2;
				found++;
			}
			if (found != 1)
				return -3;
			pages++;
		}
	}
	return pages;
}

TEST(dump_shapes, come_back_as_they_were)
{
	static const uint16_t machines[] = { EM_X86_64, EM_386 };
	static const struct {
		enum dump_format format;
		unsigned threads, files;
		unsigned level;
	} ways[] = {
		{ DUMP_FORMAT_KDUMP, 1, 1, 0 },	    { DUMP_FORMAT_KDUMP, 4, 1, 1 },
		{ DUMP_FORMAT_KDUMP, 1, FILES, 1 }, { DUMP_FORMAT_ELF, 1, 1, 0 },
		{ DUMP_FORMAT_ELF, 4, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(machines) * ARRAY_SIZE(shapes) * ARRAY_SIZE(ways); i++) {
		const struct shape *shape = &shapes[i / ARRAY_SIZE(ways) % ARRAY_SIZE(shapes)];
		const uint16_t machine = machines[i / ARRAY_SIZE(ways) / ARRAY_SIZE(shapes)];
		const size_t w = i % ARRAY_SIZE(ways);
		const struct dump_options o = {
			.level = ways[w].level,
			.format = ways[w].format,
			.codec = ways[w].format == DUMP_FORMAT_KDUMP ? codec_find('c') : NULL,
			.threads = ways[w].threads,
		};
		struct core *core, *copies[FILES] = { NULL };
		int64_t got;

		if (!can_be(shape, machine))
			continue;
		core = build(shape, machine);
		got = core ? copy(core, &o, ways[w].files, copies) : -9;
		if (!got)
			got = compare(core, copies, ways[w].files);
		if (got > 0 && core_arch(copies[0]) != core_arch(core))
			got = -4;
		if (got <= 0)
			test_fail(__FILE__, __LINE__, "%s, machine %u, way %zu: %d", shape->name,
				  machine, w, (int)got);
		for (unsigned n = 0; n < FILES; n++)
			core_close(copies[n]);
		core_close(core);
	}
}

/* A dump of a dump keeps the date, also where only the header has it. */
TEST(dump_shapes, keeps_the_date)
{
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 1234567890 } };
	const struct dump_options o = { .codec = codec_find('c') };
	struct core *core, *first, *second;
	struct core_builder b;
	int fd;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x3000);
	core_builder_vmcoreinfo(&b, "OSRELEASE=6.1.0\nPAGESIZE=4096\n");
	fd = core_builder_finish(&b);
	CHECK_EQ(futimens(fd, times), 0);
	CHECK_EQ(core_open_fd(fd, "test", &core), 0);
	CHECK_EQ(copy(core, &o, 1, &first), 0);
	CHECK_EQ(core_crash_time(first), 1234567890);
	CHECK_EQ(copy(first, &o, 1, &second), 0);
	CHECK_EQ(core_crash_time(second), 1234567890);
	core_close(second);
	core_close(first);
	core_close(core);
}
