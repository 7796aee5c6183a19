// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random bytes as a crashed machine's memory, behind the facts of a real kernel: page tables,
 * section table and struct pages are written over, and the walk over the memory map must
 * neither misreport what the core holds nor depend on where it starts.
 *
 * Input: a byte for the kernel, one for the machine, then records of 12 bytes: where to write
 * (3 bytes, into the low 4 MiB), how much, what (8 bytes).
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/mm_builder.h"

#define RECORD_BYTES 12
#define MAX_RECORDS  64
#define MAX_WRITE    4096
#define NR_KERNELS   5
#define NR_KINDS     24
#define RAM_PFN	     0xfff0ull /* crosses a window's and a section's end */
#define RAM_PAGES    0x420ull
#define FAR_PFN	     0x2000000000ull
#define NR_PAGES     0x20000u /* below this pfn the classes of a walk are remembered */

/* libFuzzer's interface; clang ships no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* What a record has written over. */
struct undo {
	uint64_t offset;
	size_t len;
	uint8_t bytes[MAX_WRITE];
};

static void write_record(int fd, const uint8_t *record, struct undo *undo)
{
	uint64_t at = record[0] | record[1] << 8 | (uint64_t)record[2] << 16;
	uint8_t bytes[MAX_WRITE];

	at = at % MM_BUILDER_LOW_BYTES & ~7ull;
	undo->len = MIN((size_t)8 << record[3] % 10, MM_BUILDER_LOW_BYTES - at);
	undo->offset = CORE_BUILDER_HEADERS_BYTES + at; /* the low RAM is first in the file */
	must(io_pread_full(fd, undo->bytes, undo->len, undo->offset) == (ssize_t)undo->len);
	for (size_t i = 0; i < undo->len; i++)
		bytes[i] = record[4 + i % 8];
	must(!io_pwrite_full(fd, bytes, undo->len, undo->offset));
}

static int build(unsigned kernel, unsigned kind)
{
	static const char *const kernels[NR_KERNELS] = { mm_kernel_5_10, mm_kernel_6_1,
							 mm_kernel_6_6, mm_kernel_6_12,
							 mm_kernel_7_1 };
	const struct mm_machine machine = {
		.levels = kind & 1 ? 5 : 4,
		.table = kind / 2 % 3,
		.no_vmemmap = kind / 6 & 1,
	};
	struct mm_builder m;

	mm_builder_init_machine(&m, kernels[kernel], &machine);
	core_builder_ram(&m.core, (RAM_PFN << 12) + (kind / 12 ? 0x800 : 0), RAM_PAGES << 12);
	core_builder_ram(&m.core, ((RAM_PFN + RAM_PAGES) << 12) + 0x801, 0x7fff);
	core_builder_ram(&m.core, FAR_PFN << 12, 16 << 12);
	mm_builder_text(&m, "fff0-fff7 free=2; fff8-ffff lru; 10000-103ff folio=9 lru anon;"
			    "10400-10403 folio=2 lru; 10404 lru private");
	return mm_builder_finish(&m);
}

/* A sound machine of each sort is built once. Return: its file, which stays open. */
static int sound_core(uint8_t kernel, uint8_t kind)
{
	static int files[NR_KERNELS][NR_KINDS]; /* and 1 */
	int *file = &files[kernel % NR_KERNELS][kind % NR_KINDS];

	if (!*file)
		*file = build(kernel % NR_KERNELS, kind % NR_KINDS) + 1;
	return *file - 1;
}

/* Whether the core holds something of a page, asked in the simplest way. */
static bool is_present(const struct core *core, uint64_t pfn)
{
	const struct core_segment *seg;
	size_t nr;

	seg = core_segments(core, &nr);
	for (size_t i = 0; i < nr; i++)
		if (seg[i].filesz && seg[i].paddr < (pfn + 1) << 12 &&
		    seg[i].paddr + seg[i].filesz > pfn << 12)
			return true;
	return false;
}

static void check_walk(struct core *core, struct scan *scan, uint8_t *class)
{
	static struct scan_window win;
	uint64_t next = 0, present = 0;

	memset(class, PAGE_ABSENT, NR_PAGES);
	while (scan_next(scan, &win)) {
		must(win.nr && win.nr <= SCAN_WINDOW_PAGES && win.pfn >= next);
		must(win.pfn + win.nr <= scan_max_pfn(scan));
		next = win.pfn + win.nr;
		for (uint32_t i = 0; i < win.nr; i++) {
			must(win.class[i] < PAGE_NR_CLASSES);
			must((win.class[i] != PAGE_ABSENT) == is_present(core, win.pfn + i));
			present += win.class[i] != PAGE_ABSENT;
			if (win.pfn + i < NR_PAGES)
				class[win.pfn + i] = win.class[i];
		}
	}
	must(present == scan_present_pages(scan));
}

static void check_seek(struct scan *scan, uint64_t pfn, const uint8_t *class)
{
	static struct scan_window win;

	scan_seek(scan, pfn);
	while (pfn < NR_PAGES && class[pfn] == PAGE_ABSENT)
		pfn++;
	must(scan_next(scan, &win) && (pfn < NR_PAGES ? win.pfn == pfn : win.pfn >= pfn));
	if (pfn < NR_PAGES)
		must(!memcmp(win.class, class + pfn, MIN(win.nr, NR_PAGES - pfn)));
}

static void check_core(int fd, const uint8_t *data, size_t size)
{
	static uint8_t class[NR_PAGES];
	struct core *core;
	struct scan *scan;

	must(!core_open_fd(dup(fd), "fuzz", &core));
	must(!scan_create(core, true, &scan));
	check_walk(core, scan, class);
	for (size_t i = 0; i < MIN(size, (size_t)8); i++)
		check_seek(scan, i % 2 ? RAM_PFN + data[i] * 5u : data[i] * 4u, class);
	check_seek(scan, NR_PAGES, class);
	scan_destroy(scan);
	core_close(core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct undo undo[MAX_RECORDS];
	size_t nr = 0;
	int fd;

	log_set_level(LOG_LVL_NONE);
	if (size < 2)
		return 0;
	fd = sound_core(data[0], data[1]);
	for (; nr < MAX_RECORDS && 2 + (nr + 1) * RECORD_BYTES <= size; nr++)
		write_record(fd, data + 2 + nr * RECORD_BYTES, &undo[nr]);
	check_core(fd, data, size);
	while (nr--)
		must(!io_pwrite_full(fd, undo[nr].bytes, undo[nr].len, undo[nr].offset));
	return 0;
}
