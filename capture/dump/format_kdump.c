// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kdump-compressed format in one pass (layout: kdump_layout.h).
 *
 * What readers follow is published in an order that leaves the sink a valid dump at
 * every moment: page data, then descriptors, then the bits of bitmap 2. A pfn's
 * descriptor is found by counting the bits before its own, so pages are published
 * strictly in pfn order, and one that cannot be read has neither bit nor descriptor.
 *
 * Room for descriptors and for bitmap 2 is taken (written with zeros) before page data
 * that needs it, so a disk that fills up still has room to publish what it took.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/dump/dump_private.h"
#include "capture/dump/kdump_header.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define PENDING_PAGES	  4096u
#define DESC_CHUNK	  (64u * 1024) /* descriptors' room is taken in pieces of this */
#define BITMAP_CHUNK	  4096u
#define BITMAP_CHUNK_PFNS (8ull * BITMAP_CHUNK)
#define MAX_BITMAP_BLOCKS INT32_MAX /* readers take the header's field as signed */

/* A page whose data is appended, and which readers do not see yet. */
struct pending {
	uint64_t pfn;
	uint64_t end; /* offset where its data ends */
	struct kdump_page_desc desc;
};

/*
 * @published: descriptors in the sink, in bitmap 2 as well
 * @desc_room: descriptors' bytes for which room has been taken
 * @chunk: of bitmap 2, from the bit of pfn @chunk_pfn on
 */
struct kdump {
	struct dump_job *job;
	struct kdump_header header;
	uint64_t bitmap1, bitmap2, descs, data; /* offsets */
	uint64_t published, desc_room;
	unsigned nr_pending;
	struct pending pending[PENDING_PAGES];
	struct kdump_page_desc out[PENDING_PAGES];
	uint64_t chunk_pfn;
	uint8_t chunk[BITMAP_CHUNK];
};

static int lay_out(struct kdump *k)
{
	const struct dump_job *job = k->job;
	const uint64_t block = job->page_size;
	uint64_t sub_blocks, bitmap_blocks, desc_bytes;
	size_t notes_len = 0;

	core_notes(job->core, &notes_len);
	sub_blocks = DIV_ROUND_UP(sizeof(struct kdump_sub_header) + notes_len, block);
	bitmap_blocks = 2 * DIV_ROUND_UP(DIV_ROUND_UP(job->max_pfn, 8), block);
	if (bitmap_blocks > MAX_BITMAP_BLOCKS || sub_blocks > INT32_MAX) {
		log_error("memory up to pfn %" PRIu64 " does not fit a kdump-compressed header",
			  job->max_pfn);
		return -EINVAL;
	}
	k->bitmap1 = (1 + sub_blocks) * block;
	k->bitmap2 = k->bitmap1 + bitmap_blocks / 2 * block;
	k->descs = k->bitmap1 + bitmap_blocks * block;
	desc_bytes = job->present_pages * sizeof(struct kdump_page_desc);
	k->data = k->descs + ROUND_UP(desc_bytes, block);
	k->header.sub_hdr_size = htole32(sub_blocks);
	k->header.bitmap_blocks = htole32(bitmap_blocks);
	k->header.max_mapnr = htole32(MIN(job->max_pfn, (uint64_t)UINT32_MAX));
	return 0;
}

static int kdump_create(struct dump_job *job, void **format_ret)
{
	_free_ struct kdump *k = NULL;
	int err;

	if (core_arch(job->core)->elf_class != ELFCLASS64) {
		log_error("a kdump-compressed dump of a 32-bit kernel cannot be written");
		return -EOPNOTSUPP;
	}
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->job = job;
	kdump_header_fill(job->core, &k->header);
	err = lay_out(k);
	if (err)
		return err;
	*format_ret = take_ptr(k);
	return 0;
}

static void kdump_destroy(void *format)
{
	free(format);
}

static int write_header(struct kdump *k, uint32_t extra_status)
{
	const struct codec *codec = k->job->options->codec;

	k->header.status = htole32((codec ? codec->page_flag : 0) | extra_status);
	return writer_put(&k->job->writer, 0, &k->header, sizeof(k->header));
}

static int write_sub_header(struct kdump *k)
{
	const struct dump_job *job = k->job;
	const uint64_t at = job->page_size, offset_note = at + sizeof(struct kdump_sub_header);
	struct kdump_sub_header sh;
	size_t notes_len = 0;
	const void *notes = core_notes(job->core, &notes_len);
	int err;

	kdump_sub_header_fill(job->core, offset_note, &sh);
	sh.dump_level = htole32(job->options->level);
	sh.max_mapnr_64 = htole64(job->max_pfn);
	err = writer_put(&k->job->writer, at, &sh, sizeof(sh));
	if (!err && notes_len)
		err = writer_put(&k->job->writer, offset_note, notes, notes_len);
	return err;
}

static void set_bit(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= 1u << i % 8;
}

/* Write the chunk to bitmap 1, and take the room that bitmap 2 will need. */
static int write_bitmap1_chunk(struct kdump *k)
{
	uint64_t at = k->chunk_pfn / 8;
	int err = writer_put(&k->job->writer, k->bitmap1 + at, k->chunk, sizeof(k->chunk));

	return err ? err : writer_put_zeros(&k->job->writer, k->bitmap2 + at, sizeof(k->chunk));
}

static int write_bitmap1(struct kdump *k)
{
	const uint64_t page = k->job->page_size;
	bool dirty = false;
	size_t nr;
	const struct core_segment *segs = core_segments(k->job->core, &nr);

	for (size_t s = 0; s < nr; s++) {
		uint64_t end = DIV_ROUND_UP(segs[s].paddr + segs[s].memsz, page);

		for (uint64_t pfn = segs[s].paddr / page; pfn < end; pfn++) {
			uint64_t first = pfn - pfn % BITMAP_CHUNK_PFNS;

			if (dirty && first != k->chunk_pfn) {
				int err = write_bitmap1_chunk(k);

				if (err)
					return err;
				dirty = false;
			}
			if (!dirty) {
				memset(k->chunk, 0, sizeof(k->chunk));
				k->chunk_pfn = first;
				dirty = true;
			}
			set_bit(k->chunk, pfn - first);
		}
	}
	return dirty ? write_bitmap1_chunk(k) : 0;
}

/* The one zero page that all zero pages share; it also makes the file reach its data. */
static int write_zero_page(struct kdump *k)
{
	struct writer *w = &k->job->writer;
	int err = writer_put_zeros(w, k->data, k->job->page_size);

	writer_seek(w, k->data + k->job->page_size);
	return err;
}

static int kdump_begin(void *format)
{
	struct kdump *k = format;
	int err = write_header(k, DUMP_DH_COMPRESSED_INCOMPLETE);

	if (!err)
		err = write_sub_header(k);
	if (!err)
		err = write_bitmap1(k);
	if (!err)
		err = write_zero_page(k);
	memset(k->chunk, 0, sizeof(k->chunk));
	k->chunk_pfn = 0;
	return err;
}

static int write_bitmap2_chunk(struct kdump *k)
{
	return writer_put(&k->job->writer, k->bitmap2 + k->chunk_pfn / 8, k->chunk,
			  sizeof(k->chunk));
}

static int publish_bits(struct kdump *k, unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		uint64_t pfn = k->pending[i].pfn, first = pfn - pfn % BITMAP_CHUNK_PFNS;

		if (first != k->chunk_pfn) {
			int err = write_bitmap2_chunk(k);

			if (err)
				return err;
			memset(k->chunk, 0, sizeof(k->chunk));
			k->chunk_pfn = first;
		}
		set_bit(k->chunk, pfn - first);
	}
	return nr ? write_bitmap2_chunk(k) : 0;
}

/* Show readers the pages whose data is in the sink. */
static int publish(struct kdump *k)
{
	struct writer *w = &k->job->writer;
	unsigned nr = 0;
	int err;

	while (nr < k->nr_pending && k->pending[nr].end <= w->start) {
		k->out[nr] = k->pending[nr].desc;
		nr++;
	}
	if (!nr)
		return 0;
	err = writer_put(w, k->descs + k->published * sizeof(k->out[0]), k->out,
			 nr * sizeof(k->out[0]));
	if (!err)
		err = publish_bits(k, nr);
	if (err)
		return err;
	k->published += nr;
	k->job->stats->kept_pages = k->published;
	memmove(k->pending, k->pending + nr, (k->nr_pending - nr) * sizeof(k->pending[0]));
	k->nr_pending -= nr;
	return 0;
}

static int kdump_checkpoint(void *format)
{
	struct kdump *k = format;
	int flush_err = writer_flush(&k->job->writer);
	int err = publish(k);

	return flush_err ? flush_err : err;
}

static int take_desc_room(struct kdump *k)
{
	uint64_t need = (k->published + k->nr_pending + 1) * sizeof(struct kdump_page_desc);
	uint64_t n = MIN(DESC_CHUNK, k->data - (k->descs + k->desc_room));
	int err;

	if (need <= k->desc_room)
		return 0;
	err = writer_put_zeros(&k->job->writer, k->descs + k->desc_room, n);
	if (!err)
		k->desc_room += n;
	return err;
}

static int make_pending_room(struct kdump *k)
{
	int err = 0;

	if (k->nr_pending == PENDING_PAGES)
		err = publish(k);
	if (!err && k->nr_pending == PENDING_PAGES)
		err = kdump_checkpoint(k);
	return err ? err : take_desc_room(k);
}

static int put_page(struct kdump *k, const struct batch_page *page)
{
	struct writer *w = &k->job->writer;
	struct pending *p;
	int err = make_pending_room(k);

	if (err)
		return err;
	p = &k->pending[k->nr_pending];
	p->pfn = page->pfn;
	if (page->state == PAGE_STATE_ZERO) {
		p->desc = (struct kdump_page_desc){ .offset = htole64(k->data),
						    .size = htole32(k->job->page_size) };
		p->end = k->data + k->job->page_size;
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
		int err = b->pages[i].state == PAGE_STATE_UNREADABLE
				  ? 0
				  : put_page(format, &b->pages[i]);

		if (err)
			return err;
	}
	return 0;
}

static int kdump_finish(void *format)
{
	struct kdump *k = format;
	int err = kdump_checkpoint(k);

	if (!err)
		err = dump_sync(k->job);
	if (!err)
		err = write_header(k, 0);
	return err ? err : dump_sync(k->job);
}

const struct format_ops format_kdump = {
	.compresses = true,
	.create = kdump_create,
	.destroy = kdump_destroy,
	.begin = kdump_begin,
	.put = kdump_put,
	.checkpoint = kdump_checkpoint,
	.finish = kdump_finish,
};
