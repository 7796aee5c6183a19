/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front of an ELF dump: header, program headers, notes, in this order and before
 * any page data, because crash takes the first PT_LOAD's p_offset for the length of
 * all of it. Room for program headers is reserved at an upper bound, since a dump is
 * written in one pass; what is not used of it stays a gap of zeros.
 */
#ifndef CAPTURE_DUMP_ELF_TABLE_H
#define CAPTURE_DUMP_ELF_TABLE_H

#include <elf.h>

#include "capture/core/kdump_layout.h"
#include "capture/dump/dump_private.h"
#include "lib/elf_core.h"

#define ELF_PHNUM_MAX	  (PN_XNUM - 1u) /* beyond it, readers without PN_XNUM fail */
#define ELF_TABLE_PENDING 256u
#define ELF_ALIASES_MAX	  4u

/**
 * struct elf_table - Program headers that are on their way to the sink.
 * @elf: ELF32 of a 32-bit kernel where nothing is beyond 4 GiB, neither in memory nor in the dump.
 *	Else ELF64, which kexec-tools too uses for the rest of them.
 * @capacity: of the table in the sink, PT_NOTE included
 * @spare: splits left for pages that must not or cannot be read
 * @nr: entries, PT_NOTE included, of which the last @nr_pending wait in @pending
 * @alias: PT_LOADs of the core that map other PT_LOADs' memory a second time (on
 *	x86_64 the kernel image); they get entries of their own without data of their own
 */
struct elf_table {
	const struct dump_job *job;
	struct writer *writer; /* borrowed */
	struct elf_core elf;
	uint64_t notes, data; /* offsets */
	uint32_t capacity, nr, spare;
	unsigned nr_pending;
	Elf64_Phdr pending[ELF_TABLE_PENDING + 1];
	unsigned nr_aliases;
	struct core_segment alias[ELF_ALIASES_MAX];
};

/**
 * elf_table_init() - Lay out the front.
 * @split_pages_ret: pages that must be left out in a row for a PT_LOAD to end there, so
 *	that the table cannot overflow; 256, as in makedumpfile, or a multiple
 * Return: 0; -EINVAL more ranges of memory than the table can hold (logged).
 */
int elf_table_init(struct elf_table *t, const struct dump_job *job, struct writer *writer,
		   uint64_t *split_pages_ret);

/** elf_table_begin() - Write the front with one PT_LOAD, @first, flagged incomplete. */
int elf_table_begin(struct elf_table *t, const Elf64_Phdr *first);

/** elf_table_take_spare() - Whether a PT_LOAD may be split although the row of left-out
 * pages is short; takes one of a limited number. */
bool elf_table_take_spare(struct elf_table *t);

/** elf_table_add() - Add a PT_LOAD, and its aliases. Where it returns -EAGAIN, nothing was
 * added and elf_table_publish() has to come first. */
int elf_table_add(struct elf_table *t, const Elf64_Phdr *load);

/**
 * elf_table_publish() - Show readers the PT_LOADs added so far.
 * @open: the one being written, shown as far as it got; NULL for none
 * @flags: e_flags
 *
 * What lies beyond the data that is in the sink is not shown.
 */
int elf_table_publish(struct elf_table *t, const Elf64_Phdr *open, uint32_t flags);

#endif
