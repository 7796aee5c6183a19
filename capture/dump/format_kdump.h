/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file of a kdump-compressed dump (layout: capture/core/kdump_layout.h), in the order
 * of these calls: begin, bitmap for each window, start, put and checkpoint, finish.
 */
#ifndef CAPTURE_DUMP_FORMAT_KDUMP_H
#define CAPTURE_DUMP_FORMAT_KDUMP_H

#include "capture/dump/dump_private.h"

struct kdump;

/**
 * struct kdump_part - What of the dump is in this file.
 * @split: whether it is one of several; then readers look for pages in [@start_pfn, @end_pfn)
 * @first_rank: of the first page in it
 * @nr: pages in it
 * @nr_all: pages in the whole dump
 */
struct kdump_part {
	bool split;
	uint64_t start_pfn, end_pfn;
	uint64_t first_rank, nr, nr_all;
};

/** kdump_create() - Return: 0; -ENOMEM; -EINVAL, -EOPNOTSUPP: a machine that the format
 * cannot describe (logged). @job and @sink are borrowed. */
int kdump_create(const struct dump_job *job, const struct dump_sink *sink, struct kdump **k_ret);
void kdump_destroy(struct kdump *k);

/** kdump_begin() - Write headers, flagged incomplete, and which pages the machine had. */
int kdump_begin(struct kdump *k);

/** kdump_bitmap() - Where in the sink the bitmap of the dump's pages stands. */
uint64_t kdump_bitmap(const struct kdump *k);

/** kdump_put_bitmap() - Write a window of it (plan_emit_fn). */
int kdump_put_bitmap(struct kdump *k, uint64_t pfn, const uint8_t *kept);

/** kdump_start() - The bitmap is complete: lay out the rest. */
int kdump_start(struct kdump *k, const struct kdump_part *part);

/** kdump_finish() - The last checkpoint, sync, and then take the mark of the incomplete away. */
int kdump_finish(struct kdump *k);

/** format_kdump - Takes pages in any order, each with its rank. */
extern const struct format_ops format_kdump;

#endif
