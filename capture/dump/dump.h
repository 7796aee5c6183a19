/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pipeline: scan → plan → read → compress → write, into a sink. It knows nothing of
 * files, targets or PID 1.
 */
#ifndef CAPTURE_DUMP_DUMP_H
#define CAPTURE_DUMP_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/core/core.h"
#include "capture/mm/scan.h"

/**
 * struct dump_sink - Where the bytes of a dump go. Used by one thread.
 * @write: store @len bytes at @offset; offsets need not ascend, and what was never
 *	written reads as zero. Return: 0 or -errno (-ENOSPC …).
 * @read: read back what was written; NULL where that cannot be, as on a pipe
 * @reserve: see to it that writes into the range will not fail for lack of room; it reads
 *	as zero. NULL where there is nothing to be done. Return: 0 or -errno.
 * @sync: make what was written durable; may be NULL
 * @ctx: passed to all
 * @once: no byte may be written a second time: a stream, whose readers may not know which
 *	of two records came later. A dump in it is not marked incomplete while it is written;
 *	that it is complete is told by the stream's end.
 */
struct dump_sink {
	int (*write)(void *ctx, uint64_t offset, const void *buf, size_t len);
	int (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
	int (*reserve)(void *ctx, uint64_t offset, uint64_t len);
	int (*sync)(void *ctx);
	void *ctx;
	bool once;
};

enum dump_format {
	DUMP_FORMAT_KDUMP, /* kdump-compressed, header version 6 */
	DUMP_FORMAT_ELF,
};

#define DUMP_THREADS_MAX 64u
#define DUMP_SPLITS_MAX	 64u

struct codec; /* capture/dump/codec.h */

/**
 * struct dump_stats - What a dump came to; also handed to the progress callback.
 *
 * Pages are classified first; @planned_pages is 0 until that is done. (An ELF dump is made
 * in one pass: until it is complete @planned_pages is the number of present pages, and
 * dropped ones count as done.) In the end kept and unreadable ones are those planned, and
 * with the dropped ones all that are present.
 */
struct dump_stats {
	uint64_t pages[PAGE_NR_CLASSES]; /* seen, by class; PAGE_ABSENT stays 0 */
	uint64_t present_pages;		 /* in the core */
	uint64_t scanned_pages;		 /* classified so far, of present_pages */
	uint64_t planned_pages;		 /* that have to be read and written */
	uint64_t done_pages;		 /* so far, of planned_pages */
	uint64_t kept_pages;		 /* in the dump, zero pages included */
	uint64_t zero_pages;		 /* of these, found to be all zero */
	uint64_t dropped_pages;
	uint64_t unreadable_pages; /* could not be read; left out */
	uint64_t bytes_in;	   /* of the kept pages */
	uint64_t bytes_out;	   /* handed to the sink, headers included */
	uint64_t file_size;	   /* end of the highest byte written, of all files */
	int first_read_errno;	   /* of the first unreadable page, else 0 */
	uint64_t first_unreadable_pfn;
	char scan_problem[160]; /* why pages could not be classified; empty where they could */
};

/**
 * struct dump_options - How to write.
 * @level: 0 to DUMP_LEVEL_MAX
 * @codec: of DUMP_FORMAT_KDUMP's pages, from codec_find(); NULL for none
 * @codec_level: 0 for the codec's own default
 * @threads: that read and compress, up to DUMP_THREADS_MAX; 0 and 1: the caller's alone.
 *	The dump is the same to the byte whatever their number.
 * @progress: called about four times a second and once at the end; non-zero ends the
 *	dump with -ECANCELED, still openable; may be NULL
 */
struct dump_options {
	unsigned level;
	enum dump_format format;
	const struct codec *codec;
	int codec_level;
	unsigned threads;
	int (*progress)(void *ctx, const struct dump_stats *stats);
	void *progress_ctx;
};

/**
 * dump_write() - Write a dump of @core to @sinks.
 * @nr_sinks: 1, or up to DUMP_SPLITS_MAX for a split kdump-compressed dump, each of whose
 *	files holds about the same number of pages
 * @stats_ret: filled also on failure, with what had been done by then
 *
 * From the first checkpoint (before any page is written) until the end, what is in
 * a sink is a valid dump of the pages written so far, flagged incomplete
 * (DUMP_DH_COMPRESSED_INCOMPLETE in a kdump-compressed dump, e_flags 1 in ELF, as
 * makedumpfile marks them). Checkpoints come a few times a second, and before an
 * error is returned as far as the sink still takes them. In a kdump-compressed dump the
 * pages that a reader needs most come first (capture/mm/vital.h).
 *
 * Unreadable pages are counted and left out; they do not fail the dump.
 * Return: 0 complete and synced; -ECANCELED; -ENOMEM; -EINVAL impossible options; the
 * sink's -errno. Sink errors are logged by the sink's owner, the others here.
 */
int dump_write(struct core *core, const struct dump_sink *sinks, unsigned nr_sinks,
	       const struct dump_options *options, struct dump_stats *stats_ret);

/**
 * dump_count() - Classify all pages as dump_write() would, and write nothing.
 * @stats_ret: pages by class, dropped_pages, and as planned_pages what a dump would hold;
 *	zero pages are not looked for
 * Return: 0; -ECANCELED; -ENOMEM; -EINVAL.
 */
int dump_count(struct core *core, const struct dump_options *options, struct dump_stats *stats_ret);

#endif
