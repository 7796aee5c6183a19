// SPDX-License-Identifier: GPL-2.0-or-later
/* What a dump of the running kernel would hold, in the words of makedumpfile --mem-usage. */
#include <inttypes.h>
#include <stdio.h>

#include "capture/commands.h"
#include "capture/figures.h"
#include "capture/output.h"
#include "lib/log.h"

static int write_nowhere(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	(void)ctx;
	(void)offset;
	(void)buf;
	(void)len;
	return 0;
}

static void print_table(const struct dump_stats *st, size_t page_size)
{
	const struct {
		const char *type;
		uint64_t pages;
		const char *excludable, *description;
	} rows[] = {
		{ "ZERO", st->zero_pages, "yes", "Pages filled with zero" },
		{ "NON_PRI_CACHE", st->pages[PAGE_CACHE], "yes",
		  "Cache pages without private flag" },
		{ "PRI_CACHE", st->pages[PAGE_CACHE_PRIVATE], "yes",
		  "Cache pages with private flag" },
		{ "USER", st->pages[PAGE_USER], "yes", "User process pages" },
		{ "FREE", st->pages[PAGE_FREE], "yes", "Free pages" },
		{ "KERN_DATA", st->planned_pages - st->zero_pages, "no", "Dumpable kernel data" },
	};

	printf("\nTYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION\n"
	       "----------------------------------------------------------------------\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%s%s%-16" PRIu64 "\t%s\t\t%s\n", rows[i].type, i == 1 ? "\t" : "\t\t",
		       rows[i].pages, rows[i].excludable, rows[i].description);
	printf("\npage size:\t\t%-16zu\nTotal pages on system:\t%-16" PRIu64
	       "\nTotal size on system:\t%-16" PRIu64 " Byte\n",
	       page_size, st->present_pages, st->present_pages * page_size);
}

enum filter_exit cmd_mem_usage(const struct options *o, struct core *core)
{
	const struct dump_sink nowhere = { .write = write_nowhere };
	const struct dump_options options = {
		.level = DUMP_LEVEL_MAX,
		.threads = save_options_threads(o),
	};
	struct dump_stats stats;
	struct json j;

	if (dump_write(core, &nowhere, 1, &options, &stats))
		return FILTER_FAILED;
	if (stats.scan_problem[0]) {
		log_error("pages cannot be told apart: %s", stats.scan_problem);
		return FILTER_FAILED;
	}
	if (!o->json) {
		print_table(&stats, core_page_size(core));
		return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
	}
	json_init(&j, stdout);
	json_object(&j, NULL);
	figures_kernel(core, &j);
	figures_pages(&stats, &j);
	json_end(&j, '}');
	putchar('\n');
	return output_flush(stdout) ? FILTER_FAILED : FILTER_OK;
}
