// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/mm/page.h"

#include "lib/bytes.h"

#define MAPPING_ANON 1u /* PAGE_MAPPING_ANON, kernel include/linux/page-flags.h */

static const char *const class_names[PAGE_NR_CLASSES] = {
	[PAGE_ABSENT] = "absent",   [PAGE_KEPT] = "kernel", [PAGE_SLAB] = "slab",
	[PAGE_UNKNOWN] = "unknown", [PAGE_CACHE] = "cache", [PAGE_CACHE_PRIVATE] = "cache_private",
	[PAGE_USER] = "user",	    [PAGE_FREE] = "free",   [PAGE_HWPOISON] = "hwpoison",
	[PAGE_OFFLINE] = "offline",
};

const char *page_class_name(enum page_class class)
{
	return (unsigned)class < PAGE_NR_CLASSES ? class_names[class] : "invalid";
}

int page_class_dropped(enum page_class class, unsigned dump_level)
{
	switch (class) {
	case PAGE_ABSENT:
	case PAGE_HWPOISON:
	case PAGE_OFFLINE:
		return 1;
	case PAGE_CACHE:
		return (dump_level & (DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE)) != 0;
	case PAGE_CACHE_PRIVATE:
		return (dump_level & DUMP_LEVEL_CACHE_PRIVATE) != 0;
	case PAGE_USER:
		return (dump_level & DUMP_LEVEL_USER) != 0;
	case PAGE_FREE:
		return (dump_level & DUMP_LEVEL_FREE) != 0;
	default:
		return 0;
	}
}

static inline uint32_t get_u32(const struct page_facts *f, const uint8_t *p)
{
	return f->big_endian ? get_be32(p) : get_le32(p);
}

static inline uint64_t get_long(const struct page_facts *f, const uint8_t *p)
{
	if (f->word == 4)
		return get_u32(f, p);
	return f->big_endian ? get_be64(p) : get_le64(p);
}

static inline bool is_type(struct page_type type, uint32_t mapcount)
{
	return (mapcount & type.mask) == type.value;
}

/* What a page says beyond its flags; gathered once. */
struct raw_page {
	uint64_t pfn;
	uint64_t flags;
	uint32_t mapcount;
	bool slab;
	bool anon;
	bool hugetlb;
	uint32_t nr; /* of the compound page */
};

static uint32_t compound_nr(const struct page_facts *f, uint64_t pfn, const uint8_t *next)
{
	unsigned order = 0;

	if (f->order == PAGE_ORDER_FLAGS)
		order = get_long(f, next + f->off_flags) & 0xff;
	else if (f->order == PAGE_ORDER_BYTE)
		order = next[f->off_order];
	if (order > PAGE_MAX_ORDER || pfn & ((1u << order) - 1))
		return 1; /* corrupt: speak for this page only */
	return 1u << order;
}

static bool is_hugetlb(const struct page_facts *f, uint32_t mapcount, const uint8_t *next)
{
	switch (f->hugetlb) {
	case PAGE_HUGETLB_TYPE:
		return is_type(f->type_hugetlb, mapcount);
	case PAGE_HUGETLB_FLAG:
		return (get_long(f, next + f->off_flags) & f->hugetlb_flag) != 0;
	case PAGE_HUGETLB_DTOR:
		return next[f->off_dtor] == f->hugetlb_dtor;
	case PAGE_HUGETLB_NONE:
		break;
	}
	return false;
}

static struct page_verdict verdict(enum page_class class, uint32_t nr)
{
	return (struct page_verdict){ class, class, nr, false };
}

static struct page_verdict free_pages(const struct raw_page *p, uint64_t order)
{
	/* The buddy allocator aligns a block to its size; else it is no such block. */
	if (order > PAGE_MAX_ORDER || p->pfn & ((1u << order) - 1))
		return verdict(PAGE_UNKNOWN, 1);
	return verdict(PAGE_FREE, 1u << order);
}

static bool is_cache(const struct page_facts *f, uint64_t flags)
{
	/* PG_swapcache shares its bit with others; it counts with PG_swapbacked only
	 * (6326fec1122c, 4.10). */
	uint64_t swap = f->swapcache | f->swapbacked;

	return (flags & f->lru) || (f->swapbacked && (flags & swap) == swap);
}

/*
 * What is neither here nor there is kept, as makedumpfile has it: pages on their way to an
 * LRU list (in a per-CPU batch, or a large folio in transit: no PG_lru yet), pages in a
 * per-CPU list of free ones, page tables, large kmallocs, what has a type that is not asked
 * for. Anonymous pages are told by page.mapping alone, on an LRU list or not; KSM's too.
 *
 * ZONE_DEVICE: such memory is not System RAM, so that cores do not hold it. If one did: its
 * pages are on no LRU list, so that file data (fsdax, devdax) is kept; memory that a process
 * was migrated to (device private or coherent) is anonymous, and PAGE_USER; so is a page that
 * several files share on fsdax (page.mapping is PAGE_MAPPING_DAX_SHARED, 1), which holds what
 * users wrote. The pointer that such pages may have in place of compound_head is aligned:
 * none looks like a tail.
 */
static struct page_verdict judge(const struct page_facts *f, const struct raw_page *p,
				 const uint8_t *page)
{
	if (!p->slab && is_type(f->type_buddy, p->mapcount)) {
		uint64_t order = get_long(f, page + f->off_private);

		return order < f->free_orders ? free_pages(p, order) : verdict(PAGE_UNKNOWN, 1);
	}
	/* A page is on the list of unaccepted ones only in blocks of the largest order. */
	if (is_type(f->type_unaccepted, p->mapcount) && f->free_orders)
		return free_pages(p, f->free_orders - 1);
	if (is_cache(f, p->flags) && !p->anon)
		return verdict(p->flags & f->private ? PAGE_CACHE_PRIVATE : PAGE_CACHE, p->nr);
	if (p->anon || p->hugetlb)
		return verdict(PAGE_USER, p->nr);
	if (!p->slab && is_type(f->type_offline, p->mapcount))
		return verdict(PAGE_OFFLINE, p->nr);
	return verdict(p->slab ? PAGE_SLAB : PAGE_KEPT, 1);
}

struct page_verdict page_classify(const struct page_facts *f, uint64_t pfn, const uint8_t *page,
				  const uint8_t *next)
{
	struct raw_page p = { .pfn = pfn, .flags = get_long(f, page + f->off_flags), .nr = 1 };
	struct page_verdict v;

	if (get_long(f, page + f->off_compound_head) & 1) {
		/* makedumpfile would read the bad page of a large folio that is kept. */
		v = verdict(p.flags & f->hwpoison ? PAGE_HWPOISON : PAGE_KEPT, 1);
		v.tail = true;
		return v;
	}
	p.mapcount = get_u32(f, page + f->off_mapcount);
	p.slab = (p.flags & f->slab) || is_type(f->type_slab, p.mapcount);
	p.anon = !p.slab && (get_long(f, page + f->off_mapping) & MAPPING_ANON);
	if ((p.flags & f->head) && next) {
		p.nr = compound_nr(f, pfn, next);
		p.hugetlb = is_hugetlb(f, p.mapcount, next);
	}
	v = judge(f, &p, page);
	if (p.flags & f->hwpoison) {
		v.class = PAGE_HWPOISON;
		if (v.rest != PAGE_FREE) {
			v.rest = PAGE_HWPOISON;
			v.nr = p.nr;
		}
	}
	return v;
}
