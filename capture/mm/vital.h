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

/**
 * enum vital_tier - What is worth most comes first.
 * @VITAL_PAGE_TABLES: the kernel's
 * @VITAL_DATA: the image's data and bss, and the log's ring buffer
 * @VITAL_CPUS: per-CPU areas; the tasks that were running, with their stacks
 * @VITAL_MEMORY: section table, nodes, slab caches; what readers check a dump by
 * @VITAL_TASKS: task_structs and what belongs to them, struct pids
 * @VITAL_MODULES: struct modules, and all that belongs to a module
 * @VITAL_STACKS: kernel stacks, and the code that they return to
 * @VITAL_RODATA: the image's read-only data, with what unwinding goes by
 * @VITAL_TEXT: the image's code
 * @VITAL_SYMBOLS: the kernel's own symbol table and type information
 * @VITAL_MEMMAP: struct pages
 * @VITAL_MAPPED: whatever else the kernel mapped outside of the linear map
 */
enum vital_tier {
	VITAL_PAGE_TABLES,
	VITAL_DATA,
	VITAL_CPUS,
	VITAL_MEMORY,
	VITAL_TASKS,
	VITAL_MODULES,
	VITAL_STACKS,
	VITAL_RODATA,
	VITAL_TEXT,
	VITAL_SYMBOLS,
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
