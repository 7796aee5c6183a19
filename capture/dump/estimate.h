/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How large a dump would become, before it is begun: all pages are classified, and some of
 * each class are compressed.
 */
#ifndef CAPTURE_DUMP_ESTIMATE_H
#define CAPTURE_DUMP_ESTIMATE_H

#include "capture/dump/dump.h"

/* Of each class; the mean of so many is some percent off. */
#define ESTIMATE_SAMPLES 256u

/**
 * struct estimate - What was found.
 * @pages: by class
 * @sampled, @sampled_bytes: how many of them were compressed, and what came out, zero pages
 *	as nothing
 * @zero_bytes: what those zero pages come to where the dump level keeps them
 * @page_size: bytes
 * @fixed: bytes that do not depend on the level: headers and bitmaps
 */
struct estimate {
	uint64_t pages[PAGE_NR_CLASSES];
	uint64_t sampled[PAGE_NR_CLASSES];
	uint64_t sampled_bytes[PAGE_NR_CLASSES];
	uint64_t zero_bytes[PAGE_NR_CLASSES];
	uint64_t page_size;
	uint64_t fixed;
};

/**
 * estimate_make() - Look at @core.
 * @options: of them format, codec, codec_level and progress count
 * Return: 0; -ECANCELED; -ENOMEM; -EINVAL.
 */
int estimate_make(struct core *core, const struct dump_options *options,
		  struct estimate *estimate_ret);

/** estimate_pages() - How many pages a dump at @level keeps. Exact. */
uint64_t estimate_pages(const struct estimate *e, unsigned level);

/** estimate_bytes() - About how large it becomes. */
uint64_t estimate_bytes(const struct estimate *e, unsigned level);

/** estimate_most() - No dump of @core can become larger than this many bytes, whatever the
 * level and the codec. Looks at no page. */
uint64_t estimate_most(struct core *core);

#endif
