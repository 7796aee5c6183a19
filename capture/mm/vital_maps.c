// SPDX-License-Identifier: GPL-2.0-or-later
/* The tiers that the kernel's page tables alone tell. */
#include "capture/mm/vital_priv.h"

/*
 * @direct, @direct_end: the linear map of memory; page tables of it are wanted, but not what
 *	it maps, which is all memory
 * @image: virtual minus physical address in the kernel's image, where @has_image
 * @parts_known: symbols tell the image's parts, better than access rights do: memory that the
 *	kernel has given back is still mapped
 */
struct walk {
	struct vital *v;
	uint64_t direct, direct_end;
	uint64_t vmemmap, vmemmap_end;
	uint64_t image;
	bool has_image, parts_known;
	uint64_t last_table_len;
};

static bool in_direct(const struct walk *w, uint64_t vaddr)
{
	return vaddr >= w->direct && vaddr < w->direct_end;
}

static bool enter(void *ctx, uint64_t paddr, uint64_t vaddr, uint64_t len)
{
	struct walk *w = ctx;

	vital_set_add(&w->v->set, paddr, core_page_size(w->v->core), VITAL_PAGE_TABLES);
	return len > w->last_table_len || !in_direct(w, vaddr);
}

static void leaf(void *ctx, const struct arch_mapping *m)
{
	struct walk *w = ctx;
	enum vital_tier tier = VITAL_MAPPED;

	if (in_direct(w, m->vaddr))
		return;
	if (m->vaddr >= w->vmemmap && m->vaddr < w->vmemmap_end) {
		tier = VITAL_MEMMAP;
	} else if (w->has_image && m->vaddr - m->paddr == w->image) {
		/* Mapped in one piece: hardly a page elsewhere is as far from its place. */
		if (w->parts_known)
			return;
		tier = m->executable ? VITAL_TEXT : m->writable ? VITAL_DATA : VITAL_RODATA;
	}
	vital_set_add(&w->v->set, m->paddr, m->len, tier);
}

static void find_image(struct walk *w, const struct vmcoreinfo *vi)
{
	uint64_t stext, paddr;

	if (vmcoreinfo_symbol(vi, "_stext", &stext) ||
	    core_vaddr_to_paddr(w->v->core, stext, &paddr))
		return;
	w->has_image = true;
	w->image = stext - paddr;
}

/* A PT_LOAD's virtual address is a guess of kexec's: the page tables must agree. */
static uint64_t guess_page_offset(const struct walk *w)
{
	size_t nr;
	const struct core_segment *seg = core_loads(w->v->core, &nr);

	for (size_t i = 0; i < nr; i++) {
		uint64_t offset = seg[i].vaddr - seg[i].paddr, paddr;

		if (seg[i].vaddr == UINT64_MAX || seg[i].vaddr < seg[i].paddr ||
		    (w->has_image && offset == w->image))
			continue;
		if (!core_vaddr_to_paddr(w->v->core, seg[i].vaddr, &paddr) && paddr == seg[i].paddr)
			return offset;
	}
	return 0;
}

static void find_direct(struct walk *w)
{
	uint64_t base = w->v->symbols[SYM_page_offset_base];

	w->direct = base ? vital_word(w->v, base) : 0;
	if (!w->direct)
		w->direct = guess_page_offset(w);
	if (w->direct &&
	    __builtin_add_overflow(w->direct, core_end_paddr(w->v->core), &w->direct_end))
		w->direct_end = UINT64_MAX;
}

/* 7.2's vmcoreinfo tells, 6.12's does not: there the kernel's variable does. */
static void find_vmemmap(struct walk *w, const struct vmcoreinfo *vi)
{
	uint64_t pages = core_end_paddr(w->v->core) / core_page_size(w->v->core) + 1;
	uint64_t base = w->v->symbols[SYM_vmemmap_base], page_struct, len;

	if (vmcoreinfo_symbol(vi, "vmemmap", &w->vmemmap))
		w->vmemmap = base ? vital_word(w->v, base) : 0;
	if (!w->vmemmap || vmcoreinfo_size(vi, "page", &page_struct))
		return;
	if (__builtin_mul_overflow(pages, page_struct, &len) ||
	    __builtin_add_overflow(w->vmemmap, len, &w->vmemmap_end))
		w->vmemmap_end = UINT64_MAX;
}

void vital_find_mappings(struct vital *v)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	uint64_t page = core_page_size(v->core);
	struct walk w = {
		.v = v,
		.last_table_len = page * (page / 8),
		.parts_known = vital_knows_image(v),
	};
	const struct arch_visitor visitor = { enter, leaf, &w };

	find_image(&w, vi);
	find_direct(&w);
	find_vmemmap(&w, vi);
	core_visit_mappings(v->core, &visitor);
}
