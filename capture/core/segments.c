// SPDX-License-Identifier: GPL-2.0-or-later
/* The map of physical memory, from PT_LOADs that may overlap. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/cleanup.h"
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

static uint64_t segment_end(const struct core_segment *s)
{
	return s->paddr + s->memsz;
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
	uint64_t end = s->offset + s->filesz, size = core->file->size;

	if (end <= size)
		return 0;
	return s->offset >= size ? s->filesz : end - size;
}

/* Sort @segs and cut from each what the ones before it cover. Return: how many are left. */
static size_t cut_overlaps(struct core_segment *segs, size_t nr)
{
	uint64_t end = 0;
	size_t out = 0;

	qsort(segs, nr, sizeof(*segs), cmp_segments);
	for (size_t i = 0; i < nr; i++) {
		struct core_segment s = segs[i];

		if (segment_end(&s) <= end)
			continue;
		if (s.paddr < end)
			trim_front(&s, end - s.paddr);
		end = segment_end(&s);
		segs[out++] = s;
	}
	return out;
}

/* What each PT_LOAD has in the file. Return: how many there are. */
static size_t take_file_parts(const struct core *core, struct core_segment *parts)
{
	size_t nr = 0;

	for (size_t i = 0; i < core->nr_loads; i++) {
		parts[nr] = core->loads[i];
		parts[nr].memsz = parts[nr].filesz;
		nr += parts[nr].memsz != 0;
	}
	return cut_overlaps(parts, nr);
}

/* What each PT_LOAD describes beyond that, which reads as zero. */
static size_t take_zero_parts(const struct core *core, struct core_segment *parts)
{
	size_t nr = 0;

	for (size_t i = 0; i < core->nr_loads; i++) {
		parts[nr] = core->loads[i];
		if (parts[nr].memsz == parts[nr].filesz)
			continue;
		if (parts[nr].filesz)
			trim_front(&parts[nr], parts[nr].filesz);
		nr++;
	}
	return cut_overlaps(parts, nr);
}

/* Add @s at the end; the zeros that follow a PT_LOAD's bytes stay one segment with them. */
static void append_segment(struct core *core, const struct core_segment *s)
{
	struct core_segment *last =
		core->nr_segments ? &core->segments[core->nr_segments - 1] : NULL;

	if (last && !s->filesz && segment_end(last) == s->paddr && last->filesz == last->memsz &&
	    last->offset + last->filesz == s->offset) {
		last->memsz += s->memsz;
		return;
	}
	core->segments[core->nr_segments++] = *s;
}

/* Merge both lists; of @zero only what no file part covers. */
static void merge_parts(struct core *core, const struct core_segment *file, size_t nr_file,
			struct core_segment *zero, size_t nr_zero)
{
	size_t f = 0, z = 0;

	while (f < nr_file || z < nr_zero) {
		struct core_segment part;
		uint64_t end;

		if (z == nr_zero || (f < nr_file && file[f].paddr <= zero[z].paddr)) {
			append_segment(core, &file[f]);
			end = segment_end(&file[f++]);
			while (z < nr_zero && segment_end(&zero[z]) <= end)
				z++;
			if (z < nr_zero && zero[z].paddr < end)
				trim_front(&zero[z], end - zero[z].paddr);
			continue;
		}
		part = zero[z];
		end = segment_end(&part);
		if (f < nr_file && file[f].paddr < end) {
			part.memsz = file[f].paddr - part.paddr;
			trim_front(&zero[z], part.memsz);
		} else {
			z++;
		}
		append_segment(core, &part);
	}
}

int core_sort_segments(struct core *core)
{
	_free_ struct core_segment *file = calloc(core->nr_loads, sizeof(*file));
	_free_ struct core_segment *zero = calloc(core->nr_loads, sizeof(*zero));
	size_t nr_file, nr_zero;

	if (!file || !zero)
		return -ENOMEM;
	nr_file = take_file_parts(core, file);
	nr_zero = take_zero_parts(core, zero);
	/* A file part splits at most one zero part in two. */
	core->segments = calloc(2 * nr_file + nr_zero, sizeof(*core->segments));
	if (!core->segments)
		return -ENOMEM;
	merge_parts(core, file, nr_file, zero, nr_zero);
	for (size_t i = 0; i < core->nr_segments; i++)
		if (__builtin_add_overflow(core->truncated, missing_bytes(core, &core->segments[i]),
					   &core->truncated))
			core->truncated = UINT64_MAX;
	return 0;
}

size_t core_search_segment(const struct core *core, uint64_t paddr)
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
