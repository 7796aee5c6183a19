// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * i386 address translation: Intel SDM volume 3, "32-Bit Paging" (with PSE-36) and "PAE
 * Paging"; kernel arch/x86/include/asm/pgtable_32_types.h for the virtual layout.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#include "arch/arch.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define PAGE_SHIFT	12
#define PAGE_BYTES	(1u << PAGE_SHIFT)
#define MAX_LEVELS	3
#define PADDR_BITS	36 /* MAX_PHYSMEM_BITS of PAE, arch/x86/include/asm/sparsemem.h */
#define ENTRY_PRESENT	(1ull << 0)
#define ENTRY_WRITE	(1ull << 1)
#define ENTRY_LARGE	(1ull << 7)
#define ENTRY_NX	(1ull << 63)
#define MASK_PAE	0x000ffffffffff000ull
#define MASK_PLAIN	0xfffff000ull
#define IMAGE_ROUND	(4ull << 20)
#define ADDRESS_SPACE	(1ull << 32)
#define PAE_TOP_ENTRIES 4u

static bool is_pae(const struct arch_mm *mm)
{
	return mm->levels == 3;
}

static unsigned entry_bytes(const struct arch_mm *mm)
{
	return is_pae(mm) ? 8 : 4;
}

/* log2 of the bytes that one entry of a table at @level maps. */
static unsigned level_shift(const struct arch_mm *mm, unsigned level)
{
	return PAGE_SHIFT + (is_pae(mm) ? 9 : 10) * (level - 1);
}

static unsigned level_entries(const struct arch_mm *mm, unsigned level)
{
	return level == 3 ? PAE_TOP_ENTRIES : PAGE_BYTES / entry_bytes(mm);
}

static uint64_t get_entry(const struct arch_mm *mm, const uint8_t *raw)
{
	return is_pae(mm) ? get_le64(raw) : get_le32(raw);
}

/* Only level 2 knows large pages; a level 3 entry has no such bit, it must be 0. */
static bool is_page(unsigned level, uint64_t entry)
{
	return level == 1 || entry & ENTRY_LARGE;
}

static uint64_t page_paddr(const struct arch_mm *mm, unsigned level, uint64_t entry)
{
	uint64_t len = 1ull << level_shift(mm, level);
	uint64_t paddr = entry & mm->entry_mask & ~(len - 1);

	/* PSE-36: bits 32 to 39 of a 4 MiB page's address are bits 13 to 20 of its entry. */
	if (!is_pae(mm) && level == 2)
		paddr |= (entry >> 13 & 0xff) << 32;
	return paddr;
}

/* Return: 0; -ENODATA the tables say that nothing is mapped there; -EBADMSG; mem's error. */
static int walk(const struct arch_mm *mm, const struct arch_mem *mem, uint64_t vaddr,
		uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t table = mm->root_paddr;

	for (unsigned level = mm->levels; level > 0; level--) {
		unsigned shift = level_shift(mm, level);
		uint64_t index = vaddr >> shift & (level_entries(mm, level) - 1);
		uint64_t in_page = vaddr & ((1ull << shift) - 1);
		uint8_t raw[8];
		uint64_t entry;
		int err =
			mem->read(mem->ctx, table + index * entry_bytes(mm), raw, entry_bytes(mm));

		*len_ret = (1ull << shift) - in_page; /* what this entry says goes for all of it */
		if (err)
			return err == -ENODATA ? -ENXIO : err;
		entry = get_entry(mm, raw);
		if (!(entry & ENTRY_PRESENT))
			return -ENODATA;
		if (level == 3 && entry & ENTRY_LARGE)
			return -EBADMSG;
		if (is_page(level, entry)) {
			*paddr_ret = page_paddr(mm, level, entry) | in_page;
			return 0;
		}
		table = entry & mm->entry_mask;
	}
	return -EBADMSG;
}

/* Let the linear map begin at @page_offset. Return: whether swapper_pg_dir can be in it. */
static bool set_page_offset(struct arch_mm *mm, uint64_t root, uint64_t page_offset)
{
	if (root < page_offset)
		return false;
	mm->root_paddr = root - page_offset;
	mm->image_vaddr = page_offset;
	mm->image_len = ROUND_UP(root + PAGE_BYTES, IMAGE_ROUND) - page_offset;
	return true;
}

/*
 * The kernel does not say where its linear map begins (PAGE_OFFSET, which is one of a few in
 * arch/x86/Kconfig: VMSPLIT_*). But it maps swapper_pg_dir itself, so that the tables tell
 * which it is; where they cannot be read, it is the usual one. Wherever the image was loaded
 * or moved by KASLR, it is in the linear map: swapper_pg_dir stands near its end, in its bss.
 */
static int find_page_offset(struct arch_mm *mm, const struct arch_mem *mem, uint64_t root)
{
	static const uint32_t page_offsets[] = { 0xc0000000, 0xb0000000, 0x80000000, 0x78000000,
						 0x40000000 };

	for (size_t i = 0; i < ARRAY_SIZE(page_offsets); i++) {
		uint64_t paddr, len;

		if (set_page_offset(mm, root, page_offsets[i]) &&
		    !walk(mm, mem, root, &paddr, &len) && paddr == mm->root_paddr)
			return 0;
	}
	return set_page_offset(mm, root, page_offsets[0]) ? 0 : -EBADMSG;
}

static int i386_mm_init(struct arch_mm *mm_ret, const struct arch_facts *facts,
			const struct arch_mem *mem)
{
	bool pae = facts->config(facts->ctx, "X86_PAE");
	struct arch_mm mm = { .entry_mask = pae ? MASK_PAE : MASK_PLAIN, .levels = pae ? 3 : 2 };
	uint64_t root;
	int err = facts->symbol(facts->ctx, "swapper_pg_dir", &root);

	if (!err && (root >= ADDRESS_SPACE || root % PAGE_BYTES))
		err = -EBADMSG;
	if (!err)
		err = find_page_offset(&mm, mem, root);
	if (!err)
		*mm_ret = mm;
	return err;
}

static int i386_vaddr_to_paddr(const struct arch_mm *mm, const struct arch_mem *mem, uint64_t vaddr,
			       uint64_t *paddr_ret, uint64_t *len_ret)
{
	uint64_t in_image = vaddr - mm->image_vaddr;
	int err;

	*len_ret = 1;
	if (vaddr >= ADDRESS_SPACE)
		return -ENODATA;
	err = walk(mm, mem, vaddr, paddr_ret, len_ret);
	if (!err || err == -ENODATA)
		return err;
	/* The tables are missing or broken; the linear map below the image's end is certain. */
	if (vaddr >= mm->image_vaddr && in_image < mm->image_len) {
		*paddr_ret = in_image;
		*len_ret = PAGE_BYTES - vaddr % PAGE_BYTES;
		return 0;
	}
	return err == -ENXIO ? -ENODATA : err;
}

/* One table on the way down: the entries below @next are still to be looked at. */
struct visit_level {
	uint8_t table[PAGE_BYTES];
	uint64_t vaddr;	 /* what entry 0 maps */
	uint64_t rights; /* what the tables above allow; an entry must allow it as well */
	uint64_t child;	 /* table named by the entry looked at last; none: all ones */
	unsigned next;
};

/* The stack is as deep as the tables are: tables that name each other are no loop. At most
 * 1 + 4 + 4 * 512 tables are looked at, so that no other bound is needed. */
struct visit {
	const struct arch_mm *mm;
	const struct arch_mem *mem;
	const struct arch_visitor *visitor;
	struct visit_level levels[MAX_LEVELS + 1]; /* by level; 0 unused */
};

/* NX is turned around so that rights are lost on the way down by a plain AND. The entries of
 * level 3 have none to give or to take. */
static uint64_t rights_of(unsigned level, uint64_t entry)
{
	return (level == 3 ? ENTRY_WRITE | ENTRY_NX : entry ^ ENTRY_NX) & (ENTRY_NX | ENTRY_WRITE);
}

/* Return: whether the table was entered. */
static bool visit_enter(struct visit *v, unsigned level, uint64_t table, uint64_t vaddr,
			uint64_t rights)
{
	struct visit_level *l = &v->levels[level];
	unsigned nr = level_entries(v->mm, level);

	if (!v->visitor->enter(v->visitor->ctx, table, vaddr,
			       (uint64_t)nr << level_shift(v->mm, level)) ||
	    v->mem->read(v->mem->ctx, table, l->table, nr * entry_bytes(v->mm)))
		return false;
	l->vaddr = vaddr;
	l->rights = rights;
	l->child = UINT64_MAX;
	l->next = nr;
	return true;
}

static void visit_page(struct visit *v, unsigned level, uint64_t vaddr, uint64_t entry)
{
	uint64_t rights = rights_of(level, entry) & v->levels[level].rights;
	const struct arch_mapping m = {
		.vaddr = vaddr,
		.paddr = page_paddr(v->mm, level, entry),
		.len = 1ull << level_shift(v->mm, level),
		.writable = rights & ENTRY_WRITE,
		.executable = rights & ENTRY_NX,
	};

	v->visitor->leaf(v->visitor->ctx, &m);
}

/* Look at the next entry of the table at @level. Return: whether a table was entered. */
static bool visit_entry(struct visit *v, unsigned level)
{
	struct visit_level *l = &v->levels[level];
	unsigned index = --l->next, shift = level_shift(v->mm, level);
	uint64_t entry = get_entry(v->mm, l->table + index * entry_bytes(v->mm));
	uint64_t vaddr = l->vaddr + ((uint64_t)index << shift);
	uint64_t child = entry & v->mm->entry_mask, same = l->child;

	l->child = UINT64_MAX;
	if (vaddr + (1ull << shift) <= v->mm->image_vaddr) {
		l->next = 0; /* from here down it is a process's */
		return false;
	}
	if (!(entry & ENTRY_PRESENT) || (level == 3 && entry & ENTRY_LARGE))
		return false;
	if (is_page(level, entry)) {
		visit_page(v, level, vaddr, entry);
		return false;
	}
	l->child = child;
	return child != same &&
	       visit_enter(v, level - 1, child, vaddr, rights_of(level, entry) & l->rights);
}

static int i386_visit(const struct arch_mm *mm, const struct arch_mem *mem,
		      const struct arch_visitor *visitor)
{
	struct visit v = { .mm = mm, .mem = mem, .visitor = visitor };
	unsigned level = mm->levels;

	if (!visit_enter(&v, level, mm->root_paddr, 0, ENTRY_WRITE | ENTRY_NX))
		return 0;
	while (level <= mm->levels) {
		if (!v.levels[level].next)
			level++;
		else if (visit_entry(&v, level))
			level--;
	}
	return 0;
}

/* arch/x86/include/asm/sparsemem.h */
static unsigned i386_section_size_bits(const struct arch_facts *facts)
{
	return facts->config(facts->ctx, "X86_PAE") ? 29 : 26;
}

const struct arch_ops arch_i386 = {
	.name = "i686",
	.uname = "i[3-6]86",
	.elf_machine = EM_386,
	.elf_class = ELFCLASS32,
	.page_size = PAGE_BYTES,
	.paddr_bits = PADDR_BITS,
	.section_size_bits = i386_section_size_bits,
	.mm_init = i386_mm_init,
	.vaddr_to_paddr = i386_vaddr_to_paddr,
	.visit = i386_visit,
};
