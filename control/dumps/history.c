// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/dumps/history.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/bounded.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define HISTORY_SECONDS 20u

static void take_memory(const struct record *r, struct history *h)
{
	uint64_t used;

	if (!r->mem_available_min_kib || r->mem_total_kib < r->mem_available_min_kib ||
	    h->captures == HISTORY_CAPTURES)
		return;
	used = r->mem_total_kib - r->mem_available_min_kib;
	if (!h->captures++)
		h->spare_kib = r->mem_available_min_kib;
	if (used <= h->peak_kib)
		return;
	h->peak_kib = used;
	h->total_kib = r->mem_total_kib;
}

/* Hostile numbers are no measure: packing makes nothing a thousand times smaller, or larger. */
static void take_packing(const struct record *r, uint64_t page_size, struct history *h)
{
	uint64_t memory;

	if (h->file_bytes || !streq(r->verdict, "complete") || r->kept <= r->zero ||
	    __builtin_mul_overflow(r->kept - r->zero, page_size, &memory) ||
	    r->dump_bytes / 2 > memory || memory / 1000 >= r->dump_bytes)
		return;
	h->file_bytes = r->dump_bytes;
	h->memory_bytes = memory;
}

void history_of(const struct dumps *dumps, const char *release, uint64_t page_size,
		struct history *ret)
{
	struct history h = { 0 };

	for (unsigned i = 0; i < dumps->nr; i++) { /* the newest first */
		const struct dump *d = &dumps->list[i];

		if (!d->ours)
			continue;
		if (d->record.kernel && streq(d->record.kernel, release))
			take_memory(&d->record, &h);
		take_packing(&d->record, page_size, &h);
	}
	*ret = h;
}

struct search {
	const struct invocation *in;
	const char *release;
};

static int search_here(const void *ctx, int fd)
{
	const struct search *s = ctx;
	struct history h;
	struct dumps dumps;

	log_set_level(
		LOG_LVL_NONE); /* a dump that cannot be read tells nothing, and list names it */
	dumps_find(s->in, NULL, &dumps);
	history_of(&dumps, s->release, (uint64_t)sysconf(_SC_PAGESIZE), &h);
	dumps_deinit(&dumps);
	return io_write_full(fd, &h, sizeof(h));
}

int history_read(const struct invocation *in, const char *release, struct history *ret)
{
	const struct search search = { in, release };
	struct history h;
	size_t len;
	int err = bounded_call(search_here, &search, HISTORY_SECONDS, &h, sizeof(h), &len);

	if (!err && len != sizeof(h))
		err = -EIO;
	*ret = err ? (struct history){ 0 } : h;
	return err;
}
