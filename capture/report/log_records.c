// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The record buffer of kernels 3.5 to 5.9: records of a header, text and
 * dictionary behind each other; a header of length 0 sends the reader back to
 * the start. And the buffer of plain characters that it replaced.
 * Kernel: kernel/printk/printk.c before v5.10, log_from_idx() and log_next().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "capture/report/report_private.h"
#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_HEADER	 256u
#define MAX_TEXT	 65535u
#define MAX_BUFFER_BYTES (1ull << 31) /* the kernel's own limit on log_buf_len= */

struct record_buffer {
	const struct log_source *src;
	uint64_t vaddr, size;
	uint64_t header_size, ts_nsec, len, text_len;
	bool has_caller;
	uint64_t caller_id;
	uint8_t header[MAX_HEADER];
	char text[MAX_TEXT];
};

/* struct printk_log was struct log before kernel 62e32ac3505a (v3.11). */
static int load_layout(struct record_buffer *b)
{
	const struct vmcoreinfo *vi = b->src->vi;
	uint64_t ignored;
	const char *type = vmcoreinfo_size(vi, "printk_log", &ignored) == 0 ? "printk_log" : "log";
	char ts_nsec[32], len[32], text_len[32], caller_id[32];
	const struct log_fact facts[] = {
		{ FACT_SIZE, type, &b->header_size, MAX_HEADER },
		{ FACT_OFFSET, ts_nsec, &b->ts_nsec, MAX_HEADER },
		{ FACT_OFFSET, len, &b->len, MAX_HEADER },
		{ FACT_OFFSET, text_len, &b->text_len, MAX_HEADER },
	};
	int err;

	snprintf(ts_nsec, sizeof(ts_nsec), "%s.ts_nsec", type);
	snprintf(len, sizeof(len), "%s.len", type);
	snprintf(text_len, sizeof(text_len), "%s.text_len", type);
	snprintf(caller_id, sizeof(caller_id), "%s.caller_id", type);
	err = log_source_facts(b->src, facts, ARRAY_SIZE(facts));
	if (err)
		return err;
	/* Here the field is there only with CONFIG_PRINTK_CALLER (15ff2069cb7f, v5.1). */
	b->has_caller = vmcoreinfo_offset(vi, caller_id, &b->caller_id) == 0;
	if (!range_within(b->ts_nsec, 8, b->header_size) ||
	    !range_within(b->len, 2, b->header_size) ||
	    !range_within(b->text_len, 2, b->header_size) ||
	    (b->has_caller && !range_within(b->caller_id, 4, b->header_size))) {
		log_error("vmcoreinfo's layout of a log record contradicts itself");
		return -EBADMSG;
	}
	return 0;
}

static int load_buffer(const struct log_source *src, uint64_t *vaddr_ret, uint64_t *size_ret)
{
	int err = log_source_symbol_value(src, "log_buf", src->long_size, vaddr_ret);

	if (!err)
		err = log_source_symbol_value(src, "log_buf_len", 4, size_ret);
	if (err)
		return err;
	if (*size_ret == 0 || *size_ret > MAX_BUFFER_BYTES) {
		log_error("the log's buffer is %" PRIu64 " bytes, which cannot be", *size_ret);
		return -EBADMSG;
	}
	return 0;
}

/* Read the header at @idx, or the one it sends to. Return: 0 with *@idx its place, -errno. */
static int load_header(struct record_buffer *b, uint64_t *idx)
{
	for (int tries = 0; tries < 2; tries++) {
		int err;

		if (!range_within(*idx, b->header_size, b->size))
			return -EBADMSG;
		err = core_read_vaddr(b->src->core, b->vaddr + *idx, b->header, b->header_size);
		if (err)
			return err;
		if (get_le16(b->header + b->len))
			return 0;
		*idx = 0;
	}
	return -EBADMSG;
}

static int print_record(struct record_buffer *b, uint64_t idx)
{
	struct log_record rec = {
		.ts_nsec = get_le64(b->header + b->ts_nsec),
		.has_caller = b->has_caller,
		.caller_id = b->has_caller ? get_le32(b->header + b->caller_id) : 0,
		.text = b->text,
		.text_len = get_le16(b->header + b->text_len),
	};

	if (core_read_vaddr(b->src->core, b->vaddr + idx + b->header_size, b->text, rec.text_len)) {
		b->src->text->stats->bad_records++;
		return 0;
	}
	return log_text_record(b->src->text, &rec);
}

static int dump_records(struct record_buffer *b, uint64_t idx, uint64_t end)
{
	uint64_t walked = 0;

	while (idx != end) {
		uint64_t len;
		int err = load_header(b, &idx);

		if (!err) {
			len = get_le16(b->header + b->len);
			if (len < b->header_size + get_le16(b->header + b->text_len) ||
			    !range_within(idx, len, b->size))
				err = -EBADMSG;
		}
		/* More than one way round: the records form a cycle without the end. */
		if (err || (walked += len) > b->size) {
			log_error("the log is damaged at byte %" PRIu64
				  " of its buffer: ends there",
				  idx);
			b->src->text->stats->bad_records++;
			return err ? err : -EBADMSG;
		}
		err = print_record(b, idx);
		if (err)
			return err;
		idx += len;
	}
	return 0;
}

int log_records_dump(const struct log_source *src)
{
	_free_ struct record_buffer *b = calloc(1, sizeof(*b));
	uint64_t first, next;
	int err;

	if (!b)
		return -ENOMEM;
	b->src = src;
	err = load_layout(b);
	if (!err)
		err = load_buffer(src, &b->vaddr, &b->size);
	if (!err)
		err = log_source_symbol_value(src, "log_first_idx", 4, &first);
	if (!err)
		err = log_source_symbol_value(src, "log_next_idx", 4, &next);
	return err ? err : dump_records(b, first, next);
}

int log_chars_dump(const struct log_source *src)
{
	uint64_t vaddr, size, end, at;
	char piece[4096];
	int err = load_buffer(src, &vaddr, &size);

	if (!err)
		err = log_source_symbol_value(src, "log_end", 4, &end);
	if (err)
		return err;
	/* log_end counts all characters ever written; the buffer's size is a power of two. */
	at = end > size ? end - size : 0;
	while (at < end) {
		uint64_t in_buffer = at % size;
		size_t n = MIN(end - at, size - in_buffer);

		n = MIN(n, sizeof(piece));
		if (core_read_vaddr(src->core, vaddr + in_buffer, piece, n))
			src->text->stats->bad_records++;
		else if ((err = log_text_raw(src->text, piece, n)))
			return err;
		at += n;
	}
	return 0;
}
