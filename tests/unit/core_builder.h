/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds small ELF cores in memory for tests: a few calls, then a file descriptor
 * that core_open_fd() takes. Memory that is never written stays a hole, so that a
 * core of a terabyte costs nothing.
 *
 *	struct core_builder b;
 *
 *	core_builder_init(&b);
 *	core_builder_ram(&b, 0x100000, 16 << 20);
 *	core_builder_vmcoreinfo(&b, "PAGESIZE=4096\n");
 *	core_builder_put64(&b, 0x100008, 0x1234);
 *	err = core_open_fd(core_builder_finish(&b), "test", &core);
 *
 * Mistakes in the test itself (no memory, a write outside of RAM) abort().
 */
#ifndef TESTS_UNIT_CORE_BUILDER_H
#define TESTS_UNIT_CORE_BUILDER_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define CORE_BUILDER_MAX_LOADS	   64
#define CORE_BUILDER_HEADERS_BYTES (256 * 1024) /* room for headers and notes */

/* @machine, @ident_class and @loads may be changed before core_builder_finish() in order to
 * build what is wrong; core_builder_put*() uses @loads as well. @end may be lowered before
 * the first core_builder_ram() where a small file is wanted and the headers will fit. */
struct core_builder {
	int fd;
	uint16_t machine;    /* EM_X86_64 */
	uint8_t ident_class; /* ELFCLASS64; the layout stays that of 64 bits */
	Elf64_Phdr loads[CORE_BUILDER_MAX_LOADS];
	size_t nr_loads;
	uint8_t *notes;
	size_t notes_len;
	uint64_t end; /* of the file so far */
};

void core_builder_init(struct core_builder *b);

/** core_builder_ram() - One PT_LOAD of @len zero bytes. */
void core_builder_ram(struct core_builder *b, uint64_t paddr, uint64_t len);

/** core_builder_note() - Append a note. */
void core_builder_note(struct core_builder *b, const char *name, uint32_t type, const void *desc,
		       size_t len);

/** core_builder_vmcoreinfo() - Append a VMCOREINFO note. */
void core_builder_vmcoreinfo(struct core_builder *b, const char *text);

/** core_builder_put() - Write into RAM, which core_builder_ram() has added before. */
void core_builder_put(struct core_builder *b, uint64_t paddr, const void *data, size_t len);
void core_builder_put64(struct core_builder *b, uint64_t paddr, uint64_t value);
void core_builder_put32(struct core_builder *b, uint64_t paddr, uint32_t value);

/**
 * core_builder_map() - Map @vaddr to @paddr in x86_64 4-level page tables.
 * @root: physical address of the top-level table, in RAM
 * @next_table: physical address of free, zeroed RAM; moved on by each table made
 * @level: 1 for a 4 KiB page, 2 for 2 MiB, 3 for 1 GiB
 */
void core_builder_map(struct core_builder *b, uint64_t root, uint64_t *next_table, unsigned level,
		      const uint64_t vaddr_paddr[2]);

/** core_builder_finish() - Write the headers. Return: the file, owned by the caller; the
 * builder holds nothing any more. */
int core_builder_finish(struct core_builder *b);

#endif
