// SPDX-License-Identifier: GPL-2.0-or-later
/* The map of physical memory, and reading by physical address. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/core/core_priv.h"
#include "lib/io.h"
#include "lib/util.h"

static int cmp_segments(const void *a, const void *b)
{
	const struct core_segment *x = a, *y = b;

	if (x->paddr != y->paddr)
		return x->paddr < y->paddr ? -1 : 1;
	if (x->memsz != y->memsz)
		return x->memsz > y->memsz ? -1 : 1; /* the longer one first: it covers the other */
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Drop the first @cut bytes of a segment that is longer than that. */
static void trim_front(struct core_segment *s, uint64_t cut)
{
	uint64_t cut_file = MIN(cut, s->filesz);

	s->paddr += cut;
	s->memsz -= cut;
	s->offset += cut_file;
	s->filesz -= cut_file;
	if (s->vaddr != UINT64_MAX)
		s->vaddr += cut;
}

static uint64_t missing_bytes(const struct core *core, const struct core_segment *s)
{
	uint64_t end = s->offset + s->filesz;

	if (end <= core->file_size)
		return 0;
	return s->offset >= core->file_size ? s->filesz : end - core->file_size;
}

int core_sort_segments(struct core *core)
{
	size_t n = 0;
	uint64_t end = 0;

	core->segments = calloc(core->nr_loads, sizeof(*core->segments));
	if (!core->segments)
		return -ENOMEM;
	memcpy(core->segments, core->loads, core->nr_loads * sizeof(*core->segments));
	qsort(core->segments, core->nr_loads, sizeof(*core->segments), cmp_segments);

	for (size_t i = 0; i < core->nr_loads; i++) {
		struct core_segment s = core->segments[i];

		if (s.paddr + s.memsz <= end)
			continue;
		if (s.paddr < end)
			trim_front(&s, end - s.paddr);
		end = s.paddr + s.memsz;
		if (__builtin_add_overflow(core->truncated, missing_bytes(core, &s),
					   &core->truncated))
			core->truncated = UINT64_MAX;
		core->segments[n++] = s;
	}
	core->nr_segments = n;
	return 0;
}

/* Index of the last segment that starts at or before @paddr; nr_segments where none does. */
static size_t search_segment(const struct core *core, uint64_t paddr)
{
	size_t lo = 0, hi = core->nr_segments;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (core->segments[mid].paddr <= paddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : core->nr_segments;
}

static bool segment_holds(const struct core_segment *s, uint64_t paddr)
{
	return paddr >= s->paddr && paddr - s->paddr < s->memsz;
}

static const struct core_segment *find_segment(struct core *core, uint64_t paddr)
{
	size_t i = atomic_load_explicit(&core->last, memory_order_relaxed);

	if (segment_holds(&core->segments[i], paddr))
		return &core->segments[i];
	i = search_segment(core, paddr);
	if (i == core->nr_segments || !segment_holds(&core->segments[i], paddr))
		return NULL;
	atomic_store_explicit(&core->last, i, memory_order_relaxed);
	return &core->segments[i];
}

static int read_file(const struct core *core, void *buf, size_t len, uint64_t offset)
{
	ssize_t n;

	if (!range_within(offset, len, core->file_size))
		return -ENODATA;
	n = io_pread_full(core->fd, buf, len, offset);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENODATA; /* the file shrank */
}

/* Read @len bytes that lie in @s, @skip bytes into it. */
static int read_segment(const struct core *core, const struct core_segment *s, uint64_t skip,
			void *buf, size_t len)
{
	size_t from_file = skip < s->filesz ? MIN(s->filesz - skip, len) : 0;

	if (from_file) {
		int err = read_file(core, buf, from_file, s->offset + skip);

		if (err)
			return err;
	}
	memset((char *)buf + from_file, 0, len - from_file);
	return 0;
}

int core_read_paddr(struct core *core, uint64_t paddr, void *buf, size_t len)
{
	char *p = buf;

	while (len) {
		const struct core_segment *s = find_segment(core, paddr);
		size_t n;
		int err;

		if (!s)
			return -ENODATA;
		n = MIN(s->memsz - (paddr - s->paddr), len);
		err = read_segment(core, s, paddr - s->paddr, p, n);
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
	size_t i = search_segment(core, paddr);

	i = i == core->nr_segments ? 0 : i + 1;
	if (i == core->nr_segments)
		return max;
	return MIN(core->segments[i].paddr - paddr, max);
}

int core_read_pages(struct core *core, uint64_t paddr, void *buf, size_t len)
{
	bool found = false;
	char *p = buf;

	while (len) {
		const struct core_segment *s = find_segment(core, paddr);
		size_t n;

		if (s) {
			int err;

			n = MIN(s->memsz - (paddr - s->paddr), len);
			err = read_segment(core, s, paddr - s->paddr, p, n);
			if (err)
				return err;
			found = true;
		} else {
			n = gap_bytes(core, paddr, len);
			memset(p, 0, n);
		}
		p += n;
		paddr += n;
		len -= n;
	}
	return found ? 0 : -ENODATA;
}
