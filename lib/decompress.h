/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole files that may be compressed: kernels, modules. What a file is tells its contents. */
#ifndef LIB_DECOMPRESS_H
#define LIB_DECOMPRESS_H

#include <stddef.h>

/** decompress_format() - "gzip", "xz", "zstd", "lz4", or NULL for none of them. */
const char *decompress_format(const void *in, size_t len);

/**
 * decompress() - Decompress all of @in.
 * @max: most bytes that may come of it
 * @out_ret: owned by the caller, to be freed with free()
 *
 * What follows the end of the stream is not looked at: kernels have their size there.
 *
 * Return: 0; -EOPNOTSUPP no known format; -EBADMSG damaged or cut off; -EFBIG more than
 * @max; -ENOMEM.
 */
int decompress(const void *in, size_t len, size_t max, void **out_ret, size_t *len_ret);

/** struct decompressed - @data: owned by the caller, to be freed with free(); @used: bytes of the
 * input that it came from */
struct decompressed {
	void *data;
	size_t len, used;
};

/** decompress_part() - The same, telling where the stream ends; of lz4's legacy format that is the
 * end of @in, since it has no mark of its own. */
int decompress_part(const void *in, size_t len, size_t max, struct decompressed *ret);

#endif
