/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk over the pages of a core that a test has built, shown as text. */
#ifndef TESTS_UNIT_SCAN_WALK_H
#define TESTS_UNIT_SCAN_WALK_H

#include "capture/mm/scan.h"
#include "tests/unit/mm_builder.h"

struct scan_walk {
	struct core *core;
	struct scan *scan;
	struct scan_window win;
};

/* A letter for each class, in the order of enum page_class. */
extern const char class_letters[];

/** scan_walk_start() - Open @fd, which is taken over, silently. Aborts where that fails. */
struct scan_walk *scan_walk_start(int fd, bool use_memory_map);
void scan_walk_end(struct scan_walk *w);

/** scan_walk_classes() - One letter for each of @nr (to 127) pages from @pfn on, walking from
 * the start. Lasts until the next call. */
const char *scan_walk_classes(struct scan_walk *w, uint64_t pfn, unsigned nr);

/** scan_walk_from() - The same, seeking @pfn. */
const char *scan_walk_from(struct scan_walk *w, uint64_t pfn, unsigned nr);

#endif
