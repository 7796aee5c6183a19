// SPDX-License-Identifier: GPL-2.0-or-later
/* The tiers that the kernel's page tables alone tell. */
#include "capture/mm/vital_priv.h"
#include "lib/util.h"

#define IMAGE_ROUND (4ull << 20)

/*
 * @direct, @direct_end: the linear map of memory; page tables of it are wanted, but not what
 *	it maps, which is all memory
 * @image: virtual minus physical address in the kernel's image, where @has_image
 * @image_start, @image_end: where else that may be so, the image is in here
 * @linear_image: the image is in the linear map, as on i386; there are few tables then
 * @parts_known: symbols tell the image's parts, better than access rights do: memory that the
 *	kernel has given back is still mapped
 */
struct walk {
	struct vital *v;
	uint64_t direct, direct_end;
	uint64_t vmemmap, vmemmap_end;
	uint64_t image, image_start, image_end;
	bool has_image, linear_image, parts_known;
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
	return len > w->last_table_len || w->linear_image || !in_direct(w, vaddr);
}

/* Mapped in one piece: hardly a page elsewhere is as far from its place. */
static bool is_image(const struct walk *w, const struct arch_mapping *m)
{
	return w->has_image && m->vaddr - m->paddr == w->image && m->vaddr < w->image_end &&
	       m->vaddr + m->len > w->image_start;
}

/* What is mapped behind the linear map, which may end before memory does, is in another way. */
static bool is_direct(const struct walk *w, const struct arch_mapping *m)
{
	return in_direct(w, m->vaddr) && (!w->linear_image || m->vaddr - m->paddr == w->direct);
}

static void leaf(void *ctx, const struct arch_mapping *m)
{
	struct walk *w = ctx;
	enum vital_tier tier = VITAL_MAPPED;

	if (w->linear_image ? is_image(w, m) : is_image(w, m) && !is_direct(w, m)) {
		if (w->parts_known)
			return;
		/* Without NX, as on i386 without PAE, data is executable too. */
		tier = w->linear_image && m->writable ? VITAL_DATA :
		       m->executable		      ? VITAL_TEXT :
		       m->writable		      ? VITAL_DATA :
							VITAL_RODATA;
	} else if (is_direct(w, m)) {
		return;
	} else if (m->vaddr >= w->vmemmap && m->vaddr < w->vmemmap_end) {
		tier = VITAL_MEMMAP;
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
	w->image_end = UINT64_MAX;
}

/* In the linear map all else is mapped like the image. It ends with its bss, in which
 * swapper_pg_dir is. */
static void bound_image(struct walk *w, const struct vmcoreinfo *vi)
{
	uint64_t end;

	w->linear_image = true;
	w->image_end = 0;
	if (vmcoreinfo_symbol(vi, "_stext", &w->image_start) ||
	    vmcoreinfo_symbol(vi, "swapper_pg_dir", &end) || end < w->image_start)
		return;
	w->image_end = ROUND_UP(end + 1, IMAGE_ROUND);
}

/* A PT_LOAD's virtual address is a guess of kexec's: the page tables must agree. */
static uint64_t guess_page_offset(const struct walk *w, bool image_too)
{
	size_t nr;
	const struct core_segment *seg = core_loads(w->v->core, &nr);

	for (size_t i = 0; i < nr; i++) {
		uint64_t offset = seg[i].vaddr - seg[i].paddr, paddr;

		if (seg[i].vaddr == UINT64_MAX || seg[i].vaddr < seg[i].paddr ||
		    (!image_too && w->has_image && offset == w->image))
			continue;
		if (!core_vaddr_to_paddr(w->v->core, seg[i].vaddr, &paddr) && paddr == seg[i].paddr)
			return offset;
	}
	return 0;
}

static void find_direct(struct walk *w, const struct vmcoreinfo *vi)
{
	uint64_t base = w->v->symbols[SYM_page_offset_base];

	w->direct = base ? vital_word(w->v, base) : 0;
	if (!w->direct)
		w->direct = guess_page_offset(w, false);
	if (!w->direct) {
		w->direct = guess_page_offset(w, true);
		if (w->direct && w->has_image && w->direct == w->image)
			bound_image(w, vi);
	}
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
		.last_table_len = page * (page / vital_word_size(v)),
		.parts_known = vital_knows_image(v),
	};
	const struct arch_visitor visitor = { enter, leaf, &w };

	find_image(&w, vi);
	find_direct(&w, vi);
	find_vmemmap(&w, vi);
	core_visit_mappings(v->core, &visitor);
}
