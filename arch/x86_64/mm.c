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
#define TABLE_BYTES	 4096
#define TABLE_ENTRIES	 512
#define MAX_LEVELS	 5
#define TABLE_BITS	 9
#define ENTRY_PRESENT	 (1ull << 0)
#define ENTRY_WRITE	 (1ull << 1)
#define ENTRY_LARGE	 (1ull << 7)
#define ENTRY_NX	 (1ull << 63)
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
static int x86_64_mm_init(struct arch_mm *mm, const struct arch_facts *facts,
			  const struct arch_mem *mem)
{
	static const char *const roots[] = { "init_top_pgt", "init_level4_pgt", "swapper_pg_dir" };
	int64_t phys_base, l5 = 0, sme_mask = 0;
	uint64_t root = 0;
	int err = -ENODATA;

	(void)mem;
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

		*len_ret = (1ull << shift) - in_page; /* what this entry says goes for all of it */
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
		return 0;
	}
	return -EBADMSG;
}

static int x86_64_vaddr_to_paddr(const struct arch_mm *mm, const struct arch_mem *mem,
				 uint64_t vaddr, uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t in_image = vaddr - mm->image_vaddr;
	int err;

	*len_ret = 1;
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

/* One table on the way down: the entries below @next are still to be looked at. */
struct visit_level {
	uint8_t table[TABLE_BYTES];
	uint64_t vaddr;	 /* what entry 0 maps */
	uint64_t rights; /* what the tables above allow; an entry must allow it as well */
	uint64_t child;	 /* table named by the entry looked at last; none: all ones */
	unsigned next, end;
};

/* The stack is as deep as the tables are: tables that name each other are no loop. */
struct visit {
	const struct arch_mm *mm;
	const struct arch_mem *mem;
	const struct arch_visitor *visitor;
	unsigned read_left, enter_left;
	struct visit_level levels[MAX_LEVELS + 1]; /* by level; 0 unused */
};

/* NX is turned around so that rights are lost on the way down by a plain AND. */
static uint64_t rights_of(uint64_t entry)
{
	return (entry ^ ENTRY_NX) & (ENTRY_NX | ENTRY_WRITE);
}

/* Return: 1 entered, 0 left alone, -E2BIG. */
static int visit_enter(struct visit *v, unsigned level, uint64_t table, uint64_t vaddr,
		       uint64_t rights)
{
	struct visit_level *l = &v->levels[level];
	unsigned bits = PAGE_SHIFT + TABLE_BITS * level;

	if (!v->enter_left)
		return -E2BIG;
	v->enter_left--;
	if (!v->visitor->enter(v->visitor->ctx, table, vaddr, 1ull << bits))
		return 0;
	if (!v->read_left)
		return -E2BIG;
	v->read_left--;
	if (v->mem->read(v->mem->ctx, table, l->table, TABLE_BYTES))
		return 0;
	l->vaddr = vaddr;
	l->rights = rights;
	l->child = UINT64_MAX;
	l->next = TABLE_ENTRIES;
	l->end = 0;
	return 1;
}

static void visit_leaf(struct visit *v, unsigned level, uint64_t vaddr, uint64_t entry)
{
	uint64_t len = 1ull << (PAGE_SHIFT + TABLE_BITS * (level - 1));
	uint64_t rights = rights_of(entry) & v->levels[level].rights;
	const struct arch_mapping m = {
		.vaddr = vaddr,
		.paddr = entry & v->mm->entry_mask & ~(len - 1),
		.len = len,
		.writable = rights & ENTRY_WRITE,
		.executable = rights & ENTRY_NX,
	};

	v->visitor->leaf(v->visitor->ctx, &m);
}

/* Look at the next entry of the table at @level. Return: as visit_enter(). */
static int visit_entry(struct visit *v, unsigned level)
{
	struct visit_level *l = &v->levels[level];
	unsigned index = --l->next;
	uint64_t entry = get_le64(l->table + 8 * index);
	uint64_t vaddr = l->vaddr + ((uint64_t)index << (PAGE_SHIFT + TABLE_BITS * (level - 1)));
	uint64_t child = entry & v->mm->entry_mask, same = l->child;

	l->child = UINT64_MAX;
	if (!(entry & ENTRY_PRESENT))
		return 0;
	if (level == 1 || entry & ENTRY_LARGE) {
		if (level <= 3)
			visit_leaf(v, level, vaddr, entry);
		return 0;
	}
	l->child = child;
	if (child == same)
		return 0;
	return visit_enter(v, level - 1, child, vaddr, rights_of(entry) & l->rights);
}

static int x86_64_visit(const struct arch_mm *mm, const struct arch_mem *mem,
			const struct arch_visitor *visitor)
{
	struct visit v = {
		.mm = mm,
		.mem = mem,
		.visitor = visitor,
		.read_left = ARCH_VISIT_READ_MAX,
		.enter_left = ARCH_VISIT_ENTER_MAX,
	};
	unsigned top = mm->levels, level = top;
	uint64_t upper_half = UINT64_MAX << (PAGE_SHIFT + TABLE_BITS * top);
	int ret = visit_enter(&v, top, mm->root_paddr, upper_half, rights_of(ENTRY_WRITE));

	if (ret <= 0)
		return ret;
	v.levels[top].end = TABLE_ENTRIES / 2; /* what is below is a process's */
	while (level <= top) {
		if (v.levels[level].next == v.levels[level].end) {
			level++;
			continue;
		}
		ret = visit_entry(&v, level);
		if (ret < 0)
			return ret;
		if (ret > 0)
			level--;
	}
	return 0;
}

static unsigned x86_64_section_size_bits(const struct arch_facts *facts)
{
	(void)facts;
	return 27; /* arch/x86/include/asm/sparsemem.h */
}

const struct arch_ops arch_x86_64 = {
	.name = "x86_64",
	.uname = "x86_64",
	.elf_machine = EM_X86_64,
	.elf_class = ELFCLASS64,
	.page_size = 1 << PAGE_SHIFT,
	.paddr_bits = PADDR_BITS,
	.section_size_bits = x86_64_section_size_bits,
	.mm_init = x86_64_mm_init,
	.vaddr_to_paddr = x86_64_vaddr_to_paddr,
	.visit = x86_64_visit,
};
