/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page compressors as rows of a table. One that was not built in is a row that
 * says so, so callers hold no #ifdef. docs/codecs.md compares them.
 */
#ifndef CAPTURE_DUMP_CODEC_H
#define CAPTURE_DUMP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "capture/core/kdump_layout.h" /* DUMP_DH_COMPRESSED_* */

/**
 * struct codec - One compressor, for pages of 4 KiB to 64 KiB.
 * @name: "fast", "zlib", "zstd", "lzo", "snappy"
 * @option: makedumpfile's option letter; 0 for none
 * @page_flag: DUMP_DH_COMPRESSED_*: what a reader inflates it with
 * @min_level, @max_level: 0, 0 where it has no levels
 * @default_level: 0 where the default is none of them: "fast" and "zlib" then use our own
 *	encoder (deflate_page.h), and zlib's levels are libdeflate's
 * @create: state of one thread, at @level (0: the default). Return: 0, -EINVAL for a level
 *	out of range, -ENOMEM. NULL where this codec was not built in
 * @destroy: @state may be NULL
 * @compress: one page. What comes out depends on the page and the level alone, not on what
 *	@state compressed before. Return: compressed length, or 0 where it does not fit
 *	@out_len; then @out holds nothing of use, and never is anything written behind it
 */
struct codec {
	const char *name;
	char option;
	uint32_t page_flag;
	int min_level;
	int max_level;
	int default_level;
	int (*create)(int level, void **state_ret);
	void (*destroy)(void *state);
	size_t (*compress)(void *state, const void *page, size_t len, void *out, size_t out_len);
};

/** codec_find() - By option letter; NULL where there is no such letter. Check ->create. */
const struct codec *codec_find(char option);

/** codec_find_name() - By name; NULL where there is none. Check ->create. */
const struct codec *codec_find_name(const char *name);

/** codec_at() - Row @i of the table, the default codec first; NULL behind the last. */
const struct codec *codec_at(size_t i);

#endif
