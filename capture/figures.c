// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/figures.h"

#include <stdlib.h>
#include <string.h>

#include "capture/dump/codec.h"

void figures_kernel(struct core *core, struct json *j)
{
	const struct vmcoreinfo *vi = core ? core_vmcoreinfo(core) : NULL;
	const char *time = vi ? vmcoreinfo_string(vi, "CRASHTIME") : NULL;

	json_string(j, "kernel_release", vi ? vmcoreinfo_string(vi, "OSRELEASE") : NULL);
	json_string(j, "architecture", core ? core_arch(core)->name : NULL);
	if (time)
		json_u64(j, "crash_time", strtoull(time, NULL, 10));
	if (core)
		json_u64(j, "core_truncated_bytes", core_truncated_bytes(core));
}

void figures_pages(const struct dump_stats *st, struct json *j)
{
	json_object(j, "pages");
	json_u64(j, "present", st->present_pages);
	json_u64(j, "scanned", st->scanned_pages);
	json_u64(j, "planned", st->planned_pages);
	json_u64(j, "kept", st->kept_pages);
	json_u64(j, "zero", st->zero_pages);
	json_u64(j, "dropped", st->dropped_pages);
	json_u64(j, "unreadable", st->unreadable_pages);
	if (st->unreadable_pages) {
		json_u64(j, "first_unreadable_pfn", st->first_unreadable_pfn);
		json_string(j, "first_unreadable_error", strerror(st->first_read_errno));
	}
	json_object(j, "by_class");
	for (int class = PAGE_KEPT; class < PAGE_NR_CLASSES; class ++)
		json_u64(j, page_class_name(class), st->pages[class]);
	json_end(j, '}');
	json_end(j, '}');
}

void figures_dump(const struct options *o, unsigned level, const struct dump_stats *st,
		  struct json *j)
{
	json_u64(j, "level", level);
	json_string(j, "format", o->format == DUMP_FORMAT_ELF ? "elf" : "kdump-compressed");
	json_string(j, "codec", o->codec ? o->codec->name : "none");
	json_string(j, "scan_problem", st->scan_problem[0] ? st->scan_problem : NULL);
	json_u64(j, "size_bytes", st->file_size);
	json_u64(j, "written_bytes", st->bytes_out);
	json_u64(j, "memory_bytes", st->bytes_in);
	figures_pages(st, j);
}
