// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/scan_walk.h"

#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

const char class_letters[] = "_ks?cpufho";

struct scan_walk *scan_walk_start(int fd, bool use_memory_map)
{
	struct scan_walk *w = calloc(1, sizeof(*w));
	enum log_level before = log_level();

	log_set_level(LOG_LVL_NONE);
	if (!w || core_open_fd(fd, "test", &w->core) ||
	    scan_create(w->core, use_memory_map, &w->scan))
		abort();
	log_set_level(before);
	return w;
}

void scan_walk_end(struct scan_walk *w)
{
	scan_destroy(w->scan);
	core_close(w->core);
	free(w);
}

static const char *show(struct scan_walk *w, uint64_t pfn, unsigned nr)
{
	static char text[128];

	memset(text, '_', nr);
	text[nr] = '\0';
	while (scan_next(w->scan, &w->win) && w->win.pfn < pfn + nr)
		for (uint32_t i = 0; i < w->win.nr; i++)
			if (w->win.pfn + i >= pfn && w->win.pfn + i < pfn + nr)
				text[w->win.pfn + i - pfn] = class_letters[w->win.class[i]];
	return text;
}

const char *scan_walk_classes(struct scan_walk *w, uint64_t pfn, unsigned nr)
{
	scan_rewind(w->scan);
	return show(w, pfn, nr);
}

const char *scan_walk_from(struct scan_walk *w, uint64_t pfn, unsigned nr)
{
	scan_seek(w->scan, pfn);
	return show(w, pfn, nr);
}
