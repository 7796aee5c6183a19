// SPDX-License-Identifier: GPL-2.0-or-later
/* From a core to sinks: what is done in which order, and how often readers get to see it. */
#include <errno.h>
#include <stdlib.h>

#include "capture/dump/crew.h"
#include "capture/dump/format_elf.h"
#include "capture/dump/format_kdump.h"
#include "capture/dump/plan.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define CHECKPOINT_MS 300
#define PROGRESS_MS   250
#define SPLIT_ALIGN   256u /* pages */

/*
 * @window, @at, @hazard: of an ELF dump: pages of @window from index @at on are yet to be
 *	put into a batch, and whether one before it, since the last one put, must not be read
 */
struct pipeline {
	struct dump_job job;
	struct crew *crew;
	uint64_t checkpoint_ms, progress_ms;

	struct plan *plan;
	struct kdump *file[DUMP_SPLITS_MAX];
	struct kdump_part part[DUMP_SPLITS_MAX];
	unsigned nr_files;

	struct elf_dump *elf;
	struct scan *scan;
	struct scan_window window;
	uint32_t at;
	bool hazard;
};

static int report_progress(struct pipeline *p)
{
	const struct dump_options *o = p->job.options;

	p->progress_ms = clock_ms();
	if (o->progress && o->progress(o->progress_ctx, p->job.stats))
		return -ECANCELED;
	return 0;
}

static int keep_time(struct pipeline *p, const struct format_ops *ops, void *format)
{
	uint64_t now = clock_ms();

	if (ops && now - p->checkpoint_ms >= CHECKPOINT_MS) {
		int err = ops->checkpoint(format);

		if (err)
			return err;
		p->checkpoint_ms = now;
	}
	return now - p->progress_ms < PROGRESS_MS ? 0 : report_progress(p);
}

static void count_batch(struct dump_stats *stats, const struct batch *b)
{
	for (unsigned i = 0; i < b->nr; i++) {
		if (b->pages[i].state == PAGE_STATE_UNREADABLE) {
			stats->unreadable_pages++;
			continue;
		}
		stats->zero_pages += b->pages[i].state == PAGE_STATE_ZERO;
		stats->bytes_in += b->page_size;
	}
	if (b->read_errno && !stats->first_read_errno) {
		stats->first_read_errno = b->read_errno;
		stats->first_unreadable_pfn = b->read_errno_pfn;
	}
}

/* All batches that @fill makes through the crew and into the format. */
static int pump(struct pipeline *p, void (*fill)(struct pipeline *, struct batch *),
		const struct format_ops *ops, void *format)
{
	bool more = true;
	int err = 0;

	while (!err) {
		struct batch *b = more ? crew_idle(p->crew) : NULL;

		if (b) {
			fill(p, b);
			more = b->nr > 0;
			if (more)
				crew_submit(p->crew);
			continue;
		}
		b = crew_take(p->crew);
		if (!b)
			break;
		count_batch(p->job.stats, b);
		err = ops->put(format, b);
		crew_release(p->crew);
		if (!err)
			err = keep_time(p, ops, format);
	}
	if (err)
		ops->checkpoint(format); /* what can still be saved; the error stays @err */
	return err;
}

/* ---- kdump-compressed ---- */

static void fill_planned(struct pipeline *p, struct batch *b)
{
	plan_fill(p->plan, b);
	p->job.stats->done_pages += b->nr;
}

static int emit_bitmap(void *ctx, uint64_t pfn, const uint8_t *kept)
{
	struct pipeline *p = ctx;
	int err = 0;

	for (unsigned i = 0; !err && kept && i < p->nr_files; i++)
		err = kdump_put_bitmap(p->file[i], pfn, kept);
	return err ? err : keep_time(p, NULL, NULL);
}

static int begin_files(struct pipeline *p, const struct dump_sink *sinks, unsigned nr_sinks)
{
	for (unsigned i = 0; i < nr_sinks; i++) {
		int err = kdump_create(&p->job, &sinks[i], &p->file[i]);

		if (err)
			return err;
		p->nr_files++;
		err = kdump_begin(p->file[i]);
		if (err)
			return err;
	}
	plan_read_back(p->plan, &sinks[0], kdump_bitmap(p->file[0]));
	return 0;
}

/* Where file @i begins, so that about as many pages are in each. crash and libkdumpfile count
 * a file's pages by whole words of the bitmap. */
static uint64_t split_pfn(struct pipeline *p, unsigned i)
{
	const uint64_t nr = plan_kept(p->plan);
	const uint64_t rank = nr / p->nr_files * i + MIN((uint64_t)i, nr % p->nr_files);

	if (!i || i == p->nr_files)
		return i ? p->job.max_pfn : 0;
	return MIN(ROUND_UP(plan_pfn(p->plan, rank), SPLIT_ALIGN), p->job.max_pfn);
}

/* What of the dump is in file @i. */
static struct kdump_part part_of(struct pipeline *p, unsigned i)
{
	const uint64_t start = split_pfn(p, i), end = split_pfn(p, i + 1);

	return (struct kdump_part){
		.split = p->nr_files > 1,
		.start_pfn = start,
		.end_pfn = end,
		.first_rank = plan_rank(p->plan, start),
		.nr = plan_rank(p->plan, end) - plan_rank(p->plan, start),
		.nr_all = plan_kept(p->plan),
	};
}

/* All files are laid out before the first page: wherever it ends, each is a part of this dump. */
static int start_files(struct pipeline *p)
{
	int err = 0;

	for (unsigned i = 0; !err && i < p->nr_files; i++) {
		p->part[i] = part_of(p, i);
		err = kdump_start(p->file[i], &p->part[i]);
	}
	return err;
}

static int write_file(struct pipeline *p, unsigned i)
{
	int err;

	plan_start(p->plan, p->part[i].start_pfn, p->part[i].end_pfn);
	err = pump(p, fill_planned, &format_kdump, p->file[i]);
	if (!err)
		err = kdump_finish(p->file[i]);
	if (!err) { /* so that the number of files does not add up in memory */
		kdump_destroy(p->file[i]);
		p->file[i] = NULL;
	}
	return err;
}

static int write_kdump(struct pipeline *p, const struct dump_sink *sinks, unsigned nr_sinks)
{
	int err = plan_create(&p->job, &p->plan);

	if (!err)
		err = begin_files(p, sinks, nr_sinks);
	if (!err)
		err = plan_scan(p->plan, emit_bitmap, p);
	if (!err)
		err = start_files(p);
	if (!err) /* the last one, since it takes the memory that there is */
		err = crew_create(&p->job, true, &p->crew);
	for (unsigned i = 0; !err && i < p->nr_files; i++)
		err = write_file(p, i);
	return err;
}

/* ---- ELF ---- */

/* Pages in pfn order, each looked at as it comes. */
static void fill_scanned(struct pipeline *p, struct batch *b)
{
	struct dump_stats *stats = p->job.stats;

	while (b->nr < b->max) {
		const struct scan_window *w = &p->window;
		enum page_class class;
		uint64_t pfn;

		if (p->at == w->nr) {
			p->at = 0;
			if (!scan_next(p->scan, &p->window)) {
				p->window.nr = 0;
				return;
			}
			continue;
		}
		pfn = w->pfn + p->at;
		class = w->class[p->at++];
		if (class == PAGE_ABSENT)
			continue;
		stats->scanned_pages++;
		stats->done_pages++;
		stats->pages[class]++;
		if (page_class_dropped(class, p->job.options->level) ||
		    !core_holds_page(p->job.core, pfn)) {
			stats->dropped_pages++;
			p->hazard |= class == PAGE_HWPOISON || class == PAGE_OFFLINE;
			continue;
		}
		b->pages[b->nr++] = (struct batch_page){ .pfn = pfn, .after_hazard = p->hazard };
		p->hazard = false;
	}
}

static int prepare_scan(struct pipeline *p)
{
	int err = dump_job_scan(&p->job, &p->scan);

	if (!err)
		p->job.stats->planned_pages = p->job.present_pages;
	return err;
}

static int write_elf(struct pipeline *p, const struct dump_sink *sink)
{
	struct dump_stats *stats = p->job.stats;
	int err = prepare_scan(p);

	if (!err)
		err = elf_dump_create(&p->job, sink, &p->elf);
	if (!err)
		err = elf_dump_begin(p->elf);
	if (!err)
		err = crew_create(&p->job, false, &p->crew);
	if (!err)
		err = pump(p, fill_scanned, &format_elf, p->elf);
	if (!err)
		err = elf_dump_finish(p->elf);
	if (!err)
		stats->planned_pages = stats->done_pages =
			stats->kept_pages + stats->unreadable_pages;
	return err;
}

/* ---- the public face ---- */

static int open_pipeline(struct core *core, const struct dump_options *o, struct dump_stats *stats,
			 struct pipeline **pipeline_ret)
{
	struct pipeline *p;

	*stats = (struct dump_stats){ 0 };
	if (o->level > DUMP_LEVEL_MAX || (o->codec && !o->codec->create)) {
		log_error("no dump can be written with level %u and codec %s", o->level,
			  o->codec ? o->codec->name : "none");
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		log_error("out of memory for the dump");
		return -ENOMEM;
	}
	p->job = (struct dump_job){
		.core = core,
		.options = o,
		.stats = stats,
		.page_size = core_page_size(core),
	};
	p->checkpoint_ms = p->progress_ms = clock_ms();
	*pipeline_ret = p;
	return 0;
}

/* Return: @err. What the progress function says to the end cannot change it any more. */
static int close_pipeline(struct pipeline *p, int err)
{
	if (err == -ENOMEM)
		log_error("out of memory for the dump");
	if (!err)
		report_progress(p);
	crew_destroy(p->crew);
	for (unsigned i = 0; i < p->nr_files; i++)
		kdump_destroy(p->file[i]);
	elf_dump_destroy(p->elf);
	plan_destroy(p->plan);
	scan_destroy(p->scan);
	free(p);
	return err;
}

int dump_write(struct core *core, const struct dump_sink *sinks, unsigned nr_sinks,
	       const struct dump_options *options, struct dump_stats *stats_ret)
{
	const bool elf = options->format == DUMP_FORMAT_ELF;
	struct pipeline *p;
	int err = open_pipeline(core, options, stats_ret, &p);

	if (err)
		return err;
	if (!nr_sinks || nr_sinks > (elf ? 1 : DUMP_SPLITS_MAX)) {
		log_error("a dump of this format cannot be split into %u files", nr_sinks);
		return close_pipeline(p, -EINVAL);
	}
	return close_pipeline(p, elf ? write_elf(p, sinks) : write_kdump(p, sinks, nr_sinks));
}

static int emit_nothing(void *ctx, uint64_t pfn, const uint8_t *kept)
{
	(void)pfn;
	(void)kept;
	return keep_time(ctx, NULL, NULL);
}

int dump_count(struct core *core, const struct dump_options *options, struct dump_stats *stats_ret)
{
	struct pipeline *p;
	int err = open_pipeline(core, options, stats_ret, &p);

	if (err)
		return err;
	err = plan_create(&p->job, &p->plan);
	if (!err)
		err = plan_scan(p->plan, emit_nothing, p);
	return close_pipeline(p, err);
}
