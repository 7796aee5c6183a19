/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crashed kernel's log, read out of its memory with the facts that
 * vmcoreinfo gives: the lockless ring buffer (kernel 5.10 on, kernel/printk/
 * printk_ringbuffer.[ch]), the record buffer before it (3.5 on), and the plain
 * character buffer before that.
 */
#ifndef CAPTURE_REPORT_PRINTK_H
#define CAPTURE_REPORT_PRINTK_H

#include <stddef.h>

#include "capture/core/core.h"

/**
 * struct printk_stats - What came of it.
 * @panic_line: "Kernel panic - not syncing: …" or the first BUG/Oops line, without
 *	time stamp; empty where none was seen
 */
struct printk_stats {
	uint64_t records;
	uint64_t bad_records; /* skipped: descriptor or text does not check out */
	char panic_line[256];
};

/**
 * printk_dump() - Write the log as dmesg shows it, "[    1.234567] text", one line each.
 * @emit: takes pieces of text in order; its non-zero return (-errno) ends the dump
 * @stats_ret: filled also on failure
 *
 * Return: 0; -ENODATA the facts are missing (logged); -EBADMSG the buffer makes no
 * sense (logged); @emit's error. Memory: one record and one block of descriptors.
 */
int printk_dump(struct core *core, int (*emit)(void *ctx, const char *text, size_t len), void *ctx,
		struct printk_stats *stats_ret);

#endif
