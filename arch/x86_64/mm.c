// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * x86_64 address translation: Intel SDM volume 3, "4-Level Paging and 5-Level
 * Paging"; kernel Documentation/arch/x86/x86_64/mm.rst for the virtual layout.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#include "arch/arch.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define PAGE_SHIFT	 12
#define TABLE_BITS	 9
#define ENTRY_PRESENT	 (1ull << 0)
#define ENTRY_LARGE	 (1ull << 7)
#define ENTRY_ADDR_MASK	 0x000ffffffffff000ull
#define PADDR_BITS	 52
#define START_KERNEL_MAP 0xffffffff80000000ull
#define KERNEL_IMAGE_LEN (1ull << 30) /* KERNEL_IMAGE_SIZE with CONFIG_RANDOMIZE_BASE, the most */

static int optional_number(const struct arch_facts *facts, const char *name, int64_t *number)
{
	int err = facts->number(facts->ctx, name, number);

	return err == -ENODATA ? 0 : err;
}

/*
 * The kernel says where it runs (phys_base, physical minus link address) since 4.10 and
 * how deep its tables are (pgtable_l5_enabled) since 4.17; older kernels have 4 levels.
 * init_top_pgt was init_level4_pgt before 4.13; swapper_pg_dir has always been the same.
 */
static int x86_64_mm_init(struct arch_mm *mm, const struct arch_facts *facts)
{
	static const char *const roots[] = { "init_top_pgt", "init_level4_pgt", "swapper_pg_dir" };
	int64_t phys_base, l5 = 0, sme_mask = 0;
	uint64_t root = 0;
	int err = -ENODATA;

	for (size_t i = 0; i < ARRAY_SIZE(roots) && err == -ENODATA; i++)
		err = facts->symbol(facts->ctx, roots[i], &root);
	if (!err)
		err = facts->number(facts->ctx, "phys_base", &phys_base);
	if (!err)
		err = optional_number(facts, "pgtable_l5_enabled", &l5);
	if (!err)
		err = optional_number(facts, "sme_mask", &sme_mask);
	if (err)
		return err;

	if (root < START_KERNEL_MAP)
		return -EBADMSG;
	root += (uint64_t)phys_base - START_KERNEL_MAP;
	if (root >> PADDR_BITS || root % (1 << PAGE_SHIFT))
		return -EBADMSG;
	*mm = (struct arch_mm){
		.phys_base = (uint64_t)phys_base,
		.root_paddr = root,
		.image_vaddr = START_KERNEL_MAP,
		.image_len = KERNEL_IMAGE_LEN,
		.entry_mask = ENTRY_ADDR_MASK & ~(uint64_t)sme_mask,
		.levels = l5 ? 5 : 4,
	};
	return 0;
}

static bool is_canonical(const struct arch_mm *mm, uint64_t vaddr)
{
	unsigned top = PAGE_SHIFT + TABLE_BITS * mm->levels - 1;
	uint64_t high = vaddr >> top;

	return high == 0 || high == UINT64_MAX >> top;
}

/* -ENXIO: the tables say that nothing is mapped there. Others: they could not be read. */
static int walk(const struct arch_mm *mm, const struct arch_mem *mem, uint64_t vaddr,
		uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t table = mm->root_paddr;

	for (unsigned level = mm->levels; level > 0; level--) {
		unsigned shift = PAGE_SHIFT + TABLE_BITS * (level - 1);
		uint64_t index = vaddr >> shift & ((1u << TABLE_BITS) - 1);
		uint64_t in_page = vaddr & ((1ull << shift) - 1);
		uint8_t raw[8];
		uint64_t entry;
		int err = mem->read(mem->ctx, table + index * sizeof(raw), raw, sizeof(raw));

		if (err)
			return err;
		entry = get_le64(raw);
		if (!(entry & ENTRY_PRESENT))
			return -ENXIO;
		if (level > 1 && !(entry & ENTRY_LARGE)) {
			table = entry & mm->entry_mask;
			continue;
		}
		if (level > 3)
			return -EBADMSG; /* no such large page: the bit must be 0 */
		/* In a large page's entry, bits below the page size are attributes (PAT). */
		*paddr_ret = (entry & mm->entry_mask & ~((1ull << shift) - 1)) | in_page;
		*len_ret = (1ull << shift) - in_page;
		return 0;
	}
	return -EBADMSG;
}

static int x86_64_vaddr_to_paddr(const struct arch_mm *mm, const struct arch_mem *mem,
				 uint64_t vaddr, uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t in_image = vaddr - mm->image_vaddr;
	int err;

	if (!is_canonical(mm, vaddr))
		return -ENODATA;
	err = walk(mm, mem, vaddr, paddr_ret, len_ret);
	if (!err)
		return 0;
	if (err == -ENXIO)
		return -ENODATA;
	/* The tables are missing or broken; the kernel's image is where phys_base says. */
	if (vaddr >= mm->image_vaddr && in_image < mm->image_len) {
		*paddr_ret = in_image + mm->phys_base;
		*len_ret = (1u << PAGE_SHIFT) - (vaddr & ((1u << PAGE_SHIFT) - 1));
		return 0;
	}
	return err;
}

const struct arch_ops arch_x86_64 = {
	.name = "x86_64",
	.elf_machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.page_size = 1 << PAGE_SHIFT,
	.paddr_bits = PADDR_BITS,
	.section_size_bits = 27, /* arch/x86/include/asm/sparsemem.h */
	.mm_init = x86_64_mm_init,
	.vaddr_to_paddr = x86_64_vaddr_to_paddr,
};
