// SPDX-License-Identifier: GPL-2.0-or-later
/* Bitmaps that may be gigabytes, seen through a window of 4 KiB. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kdump.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "lib/util.h"

void kdump_bits_init(struct kdump_bits *b, const struct kdump *k, uint64_t bitmap,
		     struct file_view *view)
{
	b->kdump = k;
	b->view = view;
	b->bitmap = bitmap;
	b->window = UINT64_MAX;
	b->ranked_pfn = b->rank = 0;
}

static uint64_t get_word(const struct kdump_bits *b, unsigned word)
{
	return get_le64(b->data + word * 8);
}

/* Bits set in the window from bit @from to before bit @to. */
static unsigned count_bits(const struct kdump_bits *b, unsigned from, unsigned to)
{
	unsigned nr = 0;

	while (from < to) {
		unsigned n = MIN(64 - from % 64, to - from);
		uint64_t v = get_word(b, from / 64) >> (from % 64);

		nr += (unsigned)__builtin_popcountll(v << (64 - n));
		from += n;
	}
	return nr;
}

/* Clear what must not count: bits below first_pfn and from max_pfn on. */
static void mask_window(struct kdump_bits *b, uint64_t window, uint64_t from, uint64_t to)
{
	uint64_t start = window * KDUMP_WINDOW_BITS;

	for (unsigned word = 0; word < KDUMP_WINDOW_BYTES / 8; word++) {
		uint64_t bit = start + word * 64, v;

		if (bit >= from && bit + 64 <= to)
			continue;
		v = get_word(b, word);
		for (unsigned i = 0; i < 64; i++)
			if (bit + i < from || bit + i >= to)
				v &= ~(1ull << i);
		put_le64(b->data + word * 8, v);
	}
}

static int load_window(struct kdump_bits *b, uint64_t window)
{
	const struct kdump *k = b->kdump;
	uint64_t start = window * KDUMP_WINDOW_BITS;
	bool split = b->bitmap == k->bitmap2;
	int err;

	if (b->window == window)
		return 0;
	b->window = UINT64_MAX;
	err = file_view_read_padded(b->view, b->bitmap + window * KDUMP_WINDOW_BYTES, b->data,
				    KDUMP_WINDOW_BYTES);
	if (err)
		return err;
	if (start + KDUMP_WINDOW_BITS > k->max_pfn || (split && start < k->first_pfn))
		mask_window(b, window, split ? k->first_pfn : 0, k->max_pfn);
	b->window = window;
	return 0;
}

/* The first bit from @bit on that is not @set; @end where all are. */
static unsigned find_change(const struct kdump_bits *b, unsigned bit, unsigned end, bool set)
{
	while (bit < end) {
		uint64_t v = get_word(b, bit / 64);

		v = (set ? ~v : v) >> (bit % 64);
		if (v)
			return MIN(end, bit + (unsigned)__builtin_ctzll(v));
		bit += 64 - bit % 64;
	}
	return end;
}

int kdump_bits_run(struct kdump_bits *b, uint64_t pfn, uint64_t max, bool *set_ret,
		   uint64_t *run_ret)
{
	unsigned bit = pfn % KDUMP_WINDOW_BITS, end = KDUMP_WINDOW_BITS;
	int err = load_window(b, pfn / KDUMP_WINDOW_BITS);

	if (err)
		return err;
	max = MIN(max, b->kdump->max_pfn - pfn);
	if (max < end - bit)
		end = bit + (unsigned)max;
	*set_ret = b->data[bit / 8] >> (bit % 8) & 1;
	*run_ret = find_change(b, bit, end, *set_ret) - bit;
	return 0;
}

int kdump_bits_rank(struct kdump_bits *b, uint64_t pfn, uint64_t *rank_ret)
{
	const struct kdump *k = b->kdump;
	uint64_t per_entry = k->rank_windows * KDUMP_WINDOW_BITS;
	uint64_t at = pfn / per_entry * per_entry, rank = k->ranks[pfn / per_entry];

	if (b->ranked_pfn <= pfn && b->ranked_pfn >= at) {
		at = b->ranked_pfn;
		rank = b->rank;
	}
	while (at < pfn) {
		uint64_t start = at - at % KDUMP_WINDOW_BITS;
		uint64_t to = MIN(pfn, start + KDUMP_WINDOW_BITS);
		int err = load_window(b, at / KDUMP_WINDOW_BITS);

		if (err)
			return err;
		rank += count_bits(b, (unsigned)(at - start), (unsigned)(to - start));
		at = to;
	}
	b->rank = *rank_ret = rank;
	b->ranked_pfn = pfn;
	return 0;
}

/* The window that has the first bit that was written from @window on. */
static uint64_t skip_unwritten(const struct kdump *k, uint64_t bitmap, uint64_t window)
{
	uint64_t offset = bitmap + window * KDUMP_WINDOW_BYTES;
	uint64_t next = core_file_next_data(k->core->file, offset);

	if (next == UINT64_MAX)
		return k->nr_windows;
	return MIN(k->nr_windows, window + (next - offset) / KDUMP_WINDOW_BYTES);
}

int kdump_build_ranks(struct kdump *k, struct file_view *view)
{
	struct kdump_bits *b = malloc(sizeof(*b));
	uint64_t rank = 0, skip = 0;
	int err = 0;

	k->rank_windows = DIV_ROUND_UP(k->nr_windows, (uint64_t)KDUMP_RANKS_MAX);
	k->ranks = calloc(DIV_ROUND_UP(k->nr_windows, k->rank_windows), sizeof(*k->ranks));
	if (!b || !k->ranks) {
		free(b);
		return -ENOMEM;
	}
	kdump_bits_init(b, k, k->bitmap2, view);
	for (uint64_t w = 0; w < k->nr_windows && !err; w++) {
		if (w % k->rank_windows == 0)
			k->ranks[w / k->rank_windows] = rank;
		if (w >= skip)
			skip = skip_unwritten(k, k->bitmap2, w);
		if (w < skip)
			continue;
		err = load_window(b, w);
		if (!err)
			rank += count_bits(b, 0, KDUMP_WINDOW_BITS);
	}
	free(b);
	return err;
}

/* One more run. Return: 0; -ENOMEM. */
static int add_run(struct core *core, size_t *room, uint64_t pfn, uint64_t nr)
{
	struct core_segment *last =
		core->nr_segments ? &core->segments[core->nr_segments - 1] : NULL;
	uint64_t paddr = pfn * core->page_size, len = nr * core->page_size;

	if (last && last->paddr + last->memsz == paddr) {
		last->memsz += len;
		last->filesz += len;
		return 0;
	}
	if (core->nr_segments == CORE_RUNS_MAX) {
		core->truncated += len;
		return 0;
	}
	if (core->nr_segments == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct core_segment *segs = realloc(core->segments, more * sizeof(*segs));

		if (!segs)
			return -ENOMEM;
		core->segments = segs;
		*room = more;
	}
	core->segments[core->nr_segments++] = (struct core_segment){
		.paddr = paddr, .vaddr = UINT64_MAX, .filesz = len, .memsz = len
	};
	return 0;
}

int kdump_build_segments(struct kdump *k, struct core *core, struct file_view *view)
{
	struct kdump_bits *b = malloc(sizeof(*b));
	size_t room = 0;
	uint64_t pfn = 0, skip = 0;
	int err = 0;

	if (!b)
		return -ENOMEM;
	kdump_bits_init(b, k, k->bitmap1, view);
	while (pfn < k->max_pfn && !err) {
		uint64_t window = pfn / KDUMP_WINDOW_BITS, run;
		bool set;

		if (window >= skip)
			skip = skip_unwritten(k, k->bitmap1, window);
		if (window < skip) {
			pfn = skip * KDUMP_WINDOW_BITS;
			continue;
		}
		err = kdump_bits_run(b, pfn, UINT64_MAX, &set, &run);
		if (!err && set)
			err = add_run(core, &room, pfn, run);
		pfn += err ? 0 : run;
	}
	free(b);
	if (core->truncated)
		log_warn("%s: its memory is in more than %u pieces; the highest are left out",
			 core->name, CORE_RUNS_MAX);
	return err;
}
