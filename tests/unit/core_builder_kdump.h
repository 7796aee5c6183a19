/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds small kdump-compressed dumps for tests, from text, and flattens files. A dump's
 * memory is one character a page, from pfn @base on:
 *
 *	' '	the machine has no such page
 *	'.'	it has, the dump does not
 *	'0'	the dump should have it: its descriptor is all zero
 *	'r'	in the dump as it is; 'c' zlib, 'l' lzo, 'p' snappy, 'z' zstd
 *
 *	const struct kdump_recipe recipe = { .pages = "rc z", .vmcoreinfo = "OSRELEASE=x\n" };
 *
 *	err = core_open_fd(kdump_build(&recipe), "test", &core);
 */
#ifndef TESTS_UNIT_CORE_BUILDER_KDUMP_H
#define TESTS_UNIT_CORE_BUILDER_KDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct kdump_recipe - What is left out of it is a dump as makedumpfile writes them now.
 * @base: pfn of the first page; bitmaps before it stay holes
 * @version: of the header; 0 for 6
 * @block_size: 0 for 4096
 * @vmcoreinfo: text; in the notes as well from version 4 on, unless @no_notes
 * @one_bitmap: bitmap 2 is not there, and bitmap 1 has the pages of the dump
 * @first_pfn, @end_pfn: where this is a part of a split dump
 */
struct kdump_recipe {
	const char *pages;
	uint64_t base;
	uint32_t version, block_size, status;
	const char *vmcoreinfo;
	bool no_notes, one_bitmap;
	uint64_t first_pfn, end_pfn;
};

/** kdump_build() - Return: the dump, owned by the caller. Mistakes abort(). */
int kdump_build(const struct kdump_recipe *recipe);

/** kdump_build_page() - What the dump has for @pfn. */
void kdump_build_page(uint64_t pfn, uint8_t *page, size_t page_size);

/** Where in a dump of kdump_build() its parts are, for tests that spoil them. */
uint64_t kdump_build_descs(const struct kdump_recipe *recipe);

/** struct flat_piece - A record of a flattened file. */
struct flat_piece {
	uint64_t offset, size;
};

/**
 * flatten() - Make a flattened file of @nr pieces of @fd, which is closed.
 * @pieces: in the order of the file; NULL for all of it in records of @nr bytes
 */
int flatten(int fd, const struct flat_piece *pieces, size_t nr);

#endif
