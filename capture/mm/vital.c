// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/vital.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/mm/vital_priv.h"
#include "lib/log.h"

static const char *const tier_names[VITAL_NR_TIERS] = {
	[VITAL_PAGE_TABLES] = "page-tables",
	[VITAL_DATA] = "data",
	[VITAL_PERCPU] = "per-cpu",
	[VITAL_LOG] = "log",
	[VITAL_MEMORY] = "memory",
	[VITAL_TASKS] = "tasks",
	[VITAL_MODULES] = "modules",
	[VITAL_RODATA] = "read-only data",
	[VITAL_TEXT] = "text",
	[VITAL_MEMMAP] = "memory map",
	[VITAL_MAPPED] = "mapped",
};

const char *vital_tier_name(enum vital_tier tier)
{
	return (unsigned)tier < VITAL_NR_TIERS ? tier_names[tier] : "none";
}

int vital_create(struct core *core, struct vital **vital_ret)
{
	struct vital *v = malloc(sizeof(*v));
	int err;

	if (!v) {
		log_error("out of memory");
		return -ENOMEM;
	}
	v->core = core;
	vital_set_init(&v->set, core);
	vital_find_mappings(v, 0, 0);
	err = vital_set_finish(&v->set);
	if (err) {
		log_error("out of memory");
		vital_destroy(v);
		return err;
	}
	*vital_ret = v;
	return 0;
}

void vital_destroy(struct vital *v)
{
	if (!v)
		return;
	vital_set_deinit(&v->set);
	free(v);
}

const struct vital_range *vital_ranges(const struct vital *v, size_t *nr_ret)
{
	*nr_ret = v->set.nr;
	return v->set.ranges;
}
