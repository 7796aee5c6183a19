// SPDX-License-Identifier: GPL-2.0-or-later
/* The headers of a 32-bit kernel's dump, by the places that its readers look at. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/codec.h"
#include "capture/dump/dump.h"
#include "capture/dump/flattened.h"
#include "capture/output.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

TEST(kdump_layout, sizes)
{
	static const struct {
		uint32_t version;
		size_t narrow, wide;
	} sub[] = {
		{ 1, 8, 12 },  { 2, 20, 32 }, { 3, 32, 48 },
		{ 4, 44, 64 }, { 5, 56, 80 }, { 6, 80, 104 },
	};

	CHECK_EQ(kdump_header_bytes(false), 452);
	CHECK_EQ(kdump_header_bytes(true), 464);
	CHECK_EQ(kdump_status_offset(false), 412);
	CHECK_EQ(kdump_status_offset(true), 424);
	for (size_t i = 0; i < ARRAY_SIZE(sub); i++) {
		CHECK_EQ(kdump_sub_header_bytes(false, sub[i].version), sub[i].narrow);
		CHECK_EQ(kdump_sub_header_bytes(true, sub[i].version), sub[i].wide);
	}
}

TEST(kdump_layout, which_one)
{
	static const struct {
		const char *machine;
		bool wide;
	} cases[] = {
		{ "i686", false }, { "i386", false }, { "x86_64", true },
		{ "", true },	   { "i6860", true }, { "pdp11", true },
	};
	struct kdump_header h = { .signature = KDUMP_SIGNATURE };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(h.utsname.machine, sizeof(h.utsname.machine), "%s", cases[i].machine);
		CHECK_EQ(kdump_is_wide(&h), cases[i].wide);
	}
	memset(h.utsname.machine, 'i', sizeof(h.utsname.machine));
	CHECK(kdump_is_wide(&h));
}

TEST(kdump_layout, header_there_and_back)
{
	struct kdump_header h = {
		.signature = KDUMP_SIGNATURE,
		.header_version = htole32(6),
		.utsname.machine = "i686",
		.tv_sec = htole64(0x65432101),
		.tv_usec = htole64(7),
		.status = htole32(0x21),
		.block_size = htole32(4096),
		.sub_hdr_size = htole32(1),
		.bitmap_blocks = htole32(2),
		.max_mapnr = htole32(0x1ffdd),
		.nr_cpus = htole32(4),
	};
	struct kdump_header back;
	uint8_t raw[sizeof(h)] = { 0 };

	kdump_header_pack(&h, false, raw);
	CHECK_STR((char *)raw + 272, "i686");
	CHECK_EQ(get_le32(raw + 404), 0x65432101);
	CHECK_EQ(get_le32(raw + 408), 7);
	CHECK_EQ(get_le32(raw + 412), 0x21);
	CHECK_EQ(get_le32(raw + 416), 4096);
	CHECK_EQ(get_le32(raw + 428), 0x1ffdd);
	CHECK_EQ(get_le32(raw + 448), 4);
	kdump_header_unpack(raw, false, &back);
	CHECK_EQ(memcmp(&h, &back, sizeof(h)), 0);
	kdump_header_pack(&h, true, raw);
	CHECK_EQ(memcmp(&h, raw, sizeof(h)), 0);
}

TEST(kdump_layout, sub_header_there_and_back)
{
	struct kdump_sub_header sh = {
		.phys_base = htole64(0x1000000),
		.dump_level = htole32(31),
		.split = htole32(1),
		.start_pfn = htole64(0x100),
		.end_pfn = htole64(0x200),
		.offset_vmcoreinfo = htole64(0x123456789),
		.size_vmcoreinfo = htole64(2873),
		.offset_note = htole64(0x223456789),
		.size_note = htole64(3228),
		.offset_eraseinfo = htole64(0x323456789),
		.size_eraseinfo = htole64(9),
		.start_pfn_64 = htole64(0x100),
		.end_pfn_64 = htole64(0x200),
		.max_mapnr_64 = htole64(0x1000000),
	};
	struct kdump_sub_header back;
	uint8_t raw[sizeof(sh)] = { 0 };

	kdump_sub_header_pack(&sh, false, raw);
	CHECK_EQ(get_le32(raw), 0x1000000);
	CHECK_EQ(get_le32(raw + 4), 31);
	CHECK_EQ(get_le32(raw + 12), 0x100);
	CHECK_EQ(get_le64(raw + 20), 0x123456789);
	CHECK_EQ(get_le32(raw + 28), 2873);
	CHECK_EQ(get_le64(raw + 32), 0x223456789);
	CHECK_EQ(get_le32(raw + 40), 3228);
	CHECK_EQ(get_le64(raw + 44), 0x323456789);
	CHECK_EQ(get_le32(raw + 52), 9);
	CHECK_EQ(get_le64(raw + 72), 0x1000000);
	kdump_sub_header_unpack(raw, false, &back);
	CHECK_EQ(memcmp(&sh, &back, sizeof(sh)), 0);
	/* What is too large for the old fields is in the new ones. */
	sh.end_pfn = sh.end_pfn_64 = htole64(1ull << 36);
	kdump_sub_header_pack(&sh, false, raw);
	CHECK_EQ(get_le32(raw + 16), UINT32_MAX);
	CHECK_EQ(get_le64(raw + 64), 1ull << 36);
}

/* A dump of an i386 core with a page at @paddr. Return: its descriptor; -1. */
static int dump_i386(uint64_t paddr, enum dump_format format)
{
	const struct dump_options o = { .format = format };
	struct output out = { .fd = memfd_create("dump", MFD_CLOEXEC) };
	struct dump_sink sink = output_sink(&out);
	struct dump_stats stats;
	struct core_builder b;
	struct core *core;
	int err;

	core_builder_init(&b);
	b.machine = EM_386;
	core_builder_ram(&b, 0x1000, 0x2000);
	core_builder_ram(&b, paddr, 0x1000);
	b.loads[0].p_vaddr = 0xc0001000;
	b.loads[1].p_vaddr = UINT32_MAX; /* highmem, as kexec-tools has it */
	core_builder_vmcoreinfo(&b, "OSRELEASE=6.1.0\nPAGESIZE=4096\nCRASHTIME=1700000000\n");
	if (core_open_fd(core_builder_finish(&b), "test", &core))
		return -1;
	err = dump_write(core, &sink, 1, &o, &stats);
	core_close(core);
	return err ? -1 : out.fd;
}

/* struct elf32_hdr and elf32_phdr: PT_NOTE first, then each PT_LOAD. */
TEST(kdump_layout, elf_of_32_bits)
{
	uint8_t raw[52 + 3 * 32];
	int fd = dump_i386(0x40000000, DUMP_FORMAT_ELF);

	CHECK_EQ(io_pread_full(fd, raw, sizeof(raw), 0), (ssize_t)sizeof(raw));
	CHECK_EQ(raw[EI_CLASS], ELFCLASS32);
	CHECK_EQ(get_le16(raw + 18), EM_386);
	CHECK_EQ(get_le32(raw + 28), 52);
	CHECK_EQ(get_le32(raw + 36), 0); /* complete */
	CHECK_EQ(get_le16(raw + 42), 32);
	CHECK_EQ(get_le16(raw + 44), 3);
	CHECK_EQ(get_le32(raw + 52), PT_NOTE);
	CHECK_EQ(get_le32(raw + 84 + 8), 0xc0001000);
	CHECK_EQ(get_le32(raw + 84 + 12), 0x1000);
	CHECK_EQ(get_le32(raw + 84 + 16), 0x2000);
	CHECK_EQ(get_le32(raw + 116 + 8), UINT32_MAX);
	CHECK_EQ(get_le32(raw + 116 + 12), 0x40000000);
	close(fd);
	/* What lies beyond 4 GiB has no place in that. */
	fd = dump_i386(1ull << 32, DUMP_FORMAT_ELF);
	CHECK_EQ(io_pread_full(fd, raw, sizeof(raw), 0), (ssize_t)sizeof(raw));
	CHECK_EQ(raw[EI_CLASS], ELFCLASS64);
	CHECK_EQ(get_le16(raw + 18), EM_386);
	close(fd);
}

struct stream {
	int from;
	uint64_t at, len;
	int to;
};

static ssize_t stream_read(void *ctx, void *buf, size_t len)
{
	struct stream *s = ctx;
	ssize_t n = io_pread_full(s->from, buf, MIN(s->len - s->at, (uint64_t)len), s->at);

	s->at += n > 0 ? (uint64_t)n : 0;
	return n;
}

static int stream_emit(void *ctx, const void *buf, size_t len)
{
	struct stream *s = ctx;
	int err = io_pwrite_full(s->from, buf, len, s->len);

	s->len += err ? 0 : len;
	return err;
}

static int file_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct stream *s = ctx;

	return io_pwrite_full(s->to, buf, len, offset);
}

/* The mark that a stream was cut off is where readers of 32-bit dumps look for it. */
TEST(kdump_layout, cut_streams_are_marked)
{
	static const struct {
		enum dump_format format;
		uint64_t paddr, at;
		uint32_t mark;
	} cases[] = {
		{ DUMP_FORMAT_KDUMP, 0x40000000, 412, DUMP_DH_COMPRESSED_INCOMPLETE },
		{ DUMP_FORMAT_ELF, 0x40000000, 36, DUMP_ELF_INCOMPLETE },
		{ DUMP_FORMAT_ELF, 1ull << 32, 48, DUMP_ELF_INCOMPLETE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stream s = { .from = memfd_create("stream", MFD_CLOEXEC),
				    .to = memfd_create("file", MFD_CLOEXEC) };
		struct flat_stream flat = { .emit = stream_emit, .ctx = &s };
		const struct dump_sink in = flat_sink(&flat),
				       out = { .write = file_write, .ctx = &s };
		int fd = dump_i386(cases[i].paddr, cases[i].format);
		uint8_t head[464], mark[4] = { 0 };

		CHECK_EQ(io_pread_full(fd, head, sizeof(head), 0), (ssize_t)sizeof(head));
		CHECK_EQ(flat_begin(&flat), 0);
		CHECK_EQ(in.write(in.ctx, 0, head, sizeof(head)), 0);
		CHECK_EQ(flat_rearrange(stream_read, &s, &out), -ENODATA);
		CHECK_EQ(io_pread_full(s.to, mark, sizeof(mark), cases[i].at), 4);
		CHECK_EQ(get_le32(mark) & cases[i].mark, cases[i].mark);
		close(fd);
		close(s.from);
		close(s.to);
	}
}
