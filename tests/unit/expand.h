/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacks a page with the library that readers use, not with what packed it. */
#ifndef TESTS_UNIT_EXPAND_H
#define TESTS_UNIT_EXPAND_H

#include <stdbool.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#if HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#if HAVE_SNAPPY
#include <snappy-c.h>
#endif

#include "capture/dump/codec.h"

/* As readers do it: to exactly @len bytes, with nothing left over of @in. */
static inline bool expand_page(const struct codec *c, const void *in, size_t in_len, void *out,
			       size_t len)
{
	switch (c->page_flag) {
	case DUMP_DH_COMPRESSED_ZLIB: {
		uLongf n = len;
		uLong used = in_len;

		return uncompress2(out, &n, in, &used) == Z_OK && n == len && used == in_len;
	}
	case DUMP_DH_COMPRESSED_ZSTD:
		return ZSTD_decompress(out, len, in, in_len) == len;
#if HAVE_LZO
	case DUMP_DH_COMPRESSED_LZO: {
		lzo_uint n = len;

		return lzo1x_decompress_safe(in, in_len, out, &n, NULL) == LZO_E_OK && n == len;
	}
#endif
#if HAVE_SNAPPY
	case DUMP_DH_COMPRESSED_SNAPPY: {
		size_t n = len;

		return snappy_uncompress(in, in_len, out, &n) == SNAPPY_OK && n == len;
	}
#endif
	default:
		return false;
	}
}

#endif
