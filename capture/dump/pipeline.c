// SPDX-License-Identifier: GPL-2.0-or-later
/* The one pass over all pages that makes a dump. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/dump/dump_private.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define CHECKPOINT_MS 1000
#define PROGRESS_MS   250

struct pipeline {
	struct dump_job job;
	const struct format_ops *ops;
	void *format;
	struct scan *scan;
	struct scan_window window;
	struct batch batch;
	bool hazard;	/* a page since the last one in the batch must not be read */
	size_t segment; /* the first that does not end before the page looked at */
	uint64_t checkpoint_ms, progress_ms;
};

static int report_progress(struct pipeline *p)
{
	const struct dump_options *o = p->job.options;

	if (o->progress && o->progress(o->progress_ctx, p->job.stats))
		return -ECANCELED;
	return 0;
}

static int keep_time(struct pipeline *p)
{
	uint64_t now = clock_ms();

	if (now - p->checkpoint_ms >= CHECKPOINT_MS) {
		int err = p->ops->checkpoint(p->format);

		if (err)
			return err;
		p->checkpoint_ms = now;
	}
	if (now - p->progress_ms < PROGRESS_MS)
		return 0;
	p->progress_ms = now;
	return report_progress(p);
}

static void count_batch(struct pipeline *p)
{
	struct dump_stats *stats = p->job.stats;
	const struct batch *b = &p->batch;

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

static int flush_batch(struct pipeline *p)
{
	int err;

	if (!p->batch.nr)
		return 0;
	batch_work(&p->batch, p->job.core);
	count_batch(p);
	err = p->ops->put(p->format, &p->batch);
	p->batch.nr = 0;
	return err ? err : keep_time(p);
}

static int add_page(struct pipeline *p, uint64_t pfn)
{
	struct batch *b = &p->batch;

	b->pages[b->nr++] = (struct batch_page){ .pfn = pfn, .after_hazard = p->hazard };
	p->hazard = false;
	return b->nr == b->max ? flush_batch(p) : 0;
}

/*
 * Whether a byte of the page is in the core's file: the tail of a PT_LOAD beyond its
 * filesz is memory that whoever wrote the core had left out already.
 */
static bool page_in_file(struct pipeline *p, uint64_t pfn)
{
	const uint64_t start = pfn * p->job.page_size, end = start + p->job.page_size;
	size_t nr;
	const struct core_segment *segs = core_segments(p->job.core, &nr);

	while (p->segment < nr && segs[p->segment].paddr + segs[p->segment].memsz <= start)
		p->segment++;
	for (size_t i = p->segment; i < nr && segs[i].paddr < end; i++)
		if (segs[i].paddr + segs[i].filesz > start && segs[i].filesz)
			return true;
	return false;
}

static int take_window(struct pipeline *p)
{
	struct dump_stats *stats = p->job.stats;
	const struct scan_window *w = &p->window;

	for (uint32_t i = 0; i < w->nr; i++) {
		const enum page_class class = w->class[i];
		int err;

		if (class == PAGE_ABSENT || class >= PAGE_NR_CLASSES)
			continue;
		stats->scanned_pages++;
		stats->pages[class]++;
		if (page_class_dropped(class, p->job.options->level) ||
		    !page_in_file(p, w->pfn + i)) {
			stats->dropped_pages++;
			p->hazard |= class == PAGE_HWPOISON || class == PAGE_OFFLINE;
			continue;
		}
		err = add_page(p, w->pfn + i);
		if (err)
			return err;
	}
	return keep_time(p);
}

static int run(struct pipeline *p)
{
	int err = p->ops->begin(p->format);

	p->checkpoint_ms = p->progress_ms = clock_ms();
	while (!err && scan_next(p->scan, &p->window))
		err = take_window(p);
	if (!err)
		err = flush_batch(p);
	if (!err)
		err = p->ops->finish(p->format);
	if (err)
		p->ops->checkpoint(p->format); /* what can still be saved; the error stays @err */
	else
		report_progress(p);
	return err;
}

static int prepare(struct pipeline *p, const struct dump_sink *sink)
{
	struct dump_job *job = &p->job;
	const struct dump_options *o = job->options;
	const char *problem;
	int err;

	p->ops = o->format == DUMP_FORMAT_ELF ? &format_elf : &format_kdump;
	job->page_size = core_page_size(job->core);
	err = scan_create(job->core, scan_needs_memory_map(job->core, o->level), &p->scan);
	if (err)
		return err;
	problem = scan_problem(p->scan);
	snprintf(job->stats->scan_problem, sizeof(job->stats->scan_problem), "%s",
		 problem ? problem : "");
	job->max_pfn = scan_max_pfn(p->scan);
	job->present_pages = job->stats->present_pages = scan_present_pages(p->scan);
	err = writer_init(&job->writer, sink, job->stats);
	if (!err)
		err = batch_init(&p->batch, job->page_size, p->ops->compresses ? o->codec : NULL,
				 o->level & DUMP_LEVEL_ZERO);
	return err ? err : p->ops->create(job, &p->format);
}

int dump_write(struct core *core, const struct dump_sink *sink, const struct dump_options *options,
	       struct dump_stats *stats_ret)
{
	struct pipeline *p;
	int err;

	*stats_ret = (struct dump_stats){ 0 };
	if (options->level > DUMP_LEVEL_MAX || (options->codec && !options->codec->create)) {
		log_error("no dump can be written with level %u and codec %s", options->level,
			  options->codec ? options->codec->name : "none");
		return -EINVAL;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		log_error("out of memory for the dump");
		return -ENOMEM;
	}
	p->job = (struct dump_job){ .core = core, .options = options, .stats = stats_ret };
	err = prepare(p, sink);
	if (err == -ENOMEM)
		log_error("out of memory for the dump");
	if (!err)
		err = run(p);
	if (p->format)
		p->ops->destroy(p->format);
	batch_deinit(&p->batch);
	writer_deinit(&p->job.writer);
	scan_destroy(p->scan);
	free(p);
	return err;
}
