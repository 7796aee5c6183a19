/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Feeds a file to everything that reads a core before a page of it is dumped. */
#ifndef TESTS_FUZZ_CORE_TARGET_H
#define TESTS_FUZZ_CORE_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "capture/mm/scan.h"
#include "lib/io.h"
#include "lib/log.h"

#define MAX_WINDOWS 24 /* headers may promise far more memory than the file has bytes */
#define MAX_RUNS    200

/* libFuzzer's interface; clang ships no header for it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static void walk_notes(struct core *core)
{
	struct core_note note;
	size_t pos = 0;
	size_t len;
	const uint8_t *notes = core_notes(core, &len);

	while (core_next_note(core, &pos, &note)) {
		const uint8_t *desc = note.desc;

		if ((const uint8_t *)note.name + note.name_len > desc || desc < notes ||
		    desc + note.desc_len > notes + len || pos > len)
			abort();
	}
}

static void read_some(struct core *core)
{
	static const uint64_t vaddrs[] = { 0, 0xffff888000000ffc, 0xffffea0000000000,
					   0xffffffff81000ffc, UINT64_MAX - 3 };
	uint64_t symbol;
	uint8_t buf[64];

	for (size_t i = 0; i < sizeof(vaddrs) / sizeof(vaddrs[0]); i++)
		core_read_vaddr(core, vaddrs[i], buf, 8);
	if (core_vmcoreinfo(core) &&
	    !vmcoreinfo_symbol(core_vmcoreinfo(core), "mem_section", &symbol))
		core_read_vaddr(core, symbol, buf, sizeof(buf));
	core_read_paddr(core, core_end_paddr(core) - 1, buf, 2);
}

static void check_segments(const struct core *core)
{
	const struct core_segment *seg;
	uint64_t end = 0;
	size_t nr;

	seg = core_segments(core, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (seg[i].paddr < end || !seg[i].memsz || seg[i].filesz > seg[i].memsz ||
		    seg[i].paddr + seg[i].memsz < seg[i].paddr)
			abort();
		end = seg[i].paddr + seg[i].memsz;
	}
	if (end != core_end_paddr(core))
		abort();
}

/* What is said of pages must hold of each, and in both directions. */
static void walk_held(struct core *core)
{
	const uint64_t end = core_end_paddr(core) / core_page_size(core) + 2;
	uint64_t pfn = 0;

	for (unsigned i = 0; i < MAX_RUNS && pfn < end; i++) {
		bool held, first, last;
		uint64_t run = core_held_run(core, pfn, end - pfn, &held);

		if (!run || run > end - pfn)
			abort();
		last = core_holds_page(core, pfn + run - 1);
		first = core_holds_page(core, pfn);
		if (first != held || last != held)
			abort();
		pfn += run;
	}
}

static void walk_pages(struct core *core)
{
	static struct scan_window win;
	static uint8_t page[65536];
	struct core_reader *reader;
	struct scan *scan;
	uint64_t next = 0;

	if (core_reader_create(core, &reader))
		return;
	if (scan_create(core, true, &scan)) {
		core_reader_destroy(reader);
		return;
	}
	for (unsigned i = 0; i < MAX_WINDOWS && scan_next(scan, &win); i++) {
		if (!win.nr || win.nr > SCAN_WINDOW_PAGES || win.pfn < next ||
		    win.pfn + win.nr > scan_max_pfn(scan))
			abort();
		next = win.pfn + win.nr;
		for (uint32_t k = 0; k < win.nr; k++)
			if (win.class[k] >= PAGE_NR_CLASSES)
				abort();
		core_reader_read_pages(reader, win.pfn * core_page_size(core), page,
				       core_page_size(core));
	}
	if (next && !scan_present_pages(scan))
		abort();
	scan_destroy(scan);
	core_reader_destroy(reader);
}

/* The first and the last page of some segments. */
static void read_ends(struct core *core)
{
	static uint8_t page[65536];
	const struct core_segment *seg;
	size_t nr, page_size = core_page_size(core);

	seg = core_segments(core, &nr);
	for (size_t i = 0; i < nr && i < MAX_WINDOWS; i++) {
		core_read_pages(core, seg[i].paddr & ~(page_size - 1), page, page_size);
		core_read_paddr(core, seg[i].paddr + seg[i].memsz - 1, page, 1);
	}
}

/* @fd is closed. */
static void feed_core(int fd)
{
	struct core *core;

	log_set_level(LOG_LVL_NONE);
	if (core_open_fd(fd, "fuzz", &core))
		return;
	check_segments(core);
	walk_notes(core);
	walk_held(core);
	core_setup_vaddr(core);
	read_some(core);
	walk_pages(core);
	core_set_access(core, CORE_ACCESS_MMAP);
	read_some(core);
	read_ends(core);
	core_close(core);
}

#endif
