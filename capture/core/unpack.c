// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/unpack.h"

#include <errno.h>
#include <libdeflate.h>
#include <string.h>
#include <zstd.h>
#if defined(HAVE_LZO) && HAVE_LZO + 0
#include <lzo/lzo1x.h>
#endif

#include "capture/core/kdump_layout.h"
#include "lib/util.h"

void unpacker_deinit(struct unpacker *u)
{
	if (u->deflate)
		libdeflate_free_decompressor(u->deflate);
	ZSTD_freeDCtx(u->zstd);
	*u = (struct unpacker){ 0 };
}

static int unpack_zlib(struct unpacker *u, const void *in, size_t len, void *page, size_t page_size)
{
	if (!u->deflate)
		u->deflate = libdeflate_alloc_decompressor();
	if (!u->deflate)
		return -ENOMEM;
	/* Without a place for the size it must be exactly @page_size. */
	return libdeflate_zlib_decompress(u->deflate, in, len, page, page_size, NULL) ==
			       LIBDEFLATE_SUCCESS ?
		       0 :
		       -EBADMSG;
}

static int unpack_zstd(struct unpacker *u, const void *in, size_t len, void *page, size_t page_size)
{
	if (!u->zstd)
		u->zstd = ZSTD_createDCtx();
	if (!u->zstd)
		return -ENOMEM;
	/* An error is a value above any size. */
	return ZSTD_decompressDCtx(u->zstd, page, page_size, in, len) == page_size ? 0 : -EBADMSG;
}

static int unpack_lzo(struct unpacker *u, const void *in, size_t len, void *page, size_t page_size)
{
	(void)u;
#if defined(HAVE_LZO) && HAVE_LZO + 0
	lzo_uint got = page_size;

	return lzo1x_decompress_safe(in, len, page, &got, NULL) == LZO_E_OK && got == page_size ?
		       0 :
		       -EBADMSG;
#else
	(void)in, (void)len, (void)page, (void)page_size;
	return -EOPNOTSUPP;
#endif
}

static int unpack_snappy_page(struct unpacker *u, const void *in, size_t len, void *page,
			      size_t page_size)
{
	(void)u;
	return unpack_snappy(in, len, page, page_size);
}

static int unpack_nothing(struct unpacker *u, const void *in, size_t len, void *page,
			  size_t page_size)
{
	(void)u;
	if (len != page_size)
		return -EBADMSG;
	memcpy(page, in, len);
	return 0;
}

static const struct {
	uint32_t flag;
	int (*unpack)(struct unpacker *u, const void *in, size_t len, void *page, size_t page_size);
} unpackers[] = {
	{ 0, unpack_nothing },
	{ DUMP_DH_COMPRESSED_ZLIB, unpack_zlib },
	{ DUMP_DH_COMPRESSED_LZO, unpack_lzo },
	{ DUMP_DH_COMPRESSED_SNAPPY, unpack_snappy_page },
	{ DUMP_DH_COMPRESSED_ZSTD, unpack_zstd },
};

int unpack_page(struct unpacker *u, uint32_t desc_flags, const void *in, size_t len, void *page,
		size_t page_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(unpackers); i++)
		if (unpackers[i].flag == desc_flags)
			return unpackers[i].unpack(u, in, len, page, page_size);
	return -EOPNOTSUPP;
}
