/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs from one architecture to the next, as one table each. Everything
 * here is data and plain C and compiles on every host, so that the dump of any
 * architecture can be handled, and unit-tested, anywhere.
 *
 * To add an architecture: a folder arch/<name>/ with mm.c (page-table walk) and
 * a row in arch/arch.c; tests/unit/test_arch_<name>.c walks tables written out
 * as text.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stddef.h>
#include <stdint.h>

/** struct arch_mem - How an architecture reads the crashed machine's physical memory. */
struct arch_mem {
	/* Return: 0, -ENODATA not in the dump, -EIO. */
	int (*read)(void *ctx, uint64_t paddr, void *buf, size_t len);
	void *ctx;
};

/** struct arch_facts - How an architecture asks what the crashed kernel said about itself
 * (vmcoreinfo). Each returns 0, -ENODATA absent, -EBADMSG malformed. */
struct arch_facts {
	int (*symbol)(void *ctx, const char *name, uint64_t *addr_ret);
	int (*number)(void *ctx, const char *name, int64_t *number_ret);
	int (*hex)(void *ctx, const char *key, uint64_t *value_ret);
	void *ctx;
};

/** struct arch_mm - One kernel address space, filled by arch_ops.mm_init(). */
struct arch_mm {
	uint64_t root_paddr;	/* top-level page table, physical */
	uint64_t phys_base;	/* x86: physical minus link address of the kernel image */
	uint64_t image_vaddr;	/* start of the kernel image's linear mapping, virtual */
	uint64_t image_len;	/* its length, bytes */
	uint64_t entry_mask;	/* bits of a page-table entry that hold the address */
	unsigned levels;	/* page-table levels in use */
};

/**
 * struct arch_ops - One architecture.
 * @name: as uname -m says it
 * @elf_machine: e_machine of its cores
 * @elf_class: ELFCLASS32 or ELFCLASS64
 * @page_size: bytes, used where vmcoreinfo does not say
 * @paddr_bits: width of a physical address; a core's memory beyond it is refused
 * @section_size_bits: log2 of the bytes in a SPARSEMEM section, used where vmcoreinfo
 *	does not say
 * @mm_init: find the kernel's page tables from @facts.
 *	Return: 0, -ENODATA a fact is missing, -EBADMSG a fact is impossible.
 * @vaddr_to_paddr: translate one kernel virtual address. *@len_ret is the number of
 *	bytes from @vaddr to the end of the page, large or small, that maps it.
 *	Return: 0; -ENODATA not mapped or table not in the dump; -EBADMSG corrupt
 *	table; -EIO.
 */
struct arch_ops {
	const char *name;
	uint16_t elf_machine;
	uint8_t elf_class;
	size_t page_size;
	unsigned paddr_bits;
	unsigned section_size_bits;
	int (*mm_init)(struct arch_mm *mm, const struct arch_facts *facts);
	int (*vaddr_to_paddr)(const struct arch_mm *mm, const struct arch_mem *mem, uint64_t vaddr,
			      uint64_t *paddr_ret, uint64_t *len_ret);
};

/** arch_find() - The architecture of an ELF machine and class; NULL where unknown. */
const struct arch_ops *arch_find(uint16_t elf_machine, uint8_t elf_class);

extern const struct arch_ops arch_x86_64;

#endif
