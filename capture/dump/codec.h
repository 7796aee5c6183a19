/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Page compressors as rows of a table. One that was not built in is a row that
 * says so, so callers hold no #ifdef.
 */
#ifndef CAPTURE_DUMP_CODEC_H
#define CAPTURE_DUMP_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "capture/core/kdump_layout.h" /* DUMP_DH_COMPRESSED_* */

/**
 * struct codec - One compressor.
 * @name: "zlib", "zstd" …
 * @option: makedumpfile's option letter
 * @page_flag: DUMP_DH_COMPRESSED_*
 * @create: state for one thread at @level (0: the codec's default); NULL where this
 *	codec was not built in
 * @compress: one page. Return: compressed length, or 0 where it does not fit @out_len
 */
struct codec {
	const char *name;
	char option;
	uint32_t page_flag;
	int min_level, max_level, default_level;
	int (*create)(int level, void **state_ret);
	void (*destroy)(void *state);
	size_t (*compress)(void *state, const void *page, size_t len, void *out, size_t out_len);
};

/** codec_find() - By option letter; NULL where there is no such letter. Check ->create. */
const struct codec *codec_find(char option);

/** codec_find_name() - By name. */
const struct codec *codec_find_name(const char *name);

#endif
