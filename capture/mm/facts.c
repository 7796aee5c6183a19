// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of kernel facts that the memory map needs. What a kernel does not say it
 * does not have: presence is probed, versions are not compared. Releases are named only
 * to tell where a fact comes from.
 */
#include "capture/mm/facts.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

#define FLATMEM_SHIFT  40u	  /* pages: 4 PiB of the smallest */
#define NODE_MAX_BYTES (1u << 20) /* sizeof(struct pglist_data), generously */

enum fact {
	F_SIZE_PAGE,
	F_FLAGS,
	F_MAPPING,
	F_MAPCOUNT,
	F_PRIVATE,
	F_COMPOUND_HEAD,
	F_COMPOUND_INFO,
	F_COMPOUND_ORDER,
	F_COMPOUND_DTOR,
	F_FOLIO_ORDER,
	F_FOLIO_DTOR,
	F_FREE_AREA,
	F_PG_LRU,
	F_PG_PRIVATE,
	F_PG_SWAPCACHE,
	F_PG_SWAPBACKED,
	F_PG_SLAB,
	F_PG_HWPOISON,
	F_PG_HEAD_MASK,
	F_PG_HUGETLB,
	F_TYPE_BUDDY,
	F_TYPE_SLAB,
	F_TYPE_HUGETLB,
	F_TYPE_OFFLINE,
	F_TYPE_UNACCEPTED,
	F_HUGETLB_DTOR,
	F_MEM_SECTION,
	F_NR_ROOTS,
	F_SECTION_SIZE,
	F_SECTION_MAP,
	F_SECTION_BITS,
	F_CONTIG_NODE,
	F_NODE_MEM_MAP,
	F_NODE_START_PFN,
	F_NODE_SPANNED,
	F_NR_FACTS
};

/* Whom a fact is required of. */
enum model {
	NOBODY = 0,
	SPARSEMEM = 1,
	FLATMEM = 2,
	EVERYBODY = SPARSEMEM | FLATMEM,
};

static const struct fact_row {
	enum mm_fact_kind kind;
	const char *name;
	enum model required;
} fact_rows[F_NR_FACTS] = {
	[F_SIZE_PAGE] = { MM_FACT_SIZE, "page", EVERYBODY },
	[F_FLAGS] = { MM_FACT_OFFSET, "page.flags", EVERYBODY },
	[F_MAPPING] = { MM_FACT_OFFSET, "page.mapping", EVERYBODY },
	[F_MAPCOUNT] = { MM_FACT_OFFSET, "page._mapcount", EVERYBODY },
	[F_PRIVATE] = { MM_FACT_OFFSET, "page.private", EVERYBODY },
	/* Bit 0 marks a tail: 1d798ca3f164, 4.4. The word is compound_info from 7.1 on; bit 0
	 * means the same. One of the two is required. */
	[F_COMPOUND_HEAD] = { MM_FACT_OFFSET, "page.compound_head", NOBODY },
	[F_COMPOUND_INFO] = { MM_FACT_OFFSET, "page.compound_info", NOBODY },
	/* Bytes in the second page: 4.4 to 6.2 in struct page, to 6.5 in struct folio, whose
	 * second page starts at sizeof(struct page). Then the low byte of _flags_1. */
	[F_COMPOUND_ORDER] = { MM_FACT_OFFSET, "page.compound_order", NOBODY },
	[F_COMPOUND_DTOR] = { MM_FACT_OFFSET, "page.compound_dtor", NOBODY },
	[F_FOLIO_ORDER] = { MM_FACT_OFFSET, "folio._folio_order", NOBODY },
	[F_FOLIO_DTOR] = { MM_FACT_OFFSET, "folio._folio_dtor", NOBODY },
	[F_FREE_AREA] = { MM_FACT_LENGTH, "zone.free_area", EVERYBODY },
	[F_PG_LRU] = { MM_FACT_NUMBER, "PG_lru", EVERYBODY },
	[F_PG_PRIVATE] = { MM_FACT_NUMBER, "PG_private", EVERYBODY },
	[F_PG_SWAPCACHE] = { MM_FACT_NUMBER, "PG_swapcache", EVERYBODY },
	/* Without it (before 4.10) swap cache cannot be told for certain, and is kept. */
	[F_PG_SWAPBACKED] = { MM_FACT_NUMBER, "PG_swapbacked", NOBODY },
	/* A flag up to 6.9, then a page type (46df8e73a4a3, 6.10). One of the two is required:
	 * a slab's page.mapping is something else. */
	[F_PG_SLAB] = { MM_FACT_NUMBER, "PG_slab", NOBODY },
	[F_TYPE_SLAB] = { MM_FACT_NUMBER, "PAGE_SLAB_MAPCOUNT_VALUE", NOBODY },
	[F_PG_HWPOISON] = { MM_FACT_NUMBER, "PG_hwpoison", NOBODY }, /* CONFIG_MEMORY_FAILURE */
	[F_PG_HEAD_MASK] = { MM_FACT_NUMBER, "PG_head_mask", EVERYBODY },
	/* hugetlb: a destructor's number (4.4 to 6.5), PG_hugetlb in the second page's flags
	 * (9c5ccf2db04b, 6.6), a page type (d99e3140a4d3, 6.9). */
	[F_HUGETLB_DTOR] = { MM_FACT_NUMBER, "HUGETLB_PAGE_DTOR", NOBODY },
	[F_PG_HUGETLB] = { MM_FACT_NUMBER, "PG_hugetlb", NOBODY },
	[F_TYPE_HUGETLB] = { MM_FACT_NUMBER, "PAGE_HUGETLB_MAPCOUNT_VALUE", NOBODY },
	[F_TYPE_BUDDY] = { MM_FACT_NUMBER, "PAGE_BUDDY_MAPCOUNT_VALUE", EVERYBODY },
	[F_TYPE_OFFLINE] = { MM_FACT_NUMBER, "PAGE_OFFLINE_MAPCOUNT_VALUE", NOBODY }, /* 5.1 */
	[F_TYPE_UNACCEPTED] = { MM_FACT_NUMBER, "PAGE_UNACCEPTED_MAPCOUNT_VALUE",
				NOBODY }, /* 6.16 */
	/* With SPARSEMEM_EXTREME the symbol's value is the address of the
	 * array of roots: an array up to 4.14, allocated since (83e3c48729d9, 4.15), for
	 * which vmcoreinfo was set right by a0b1280368d1 (4.15). */
	[F_MEM_SECTION] = { MM_FACT_SYMBOL, "mem_section", SPARSEMEM },
	[F_NR_ROOTS] = { MM_FACT_LENGTH, "mem_section", SPARSEMEM },
	[F_SECTION_SIZE] = { MM_FACT_SIZE, "mem_section", SPARSEMEM },
	[F_SECTION_MAP] = { MM_FACT_OFFSET, "mem_section.section_mem_map", SPARSEMEM },
	/* 4f5aecdff25f, 5.13; before that the architecture knows it. */
	[F_SECTION_BITS] = { MM_FACT_NUMBER, "SECTION_SIZE_BITS", NOBODY },
	/* The only node there is without CONFIG_NUMA. Its node_mem_map is the struct page of its
	 * node_start_pfn (mm/page_alloc.c, alloc_node_mem_map()). */
	[F_CONTIG_NODE] = { MM_FACT_SYMBOL, "contig_page_data", FLATMEM },
	[F_NODE_MEM_MAP] = { MM_FACT_OFFSET, "pglist_data.node_mem_map", FLATMEM },
	[F_NODE_START_PFN] = { MM_FACT_OFFSET, "pglist_data.node_start_pfn", FLATMEM },
	[F_NODE_SPANNED] = { MM_FACT_OFFSET, "pglist_data.node_spanned_pages", FLATMEM },
};

struct fact_values {
	uint64_t value[F_NR_FACTS];
	bool known[F_NR_FACTS];
};

static const char *kind_name(enum mm_fact_kind kind)
{
	static const char *const names[] = { "SIZE", "OFFSET", "LENGTH", "NUMBER", "SYMBOL" };

	return names[kind];
}

static int read_fact(const struct vmcoreinfo *vi, const struct fact_row *row, uint64_t *value_ret)
{
	int64_t number;
	int err;

	switch (row->kind) {
	case MM_FACT_SIZE:
		return vmcoreinfo_size(vi, row->name, value_ret);
	case MM_FACT_OFFSET:
		return vmcoreinfo_offset(vi, row->name, value_ret);
	case MM_FACT_LENGTH:
		return vmcoreinfo_length(vi, row->name, value_ret);
	case MM_FACT_SYMBOL:
		return vmcoreinfo_symbol(vi, row->name, value_ret);
	case MM_FACT_NUMBER:
		break;
	}
	err = vmcoreinfo_number(vi, row->name, &number);
	if (!err)
		*value_ret = (uint64_t)number;
	return err;
}

/* The symbol is exported by FLATMEM alone (kernel/vmcore_info.c). */
static bool is_flatmem(const struct vmcoreinfo *vi)
{
	return vmcoreinfo_string(vi, "SYMBOL(mem_map)") &&
	       !vmcoreinfo_string(vi, "SYMBOL(mem_section)");
}

static int read_facts(const struct vmcoreinfo *vi, const struct mm_fact_source *more,
		      struct fact_values *v, char *problem, size_t room)
{
	const enum model model = is_flatmem(vi) ? FLATMEM : SPARSEMEM;

	for (size_t i = 0; i < F_NR_FACTS; i++) {
		const struct fact_row *row = &fact_rows[i];
		const bool required = row->required & model;
		int err = read_fact(vi, row, &v->value[i]);

		if (err == -ENODATA && required && more)
			err = more->find(more->ctx, row->kind, row->name, &v->value[i]);
		v->known[i] = !err;
		if (err == -EBADMSG || (err && required)) {
			snprintf(problem, room, "vmcoreinfo %s %s(%s)",
				 err == -EBADMSG ? "has a malformed" : "lacks",
				 kind_name(row->kind), row->name);
			return err;
		}
	}
	if (!v->known[F_COMPOUND_HEAD] && !v->known[F_COMPOUND_INFO]) {
		snprintf(problem, room, "vmcoreinfo lacks OFFSET(page.compound_head)");
		return -ENODATA;
	}
	if (!v->known[F_PG_SLAB] && !v->known[F_TYPE_SLAB]) {
		snprintf(problem, room, "vmcoreinfo does not say how to tell slab pages");
		return -ENODATA;
	}
	return 0;
}

/* Flag numbers count from 0; out of range gives no flag, which for a required one fails in
 * facts_are_possible(). */
static uint64_t flag_mask(const struct fact_values *v, enum fact fact)
{
	if (!v->known[fact] || v->value[fact] > 63)
		return 0;
	return 1ull << v->value[fact];
}

/*
 * Up to 6.11 a type is a whole value of _mapcount. Since then it is the topmost byte, and
 * the rest may hold something else (4ffca5a96678, 6.12): the kernel's own test is
 * page_type >> 24.
 */
static struct page_type type_of(const struct fact_values *v, enum fact fact)
{
	uint32_t value = (uint32_t)v->value[fact];

	if (!v->known[fact])
		return (struct page_type){ 0, 1 };
	return (struct page_type){ value & 0xffffff ? UINT32_MAX : 0xff000000, value };
}

/* Where a page that is in use has -1 or the number of its mappings, less one: a type is
 * none of these (kernel include/linux/page-flags.h: PAGE_TYPE_BASE, PAGE_MAPCOUNT_RESERVE). */
static bool type_is_possible(struct page_type type)
{
	return !type.mask || (type.value >> 31 && (UINT32_MAX & type.mask) != type.value);
}

static bool types_are_possible(const struct page_facts *f)
{
	const struct page_type types[] = { f->type_buddy, f->type_slab, f->type_hugetlb,
					   f->type_offline, f->type_unaccepted };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!type_is_possible(types[i]))
			return false;
		for (size_t k = 0; k < i; k++)
			if (types[i].mask && types[k].mask &&
			    (types[i].value & types[k].mask) == types[k].value)
				return false;
	}
	return true;
}

/* No two share a bit but PG_swapcache, which always did with some flag that is not asked
 * for here. */
static bool flags_are_possible(const struct page_facts *f)
{
	const uint64_t flags[] = { f->lru,  f->private,	 f->swapcache, f->swapbacked,
				   f->slab, f->hwpoison, f->head };
	uint64_t seen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i] & (flags[i] - 1) || flags[i] & seen)
			return false;
		seen |= flags[i];
	}
	if (f->word == 4 && seen >> 32)
		return false;
	return f->lru && f->private && f->swapcache && f->head;
}

struct field {
	uint32_t offset;
	uint32_t len;
};

/* Each lies in struct page, aligned; no two overlap. */
static bool fields_are_possible(const struct page_facts *f)
{
	const struct field fields[] = {
		{ f->off_flags, f->word },   { f->off_mapping, f->word },
		{ f->off_private, f->word }, { f->off_compound_head, f->word },
		{ f->off_mapcount, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field a = fields[i];

		if (!range_within(a.offset, a.len, f->size) || a.offset % a.len)
			return false;
		for (size_t k = 0; k < i; k++)
			if (a.offset < fields[k].offset + fields[k].len &&
			    fields[k].offset < a.offset + a.len)
				return false;
	}
	return f->off_order < f->size && f->off_dtor < f->size;
}

/* Sections: of 256 pages (ppc64 with 64 KiB pages) or more. */
static bool sections_are_possible(const struct mm_facts *m, uint64_t page_size)
{
	return m->section_size >= m->page.word && m->section_size <= page_size &&
	       range_within(m->section_map, m->page.word, m->section_size) &&
	       m->section_shift >= 8 && m->section_shift <= 28 && m->nr_roots &&
	       m->nr_roots <= 1ull << 40;
}

static bool node_is_possible(const struct mm_facts *m)
{
	return m->node_mem_map < NODE_MAX_BYTES && m->node_start_pfn < NODE_MAX_BYTES &&
	       m->node_spanned < NODE_MAX_BYTES;
}

static bool facts_are_possible(const struct mm_facts *m, uint64_t page_size)
{
	const struct page_facts *f = &m->page;

	return f->size >= 32 && f->size <= 1024 && f->size % f->word == 0 && f->free_orders &&
	       fields_are_possible(f) && flags_are_possible(f) && types_are_possible(f) &&
	       (m->flatmem ? node_is_possible(m) : sections_are_possible(m, page_size));
}

/* Offsets beyond 32 bits become such that facts_are_possible() refuses them. */
static uint32_t offset_of(const struct fact_values *v, enum fact fact)
{
	return (uint32_t)MIN(v->value[fact], UINT32_MAX);
}

static void fill_compound(struct page_facts *f, const struct fact_values *v)
{
	if (v->known[F_TYPE_HUGETLB]) {
		f->hugetlb = PAGE_HUGETLB_TYPE;
		f->order = PAGE_ORDER_FLAGS;
		return;
	}
	if (v->known[F_PG_HUGETLB]) {
		f->hugetlb = PAGE_HUGETLB_FLAG;
		f->hugetlb_flag = flag_mask(v, F_PG_HUGETLB);
		f->order = PAGE_ORDER_FLAGS;
		return;
	}
	if (v->known[F_FOLIO_ORDER]) {
		f->order = PAGE_ORDER_BYTE;
		f->off_order = offset_of(v, F_FOLIO_ORDER) - f->size;
	} else if (v->known[F_COMPOUND_ORDER]) {
		f->order = PAGE_ORDER_BYTE;
		f->off_order = offset_of(v, F_COMPOUND_ORDER);
	}
	if (!v->known[F_HUGETLB_DTOR])
		return;
	f->hugetlb_dtor = (uint8_t)v->value[F_HUGETLB_DTOR];
	if (v->known[F_FOLIO_DTOR]) {
		f->hugetlb = PAGE_HUGETLB_DTOR;
		f->off_dtor = offset_of(v, F_FOLIO_DTOR) - f->size;
	} else if (v->known[F_COMPOUND_DTOR]) {
		f->hugetlb = PAGE_HUGETLB_DTOR;
		f->off_dtor = offset_of(v, F_COMPOUND_DTOR);
	}
}

static void fill_page(struct page_facts *f, const struct fact_values *v)
{
	f->size = (uint32_t)MIN(v->value[F_SIZE_PAGE], UINT32_MAX);
	f->off_flags = offset_of(v, F_FLAGS);
	f->off_mapping = offset_of(v, F_MAPPING);
	f->off_mapcount = offset_of(v, F_MAPCOUNT);
	f->off_private = offset_of(v, F_PRIVATE);
	f->off_compound_head =
		offset_of(v, v->known[F_COMPOUND_HEAD] ? F_COMPOUND_HEAD : F_COMPOUND_INFO);
	f->lru = flag_mask(v, F_PG_LRU);
	f->private = flag_mask(v, F_PG_PRIVATE);
	f->swapcache = flag_mask(v, F_PG_SWAPCACHE);
	f->swapbacked = flag_mask(v, F_PG_SWAPBACKED);
	f->slab = flag_mask(v, F_PG_SLAB);
	f->hwpoison = flag_mask(v, F_PG_HWPOISON);
	f->head = v->value[F_PG_HEAD_MASK];
	f->type_buddy = type_of(v, F_TYPE_BUDDY);
	f->type_slab = type_of(v, F_TYPE_SLAB);
	f->type_hugetlb = type_of(v, F_TYPE_HUGETLB);
	f->type_offline = type_of(v, F_TYPE_OFFLINE);
	f->type_unaccepted = type_of(v, F_TYPE_UNACCEPTED);
	f->free_orders = (uint32_t)MIN(v->value[F_FREE_AREA], PAGE_MAX_ORDER + 1);
	fill_compound(f, v);
}

static void fill_sections(struct mm_facts *m, const struct fact_values *v, const struct core *core)
{
	uint64_t bits =
		v->known[F_SECTION_BITS] ? v->value[F_SECTION_BITS] : core_section_size_bits(core);

	m->section_shift = UINT32_MAX; /* impossible */
	if (bits < 64 && 1ull << bits >= core_page_size(core))
		m->section_shift = (unsigned)bits - (unsigned)__builtin_ctzl(core_page_size(core));
	m->mem_section = v->value[F_MEM_SECTION];
	m->nr_roots = v->value[F_NR_ROOTS];
	m->section_size = v->value[F_SECTION_SIZE];
	m->section_map = v->value[F_SECTION_MAP];
}

static void fill_flatmem(struct mm_facts *m, const struct fact_values *v)
{
	m->section_shift = FLATMEM_SHIFT;
	m->node = v->value[F_CONTIG_NODE];
	m->node_mem_map = v->value[F_NODE_MEM_MAP];
	m->node_start_pfn = v->value[F_NODE_START_PFN];
	m->node_spanned = v->value[F_NODE_SPANNED];
}

int mm_facts_load(const struct core *core, const struct mm_fact_source *more,
		  struct mm_facts *facts_ret, char *problem, size_t problem_len)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	const struct arch_ops *arch = core_arch(core);
	struct fact_values v = { 0 };
	struct mm_facts m = { 0 };
	int err;

	if (!vi) {
		snprintf(problem, problem_len, "the core has no vmcoreinfo");
		return -ENODATA;
	}
	err = read_facts(vi, more, &v, problem, problem_len);
	if (err)
		return err;
	m.page.word = arch->elf_class == ELFCLASS32 ? 4 : 8;
	m.page.big_endian = core_big_endian(core);
	fill_page(&m.page, &v);

	m.flatmem = is_flatmem(vi);
	if (m.flatmem)
		fill_flatmem(&m, &v);
	else
		fill_sections(&m, &v, core);
	if (!facts_are_possible(&m, core_page_size(core))) {
		snprintf(problem, problem_len, "vmcoreinfo describes an impossible struct page");
		return -EBADMSG;
	}
	*facts_ret = m;
	return 0;
}
