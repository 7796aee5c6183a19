/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of physical pages, each with a tier, in bounded memory: ranges come in any
 * order and may overlap; of a page's tiers the lowest counts.
 */
#ifndef CAPTURE_MM_VITAL_SET_H
#define CAPTURE_MM_VITAL_SET_H

#include "capture/mm/vital.h"

#define VITAL_SET_PENDING 4096u

/*
 * @ranges: ascending, disjoint, at most VITAL_MAX_RANGES
 * @pending: not in @ranges yet
 * @full_tier: from this tier on, pages had to be left out and no more are taken
 * @err: the first failure to allocate; nothing is added after it
 */
struct vital_set {
	struct core *core; /* borrowed */
	struct vital_range *ranges;
	size_t nr;
	unsigned nr_pending;
	unsigned full_tier;
	int err;
	struct vital_range pending[VITAL_SET_PENDING];
};

void vital_set_init(struct vital_set *set, struct core *core);
void vital_set_deinit(struct vital_set *set);

/** vital_set_add() - Add the pages that hold any of @len bytes at @paddr, as far as they
 * are in the core. */
void vital_set_add(struct vital_set *set, uint64_t paddr, uint64_t len, enum vital_tier tier);

/** vital_set_finish() - Bring ->ranges up to date. Return: 0 or -ENOMEM. */
int vital_set_finish(struct vital_set *set);

#endif
