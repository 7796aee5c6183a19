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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct arch_mem - How an architecture reads the crashed machine's physical memory. */
struct arch_mem {
	/* Return: 0, -ENODATA not in the dump, -EIO. */
	int (*read)(void *ctx, uint64_t paddr, void *buf, size_t len);
	void *ctx;
};

/** struct arch_facts - How an architecture asks what the crashed kernel said about itself
 * (vmcoreinfo). Each but config returns 0, -ENODATA absent, -EBADMSG malformed. */
struct arch_facts {
	int (*symbol)(void *ctx, const char *name, uint64_t *addr_ret);
	int (*number)(void *ctx, const char *name, int64_t *number_ret);
	int (*hex)(void *ctx, const char *key, uint64_t *value_ret);
	bool (*config)(void *ctx, const char *name); /* "X86_PAE": whether it says =y */
	void *ctx;
};

/** struct arch_mm - One kernel address space, filled by arch_ops.mm_init(). */
struct arch_mm {
	uint64_t root_paddr;  /* top-level page table, physical */
	uint64_t phys_base;   /* x86: physical minus link address of the kernel image */
	uint64_t image_vaddr; /* start of the linear mapping that has the kernel image, virtual */
	uint64_t image_len;   /* its length, bytes */
	uint64_t entry_mask;  /* bits of a page-table entry that hold the address */
	unsigned levels;      /* page-table levels in use */
};

/** struct arch_mapping - What one entry of a page table maps, a page small or large. */
struct arch_mapping {
	uint64_t vaddr, paddr, len; /* bytes */
	bool writable;
	bool executable;
};

/**
 * struct arch_visitor - Who is told what a kernel's page tables hold.
 * @enter: a page-table page at @paddr, whose entries stand for the @len bytes from @vaddr
 *	on. Return: false to leave its entries alone.
 * @leaf: a mapping
 */
struct arch_visitor {
	bool (*enter)(void *ctx, uint64_t paddr, uint64_t vaddr, uint64_t len);
	void (*leaf)(void *ctx, const struct arch_mapping *m);
	void *ctx;
};

/* What a visit costs at most, whatever the tables say. As many tables are read as map 128 GiB
 * by 4 KiB pages; the linear map of 16 TiB by large pages takes a quarter of them. */
#define ARCH_VISIT_READ_MAX  65536u	/* tables whose entries are looked at */
#define ARCH_VISIT_ENTER_MAX (1u << 20) /* tables told of */

/**
 * struct arch_ops - One architecture.
 * @name: as uname -m says it
 * @uname: pattern, fnmatch(3), of all that uname -m says
 * @elf_machine: e_machine of its cores
 * @elf_class: ELFCLASS32 or ELFCLASS64, by the kernel's own pointers and longs
 * @page_size: bytes, used where vmcoreinfo does not say
 * @paddr_bits: width of a physical address; a core's memory beyond it is refused
 * @section_size_bits: log2 of the bytes in a SPARSEMEM section, used where vmcoreinfo
 *	does not say
 * @mm_init: find the kernel's page tables from @facts, and from @mem where these leave
 *	several answers.
 *	Return: 0, -ENODATA a fact is missing, -EBADMSG a fact is impossible.
 * @vaddr_to_paddr: translate one kernel virtual address. *@len_ret is the number of
 *	bytes from @vaddr to the end of the page, large or small, that maps it; on failure
 *	too it is set, to how many bytes from @vaddr on, at least 1, fail for that reason.
 *	Return: 0; -ENODATA not mapped or table not in the dump; -EBADMSG corrupt
 *	table; -EIO.
 * @visit: tell @visitor of all that the kernel's half of the page tables holds, from the
 *	highest address down (kernel image and modules come first, the linear map of memory
 *	last). Entries of one table that follow each other and name the same table, as where
 *	a shadow of zeros is shared, are told of once. A table that cannot be read or an
 *	entry that is impossible is left out.
 *	Return: 0; -E2BIG cut short at ARCH_VISIT_READ_MAX or ARCH_VISIT_ENTER_MAX.
 */
struct arch_ops {
	const char *name, *uname;
	uint16_t elf_machine;
	uint8_t elf_class;
	size_t page_size;
	unsigned paddr_bits;
	unsigned (*section_size_bits)(const struct arch_facts *facts);
	int (*mm_init)(struct arch_mm *mm, const struct arch_facts *facts,
		       const struct arch_mem *mem);
	int (*vaddr_to_paddr)(const struct arch_mm *mm, const struct arch_mem *mem, uint64_t vaddr,
			      uint64_t *paddr_ret, uint64_t *len_ret);
	int (*visit)(const struct arch_mm *mm, const struct arch_mem *mem,
		     const struct arch_visitor *visitor);
};

/** arch_find() - The architecture of an ELF machine; @elf_class chooses where a machine has
 * kernels of both. The headers of a core may be of the other class: kexec-tools describes the
 * memory above 4 GiB of a 32-bit kernel in ELF64, and a 64-bit kernel in ELF32 where it is
 * asked to. NULL where unknown. */
const struct arch_ops *arch_find(uint16_t elf_machine, uint8_t elf_class);

/** arch_find_uname() - The architecture of what uname -m says; NULL where unknown. */
const struct arch_ops *arch_find_uname(const char *machine);

extern const struct arch_ops arch_i386, arch_x86_64;

#endif
