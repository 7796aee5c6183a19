/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CAPTURE_PROGRESS_H
#define CAPTURE_PROGRESS_H

#include <stddef.h>

#include "capture/dump/dump.h"

/** progress_percent() - Of the pages that are to be written, how many have been dealt with. */
unsigned progress_percent(const struct dump_stats *s);

/** progress_line() - "42%, 118 MB/s, 12 s left" after @elapsed_ms, or how much has been
 * classified. The rate is that of memory before it is packed. @page_size in bytes. */
void progress_line(char *buf, size_t size, const struct dump_stats *s, size_t page_size,
		   uint64_t elapsed_ms);

/** progress_summary() - Log what a dump came to, by class of page, and with what result. */
void progress_log_stats(const struct dump_stats *s);

/** progress_log_total() - Log one line: pages, size, ratio, seconds. */
void progress_log_total(const struct dump_stats *s, uint64_t elapsed_ms);

#endif
