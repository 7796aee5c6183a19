// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading by physical address, whatever form the dump has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/util.h"

int core_reader_create(struct core *core, struct core_reader **reader_ret)
{
	struct core_reader *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->core = core;
	err = core->ops->reader_create(core, &r->state);
	if (err) {
		free(r);
		return err;
	}
	*reader_ret = r;
	return 0;
}

void core_reader_destroy(struct core_reader *reader)
{
	if (!reader)
		return;
	reader->core->ops->reader_destroy(reader->state);
	free(reader);
}

static bool segment_holds(const struct core_segment *s, uint64_t paddr)
{
	return paddr >= s->paddr && paddr - s->paddr < s->memsz;
}

static const struct core_segment *find_segment(struct core_reader *r, uint64_t paddr)
{
	const struct core *core = r->core;
	size_t i;

	if (segment_holds(&core->segments[r->last], paddr))
		return &core->segments[r->last];
	i = core_search_segment(core, paddr);
	if (i == core->nr_segments || !segment_holds(&core->segments[i], paddr))
		return NULL;
	r->last = i;
	return &core->segments[i];
}

/* Read what is in the segment of @paddr, up to @len bytes. Return: as core_read_paddr(). */
static int read_some(struct core_reader *r, uint64_t paddr, void *buf, size_t len, size_t *done_ret)
{
	const struct core_segment *s = find_segment(r, paddr);

	if (!s)
		return -ENODATA;
	*done_ret = MIN(s->memsz - (paddr - s->paddr), len);
	return r->core->ops->read(r->state, s, paddr, buf, *done_ret);
}

int core_reader_read_paddr(struct core_reader *reader, uint64_t paddr, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		size_t n;
		int err = read_some(reader, paddr, p, len, &n);

		if (err)
			return err;
		p += n;
		paddr += n;
		len -= n;
	}
	return 0;
}

/* Bytes from @paddr, which is in no segment, to the next segment, at most @max. */
static size_t gap_bytes(const struct core *core, uint64_t paddr, size_t max)
{
	size_t i = core_search_segment(core, paddr);

	i = i == core->nr_segments ? 0 : i + 1;
	if (i == core->nr_segments)
		return max;
	return MIN(core->segments[i].paddr - paddr, max);
}

int core_reader_read_pages(struct core_reader *reader, uint64_t paddr, void *buf, size_t len)
{
	bool found = false;
	char *p = buf;

	while (len) {
		size_t n;

		if (find_segment(reader, paddr)) {
			int err = read_some(reader, paddr, p, len, &n);

			if (err)
				return err;
			found = true;
		} else {
			n = gap_bytes(reader->core, paddr, len);
			memset(p, 0, n);
		}
		p += n;
		paddr += n;
		len -= n;
	}
	return found ? 0 : -ENODATA;
}

int core_read_paddr(struct core *core, uint64_t paddr, void *buf, size_t len)
{
	return core_reader_read_paddr(core->own, paddr, buf, len);
}

int core_read_pages(struct core *core, uint64_t paddr, void *buf, size_t len)
{
	return core_reader_read_pages(core->own, paddr, buf, len);
}

/* One past the last page that the file holds something of; the first one where nothing. */
static uint64_t held_end(const struct core *core, const struct core_segment *s)
{
	return s->filesz ? DIV_ROUND_UP(s->paddr + s->filesz, core->page_size) :
			   s->paddr / core->page_size;
}

/* Move r->last_held to the first segment whose held pages end beyond @pfn. */
static void seek_held(struct core_reader *r, uint64_t pfn)
{
	const struct core *core = r->core;

	if (pfn < r->held_pfn) {
		r->last_held = core_search_segment(core, pfn * core->page_size);
		if (r->last_held == core->nr_segments)
			r->last_held = 0;
	}
	r->held_pfn = pfn;
	while (r->last_held < core->nr_segments &&
	       held_end(core, &core->segments[r->last_held]) <= pfn)
		r->last_held++;
}

static uint64_t segments_held_run(struct core_reader *r, uint64_t pfn, uint64_t max, bool *held_ret)
{
	const struct core *core = r->core;
	const struct core_segment *s;
	uint64_t first;

	*held_ret = false;
	seek_held(r, pfn);
	if (r->last_held == core->nr_segments)
		return max;
	s = &core->segments[r->last_held];
	first = s->paddr / core->page_size;
	if (first > pfn)
		return MIN(max, first - pfn);
	*held_ret = true;
	return MIN(max, held_end(core, s) - pfn);
}

uint64_t core_held_run(struct core *core, uint64_t pfn, uint64_t max, bool *held_ret)
{
	if (core->ops->held_run)
		return core->ops->held_run(core->own->state, pfn, max, held_ret);
	return segments_held_run(core->own, pfn, max, held_ret);
}

bool core_holds_page(struct core *core, uint64_t pfn)
{
	bool held;

	core_held_run(core, pfn, 1, &held);
	return held;
}
