/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacks the pages of kdump-compressed dumps. */
#ifndef CAPTURE_CORE_UNPACK_H
#define CAPTURE_CORE_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/** struct unpacker - What the codecs need between pages; for one thread, made as needed. */
struct unpacker {
	void *deflate, *zstd;
};

/** unpacker_deinit() - Of one that was zeroed at first. */
void unpacker_deinit(struct unpacker *u);

/**
 * unpack_page() - Unpack one page.
 * @desc_flags: of its descriptor, DUMP_DH_COMPRESSED_*; 0 for a page as it is
 * @in, @len: its data
 * @page_size: what must come out, neither more nor less
 *
 * Return: 0; -EBADMSG malformed, or of another size; -EOPNOTSUPP no such codec here;
 * -ENOMEM. @page is undefined on failure.
 */
int unpack_page(struct unpacker *u, uint32_t desc_flags, const void *in, size_t len, void *page,
		size_t page_size);

/**
 * unpack_snappy() - Unpack one block of snappy's raw format.
 * Source of the format: google/snappy, format_description.txt.
 * Return: 0; -EBADMSG malformed, or it does not come to exactly @out_len bytes.
 */
int unpack_snappy(const uint8_t *in, size_t len, uint8_t *out, size_t out_len);

#endif
