// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/vital.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kallsyms.h"
#include "capture/mm/vital_priv.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_STACKS 4096u      /* 64 MiB to read */
#define MAX_PAGES  (4u << 20) /* half a second; 100,000 stacks are 400,000 */

/* In the order of enum vital_tier. */
static const char *const tier_names[] = {
	"page-tables", "data",	 "cpus", "memory",  "tasks",  "modules",
	"stacks",      "rodata", "text", "symbols", "memmap", "mapped",
};
static_assert(ARRAY_SIZE(tier_names) == VITAL_NR_TIERS, "each tier has a name");

const char *vital_tier_name(enum vital_tier tier)
{
	return (unsigned)tier < VITAL_NR_TIERS ? tier_names[tier] : "none";
}

static const char *const symbol_names[VITAL_NR_SYMBOLS] = {
#define X(name) #name,
	VITAL_SYMBOLS(X)
#undef X
};

static const char *const field_paths[VITAL_NR_FIELDS] = {
#define X(name, path) path,
	VITAL_FIELDS(X)
#undef X
};

/* Fill symbols and fields, as far as the crashed kernel tells. Return: 0 or -ENOMEM. */
static int load_facts(struct vital *v)
{
	struct kallsyms *k;
	int err = kallsyms_open(v->core, &k);

	if (!err) {
		err = kallsyms_find(k, symbol_names, VITAL_NR_SYMBOLS, v->symbols);
		kallsyms_close(k);
	}
	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < VITAL_NR_FIELDS; i++)
		v->fields[i].path = field_paths[i];
	err = btf_ask(v->core, v->symbols[SYM___start_BTF], v->symbols[SYM___stop_BTF], v->fields,
		      VITAL_NR_FIELDS);
	if (err)
		log_debug("the crashed kernel's types cannot be read: %s", strerror(-err));
	return err == -ENOMEM ? err : 0;
}

int vital_create(struct core *core, struct vital **vital_ret)
{
	struct vital *v = calloc(1, sizeof(*v));
	int err = -ENOMEM;

	if (!v)
		goto fail;
	v->core = core;
	v->pages_left = MAX_PAGES;
	v->stacks_left = MAX_STACKS;
	vital_set_init(&v->set, core);
	if (!core_setup_vaddr(core)) {
		err = load_facts(v);
		if (err)
			goto fail;
		vital_find_mappings(v);
		vital_find_kernel(v);
		vital_find_tasks(v);
		vital_find_modules(v);
	}
	err = vital_set_finish(&v->set);
	if (err)
		goto fail;
	*vital_ret = v;
	return 0;
fail:
	log_error("out of memory");
	vital_destroy(v);
	return err;
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
