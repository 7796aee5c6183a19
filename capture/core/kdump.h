/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of a kdump-compressed dump's headers, and its bitmaps; for input_kdump.c. */
#ifndef CAPTURE_CORE_KDUMP_H
#define CAPTURE_CORE_KDUMP_H

#include "capture/core/core_priv.h"
#include "capture/core/kdump_layout.h"

/* Bitmaps are looked at through windows of this many bytes: 128 MiB of 4 KiB pages each. */
#define KDUMP_WINDOW_BYTES 4096u
#define KDUMP_WINDOW_BITS  (KDUMP_WINDOW_BYTES * 8)
#define KDUMP_RANKS_MAX	   16384u /* 128 KiB */

/**
 * struct kdump - A dump's layout in its file.
 * @max_pfn: one past the highest; bits beyond it are not looked at
 * @first_pfn, @end_pfn: what this file of a split dump has descriptors for
 * @bitmap1, @bitmap2, @descs: offsets; the same for both bitmaps where there is only one
 * @nr_windows: in a bitmap
 * @rank_windows: windows from one entry of @ranks to the next
 * @ranks: bits of bitmap 2 from @first_pfn up to that window, which is the number of the
 *	page's descriptor
 */
struct kdump {
	const struct core *core;
	uint64_t max_pfn, first_pfn, end_pfn;
	uint64_t bitmap1, bitmap2, descs;
	uint64_t nr_windows, rank_windows;
	uint64_t *ranks;
};

/**
 * struct kdump_bits - A look at one bitmap.
 * @window: index of the window held; all ones for none
 * @rank: bits set from first_pfn to before @ranked_pfn
 */
struct kdump_bits {
	const struct kdump *kdump;
	struct file_view *view; /* borrowed */
	uint64_t bitmap, window;
	uint64_t ranked_pfn, rank;
	uint8_t data[KDUMP_WINDOW_BYTES];
};

/** kdump_bits_init() - Look at the bitmap at offset @bitmap. */
void kdump_bits_init(struct kdump_bits *b, const struct kdump *k, uint64_t bitmap,
		     struct file_view *view);

/** kdump_bits_run() - Whether @pfn, below max_pfn, is set, and how many from there on are
 * alike, at most @max. Return: 0 with at least 1; -errno. */
int kdump_bits_run(struct kdump_bits *b, uint64_t pfn, uint64_t max, bool *set_ret,
		   uint64_t *run_ret);

/** kdump_bits_rank() - How many bits are set from first_pfn up to @pfn, which is set.
 * Only of bitmap 2. Return: 0; -errno. */
int kdump_bits_rank(struct kdump_bits *b, uint64_t pfn, uint64_t *rank_ret);

/** kdump_build_ranks() - Count bitmap 2. Return: 0; -ENOMEM; -errno of reading. */
int kdump_build_ranks(struct kdump *k, struct file_view *view);

/** kdump_build_segments() - Make @core's segments of bitmap 1. Return: as the above. */
int kdump_build_segments(struct kdump *k, struct core *core, struct file_view *view);

/* kdump_pages.c: the rest of input_kdump */
int kdump_reader_create(struct core *core, void **state_ret);
void kdump_reader_destroy(void *state);
int kdump_read(void *state, const struct core_segment *seg, uint64_t paddr, void *buf, size_t len);
uint64_t kdump_held_run(void *state, uint64_t pfn, uint64_t max, bool *held_ret);

#endif
