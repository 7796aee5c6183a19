// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumps of built cores into memory, read back by a reader of its own. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/codec.h"
#include "capture/dump/dump.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/mm_builder.h"
#include "tests/unit/test.h"

#define PAGE	   4096u
#define SINK_BYTES (24u << 20)
#define RAM_START  0x100000u

/*
 * A sink in memory.
 * @limit: no byte may be stored at or beyond it, as on a disk that is full
 * @check: called after each write; a false return is remembered in @broken
 * @pipe: what was written cannot be read back
 * @seen: as much as @data, where each byte may be written once; NULL where it need not
 */
struct sink {
	uint8_t *data;
	uint64_t len, limit;
	unsigned writes, syncs;
	bool (*check)(const struct sink *s);
	bool broken, pipe;
	uint8_t *seen;
};

static int sink_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct sink *s = ctx;

	if (!range_within(offset, len, MIN(s->limit, (uint64_t)SINK_BYTES)))
		return -ENOSPC;
	memcpy(s->data + offset, buf, len);
	if (s->seen && memchr(s->seen + offset, 1, len))
		s->broken = true;
	if (s->seen)
		memset(s->seen + offset, 1, len);
	s->len = MAX(s->len, offset + len);
	s->writes++;
	if (s->check && !s->check(s))
		s->broken = true;
	return 0;
}

static int sink_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct sink *s = ctx;

	if (!range_within(offset, len, s->len))
		return -EIO;
	memcpy(buf, s->data + offset, len);
	return 0;
}

static int sink_reserve(void *ctx, uint64_t offset, uint64_t len)
{
	struct sink *s = ctx;

	if (!range_within(offset, len, MIN(s->limit, (uint64_t)SINK_BYTES)))
		return -ENOSPC;
	s->len = MAX(s->len, offset + len);
	return 0;
}

static int sink_sync(void *ctx)
{
	struct sink *s = ctx;

	s->syncs++;
	return 0;
}

/* ---- a core whose every page tells its number, but for zero and incompressible ones ---- */

static void page_content(uint64_t pfn, uint8_t *page)
{
	uint32_t x = pfn * 2654435761u + 1;

	memset(page, 0, PAGE);
	if (pfn % 5 == 0)
		return;
	for (unsigned i = 0; i < PAGE; i += 4) {
		if (pfn % 5 == 1)
			x = x * 1103515245 + 12345; /* noise */
		put_le32(page + i, pfn % 5 == 1 ? x : (uint32_t)pfn);
	}
}

static void fill_ram(struct core_builder *b, uint64_t start, uint64_t len)
{
	for (uint64_t pfn = start / PAGE; pfn < (start + len) / PAGE; pfn++) {
		uint8_t page[PAGE];

		page_content(pfn, page);
		core_builder_put(b, pfn * PAGE, page, PAGE);
	}
}

static struct core *open_built(struct core_builder *b)
{
	struct core *core;

	return core_open_fd(core_builder_finish(b), "test", &core) ? NULL : core;
}

static struct core *simple_core(uint64_t pages)
{
	struct core_builder b;

	core_builder_init(&b);
	core_builder_ram(&b, RAM_START, pages * PAGE);
	fill_ram(&b, RAM_START, pages * PAGE);
	core_builder_vmcoreinfo(&b, "OSRELEASE=6.1.0-test\nPAGESIZE=4096\nCRASHTIME=1700000000\n"
				    "NUMBER(phys_base)=4096\n");
	return open_built(&b);
}

static struct dump_sink prepare_sink(struct sink *s)
{
	if (!s->limit)
		s->limit = UINT64_MAX;
	s->data = calloc(1, SINK_BYTES);
	if (!s->data)
		abort();
	return (struct dump_sink){
		.write = sink_write,
		.read = s->pipe ? NULL : sink_read,
		.reserve = s->pipe ? NULL : sink_reserve,
		.sync = sink_sync,
		.ctx = s,
		.once = s->seen != NULL,
	};
}

static int dump(struct core *core, struct sink *s, const struct dump_options *o,
		struct dump_stats *stats)
{
	const struct dump_sink sink = prepare_sink(s);
	int err;

	if (!core)
		return -ENOMEM;
	err = dump_write(core, &sink, 1, o, stats);
	core_close(core);
	return err;
}

/* ---- the reader ---- */

struct reader {
	const struct sink *s;
	uint32_t status;
	uint64_t bitmap1, bitmap2, descs, max_pfn;
};

static bool reader_open(const struct sink *s, struct reader *r)
{
	const struct kdump_header *h = (const void *)s->data;
	const struct kdump_sub_header *sh = (const void *)(s->data + PAGE);
	uint64_t blocks = le32toh(h->bitmap_blocks);

	if (s->len < PAGE + sizeof(*sh) || memcmp(h->signature, "KDUMP   ", 8) ||
	    le32toh(h->header_version) != 6 || le32toh(h->block_size) != PAGE)
		return false;
	*r = (struct reader){ .s = s, .status = le32toh(h->status) };
	r->bitmap1 = (1 + (uint64_t)le32toh(h->sub_hdr_size)) * PAGE;
	r->bitmap2 = r->bitmap1 + blocks / 2 * PAGE;
	r->descs = r->bitmap1 + blocks * PAGE;
	r->max_pfn = le64toh(sh->max_mapnr_64);
	return r->max_pfn <= blocks / 2 * PAGE * 8;
}

static bool reader_bit(const struct reader *r, uint64_t bitmap, uint64_t pfn)
{
	return r->s->data[bitmap + pfn / 8] >> pfn % 8 & 1;
}

static bool reader_page(const struct reader *r, uint64_t index, uint8_t *page)
{
	const struct kdump_page_desc *d =
		(const void *)(r->s->data + r->descs + index * sizeof(*d));
	uint64_t offset = le64toh(d->offset);
	uint32_t size = le32toh(d->size), flags = le32toh(d->flags);
	uLongf n = PAGE;

	if (!size || size > PAGE || !range_within(offset, size, r->s->len))
		return false;
	if (flags == 0 && size == PAGE)
		memcpy(page, r->s->data + offset, PAGE);
	else if (flags == DUMP_DH_COMPRESSED_ZLIB)
		return uncompress(page, &n, r->s->data + offset, size) == Z_OK && n == PAGE;
	else
		return flags == DUMP_DH_COMPRESSED_ZSTD &&
		       ZSTD_decompress(page, PAGE, r->s->data + offset, size) == PAGE;
	return true;
}

/* Every page with a descriptor is right. Return: their number, -1 if not. */
static int64_t count_good_of(const struct reader *r, uint64_t start_pfn, uint64_t end_pfn)
{
	const struct kdump_page_desc *d = (const void *)(r->s->data + r->descs);
	uint8_t want[PAGE], got[PAGE];
	int64_t nr = 0;

	for (uint64_t pfn = start_pfn, rank = 0; pfn < end_pfn; pfn++) {
		if (!reader_bit(r, r->bitmap2, pfn))
			continue;
		if (!reader_bit(r, r->bitmap1, pfn))
			return -1;
		if (!d[rank++].offset)
			continue;
		page_content(pfn, want);
		if (!reader_page(r, rank - 1, got) || memcmp(want, got, PAGE))
			return -1;
		nr++;
	}
	return nr;
}

static int64_t count_good(const struct sink *s)
{
	struct reader r;

	return reader_open(s, &r) ? count_good_of(&r, 0, r.max_pfn) : -1;
}

/* Costly, so not at every write; the first ones lay out the headers. */
static bool check_now_and_then(const struct sink *s)
{
	return s->writes < 8 || s->writes % 4 || count_good(s) >= 0;
}

TEST(dump, kdump_round_trip)
{
	static const struct {
		char codec; /* 0 for none */
		unsigned level;
		uint32_t status;
	} cases[] = { { 'c', 0, DUMP_DH_COMPRESSED_ZLIB },
		      { 'c', 1, DUMP_DH_COMPRESSED_ZLIB },
		      { 'z', 1, DUMP_DH_COMPRESSED_ZSTD },
		      { 0, 1, 0 } };
	const unsigned pages = 1003;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dump_options o = {
			.level = cases[i].level,
			.codec = cases[i].codec ? codec_find(cases[i].codec) : NULL,
		};
		struct sink s = { .check = check_now_and_then };
		struct dump_stats stats;
		struct reader r;

		CHECK_EQ(dump(simple_core(pages), &s, &o, &stats), 0);
		CHECK_EQ(count_good(&s), pages);
		CHECK(reader_open(&s, &r));
		CHECK_EQ(r.status, cases[i].status);
		CHECK_EQ(r.max_pfn, RAM_START / PAGE + pages);
		CHECK(!s.broken);
		CHECK_EQ(s.syncs, 2);
		CHECK_EQ(stats.kept_pages, pages);
		CHECK_EQ(stats.zero_pages, cases[i].level ? 200 : 0);
		CHECK_EQ(stats.file_size, s.len);
		free(s.data);
	}
}

/* Reading bad memory could end the capture kernel, so not even level 0 does. */
TEST(dump, bad_memory_is_left_out_at_every_level)
{
	const uint64_t pfn = 0x8000;

	for (unsigned level = 0; level <= 1; level++) {
		struct dump_options o = { .level = level };
		struct sink s = { 0 };
		struct dump_stats stats;
		struct mm_builder m;
		struct core *core;
		struct reader r;

		mm_builder_init(&m, mm_kernel_6_12);
		core_builder_ram(&m.core, pfn * PAGE, 4 * PAGE);
		for (uint64_t i = 0; i < 4; i++)
			mm_builder_page(&m, pfn + i, i == 2 ? "lru hwpoison" : "lru");
		CHECK_EQ(core_open_fd(mm_builder_finish(&m), "test", &core), 0);
		CHECK_EQ(dump(core, &s, &o, &stats), 0);
		CHECK_EQ(stats.pages[PAGE_HWPOISON], 1);
		CHECK_EQ(stats.dropped_pages, 1);
		CHECK(reader_open(&s, &r));
		CHECK(reader_bit(&r, r.bitmap1, pfn + 2));
		CHECK(!reader_bit(&r, r.bitmap2, pfn + 2));
		CHECK(reader_bit(&r, r.bitmap2, pfn + 3));
		free(s.data);
	}
}

/* In each form, in the end, and where it is only counted. */
TEST(dump, figures_add_up)
{
	static const enum dump_format formats[] = { DUMP_FORMAT_KDUMP, DUMP_FORMAT_ELF };
	const uint64_t pfn = 0x8000;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		const struct dump_options o = { .level = 31, .format = formats[i] };
		struct dump_stats stats, counted;
		struct sink s = { 0 };
		struct mm_builder m;
		struct core *core;

		mm_builder_init(&m, mm_kernel_6_12);
		core_builder_ram(&m.core, pfn * PAGE, 40 * PAGE);
		for (uint64_t k = 0; k < 40; k++)
			mm_builder_page(&m, pfn + k, k % 3 ? "lru" : "");
		CHECK_EQ(core_open_fd(mm_builder_finish(&m), "test", &core), 0);
		CHECK_EQ(dump_count(core, &o, &counted), 0);
		CHECK_EQ(dump(core, &s, &o, &stats), 0);
		free(s.data);
		CHECK_EQ(stats.pages[PAGE_CACHE], 26);
		CHECK_EQ(stats.planned_pages, counted.planned_pages);
		CHECK_EQ(stats.kept_pages + stats.unreadable_pages, stats.planned_pages);
		CHECK_EQ(stats.planned_pages + stats.dropped_pages, stats.present_pages);
		CHECK_EQ(stats.scanned_pages, stats.present_pages);
		CHECK_EQ(counted.dropped_pages, stats.dropped_pages);
		CHECK_EQ(stats.done_pages, stats.planned_pages);
	}
}

TEST(dump, kdump_headers)
{
	struct dump_options o = { .codec = codec_find('c') };
	const struct kdump_sub_header *sh;
	const struct kdump_header *h;
	struct dump_stats stats;
	struct sink s = { 0 };

	CHECK_EQ(dump(simple_core(3), &s, &o, &stats), 0);
	h = (const void *)s.data;
	sh = (const void *)(s.data + PAGE);
	CHECK_STR(h->utsname.machine, "x86_64");
	CHECK_STR(h->utsname.release, "6.1.0-test");
	CHECK_EQ(le64toh(h->tv_sec), 1700000000);
	CHECK_EQ(le32toh(h->nr_cpus), 1);
	CHECK_EQ(le64toh(sh->phys_base), 4096);
	CHECK(memcmp(s.data + le64toh(sh->offset_vmcoreinfo), "OSRELEASE=6.1.0-test\n", 21) == 0);
	CHECK_EQ(le64toh(sh->offset_note), PAGE + sizeof(*sh));
	free(s.data);
}

/* Wherever the disk ends, what is there is a dump that says it is not all. */
TEST(dump, full_disk)
{
	static const char codecs[] = { 'c', 'z' };
	const unsigned pages = 3000;

	for (size_t c = 0; c < ARRAY_SIZE(codecs); c++) {
		for (uint64_t limit = 64 << 10; limit < (2 << 20); limit += 300001) {
			struct dump_options o = { .level = 1, .codec = codec_find(codecs[c]) };
			struct sink s = { .limit = limit, .check = check_now_and_then };
			struct dump_stats stats;
			struct reader r;

			CHECK_EQ(dump(simple_core(pages), &s, &o, &stats), -ENOSPC);
			CHECK(reader_open(&s, &r));
			CHECK(r.status & DUMP_DH_COMPRESSED_INCOMPLETE);
			CHECK_EQ(count_good(&s), stats.kept_pages);
			CHECK(!s.broken);
			/* All but the last few pages that fit are there. */
			CHECK(s.len + 2 * PAGE >= limit || stats.kept_pages == 0);
			CHECK(stats.kept_pages > 0 || limit < (256 << 10));
			free(s.data);
		}
	}
}

/* However many threads, with or without reading back: the same bytes. */
TEST(dump, threads_and_pipes)
{
	static const struct {
		unsigned threads;
		bool pipe;
	} cases[] = { { 0, true }, { 1, false }, { 2, false }, { 3, true }, { 16, false } };
	struct dump_options o = { .level = 1, .codec = codec_find('c') };
	const unsigned pages = 3001;
	struct dump_stats stats;
	struct sink first = { 0 };

	CHECK_EQ(dump(simple_core(pages), &first, &o, &stats), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sink s = { .pipe = cases[i].pipe };

		o.threads = cases[i].threads;
		CHECK_EQ(dump(simple_core(pages), &s, &o, &stats), 0);
		CHECK_EQ(stats.kept_pages, pages);
		CHECK_EQ(s.len, first.len);
		CHECK(memcmp(s.data, first.data, s.len) == 0);
		free(s.data);
	}
	free(first.data);
}

/* A stream has each byte once, and comes to the same dump in the end. */
TEST(dump, nothing_twice)
{
	for (int format = DUMP_FORMAT_KDUMP; format <= DUMP_FORMAT_ELF; format++) {
		struct dump_options o = { .level = 1, .format = (enum dump_format)format };
		struct sink twice = { 0 }, once = { .pipe = true, .seen = calloc(1, SINK_BYTES) };
		struct dump_stats stats;

		CHECK_EQ(dump(simple_core(3001), &twice, &o, &stats), 0);
		CHECK_EQ(dump(simple_core(3001), &once, &o, &stats), 0);
		CHECK(!once.broken);
		CHECK_EQ(once.len, twice.len);
		CHECK(memcmp(once.data, twice.data, once.len) == 0);
		free(once.data);
		free(once.seen);
		free(twice.data);
	}
}

/* Each file holds its share, and together they hold all. */
TEST(dump, split)
{
	struct dump_options o = { .level = 1, .codec = codec_find('c') };
	struct dump_sink sinks[3];
	struct sink s[3] = { 0 };
	const unsigned pages = 1000;
	struct core *core = simple_core(pages);
	struct dump_stats stats;
	int64_t nr, sum = 0;
	uint64_t next = 0;

	for (unsigned i = 0; i < 3; i++)
		sinks[i] = prepare_sink(&s[i]);
	CHECK_EQ(dump_write(core, sinks, 3, &o, &stats), 0);
	CHECK_EQ(stats.kept_pages, pages);
	CHECK_EQ(stats.file_size, s[0].len + s[1].len + s[2].len);
	for (unsigned i = 0; i < 3; i++) {
		const struct kdump_sub_header *sh = (const void *)(s[i].data + PAGE);
		struct reader r;

		CHECK(reader_open(&s[i], &r));
		CHECK_EQ(le32toh(sh->split), 1);
		CHECK_EQ(le64toh(sh->start_pfn_64), next);
		next = le64toh(sh->end_pfn_64);
		CHECK_EQ(next % 64, i < 2 ? 0 : next % 64);
		sum += (nr = count_good_of(&r, le64toh(sh->start_pfn_64), next));
		CHECK(nr > 100 && nr < 600);
		free(s[i].data);
	}
	CHECK_EQ(sum, pages);
	CHECK_EQ(next, RAM_START / PAGE + pages);
	core_close(core);
}

/* Only what is asked for is counted, and a sink is not needed. */
TEST(dump, count)
{
	struct dump_options o = { .level = 31, .codec = codec_find('c') };
	struct core *core = simple_core(700);
	struct dump_stats stats;

	CHECK_EQ(dump_count(core, &o, &stats), 0);
	CHECK_EQ(stats.present_pages, 700);
	CHECK_EQ(stats.scanned_pages, 700);
	CHECK_EQ(stats.planned_pages, 700);
	CHECK_EQ(stats.pages[PAGE_UNKNOWN], 700);
	CHECK_EQ(stats.bytes_out, 0);
	core_close(core);
}

static int cancel(void *ctx, const struct dump_stats *stats)
{
	(void)stats;
	return ++*(int *)ctx > 0;
}

TEST(dump, canceled)
{
	int calls = 0;
	struct dump_options o = { .codec = codec_find('c'),
				  .progress = cancel,
				  .progress_ctx = &calls };
	struct dump_stats stats;
	struct sink s = { 0 };
	int err = dump(simple_core(4000), &s, &o, &stats);

	/* On a fast machine it is through before the first call, which then is the last. */
	CHECK(err == -ECANCELED || err == 0);
	CHECK(calls > 0);
	CHECK_EQ(count_good(&s), stats.kept_pages);
	free(s.data);
}

/* Ranges that neither begin nor end with a page; what is in no range reads as zero. */
TEST(dump, partial_pages)
{
	static const unsigned char formats[] = { DUMP_FORMAT_KDUMP, DUMP_FORMAT_ELF };

	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		struct dump_options o = { .format = formats[f] };
		struct dump_stats stats;
		struct core_builder b;
		struct sink s = { 0 };
		uint8_t page[PAGE];
		struct reader r;

		core_builder_init(&b);
		core_builder_ram(&b, 0x1800, 0x900);
		core_builder_ram(&b, 0x5000, 0x10);
		core_builder_put64(&b, 0x1ff8, 0x1122);
		core_builder_put64(&b, 0x20f8, 0x3344);
		core_builder_put64(&b, 0x5008, 0x5566);
		CHECK_EQ(dump(open_built(&b), &s, &o, &stats), 0);
		CHECK_EQ(stats.kept_pages, 3);
		if (formats[f] == DUMP_FORMAT_KDUMP) {
			CHECK(reader_open(&s, &r));
			CHECK(reader_page(&r, 0, page));
			CHECK_EQ(get_le64(page + 0xff8), 0x1122);
			CHECK(reader_page(&r, 1, page));
			CHECK_EQ(get_le64(page + 0xf8), 0x3344);
			CHECK_EQ(get_le64(page + 0x100), 0);
			CHECK(reader_page(&r, 2, page));
			CHECK_EQ(get_le64(page + 8), 0x5566);
		} else {
			const Elf64_Ehdr *e = (const void *)s.data;
			const Elf64_Phdr *p = (const void *)(s.data + e->e_phoff);

			CHECK_EQ(e->e_phnum, 3);
			CHECK_EQ(p[1].p_paddr, 0x1800);
			CHECK_EQ(p[1].p_filesz, 0x900);
			CHECK_EQ(get_le64(s.data + p[1].p_offset + 0x8f8), 0x3344);
			CHECK_EQ(p[2].p_paddr, 0x5000);
			CHECK_EQ(p[2].p_memsz, 0x10);
		}
		free(s.data);
	}
}

/* The file ends in the middle of RAM: what is beyond is left out and counted. */
TEST(dump, truncated_core)
{
	static const unsigned char formats[] = { DUMP_FORMAT_KDUMP, DUMP_FORMAT_ELF };
	const unsigned pages = 700, missing = 100;

	for (size_t f = 0; f < ARRAY_SIZE(formats); f++) {
		struct dump_options o = { .level = 1, .format = formats[f] };
		struct dump_stats stats;
		struct core_builder b;
		struct core *core;
		struct sink s = { 0 };
		int fd;

		core_builder_init(&b);
		core_builder_ram(&b, RAM_START, pages * PAGE);
		fill_ram(&b, RAM_START, pages * PAGE);
		fd = core_builder_finish(&b);
		CHECK_EQ(ftruncate(fd, lseek(fd, 0, SEEK_END) - (int)(missing * PAGE)), 0);
		CHECK_EQ(core_open_fd(fd, "test", &core), 0);
		CHECK_EQ(dump(core, &s, &o, &stats), 0);
		CHECK_EQ(stats.unreadable_pages, missing);
		CHECK_EQ(stats.first_read_errno, ENODATA);
		CHECK_EQ(stats.first_unreadable_pfn, RAM_START / PAGE + pages - missing);
		CHECK_EQ(stats.kept_pages, pages - missing);
		if (formats[f] == DUMP_FORMAT_KDUMP)
			CHECK_EQ(count_good(&s), pages - missing);
		free(s.data);
	}
}

/* Find @paddr in an ELF dump. Return: its offset in the file, 0 where it is not. */
static uint64_t elf_find(const struct sink *s, uint64_t paddr)
{
	const Elf64_Ehdr *e = (const void *)s->data;
	const Elf64_Phdr *p = (const void *)(s->data + e->e_phoff);

	for (unsigned i = 1; i < e->e_phnum; i++)
		if (paddr >= p[i].p_paddr && paddr - p[i].p_paddr < p[i].p_filesz)
			return p[i].p_offset + (paddr - p[i].p_paddr);
	return 0;
}

/*
 * 100 zero pages in a row are written, 300 end the PT_LOAD; the kernel image's second
 * mapping shows the same bytes.
 */
TEST(dump, elf_gaps_and_aliases)
{
	struct dump_options o = { .level = 1, .format = DUMP_FORMAT_ELF };
	const uint64_t at[] = { RAM_START, RAM_START + 101 * PAGE, RAM_START + 402 * PAGE };
	const Elf64_Phdr *p;
	const Elf64_Ehdr *e;
	struct dump_stats stats;
	struct core_builder b;
	struct sink s = { 0 };

	core_builder_init(&b);
	core_builder_ram(&b, RAM_START, 500 * PAGE);
	b.loads[0].p_vaddr = 0xffff888000000000 + RAM_START;
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		core_builder_put64(&b, at[i], 0x1000 + i);
	core_builder_ram(&b, RAM_START + 400 * PAGE, 50 * PAGE);
	b.loads[1].p_vaddr = 0xffffffff81000000;
	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\n");
	CHECK_EQ(dump(open_built(&b), &s, &o, &stats), 0);
	e = (const void *)s.data;
	p = (const void *)(s.data + e->e_phoff);
	CHECK_EQ(e->e_flags, 0);
	CHECK_EQ(p[0].p_type, PT_NOTE);
	CHECK_EQ(p[1].p_paddr, RAM_START);
	CHECK_EQ(p[1].p_filesz, 102 * PAGE);
	CHECK_EQ(p[1].p_memsz, 402 * PAGE);
	CHECK_EQ(p[1].p_offset % PAGE, 0);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		CHECK_EQ(get_le64(s.data + elf_find(&s, at[i])), 0x1000 + i);
	CHECK_EQ(stats.kept_pages, 500);
	for (unsigned i = 1; i < e->e_phnum; i++)
		if (p[i].p_vaddr == 0xffffffff81002000)
			CHECK_EQ(get_le64(s.data + p[i].p_offset), 0x1002);
	CHECK_EQ(p[e->e_phnum - 1].p_vaddr >> 32, 0xffffffff);
	free(s.data);
}

TEST(dump, elf_full_disk)
{
	for (uint64_t limit = 128 << 10; limit < (8 << 20); limit += 1000003) {
		struct dump_options o = { .format = DUMP_FORMAT_ELF };
		struct sink s = { .limit = limit };
		struct dump_stats stats;
		const Elf64_Ehdr *e;
		const Elf64_Phdr *p;
		uint8_t page[PAGE];

		CHECK_EQ(dump(simple_core(3000), &s, &o, &stats), -ENOSPC);
		e = (const void *)s.data;
		p = (const void *)(s.data + e->e_phoff);
		CHECK_EQ(e->e_flags, 1);
		CHECK_EQ(e->e_phnum, 2);
		CHECK(p[1].p_offset + p[1].p_filesz <= limit);
		CHECK_EQ(p[1].p_filesz / PAGE, stats.kept_pages);
		for (uint64_t i = 0; i < stats.kept_pages; i++) {
			page_content(RAM_START / PAGE + i, page);
			CHECK(memcmp(s.data + p[1].p_offset + i * PAGE, page, PAGE) == 0);
		}
		free(s.data);
	}
}

TEST(dump, impossible_options)
{
	static const struct codec not_built_in = { .name = "none" };
	const struct dump_options cases[] = {
		{ .level = 32, .codec = codec_find('c') },
		{ .level = 1, .codec = &not_built_in },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dump_stats stats;
		struct sink s = { 0 };

		CHECK_EQ(dump(simple_core(3), &s, &cases[i], &stats), -EINVAL);
		CHECK_EQ(s.writes, 0);
		free(s.data);
	}
}
