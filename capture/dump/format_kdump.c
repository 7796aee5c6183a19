// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kdump-compressed format, written so that it is a valid dump at every moment.
 *
 * Which pages are in the dump is on the disk before the first of them. So a page's
 * descriptor has its place from the beginning, whenever the page comes, and reads as zero
 * until then: crash, drgn and libkdumpfile take that for a page that is not there. It is
 * written once the page's data is in the sink. A page that cannot be read keeps the zero.
 *
 * Room for the descriptors is taken before page data, so a disk that fills up still has
 * room to publish what it took. The page that all zero pages share comes right behind
 * them, at the place where makedumpfile --reassemble looks for it.
 */
#include "capture/dump/format_kdump.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/kdump_header.h"
#include "lib/log.h"
#include "lib/util.h"

#define PENDING_PAGES	  4096u
#define BITMAP_CHUNK	  4096u
#define BITMAP_CHUNK_PFNS (8ull * BITMAP_CHUNK)
#define MAX_BITMAP_BLOCKS INT32_MAX /* readers take the header's field as signed */

/* A page whose data is appended, and which readers do not see yet. */
struct pending {
	uint64_t rank; /* in this file */
	uint64_t end;  /* offset where its data ends */
	struct kdump_page_desc desc;
};

struct kdump {
	const struct dump_job *job;
	bool wide; /* the crashed kernel has 64 bits */
	struct writer writer;
	struct kdump_header header;
	struct kdump_part part;
	uint64_t bitmap1, bitmap2, descs, zero_page; /* offsets */
	unsigned nr_pending;
	struct pending pending[PENDING_PAGES];
	struct kdump_page_desc out[PENDING_PAGES];
	uint8_t chunk[BITMAP_CHUNK]; /* of bitmap 1 */
};

static size_t sub_header_bytes(const struct kdump *k)
{
	return kdump_sub_header_bytes(k->wide, KDUMP_HEADER_VERSION);
}

static int lay_out(struct kdump *k)
{
	const struct dump_job *job = k->job;
	const uint64_t block = job->page_size;
	uint64_t sub_blocks, bitmap_blocks;
	size_t notes_len = 0;

	core_notes(job->core, &notes_len);
	sub_blocks = DIV_ROUND_UP(sub_header_bytes(k) + notes_len, block);
	bitmap_blocks = 2 * DIV_ROUND_UP(DIV_ROUND_UP(job->max_pfn, 8), block);
	if (bitmap_blocks > MAX_BITMAP_BLOCKS || sub_blocks > INT32_MAX) {
		log_error("memory up to pfn %" PRIu64 " does not fit a kdump-compressed header",
			  job->max_pfn);
		return -EINVAL;
	}
	k->bitmap1 = (1 + sub_blocks) * block;
	k->bitmap2 = k->bitmap1 + bitmap_blocks / 2 * block;
	k->descs = k->bitmap1 + bitmap_blocks * block;
	k->header.sub_hdr_size = htole32(sub_blocks);
	k->header.bitmap_blocks = htole32(bitmap_blocks);
	k->header.max_mapnr = htole32(MIN(job->max_pfn, (uint64_t)UINT32_MAX));
	return 0;
}

int kdump_create(const struct dump_job *job, const struct dump_sink *sink, struct kdump **k_ret)
{
	struct kdump *k;
	int err;

	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->job = job;
	k->wide = core_arch(job->core)->elf_class == ELFCLASS64;
	kdump_header_fill(job->core, &k->header);
	err = lay_out(k);
	if (!err)
		err = writer_init(&k->writer, sink, job->stats);
	if (err) {
		kdump_destroy(k);
		return err;
	}
	*k_ret = k;
	return 0;
}

void kdump_destroy(struct kdump *k)
{
	if (!k)
		return;
	writer_deinit(&k->writer);
	free(k);
}

uint64_t kdump_bitmap(const struct kdump *k)
{
	return k->bitmap2;
}

/* ---- headers and bitmaps ---- */

static int write_header(struct kdump *k, uint32_t extra_status)
{
	const struct codec *codec = k->job->options->codec;
	uint8_t raw[sizeof(k->header)];

	k->header.status = htole32((codec ? codec->page_flag : 0) | extra_status);
	kdump_header_pack(&k->header, k->wide, raw);
	return writer_put(&k->writer, 0, raw, kdump_header_bytes(k->wide));
}

static int write_sub_header(struct kdump *k)
{
	const struct dump_job *job = k->job;
	const uint64_t at = job->page_size, offset_note = at + sub_header_bytes(k);
	struct kdump_sub_header sh;
	uint8_t raw[sizeof(sh)];

	kdump_sub_header_fill(job->core, offset_note, &sh);
	sh.dump_level = htole32(job->options->level);
	sh.max_mapnr_64 = htole64(job->max_pfn);
	if (k->part.split) {
		sh.split = htole32(1);
		sh.start_pfn = htole64(MIN(k->part.start_pfn, (uint64_t)UINT32_MAX));
		sh.end_pfn = htole64(MIN(k->part.end_pfn, (uint64_t)UINT32_MAX));
		sh.start_pfn_64 = htole64(k->part.start_pfn);
		sh.end_pfn_64 = htole64(k->part.end_pfn);
	}
	kdump_sub_header_pack(&sh, k->wide, raw);
	return writer_put(&k->writer, at, raw, sub_header_bytes(k));
}

static int write_notes(struct kdump *k)
{
	size_t notes_len = 0;
	const void *notes = core_notes(k->job->core, &notes_len);

	if (!notes_len)
		return 0;
	return writer_put(&k->writer, k->job->page_size + sub_header_bytes(k), notes, notes_len);
}

/* Set bits [from, to). */
static void set_bits(uint8_t *bits, uint64_t from, uint64_t to)
{
	while (from < to && from % 8)
		bits[from / 8] |= 1u << from % 8, from++;
	while (from < to && to % 8)
		to--, bits[to / 8] |= 1u << to % 8;
	if (from < to)
		memset(bits + from / 8, 0xff, (to - from) / 8);
}

/* Which pages the machine had, chunk by chunk; chunks without any stay holes. */
static int write_bitmap1(struct kdump *k)
{
	const uint64_t page = k->job->page_size;
	uint64_t chunk = UINT64_MAX;
	size_t nr;
	const struct core_segment *segs = core_segments(k->job->core, &nr);

	for (size_t s = 0; s < nr; s++) {
		uint64_t pfn = segs[s].paddr / page;
		const uint64_t end = DIV_ROUND_UP(segs[s].paddr + segs[s].memsz, page);

		while (pfn < end) {
			const uint64_t c = pfn / BITMAP_CHUNK_PFNS, base = c * BITMAP_CHUNK_PFNS;
			const uint64_t to = MIN(end - base, BITMAP_CHUNK_PFNS);
			int err = 0;

			if (c != chunk && chunk != UINT64_MAX)
				err = writer_put(&k->writer, k->bitmap1 + chunk * BITMAP_CHUNK,
						 k->chunk, BITMAP_CHUNK);
			if (err)
				return err;
			if (c != chunk)
				memset(k->chunk, 0, BITMAP_CHUNK);
			chunk = c;
			set_bits(k->chunk, pfn - base, to);
			pfn = base + to;
		}
	}
	if (chunk == UINT64_MAX)
		return 0;
	return writer_put(&k->writer, k->bitmap1 + chunk * BITMAP_CHUNK, k->chunk, BITMAP_CHUNK);
}

int kdump_begin(struct kdump *k)
{
	const bool once = k->writer.sink->once;
	int err = write_header(k, once ? 0 : DUMP_DH_COMPRESSED_INCOMPLETE);

	if (!err)
		err = write_sub_header(k);
	if (!err)
		err = write_notes(k);
	/* The file reaches to where readers expect the bitmaps' end. */
	if (!err && !once)
		err = writer_put_zeros(&k->writer, k->descs - BITMAP_CHUNK, BITMAP_CHUNK);
	return err ? err : write_bitmap1(k);
}

int kdump_put_bitmap(struct kdump *k, uint64_t pfn, const uint8_t *kept)
{
	return writer_put(&k->writer, k->bitmap2 + pfn / 8, kept, BITMAP_CHUNK);
}

int kdump_start(struct kdump *k, const struct kdump_part *part)
{
	const uint64_t desc = sizeof(struct kdump_page_desc);
	int err = 0;

	k->part = *part;
	k->zero_page = k->descs + part->nr_all * desc;
	if (part->split)
		err = write_sub_header(k);
	if (!err)
		err = writer_reserve(&k->writer, k->descs, part->nr * desc);
	if (!err)
		err = writer_put_zeros(&k->writer, k->zero_page, k->job->page_size);
	writer_seek(&k->writer, k->zero_page + k->job->page_size);
	return err;
}

/* ---- pages ---- */

static int cmp_rank(const void *a, const void *b)
{
	const struct pending *x = a, *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Write descriptors of pending[from] on, as far as their ranks follow each other. */
static int write_descs(struct kdump *k, unsigned from, unsigned nr, unsigned *written_ret)
{
	const uint64_t at = k->descs + k->pending[from].rank * sizeof(k->out[0]);
	unsigned n = 0;

	while (from + n < nr && k->pending[from + n].rank == k->pending[from].rank + n) {
		k->out[n] = k->pending[from + n].desc;
		n++;
	}
	*written_ret = n;
	return writer_put(&k->writer, at, k->out, n * sizeof(k->out[0]));
}

/* Show readers the pages whose data is in the sink. */
static int publish(struct kdump *k)
{
	unsigned nr = 0, done = 0, n;
	int err = 0;

	while (nr < k->nr_pending && k->pending[nr].end <= k->writer.start)
		nr++;
	if (!nr)
		return 0;
	qsort(k->pending, nr, sizeof(k->pending[0]), cmp_rank);
	while (!err && done < nr) {
		err = write_descs(k, done, nr, &n);
		if (!err)
			done += n;
	}
	k->job->stats->kept_pages += done;
	memmove(k->pending, k->pending + done, (k->nr_pending - done) * sizeof(k->pending[0]));
	k->nr_pending -= done;
	return err;
}

static int kdump_checkpoint(void *format)
{
	struct kdump *k = format;
	int flush_err = writer_flush(&k->writer);
	int err = publish(k);

	return flush_err ? flush_err : err;
}

static int make_pending_room(struct kdump *k)
{
	int err = 0;

	if (k->nr_pending == PENDING_PAGES)
		err = publish(k);
	if (!err && k->nr_pending == PENDING_PAGES)
		err = kdump_checkpoint(k);
	return err;
}

static int put_page(struct kdump *k, const struct batch_page *page)
{
	struct writer *w = &k->writer;
	struct pending *p;
	int err = make_pending_room(k);

	if (err)
		return err;
	p = &k->pending[k->nr_pending];
	p->rank = page->rank - k->part.first_rank;
	if (page->state == PAGE_STATE_ZERO) {
		p->desc = (struct kdump_page_desc){ .offset = htole64(k->zero_page),
						    .size = htole32(k->job->page_size) };
		p->end = 0;
	} else {
		p->desc = (struct kdump_page_desc){ .offset = htole64(writer_tell(w)),
						    .size = htole32(page->len),
						    .flags = htole32(page->flag) };
		p->end = writer_tell(w) + page->len;
	}
	/* Counted before the append, which may fail with all of the page in the sink or none. */
	k->nr_pending++;
	return page->state == PAGE_STATE_ZERO ? 0 : writer_append(w, page->data, page->len);
}

static int kdump_put(void *format, const struct batch *b)
{
	for (unsigned i = 0; i < b->nr; i++) {
		int err = b->pages[i].state == PAGE_STATE_UNREADABLE ?
				  0 :
				  put_page(format, &b->pages[i]);

		if (err)
			return err;
	}
	return publish(format); /* what has reached the sink meanwhile */
}

int kdump_finish(struct kdump *k)
{
	int err = kdump_checkpoint(k);

	if (!err)
		err = writer_sync(&k->writer);
	if (err || k->writer.sink->once)
		return err;
	err = write_header(k, 0);
	return err ? err : writer_sync(&k->writer);
}

const struct format_ops format_kdump = {
	.put = kdump_put,
	.checkpoint = kdump_checkpoint,
};
