/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of capture/core share; not for others. */
#ifndef CAPTURE_CORE_CORE_PRIV_H
#define CAPTURE_CORE_CORE_PRIV_H

#include "capture/core/core.h"
#include "capture/core/file.h"

#define CORE_LOADS_MAX	 (1u << 20)	     /* program headers */
#define CORE_NOTES_MAX	 (16u * 1024 * 1024) /* 8192 CPUs come to about 3 MiB */
#define CORE_TABLE_BYTES 4096		     /* a page-table page of every architecture here */
#define CORE_TABLE_SLOTS 16
#define CORE_PAGE_MIN	 4096u
#define CORE_PAGE_MAX	 65536u
#define CORE_HEAD_BYTES	 16 /* what a form of dump is known by */

/* Page-table pages read of late, direct-mapped by physical address. */
struct core_table_cache {
	uint64_t paddr[CORE_TABLE_SLOTS]; /* all ones: empty */
	uint8_t data[CORE_TABLE_SLOTS][CORE_TABLE_BYTES];
};

/**
 * struct input_ops - One form of dump, a row of the table in core.c.
 * @matches: whether @head, CORE_HEAD_BYTES long, starts one
 * @open: set the core's arch, byte order, page_size, segments, notes, incomplete and, where
 *	it is not in the notes, vi; leave what the form needs besides in core->input. Return: as
 *	core_open(), logged.
 * @close: release core->input, which may be NULL
 * @reader_create: one reader's state. Return: 0 or -ENOMEM.
 * @read: read @len bytes at @paddr, all in @seg. Return: as core_read_paddr().
 * @held_run: as core_held_run(); NULL where the segments tell
 */
struct input_ops {
	const char *name;
	bool (*matches)(const uint8_t *head);
	int (*open)(struct core *core, struct file_view *view);
	void (*close)(void *input);
	int (*reader_create)(struct core *core, void **state_ret);
	void (*reader_destroy)(void *state);
	int (*read)(void *state, const struct core_segment *seg, uint64_t paddr, void *buf,
		    size_t len);
	uint64_t (*held_run)(void *state, uint64_t pfn, uint64_t max, bool *held_ret);
};

extern const struct input_ops input_elf, input_kdump;

/**
 * struct core_reader - @last: index of the segment of the last hit; @last_held: of the first
 * that does not end before page @held_pfn, which core_held_run() was asked about last
 */
struct core_reader {
	struct core *core;
	void *state;
	size_t last, last_held;
	uint64_t held_pfn;
};

/*
 * @segments: sorted, without overlaps; @loads: as in the file
 * @own: the reader that core_read_paddr() and the like use
 * @header_time: seconds since 1970, as the dump's header has it; 0 where it has not
 * @mm: valid where @vaddr_ready
 */
struct core {
	struct core_file *file;
	const char *name; /* of the file, for messages */
	const struct input_ops *ops;
	void *input;
	struct core_reader *own;

	const struct arch_ops *arch;
	bool big_endian;
	size_t page_size;
	bool page_size_given; /* by the form of dump: vmcoreinfo cannot change it */

	struct core_segment *segments;
	size_t nr_segments;
	struct core_segment *loads;
	size_t nr_loads;
	uint64_t truncated;
	bool incomplete;
	uint64_t header_time;

	uint8_t *notes;
	size_t notes_len;
	struct vmcoreinfo *vi;

	bool vaddr_ready;
	struct arch_mm mm;
	struct core_table_cache *tables;
};

/** core_sort_segments() - Derive @core's segments from its loads. Return: 0 or -ENOMEM. */
int core_sort_segments(struct core *core);

/** core_search_segment() - Index of the last segment that starts at or before @paddr;
 * nr_segments where none does. */
size_t core_search_segment(const struct core *core, uint64_t paddr);

/** core_read_note_segment() - Append the @len bytes at @offset to @core's notes, as far as
 * they are there. Return: 0 or -ENOMEM. */
int core_read_note_segment(struct core *core, struct file_view *view, uint64_t offset,
			   uint64_t len);

/** core_take_vmcoreinfo() - Take @text for the crashed kernel's vmcoreinfo, and append it to
 * the notes, for dumps made from this core. Return: 0; -EBADMSG; -ENOMEM. */
int core_take_vmcoreinfo(struct core *core, const void *text, size_t len);

/** core_find_vmcoreinfo() - Look through the notes, set vi and page_size.
 * Return: 0; -ENODATA no such note; -EBADMSG one that makes no sense, logged; -ENOMEM. */
int core_find_vmcoreinfo(struct core *core);

/** core_search_vmcoreinfo() - Look for it in memory, through the core's own reader, and take
 * what is found. Return: 0, also where there is none, logged; -ENOMEM. */
int core_search_vmcoreinfo(struct core *core);

#endif
