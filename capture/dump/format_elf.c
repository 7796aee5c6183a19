// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ELF format in one pass.
 *
 * As makedumpfile -E does, a PT_LOAD of the core becomes one or more: where 256 or more
 * pages in a row are left out, it ends and a new one begins; a shorter row of left-out
 * pages is written all the same, since it would save less than it costs. p_memsz of a
 * PT_LOAD covers the pages left out behind it, so readers know that memory was there.
 * Other than makedumpfile, a row with pages that must not be read (bad memory, memory
 * given back to a hypervisor) or cannot be read always ends the PT_LOAD.
 */
#include "capture/dump/format_elf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/elf_table.h"
#include "lib/log.h"
#include "lib/util.h"

#define GAP_BYTES (64u * 1024)

/*
 * @segment: index of the core's segment that @open belongs to
 * @open: the PT_LOAD being written; p_filesz grows with what is appended
 * @hazard: a page since the end of @open must not or could not be read
 */
struct elf_dump {
	const struct dump_job *job;
	struct writer writer;
	struct elf_table table;
	uint64_t split_bytes;
	const struct core_segment *segments;
	size_t nr_segments, segment;
	Elf64_Phdr open;
	bool hazard, warned;
	uint64_t pages; /* kept pages appended */
	uint8_t gap[GAP_BYTES];
};

static void open_load(struct elf_dump *e, uint64_t paddr)
{
	const struct core_segment *s = &e->segments[e->segment];

	e->open = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = writer_tell(&e->writer),
		.p_paddr = paddr,
		.p_vaddr = s->vaddr == UINT64_MAX ? s->vaddr : s->vaddr + (paddr - s->paddr),
	};
	e->hazard = false;
}

int elf_dump_create(const struct dump_job *job, const struct dump_sink *sink,
		    struct elf_dump **elf_ret)
{
	struct elf_dump *e;
	uint64_t split_pages;
	int err;

	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->job = job;
	e->segments = core_segments(job->core, &e->nr_segments);
	err = writer_init(&e->writer, sink, job->stats);
	if (!err)
		err = elf_table_init(&e->table, job, &e->writer, &split_pages);
	if (err) {
		elf_dump_destroy(e);
		return err;
	}
	e->split_bytes = split_pages * job->page_size;
	*elf_ret = e;
	return 0;
}

void elf_dump_destroy(struct elf_dump *e)
{
	if (!e)
		return;
	writer_deinit(&e->writer);
	free(e);
}

int elf_dump_begin(struct elf_dump *e)
{
	writer_seek(&e->writer, e->table.data);
	open_load(e, e->segments[0].paddr);
	return elf_table_begin(&e->table, &e->open);
}

static int elf_checkpoint(void *format)
{
	struct elf_dump *e = format;
	Elf64_Phdr open = e->open;
	int flush_err = writer_flush(&e->writer), err;

	open.p_memsz = open.p_filesz;
	err = elf_table_publish(&e->table, &open, DUMP_ELF_INCOMPLETE);
	if (!err)
		e->job->stats->kept_pages =
			MIN(e->pages, (e->writer.start - e->table.data) / e->job->page_size);
	return flush_err ? flush_err : err;
}

/* @open ends, covering memory up to @end. */
static int close_load(struct elf_dump *e, uint64_t end)
{
	int err;

	e->open.p_memsz = end - e->open.p_paddr;
	err = elf_table_add(&e->table, &e->open);
	if (err != -EAGAIN)
		return err;
	/* The table's own order of publishing: data first. */
	err = writer_flush(&e->writer);
	if (!err)
		err = elf_table_publish(&e->table, NULL, DUMP_ELF_INCOMPLETE);
	return err ? err : elf_table_add(&e->table, &e->open);
}

static int append(struct elf_dump *e, const void *data, size_t len)
{
	int err = writer_append(&e->writer, data, len);

	if (!err)
		e->open.p_filesz += len;
	return err;
}

/*
 * Write the memory between the end of @open's data and @addr.
 * Return: 0; 1 where a part cannot be read, and all before it is written; -errno.
 */
static int fill_gap(struct elf_dump *e, uint64_t addr)
{
	uint64_t at = e->open.p_paddr + e->open.p_filesz;

	while (at < addr) {
		size_t n = MIN(addr - at, GAP_BYTES - at % GAP_BYTES);
		int err;

		if (core_read_paddr(e->job->core, at, e->gap, n))
			return 1;
		err = append(e, e->gap, n);
		if (err)
			return err;
		at += n;
	}
	return 0;
}

/* No PT_LOAD is left for another split: what is missing reads as zero. */
static int fill_gap_with_zeros(struct elf_dump *e, uint64_t addr)
{
	uint64_t at = e->open.p_paddr + e->open.p_filesz;

	if (!e->warned)
		log_warn("too many holes for an ELF dump: from 0x%" PRIx64
			 " on, some of what is missing reads as zero",
			 at);
	e->warned = true;
	memset(e->gap, 0, sizeof(e->gap));
	while (at < addr) {
		size_t n = MIN(addr - at, (uint64_t)GAP_BYTES);
		int err = append(e, e->gap, n);

		if (err)
			return err;
		at += n;
	}
	return 0;
}

/* Make @open's data end at @addr, or a new PT_LOAD begin there. */
static int reach(struct elf_dump *e, uint64_t addr)
{
	uint64_t gap = addr - (e->open.p_paddr + e->open.p_filesz);
	int err;

	if (gap == 0)
		return 0;
	if (gap < e->split_bytes && !e->hazard) {
		err = fill_gap(e, addr);
		if (err <= 0)
			return err;
	}
	if (gap < e->split_bytes && !elf_table_take_spare(&e->table))
		return fill_gap_with_zeros(e, addr);
	err = close_load(e, addr);
	if (!err)
		open_load(e, addr);
	return err;
}

static int next_segment(struct elf_dump *e)
{
	const struct core_segment *s = &e->segments[e->segment];
	int err = close_load(e, s->paddr + s->memsz);

	if (err)
		return err;
	e->segment++;
	if (e->segment < e->nr_segments)
		open_load(e, e->segments[e->segment].paddr);
	return 0;
}

/* One page: the parts of it that lie in segments. */
static int put_page(struct elf_dump *e, const struct batch_page *page)
{
	const uint64_t start = page->pfn * e->job->page_size, end = start + e->job->page_size;

	while (e->segment < e->nr_segments) {
		const struct core_segment *s = &e->segments[e->segment];
		uint64_t from = MAX(start, s->paddr), to = MIN(end, s->paddr + s->memsz);
		int err = 0;

		if (s->paddr >= end)
			break;
		e->hazard |= page->after_hazard || page->state == PAGE_STATE_UNREADABLE;
		if (from < to && page->state == PAGE_STATE_DATA) {
			err = reach(e, from);
			if (!err)
				err = append(e, (const char *)page->data + (from - start),
					     to - from);
			e->hazard = false;
		}
		if (!err && s->paddr + s->memsz <= end)
			err = next_segment(e);
		else if (!err)
			break;
		if (err)
			return err;
	}
	e->pages += page->state != PAGE_STATE_UNREADABLE;
	return 0;
}

static int elf_put(void *format, const struct batch *b)
{
	for (unsigned i = 0; i < b->nr; i++) {
		int err = put_page(format, &b->pages[i]);

		if (err)
			return err;
	}
	return 0;
}

int elf_dump_finish(struct elf_dump *e)
{
	int err = 0;

	while (!err && e->segment < e->nr_segments)
		err = next_segment(e);
	if (!err)
		err = writer_flush(&e->writer);
	if (!err)
		err = elf_table_publish(&e->table, NULL, DUMP_ELF_INCOMPLETE);
	if (!err)
		err = writer_sync(&e->writer);
	if (!err)
		err = elf_table_publish(&e->table, NULL, 0);
	if (!err)
		e->job->stats->kept_pages = e->pages;
	return err ? err : writer_sync(&e->writer);
}

const struct format_ops format_elf = {
	.put = elf_put,
	.checkpoint = elf_checkpoint,
};
