/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of capture/core share; not for others. */
#ifndef CAPTURE_CORE_CORE_PRIV_H
#define CAPTURE_CORE_CORE_PRIV_H

#include <libelf.h>
#include <stdatomic.h>

#include "capture/core/core.h"

#define CORE_LOADS_MAX	    (1u << 20)	       /* program headers */
#define CORE_NOTES_MAX	    (16u * 1024 * 1024) /* 8192 CPUs come to about 3 MiB */
#define CORE_TABLE_BYTES    4096	       /* a page-table page of every architecture here */
#define CORE_TABLE_SLOTS    16

/* Page-table pages read of late, direct-mapped by physical address. */
struct core_table_cache {
	uint64_t paddr[CORE_TABLE_SLOTS]; /* all ones: empty */
	uint8_t data[CORE_TABLE_SLOTS][CORE_TABLE_BYTES];
};

/*
 * @name: for messages
 * @file_size: bytes that the file holds
 * @segments: sorted, without overlaps; @loads: as in the file
 * @last: index into @segments of the last hit, a hint that any thread may change
 * @mm: valid where @vaddr_ready
 */
struct core {
	int fd;
	char *name;
	uint64_t file_size;
	const struct arch_ops *arch;
	bool big_endian;
	size_t page_size;

	struct core_segment *segments;
	size_t nr_segments;
	struct core_segment *loads;
	size_t nr_loads;
	uint64_t truncated;
	_Atomic size_t last;

	uint8_t *notes;
	size_t notes_len;
	struct vmcoreinfo *vi;

	bool vaddr_ready;
	struct arch_mm mm;
	struct core_table_cache *tables;
};

/** core_parse_headers() - Fill arch, byte order, loads, segments and notes from @core's
 * fd. Return: as core_open(). */
int core_parse_headers(struct core *core);

/** core_sort_segments() - Derive @core's segments from its loads. Return: 0 or -ENOMEM. */
int core_sort_segments(struct core *core);

/** core_read_note_segment() - Append the @len bytes at @offset to @core's notes, as far as
 * they are there. Return: 0 or -ENOMEM. */
int core_read_note_segment(struct core *core, uint64_t offset, uint64_t len);

/** core_find_vmcoreinfo() - Look through the notes, set vi and page_size.
 * Return: 0 (also where there is none, logged) or -ENOMEM. */
int core_find_vmcoreinfo(struct core *core);

#endif
