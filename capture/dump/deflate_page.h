/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A deflate encoder for pages of kernel memory: zlib format (RFC 1950, 1951), which every
 * reader of kdump-compressed dumps inflates, at the speed of an lz-family code.
 *
 * A general encoder spends most of its time per page on building Huffman codes from that
 * page's counts and on writing them down. This one chooses among codes that were trained
 * on pages of real kernels: docs/codecs.md has the figures, tests/bench/deflate_train.c
 * the training.
 */
#ifndef CAPTURE_DUMP_DEFLATE_PAGE_H
#define CAPTURE_DUMP_DEFLATE_PAGE_H

#include <stddef.h>

/* Longer input is refused: positions within a page are 16 bits. */
#define DEFLATE_PAGE_MAX 65536

/**
 * enum deflate_effort - What the time goes into.
 * @DEFLATE_FAST: the speed of an lz-family code
 * @DEFLATE_SMALL: zlib's level 1, a little smaller as a rule, in less than half of its time
 */
enum deflate_effort {
	DEFLATE_FAST,
	DEFLATE_SMALL,
	DEFLATE_EFFORTS
};

struct deflate_page;

/**
 * deflate_page_create() - Of one thread: 68 KiB at most, for DEFLATE_SMALL 108 KiB.
 * Return: 0, -ENOMEM.
 */
int deflate_page_create(enum deflate_effort effort, struct deflate_page **state_ret);

void deflate_page_destroy(struct deflate_page *state);

/**
 * deflate_page_compress() - One page into a zlib stream of its own.
 *
 * What is written depends on the page's bytes alone, not on what @state compressed before.
 * Return: the stream's length, or 0 where it does not fit @out_len or @len is over
 * DEFLATE_PAGE_MAX.
 */
size_t deflate_page_compress(struct deflate_page *state, const void *page, size_t len, void *out,
			     size_t out_len);

#endif
