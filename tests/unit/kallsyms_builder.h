/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a kernel's symbol table, as scripts/kallsyms.c of several releases would. */
#ifndef TESTS_UNIT_KALLSYMS_BUILDER_H
#define TESTS_UNIT_KALLSYMS_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KALLSYMS_BUILDER_IMAGE	0xffffffff81000000ull /* virtual address of _stext */
#define KALLSYMS_BUILDER_TABLES (KALLSYMS_BUILDER_IMAGE + 0x40000)

enum kallsyms_entries {
	ENTRIES_OFFSET,	  /* from a base */
	ENTRIES_PERCPU,	  /* CONFIG_KALLSYMS_ABSOLUTE_PERCPU */
	ENTRIES_PLACE,	  /* from where the entry is */
	ENTRIES_ABSOLUTE, /* addresses */
};

/*
 * @offsets_first: before the names, as until 6.3
 * @align: of each table, bytes: 8, or 4 as of 7.x
 * @named: vmcoreinfo tells where the tables are
 */
struct kallsyms_builder {
	enum kallsyms_entries entries;
	bool offsets_first;
	unsigned align;
	bool named;
	/* filled by kallsyms_builder_open() and of use to tests that damage something */
	uint64_t names, num_syms, token_table, token_index, offsets;
};

/** struct kallsyms_symbol - @name with its type letter before it. */
struct kallsyms_symbol {
	const char *name;
	uint64_t addr;
};

/**
 * kallsyms_builder_make() - A machine of 4 MiB whose kernel has @symbols, and 600 others
 * before them.
 * @damage: called before the core is finished; may be NULL
 *
 * Return: a core's file descriptor.
 */
struct core_builder;
int kallsyms_builder_make(struct kallsyms_builder *k, const struct kallsyms_symbol *symbols,
			  size_t nr,
			  void (*damage)(const struct kallsyms_builder *k, struct core_builder *b));

/** kallsyms_builder_paddr() - Where in memory an address of the image is. */
uint64_t kallsyms_builder_paddr(uint64_t vaddr);

#endif
