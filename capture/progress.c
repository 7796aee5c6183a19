// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

unsigned progress_percent(const struct dump_stats *s)
{
	if (!s->planned_pages)
		return 0;
	return MIN(s->done_pages, s->planned_pages) * 100 / s->planned_pages;
}

void progress_line(char *buf, size_t size, const struct dump_stats *s, size_t page_size,
		   uint64_t elapsed_ms)
{
	uint64_t done = MIN(s->done_pages, s->planned_pages);
	uint64_t left_ms = done ? elapsed_ms * (s->planned_pages - done) / done : 0;
	uint64_t rate = done * page_size / 1000 / (elapsed_ms ? elapsed_ms : 1);

	if (!s->planned_pages)
		snprintf(buf, size, "looking at the memory map, %" PRIu64 " of %" PRIu64 " MB",
			 s->scanned_pages * page_size / 1000000,
			 s->present_pages * page_size / 1000000);
	else
		snprintf(buf, size, "%u%%, %" PRIu64 " MB/s, %" PRIu64 " s left",
			 progress_percent(s), rate, DIV_ROUND_UP(left_ms, 1000));
}

void progress_log_stats(const struct dump_stats *s)
{
	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++)
		if (s->pages[class])
			log_info("%-14s %12" PRIu64 " pages", page_class_name(class),
				 s->pages[class]);
	log_info("%-14s %12" PRIu64 " pages", "present", s->present_pages);
	log_info("%-14s %12" PRIu64 " pages", "all zero", s->zero_pages);
	log_info("%-14s %12" PRIu64 " pages", "dropped", s->dropped_pages);
	if (s->unreadable_pages)
		log_warn("%-14s %12" PRIu64 " pages, the first is pfn 0x%" PRIx64 " (%s)",
			 "unreadable", s->unreadable_pages, s->first_unreadable_pfn,
			 strerror(s->first_read_errno));
}

void progress_log_total(const struct dump_stats *s, uint64_t elapsed_ms)
{
	uint64_t percent = s->bytes_in ? s->bytes_out * 1000 / s->bytes_in : 0;

	log_info("%" PRIu64 " of %" PRIu64 " pages kept, %" PRIu64 ".%" PRIu64
		 " MB written (%" PRIu64 ".%" PRIu64 "%% of their size) in %" PRIu64 ".%" PRIu64
		 " s",
		 s->kept_pages, s->present_pages, s->bytes_out / 1000000,
		 s->bytes_out / 100000 % 10, percent / 10, percent % 10, elapsed_ms / 1000,
		 elapsed_ms / 100 % 10);
}
