// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/estimate.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/dump/dump_private.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/util.h"

#define DESCRIPTOR_BYTES 24u /* struct kdump_page_desc */
#define ROOM_FOR_HEADERS (1u << 20)
#define PACKED_ZEROS	 32u /* about what any codec makes of a page of zeros */
#define PROGRESS_MS	 250

/*
 * Some pages of a class, about evenly spread over all of them though their number is not
 * known before: when the room is full, every other one goes and the distance doubles. It
 * jitters, since what lies in memory does so in powers of two.
 */
struct sample {
	uint64_t pfn[ESTIMATE_SAMPLES];
	unsigned nr;
	uint64_t distance, next;
};

struct estimator {
	struct dump_job job;
	struct dump_stats stats;
	struct estimate *e;
	struct scan_window win;
	struct sample samples[PAGE_NR_CLASSES];
	uint64_t random;
	uint64_t progress_ms;
};

/* xorshift64 (Marsaglia, 2003): the same core gives the same estimate. */
static uint64_t next_random(struct estimator *x)
{
	x->random ^= x->random << 13;
	x->random ^= x->random >> 7;
	x->random ^= x->random << 17;
	return x->random;
}

static void halve(struct sample *s)
{
	for (unsigned i = 0; i < s->nr / 2; i++)
		s->pfn[i] = s->pfn[2 * i];
	s->nr /= 2;
	s->distance *= 2;
}

static void take_window(struct estimator *x)
{
	for (uint32_t i = 0; i < x->win.nr; i++) {
		const unsigned class = x->win.class[i];
		struct sample *s = &x->samples[class];

		if (x->e->pages[class]++ < s->next)
			continue;
		if (s->nr == ESTIMATE_SAMPLES)
			halve(s);
		s->pfn[s->nr++] = x->win.pfn + i;
		s->next = x->e->pages[class] + next_random(x) % (2 * s->distance - 1);
	}
}

static int keep_time(struct estimator *x)
{
	const struct dump_options *o = x->job.options;
	uint64_t now = clock_ms();

	if (!o->progress || now - x->progress_ms < PROGRESS_MS) /* the first time at once */
		return 0;
	x->progress_ms = now;
	return o->progress(o->progress_ctx, &x->stats) ? -ECANCELED : 0;
}

static int classify(struct estimator *x)
{
	struct scan *scan = NULL;
	int err = dump_job_scan(&x->job, &scan);

	for (int class = 0; class < PAGE_NR_CLASSES; class ++)
		x->samples[class].distance = 1;
	while (!err && scan_next(scan, &x->win)) {
		take_window(x);
		x->stats.scanned_pages += x->win.nr;
		err = keep_time(x);
	}
	scan_destroy(scan);
	return err;
}

static void add_page(struct estimate *e, unsigned class, const struct batch_page *page,
		     unsigned zero_len)
{
	if (page->state == PAGE_STATE_UNREADABLE)
		return;
	e->sampled[class]++;
	if (page->state == PAGE_STATE_ZERO)
		e->zero_bytes[class] += zero_len;
	else
		e->sampled_bytes[class] += page->len;
}

static int compress(struct estimator *x, struct batch *b, struct batch_tools *tools)
{
	const unsigned zero_len = tools->codec ? PACKED_ZEROS : b->page_size;

	for (unsigned class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++) {
		const struct sample *s = &x->samples[class];

		if (page_class_dropped(class, 0))
			continue; /* never to be read */
		for (unsigned at = 0; at < s->nr; at += b->nr) {
			int err = keep_time(x);

			if (err)
				return err;
			b->nr = MIN(s->nr - at, b->max);
			for (unsigned i = 0; i < b->nr; i++)
				b->pages[i] = (struct batch_page){ .pfn = s->pfn[at + i] };
			batch_work(b, tools);
			for (unsigned i = 0; i < b->nr; i++)
				add_page(x->e, class, &b->pages[i], zero_len);
		}
	}
	return 0;
}

static int sample(struct estimator *x)
{
	const struct dump_options *o = x->job.options;
	const struct codec *codec = o->format == DUMP_FORMAT_KDUMP ? o->codec : NULL;
	struct batch_tools tools;
	struct batch b;
	int err = batch_init(&b, x->job.page_size, codec != NULL, true);

	if (!err)
		err = batch_tools_init(&tools, x->job.core, codec, o->codec_level);
	else
		tools = (struct batch_tools){ 0 };
	if (!err)
		err = compress(x, &b, &tools);
	batch_tools_deinit(&tools);
	batch_deinit(&b);
	return err;
}

int estimate_make(struct core *core, const struct dump_options *options,
		  struct estimate *estimate_ret)
{
	struct dump_options all = *options;
	struct estimate e = { .page_size = core_page_size(core) };
	struct estimator *x = calloc(1, sizeof(*x));
	int err = -ENOMEM;

	if (!x)
		goto out;
	all.level = DUMP_LEVEL_MAX; /* so that everything is told apart */
	x->e = &e;
	x->random = 88172645463325252u;
	x->job = (struct dump_job){
		.core = core,
		.options = &all,
		.stats = &x->stats,
		.page_size = e.page_size,
	};
	err = classify(x);
	if (!err)
		err = sample(x);
	/* Two bitmaps of a bit for each pfn. */
	e.fixed = x->job.max_pfn / 4 + ROOM_FOR_HEADERS;
	free(x);
out:
	if (err == -ENOMEM)
		log_error("out of memory for looking how large the dump would be");
	if (!err)
		*estimate_ret = e;
	return err;
}

uint64_t estimate_pages(const struct estimate *e, unsigned level)
{
	uint64_t sum = 0;

	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++)
		if (!page_class_dropped(class, level))
			sum += e->pages[class];
	return sum;
}

uint64_t estimate_bytes(const struct estimate *e, unsigned level)
{
	double sum = e->fixed;

	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++) {
		double bytes = e->sampled_bytes[class], mean = e->page_size;

		if (page_class_dropped(class, level))
			continue;
		if (!(level & DUMP_LEVEL_ZERO))
			bytes += e->zero_bytes[class];
		if (e->sampled[class])
			mean = bytes / e->sampled[class];
		sum += e->pages[class] * (mean + DESCRIPTOR_BYTES);
	}
	return sum;
}

uint64_t estimate_most(struct core *core)
{
	const uint64_t page_size = core_page_size(core);
	double bytes = ROOM_FOR_HEADERS;
	uint64_t max_pfn = 0;
	size_t nr;
	const struct core_segment *s = core_segments(core, &nr);

	for (size_t i = 0; i < nr; i++) {
		uint64_t pages = s[i].memsz / page_size + 2; /* parts of pages at both ends */

		bytes += (double)pages * (page_size + DESCRIPTOR_BYTES);
		max_pfn = MAX(max_pfn, s[i].paddr / page_size + pages);
	}
	bytes += (double)max_pfn / 4;
	return bytes < 9e18 ? (uint64_t)bytes : INT64_MAX;
}
