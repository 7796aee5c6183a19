/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump's reader needs before all else, so that a dump that was cut short
 * still answers: where it is, in tiers, found in the crashed kernel's own memory.
 *
 * Three sources, of which each works without the next: the kernel's page tables
 * with the rights that they give (what is text, data, mapped elsewhere), its
 * symbol table (kallsyms), and its type information (BTF).
 */
#ifndef CAPTURE_MM_VITAL_H
#define CAPTURE_MM_VITAL_H

#include "capture/core/core.h"

/** enum vital_tier - In this order they are worth most. */
enum vital_tier {
	VITAL_PAGE_TABLES,
	VITAL_DATA,
	VITAL_PERCPU,
	VITAL_LOG,
	VITAL_MEMORY,
	VITAL_TASKS,
	VITAL_MODULES,
	VITAL_RODATA,
	VITAL_TEXT,
	VITAL_MEMMAP,
	VITAL_MAPPED,
	VITAL_NR_TIERS,
};

/** struct vital_range - Consecutive pages that a reader needs before others. */
struct vital_range {
	uint64_t pfn;
	uint32_t nr; /* at least 1 */
	uint8_t tier;
};

#define VITAL_MAX_RANGES 65536u

struct vital;

/**
 * vital_create() - Find what is vital.
 * @vital_ret: owned by the caller, to be released with vital_destroy()
 *
 * What cannot be found, for the core is damaged or the kernel was built without it,
 * is simply not in it. At most VITAL_MAX_RANGES are kept (1 MiB; three times that
 * while they are made): what exceeds falls out of the highest tier first.
 *
 * Return: 0 or -ENOMEM.
 */
int vital_create(struct core *core, struct vital **vital_ret);
void vital_destroy(struct vital *v);

/** vital_ranges() - Ascending by pfn and disjoint: each page is in its lowest tier, and in
 * one of the core's segments. Borrowed until vital_destroy(). */
const struct vital_range *vital_ranges(const struct vital *v, size_t *nr_ret);

/** vital_tier_name() - A word for people, such as "page-tables". */
const char *vital_tier_name(enum vital_tier tier);

#endif
