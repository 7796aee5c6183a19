/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of capture/dump share. */
#ifndef CAPTURE_DUMP_DUMP_PRIVATE_H
#define CAPTURE_DUMP_DUMP_PRIVATE_H

#include "capture/dump/codec.h"
#include "capture/dump/dump.h"

/* ---- writer.c: sequential bytes into the sink, in large aligned writes ---- */

#define WRITER_BUFFER_BYTES (1024u * 1024)

/**
 * struct writer - A sink with a buffer for what is appended.
 * @start: offset in the sink of buf[0]; everything appended before it is in the sink
 */
struct writer {
	const struct dump_sink *sink; /* borrowed */
	struct dump_stats *stats;     /* borrowed; bytes_out is kept here */
	uint8_t *buf;
	size_t used;
	uint64_t start;
	uint64_t end; /* of the highest byte in the sink */
};

/** writer_init() - Appending starts at offset 0. Return: 0 or -ENOMEM. */
int writer_init(struct writer *w, const struct dump_sink *sink, struct dump_stats *stats);
void writer_deinit(struct writer *w);

/** writer_seek() - Go on appending at @offset; nothing may be waiting. */
void writer_seek(struct writer *w, uint64_t offset);

/** writer_tell() - Offset of the next byte appended. */
uint64_t writer_tell(const struct writer *w);

/** writer_append() - Return: 0 or the sink's -errno. */
int writer_append(struct writer *w, const void *data, size_t len);

/** writer_flush() - Pass on what waits; where the sink fails, as much as it still takes. */
int writer_flush(struct writer *w);

/** writer_put() - Write at @offset at once, beside the buffer. */
int writer_put(struct writer *w, uint64_t offset, const void *data, size_t len);

/** writer_put_zeros() - The same with @len zero bytes. */
int writer_put_zeros(struct writer *w, uint64_t offset, uint64_t len);

/** writer_reserve() - The sink's reserve, where it has one. */
int writer_reserve(struct writer *w, uint64_t offset, uint64_t len);

/** writer_sync() - The sink's sync, where it has one. */
int writer_sync(struct writer *w);

/* ---- batch.c: the unit of work: some pages, read and compressed together ---- */

#define BATCH_BYTES (256u * 1024)
#define BATCH_PAGES (BATCH_BYTES / 4096)

enum page_state {
	PAGE_STATE_DATA,
	PAGE_STATE_ZERO,       /* all zero; told only where the dump level asks */
	PAGE_STATE_UNREADABLE, /* not in the dump */
};

/**
 * struct batch_page - One page that is to be in the dump.
 * @rank: its number among the dump's pages in pfn order; not in an ELF dump
 * @after_hazard: a page between the one before and this one must not be read
 * @flag: codec's page flag, 0 where @data is the page itself
 * @data: borrowed from the batch
 */
struct batch_page {
	uint64_t pfn;
	uint64_t rank;
	enum page_state state;
	bool after_hazard;
	uint32_t flag;
	uint32_t len;
	const void *data;
};

/**
 * struct batch - Holds no state from one use to the next, so batches may be worked
 * on in parallel and the dump stays the same to the byte.
 */
struct batch {
	size_t page_size;
	unsigned nr, max;
	struct batch_page pages[BATCH_PAGES];
	bool find_zero;
	int read_errno; /* of the first page that could not be read, else 0 */
	uint64_t read_errno_pfn;
	uint8_t *in, *out;
};

/** batch_init() - @compresses: pages may be packed. Return: 0 or -ENOMEM. */
int batch_init(struct batch *b, size_t page_size, bool compresses, bool find_zero);
void batch_deinit(struct batch *b);

/** page_is_zero() - Whether all @size bytes, 1 or more, are zero. */
bool page_is_zero(const uint8_t *page, size_t size);

/** struct batch_tools - What one thread works with. */
struct batch_tools {
	struct core_reader *reader;
	const struct codec *codec; /* NULL for none */
	void *codec_state;
};

/** batch_tools_init() - Return: 0, -ENOMEM, the codec's error. */
int batch_tools_init(struct batch_tools *t, struct core *core, const struct codec *codec,
		     int codec_level);
void batch_tools_deinit(struct batch_tools *t);

/** batch_work() - Read and compress the pages that stand in @b. */
void batch_work(struct batch *b, struct batch_tools *t);

/* ---- the job, and the formats ---- */

/**
 * struct dump_job - One dump under way.
 * @max_pfn: one past the highest
 */
struct dump_job {
	struct core *core;
	const struct dump_options *options;
	struct dump_stats *stats;
	size_t page_size;
	uint64_t max_pfn, present_pages;
};

/** dump_job_scan() - Begin a walk over the core's pages (plan.c). Fills the job's max_pfn and
 * present_pages, and in its stats what is known by then. Return: 0; -ENOMEM. */
int dump_job_scan(struct dump_job *job, struct scan **scan_ret);

/**
 * struct format_ops - How a format takes what it is given; each gets the format's own object.
 * @put: take a batch
 * @checkpoint: make what was put so far visible to readers; after an error, as much
 *	as possible
 */
struct format_ops {
	int (*put)(void *format, const struct batch *b);
	int (*checkpoint)(void *format);
};

#endif
