// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

/* What these tests feed is meant to be complained about. */
static int open_quietly(int fd, struct core **core_ret)
{
	enum log_level before = log_level();
	int err;

	log_set_level(LOG_LVL_NONE);
	err = core_open_fd(fd, "test", core_ret);
	log_set_level(before);
	return err;
}

TEST(core, reads_memory_across_segments)
{
	struct core_builder b;
	struct core *core;
	uint8_t buf[16];

	core_builder_init(&b);
	core_builder_ram(&b, 0x3000, 0x1000); /* not in order of address */
	core_builder_ram(&b, 0x1000, 0x2000);
	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\n");
	core_builder_put64(&b, 0x2ff8, 0x1111);
	core_builder_put64(&b, 0x3000, 0x2222);
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK_EQ(core_end_paddr(core), 0x4000);
	CHECK_EQ(core_read_paddr(core, 0x2ff8, buf, 16), 0);
	CHECK_EQ(get_le64(buf), 0x1111);
	CHECK_EQ(get_le64(buf + 8), 0x2222);
	CHECK_EQ(core_read_paddr(core, 0x3ff8, buf, 8), 0);
	CHECK_EQ(core_read_paddr(core, 0x3ff8, buf, 9), -ENODATA);
	CHECK_EQ(core_read_paddr(core, 0xfff, buf, 1), -ENODATA);
	CHECK_EQ(core_read_paddr(core, UINT64_MAX, buf, 2), -ENODATA);
	core_close(core);
}

/* The kernel describes its image twice; see core_segments(). */
TEST(core, overlapping_segments_are_cut)
{
	static const struct {
		uint64_t paddr, memsz;
	} want[] = { { 0x1000, 0x9000 }, { 0xa000, 0x2000 }, { 0xc000, 0x1000 } };
	const struct core_segment *seg;
	struct core_builder b;
	struct core *core;
	uint8_t buf[8];
	size_t nr;

	core_builder_init(&b);
	core_builder_ram(&b, 0x4000, 0x2000);
	core_builder_ram(&b, 0x1000, 0x9000);
	core_builder_ram(&b, 0x9000, 0x3000);
	core_builder_ram(&b, 0xc000, 0x800);
	core_builder_ram(&b, 0xc000, 0x1000);
	b.loads[3].p_vaddr = 0xffffffff81000000;
	core_builder_put64(&b, 0xa000, 0x77);
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
	seg = core_segments(core, &nr);
	CHECK_EQ(nr, ARRAY_SIZE(want));
	for (size_t i = 0; i < nr; i++) {
		CHECK_EQ(seg[i].paddr, want[i].paddr);
		CHECK_EQ(seg[i].memsz, want[i].memsz);
	}
	CHECK_EQ(core_read_paddr(core, 0xa000, buf, 8), 0);
	CHECK_EQ(get_le64(buf), 0x77);
	seg = core_loads(core, &nr);
	CHECK_EQ(nr, 5);
	CHECK_EQ(seg[3].vaddr, 0xffffffff81000000);
	core_close(core);
}

TEST(core, what_the_file_does_not_hold_reads_as_zero)
{
	struct core_builder b;
	struct core *core;
	uint8_t buf[8];

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x2000);
	core_builder_put64(&b, 0x1ff8, UINT64_MAX);
	core_builder_put64(&b, 0x2000, UINT64_MAX);
	b.loads[0].p_filesz = 0x1000;
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
	CHECK_EQ(core_read_paddr(core, 0x1ffc, buf, 8), 0);
	CHECK_EQ(get_le64(buf), 0xffffffff);
	core_close(core);
}

/* QEMU with paging: a mapping that reaches beyond RAM, and RAM that another one has. */
TEST(core, bytes_in_the_file_win_over_promised_zeros)
{
	static const struct core_segment want[] = {
		{ .paddr = 0x1000, .filesz = 0x1000, .memsz = 0x2000 },
		{ .paddr = 0x3000, .filesz = 0x1000, .memsz = 0x1000 },
		{ .paddr = 0x4000, .filesz = 0, .memsz = 0x2000 },
		{ .paddr = 0x6000, .filesz = 0x1000, .memsz = 0x1000 },
		{ .paddr = 0x7000, .filesz = 0, .memsz = 0x2000 },
	};
	const struct core_segment *seg;
	struct core_builder b;
	struct core *core;
	uint8_t buf[8];
	size_t nr;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x1000);
	core_builder_ram(&b, 0x3000, 0x1000);
	core_builder_ram(&b, 0x6000, 0x1000);
	core_builder_ram(&b, 0x4000, 0x5000);
	b.loads[0].p_memsz = 0x8000;
	b.loads[3].p_filesz = 0; /* another that says zero, and the longest */
	core_builder_put64(&b, 0x3000, 0x33);
	core_builder_put64(&b, 0x6ff8, 0x66);
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	seg = core_segments(core, &nr);
	CHECK_EQ(nr, ARRAY_SIZE(want));
	for (size_t i = 0; i < nr; i++) {
		CHECK_EQ(seg[i].paddr, want[i].paddr);
		CHECK_EQ(seg[i].filesz, want[i].filesz);
		CHECK_EQ(seg[i].memsz, want[i].memsz);
	}
	CHECK_EQ(core_read_paddr(core, 0x3000, buf, 8), 0);
	CHECK_EQ(get_le64(buf), 0x33);
	CHECK_EQ(core_read_paddr(core, 0x6ff8, buf, 8), 0);
	CHECK_EQ(get_le64(buf), 0x66);
	CHECK_EQ(core_read_paddr(core, 0x5ff8, buf, 8), 0);
	CHECK_EQ(get_le64(buf), 0);
	CHECK_EQ(core_read_paddr(core, 0x8ff8, buf, 8), 0);
	core_close(core);
}

TEST(core, pages_that_the_file_holds)
{
	/* pfns 0 to 11; 3 is shared by the ends of two segments */
	static const char want[] = "nyyyyynynnyn";
	struct core_builder b;
	struct core *core;
	bool held;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x2400);
	core_builder_ram(&b, 0x3800, 0x800);
	core_builder_ram(&b, 0x4000, 0x4000);
	core_builder_ram(&b, 0x7c00, 0x400);
	core_builder_ram(&b, 0xa000, 0x10);
	b.loads[2].p_filesz = 0x1001; /* pages 6 and 7 are described only */
	b.loads[3].p_paddr = 0x7c00;
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	for (uint64_t pfn = 0; want[pfn]; pfn++)
		CHECK_EQ(core_holds_page(core, pfn), want[pfn] == 'y');
	for (uint64_t pfn = sizeof(want) - 1; pfn--;) {
		CHECK_EQ(core_holds_page(core, pfn), want[pfn] == 'y');
		CHECK_EQ(core_holds_page(core, pfn * 5 % 12), want[pfn * 5 % 12] == 'y');
	}
	for (uint64_t pfn = 0; pfn < 12;) {
		uint64_t run = core_held_run(core, pfn, 12 - pfn, &held);

		CHECK(run && run <= 12 - pfn);
		for (; run--; pfn++)
			CHECK_EQ(held, want[pfn] == 'y');
	}
	CHECK_EQ(core_held_run(core, 8, 1, &held), 1);
	CHECK_EQ(core_held_run(core, 11, UINT64_MAX, &held), UINT64_MAX);
	CHECK(!held);
	core_close(core);
}

TEST(core, memory_up_to_52_bits)
{
	static const uint64_t at[] = { 63ull << 40, 65ull << 40, (1ull << 52) - 0x2000 };
	struct core_builder b;
	struct core *core;
	uint8_t page[0x1000];
	bool held;

	core_builder_init(&b);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		core_builder_ram(&b, at[i], 0x2000);
		core_builder_put64(&b, at[i] + 0x1000, at[i]);
	}
	core_builder_ram(&b, 1ull << 52, 0x1000); /* impossible */
	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\n");
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
	CHECK_EQ(core_end_paddr(core), 1ull << 52);
	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		CHECK_EQ(core_read_pages(core, at[i] + 0x1000, page, sizeof(page)), 0);
		CHECK_EQ(get_le64(page), at[i]);
		CHECK(core_holds_page(core, at[i] / 4096 + 1));
		CHECK_EQ(core_read_pages(core, at[i] - 0x1000, page, sizeof(page)), -ENODATA);
	}
	CHECK_EQ(core_held_run(core, at[1] / 4096 + 2, UINT64_MAX, &held),
		 (at[2] - at[1]) / 4096 - 2);
	CHECK(!held);
	core_close(core);
}

TEST(core, partial_pages_are_filled_with_zero)
{
	static uint8_t page[0x3000];
	struct core_builder b;
	struct core *core;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x9ec00 - 0x1000);
	core_builder_ram(&b, 0xa0800, 0x400);
	core_builder_put64(&b, 0x9ebf8, 0x55);
	core_builder_put64(&b, 0xa0800, 0x66);
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
	memset(page, 0xee, sizeof(page));
	CHECK_EQ(core_read_pages(core, 0x9e000, page, 0x3000), 0);
	CHECK_EQ(get_le64(page + 0xbf8), 0x55);
	CHECK_EQ(get_le64(page + 0xc00), 0);
	CHECK_EQ(get_le64(page + 0x1ff8), 0);
	CHECK_EQ(get_le64(page + 0x2800), 0x66);
	CHECK_EQ(get_le64(page + 0x2ff8), 0);
	CHECK_EQ(core_read_pages(core, 0xa1000, page, 0x1000), -ENODATA);
	CHECK_EQ(core_read_paddr(core, 0x9e000, page, 0x1000), -ENODATA);
	core_close(core);
}

TEST(core, truncated_file_opens)
{
	struct core_builder b;
	struct core *core;
	uint8_t buf[8];
	int fd;

	core_builder_init(&b);
	core_builder_ram(&b, 0x1000, 0x4000);
	core_builder_ram(&b, 0x8000, 0x1000);
	core_builder_vmcoreinfo(&b, "OSRELEASE=x\n");
	fd = core_builder_finish(&b);
	CHECK_EQ(ftruncate(fd, (off_t)b.loads[0].p_offset + 0x1800), 0);
	CHECK_EQ(open_quietly(fd, &core), 0);
	CHECK_EQ(core_truncated_bytes(core), 0x4000 - 0x1800 + 0x1000);
	CHECK_STR(vmcoreinfo_string(core_vmcoreinfo(core), "OSRELEASE"), "x");
	CHECK_EQ(core_read_paddr(core, 0x27f8, buf, 8), 0);
	CHECK_EQ(core_read_paddr(core, 0x27f9, buf, 8), -ENODATA);
	CHECK_EQ(core_read_pages(core, 0x8000, buf, 8), -ENODATA);
	core_close(core);
}

TEST(core, notes_are_walked_and_bounded)
{
	struct core_note note;
	struct core_builder b;
	struct core *core;
	size_t pos = 0, len;

	core_builder_init(&b);
	core_builder_ram(&b, 0, 0x1000);
	core_builder_note(&b, "CORE", NT_PRSTATUS, "12345", 5);
	b.notes = realloc(b.notes, b.notes_len + 20); /* an offline CPU's */
	CHECK(b.notes);
	memset(b.notes + b.notes_len, 0, 20);
	b.notes_len += 20;
	core_builder_note(&b, "VMCOREINFO", 0, "PAGESIZE=65536\nA=b\n", 19);
	core_builder_note(&b, "LAST", 7, "", 0);
	put_le32(b.notes + b.notes_len - 20 + 4, 100); /* LAST: a length beyond the end */
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK_EQ(core_page_size(core), 65536);
	CHECK(core_next_note(core, &pos, &note));
	CHECK_EQ(note.type, NT_PRSTATUS);
	CHECK_EQ(note.name_len, 5);
	CHECK_EQ(note.desc_len, 5);
	CHECK(!memcmp(note.desc, "12345", 5));
	CHECK(core_next_note(core, &pos, &note));
	CHECK_EQ(note.desc_len, 19);
	CHECK(!core_next_note(core, &pos, &note));
	CHECK(core_notes(core, &len));
	CHECK_EQ(len, 28 + 20 + 44 + 20);
	core_close(core);
}

/* Nor does a length that is zero once it is rounded up to 32 bits lead out of the notes. */
TEST(core, note_of_four_gib)
{
	struct core_note note;
	struct core_builder b;
	struct core *core;
	size_t pos = 0;

	core_builder_init(&b);
	core_builder_ram(&b, 0, 0x1000);
	core_builder_note(&b, "CORE", NT_PRSTATUS, "", 0);
	put_le32(b.notes, UINT32_MAX);
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK(!core_next_note(core, &pos, &note));
	core_close(core);
}

TEST(core, impossible_page_size_is_not_believed)
{
	static const char *const texts[] = { "PAGESIZE=0\n",	"PAGESIZE=12288\n",
					     "PAGESIZE=2048\n", "PAGESIZE=131072\n",
					     "PAGESIZE=x\n",	"A=b\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct core_builder b;
		struct core *core;

		core_builder_init(&b);
		core_builder_ram(&b, 0, 0x1000);
		core_builder_vmcoreinfo(&b, texts[i]);
		CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
		CHECK_EQ(core_page_size(core), 4096);
		core_close(core);
	}
}

TEST(core, impossible_segments_are_left_out)
{
	const struct core_segment *seg;
	struct core_builder b;
	struct core *core;
	size_t nr;

	core_builder_init(&b);
	for (int i = 0; i < 4; i++)
		core_builder_ram(&b, 0x1000 * (uint64_t)i, 0x1000);
	b.loads[0].p_paddr = UINT64_MAX - 0x800;
	b.loads[1].p_offset = UINT64_MAX - 0x800;
	b.loads[2].p_memsz = 0;
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), 0);
	seg = core_segments(core, &nr);
	CHECK_EQ(nr, 1);
	CHECK_EQ(seg[0].paddr, 0x3000);
	core_close(core);
}

TEST(core, refuses_what_is_no_core)
{
	struct core_builder b;
	struct core *core;
	int fd;

	fd = memfd_create("garbage", 0);
	CHECK_EQ(open_quietly(fd, &core), -EBADMSG); /* empty */
	fd = memfd_create("garbage", 0);
	CHECK_EQ(io_pwrite_full(fd, "KDUMP   not an ELF file", 23, 0), 0);
	CHECK_EQ(open_quietly(fd, &core), -EBADMSG);
	CHECK_EQ(open_quietly(open("/proc/self/exe", O_RDONLY), &core), -EBADMSG);

	core_builder_init(&b);
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), -ENODATA);
	core_builder_init(&b);
	core_builder_ram(&b, 0, 0x1000);
	b.machine = EM_SPARCV9;
	CHECK_EQ(open_quietly(core_builder_finish(&b), &core), -EOPNOTSUPP);

	core_builder_init(&b);
	core_builder_ram(&b, 0, 0x1000);
	fd = core_builder_finish(&b);
	CHECK_EQ(ftruncate(fd, sizeof(Elf64_Ehdr) + 20), 0); /* within the program headers */
	CHECK_EQ(open_quietly(fd, &core), -ENODATA);
}

TEST(core, open_tells_errno)
{
	enum log_level before = log_level();
	struct core *core;

	log_set_level(LOG_LVL_NONE);
	CHECK_EQ(core_open("/nonexistent/vmcore", &core), -ENOENT);
	log_set_level(before);
}

TEST(core, virtual_addresses)
{
	struct core_builder b;
	uint64_t next = 0x11000, paddr;
	struct core *core;
	uint8_t buf[16];

	core_builder_init(&b);
	core_builder_ram(&b, 0x10000, 0x20000);
	core_builder_vmcoreinfo(&b, "SYMBOL(init_top_pgt)=ffffffff81010000\n"
				    "NUMBER(phys_base)=-16777216\n");
	core_builder_map(&b, 0x10000, &next, 1, (uint64_t[]){ 0xffffc90000000000, 0x20000 });
	core_builder_map(&b, 0x10000, &next, 1, (uint64_t[]){ 0xffffc90000001000, 0x22000 });
	core_builder_put64(&b, 0x20ff8, 0xaa);
	core_builder_put64(&b, 0x22000, 0xbb);
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK_EQ(core_read_vaddr(core, 0xffffc90000000ff8, buf, 8), -ENODATA);
	CHECK_EQ(core_setup_vaddr(core), 0);
	CHECK_EQ(core_setup_vaddr(core), 0);
	CHECK_EQ(core_read_vaddr(core, 0xffffc90000000ff8, buf, 16), 0);
	CHECK_EQ(get_le64(buf), 0xaa);
	CHECK_EQ(get_le64(buf + 8), 0xbb);
	CHECK_EQ(core_vaddr_to_paddr(core, 0xffffc90000001234, &paddr), 0);
	CHECK_EQ(paddr, 0x22234);
	CHECK_EQ(core_read_vaddr(core, 0xffffc90000001ff8, buf, 16), -ENODATA);
	core_close(core);
}

/* Dumps of one core have one date, whenever they are made. */
TEST(core, crash_time)
{
	for (unsigned told = 0; told < 2; told++) {
		const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 1234567890 } };
		struct core_builder b;
		struct core *core;
		int fd;

		core_builder_init(&b);
		core_builder_ram(&b, 0x1000, 0x1000);
		core_builder_vmcoreinfo(&b, told ? "PAGESIZE=4096\nCRASHTIME=1700000000\n" :
						   "PAGESIZE=4096\n");
		fd = core_builder_finish(&b);
		CHECK_EQ(futimens(fd, times), 0);
		CHECK_EQ(core_open_fd(fd, "test", &core), 0);
		CHECK_EQ(core_crash_time(core), told ? 1700000000 : 1234567890);
		core_close(core);
	}
}
