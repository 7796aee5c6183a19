/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of capture/report share. */
#ifndef CAPTURE_REPORT_REPORT_PRIVATE_H
#define CAPTURE_REPORT_REPORT_PRIVATE_H

#include "capture/report/log_text.h"
#include "capture/report/vread.h"

/**
 * struct log_source - What reading a log needs, whatever its form.
 * @long_size: bytes in the crashed kernel's long
 */
struct log_source {
	struct core *core;
	const struct vmcoreinfo *vi;
	struct log_text *text;
	unsigned long_size;
};

/** struct log_fact - A size or offset that vmcoreinfo must give. */
struct log_fact {
	enum {
		FACT_SIZE,
		FACT_OFFSET
	} kind;
	const char *name;
	uint64_t *value;
	uint64_t max; /* above it, the fact is taken for damage */
};

/** log_source_facts() - Look up @nr facts.
 * Return: 0; -ENODATA, -EBADMSG (logged, with the fact's name). */
int log_source_facts(const struct log_source *src, const struct log_fact *facts, size_t nr);

/** log_source_long() - An unsigned long out of @p. */
uint64_t log_source_long(const struct log_source *src, const void *p);

/** log_source_symbol_value() - Read @len bytes at the variable @symbol. @max_len 8.
 * Return: 0; -errno (logged). */
int log_source_symbol_value(const struct log_source *src, const char *symbol, size_t len,
			    uint64_t *value_ret);

/** log_ring_dump() - The lockless ring buffer (kernel 896fbe20b4e2, v5.10). */
int log_ring_dump(const struct log_source *src);

/** log_records_dump() - The record buffer (kernel 7ff9554bb578, v3.5). */
int log_records_dump(const struct log_source *src);

/** log_chars_dump() - The character buffer before that. */
int log_chars_dump(const struct log_source *src);

#endif
