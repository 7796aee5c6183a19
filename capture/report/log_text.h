/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How one record of the kernel's log becomes text, the same for both record
 * formats: "[    1.234567] [    T123] text", further lines indented to the
 * text, bytes that are not printable ASCII as \xNN.
 */
#ifndef CAPTURE_REPORT_LOG_TEXT_H
#define CAPTURE_REPORT_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/report/printk.h"

/** struct log_text - A record printer. Fill @emit, @ctx and @stats, zero the rest. */
struct log_text {
	int (*emit)(void *ctx, const char *text, size_t len);
	void *ctx;
	struct printk_stats *stats;
	int panic_rank; /* how well stats->panic_line tells the end; 0 none yet */
	size_t len;
	char buf[4096];
};

/** struct log_record - One record, borrowed for the call. */
struct log_record {
	uint64_t ts_nsec;
	bool has_caller;
	uint32_t caller_id; /* top bit set: a CPU, else a task */
	const char *text;
	size_t text_len;
};

/** log_text_record() - Print one record and look at it for the panic line. Text gathers in
 * @buf; end with log_text_flush(). Return: 0 or @emit's error. */
int log_text_record(struct log_text *t, const struct log_record *r);

/** log_text_raw() - Print text as it is (the character buffer before 3.5). */
int log_text_raw(struct log_text *t, const char *text, size_t len);

/** log_text_flush() - Hand over what has gathered. */
int log_text_flush(struct log_text *t);

#endif
