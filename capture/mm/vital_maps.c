// SPDX-License-Identifier: GPL-2.0-or-later
/* The tiers that the kernel's page tables alone tell. */
#include "capture/mm/vital_priv.h"

/*
 * @direct_end: where the linear map of memory ends; page tables of it are wanted, but
 *	not what it maps, which is all memory
 * @image: virtual minus physical address in the kernel's image
 */
struct walk {
	struct vital *v;
	uint64_t direct, direct_end;
	uint64_t vmemmap, vmemmap_end;
	uint64_t stext, image;
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

static enum vital_tier tier_of(const struct walk *w, const struct arch_mapping *m)
{
	if (m->vaddr >= w->vmemmap && m->vaddr < w->vmemmap_end)
		return VITAL_MEMMAP;
	/* The image is mapped in one piece; hardly a page elsewhere is as far from its place. */
	if (!w->stext || m->vaddr - m->paddr != w->image)
		return VITAL_MAPPED;
	if (m->executable)
		return VITAL_TEXT;
	return m->writable ? VITAL_DATA : VITAL_RODATA;
}

static void leaf(void *ctx, const struct arch_mapping *m)
{
	struct walk *w = ctx;

	if (!in_direct(w, m->vaddr))
		vital_set_add(&w->v->set, m->paddr, m->len, tier_of(w, m));
}

static void find_image(struct walk *w)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(w->v->core);
	uint64_t stext, paddr;

	if (vmcoreinfo_symbol(vi, "_stext", &stext) ||
	    core_vaddr_to_paddr(w->v->core, stext, &paddr))
		return;
	w->stext = stext;
	w->image = stext - paddr;
}

/* A PT_LOAD's virtual address is a guess of kexec's: the page tables must agree. */
static uint64_t guess_page_offset(const struct walk *w)
{
	size_t nr;
	const struct core_segment *seg = core_loads(w->v->core, &nr);

	for (size_t i = 0; i < nr; i++) {
		uint64_t paddr;

		if (seg[i].vaddr - seg[i].paddr != w->image && seg[i].vaddr > seg[i].paddr &&
		    seg[i].vaddr != UINT64_MAX &&
		    !core_vaddr_to_paddr(w->v->core, seg[i].vaddr, &paddr) && paddr == seg[i].paddr)
			return seg[i].vaddr - seg[i].paddr;
	}
	return 0;
}

void vital_find_mappings(struct vital *v, uint64_t page_offset, uint64_t vmemmap)
{
	uint64_t page = core_page_size(v->core), end = core_end_paddr(v->core), page_struct = 64;
	const struct vmcoreinfo *vi = core_vmcoreinfo(v->core);
	struct walk w = {.v = v, .last_table_len = page * (page / 8)};
	const struct arch_visitor visitor = {enter, leaf, &w};

	if (core_setup_vaddr(v->core) || !vi)
		return;
	find_image(&w);
	w.direct = page_offset ? page_offset : guess_page_offset(&w);
	if (w.direct && __builtin_add_overflow(w.direct, end, &w.direct_end))
		w.direct_end = UINT64_MAX;
	w.vmemmap = vmemmap;
	if (!w.vmemmap && vmcoreinfo_symbol(vi, "vmemmap", &w.vmemmap))
		w.vmemmap = 0;
	vmcoreinfo_size(vi, "page", &page_struct);
	if (w.vmemmap && (__builtin_mul_overflow(end / page + 1, page_struct, &w.vmemmap_end) ||
			  __builtin_add_overflow(w.vmemmap_end, w.vmemmap, &w.vmemmap_end)))
		w.vmemmap_end = UINT64_MAX;
	core_visit_mappings(v->core, &visitor);
}
