// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/mm_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

#define ROOT_TABLE   0x1000ull	/* page tables: to 0x100000 */
#define ROOTS	     0x100000ull /* mem_section[512] */
#define SECTIONS     0x101000ull /* the pages that it points to */
#define STRUCT_PAGES 0x200000ull
#define DIRECT_MAP   0xffff888000000000ull
#define VMEMMAP	     0xffffea0000000000ull
#define PAGES_PER_SECTION   32768
#define SECTIONS_PER_ROOT   256
#define SECTION_ENTRY_BYTES 16

/* What all have in common, and where mm_builder puts its tables. */
#define KERNEL_COMMON                                                                              \
	"PAGESIZE=4096\n"                                                                          \
	"SYMBOL(init_top_pgt)=ffffffff80001000\n"                                                  \
	"NUMBER(phys_base)=0\n"                                                                    \
	"NUMBER(pgtable_l5_enabled)=0\n"                                                           \
	"SYMBOL(mem_section)=ffff888000100000\n"                                                   \
	"LENGTH(mem_section)=512\n"                                                                \
	"SIZE(mem_section)=16\n"                                                                   \
	"OFFSET(mem_section.section_mem_map)=0\n"                                                  \
	"SIZE(page)=64\n"                                                                          \
	"OFFSET(page.flags)=0\n"                                                                   \
	"OFFSET(page._refcount)=52\n"                                                              \
	"OFFSET(page.mapping)=24\n"                                                                \
	"OFFSET(page.lru)=8\n"                                                                     \
	"OFFSET(page._mapcount)=48\n"                                                              \
	"OFFSET(page.private)=40\n"                                                                \
	"LENGTH(zone.free_area)=11\n"

#define FLAGS_TO_6_5                                                                               \
	"NUMBER(PG_lru)=4\nNUMBER(PG_private)=13\nNUMBER(PG_swapcache)=10\n"                       \
	"NUMBER(PG_swapbacked)=19\nNUMBER(PG_slab)=9\nNUMBER(PG_hwpoison)=23\n"                    \
	"NUMBER(PG_head_mask)=65536\n"

#define TYPES_TO_6_9                                                                               \
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\nNUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-257\n"

#define TYPES_6_12                                                                                 \
	"NUMBER(PG_lru)=5\nNUMBER(PG_private)=14\nNUMBER(PG_swapcache)=10\n"                       \
	"NUMBER(PG_swapbacked)=17\nNUMBER(PG_hwpoison)=20\nNUMBER(PG_head_mask)=64\n"              \
	"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"                                            \
	"NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n"                                           \
	"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n"                                         \
	"NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n"

/* No SECTION_SIZE_BITS. */
const char mm_kernel_5_10[] = "OSRELEASE=5.10.0-32-amd64\n" KERNEL_COMMON FLAGS_TO_6_5 TYPES_TO_6_9
	"OFFSET(page.compound_head)=8\nOFFSET(page.compound_dtor)=16\n"
	"OFFSET(page.compound_order)=17\nNUMBER(HUGETLB_PAGE_DTOR)=2\n";

const char mm_kernel_6_1[] = "OSRELEASE=6.1.0-41-amd64\n" KERNEL_COMMON FLAGS_TO_6_5 TYPES_TO_6_9
	"NUMBER(SECTION_SIZE_BITS)=27\n"
	"OFFSET(page.compound_head)=8\nOFFSET(page.compound_dtor)=16\n"
	"OFFSET(page.compound_order)=17\nNUMBER(HUGETLB_PAGE_DTOR)=2\n";

const char mm_kernel_6_6[] = "OSRELEASE=6.6.0-1-amd64\n" KERNEL_COMMON FLAGS_TO_6_5 TYPES_TO_6_9
	"NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_head)=8\nNUMBER(PG_hugetlb)=8\n";

const char mm_kernel_6_12[] = "OSRELEASE=6.12.57+deb13-amd64\n" KERNEL_COMMON TYPES_6_12
	"NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_head)=8\n";

const char mm_kernel_7_1[] = "OSRELEASE=7.1.0-amd64\n" KERNEL_COMMON TYPES_6_12
	"NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_info)=8\n"
	"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-134217728\n";

static void must(bool ok)
{
	if (!ok)
		abort();
}

void mm_text_facts(const char *vmcoreinfo, struct mm_facts *facts_ret)
{
	struct core_builder b;
	struct core *core;
	char problem[160];

	core_builder_init(&b);
	core_builder_ram(&b, 0, 4096);
	core_builder_vmcoreinfo(&b, vmcoreinfo);
	must(!core_open_fd(core_builder_finish(&b), "facts", &core));
	must(!mm_facts_load(core, facts_ret, problem, sizeof(problem)));
	core_close(core);
}

static void or64(uint8_t *p, uint64_t bits)
{
	put_le64(p, get_le64(p) | bits);
}

static void set_type(const struct page_facts *f, const char *name, uint8_t *page)
{
	const struct {
		const char *name;
		const struct page_type *type;
	} types[] = {
		{ "buddy", &f->type_buddy },	 { "slab", &f->type_slab },
		{ "hugetlb", &f->type_hugetlb }, { "offline", &f->type_offline },
		{ "unaccepted", &f->type_unaccepted },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (streq(name, types[i].name)) {
			must(types[i].type->mask);
			put_le32(page + f->off_mapcount, types[i].type->value);
			return;
		}
	}
	abort();
}

static bool set_flag(const struct page_facts *f, const char *name, uint8_t *page)
{
	const struct {
		const char *name;
		uint64_t mask;
	} flags[] = {
		{ "lru", f->lru },		 { "private", f->private },
		{ "swapcache", f->swapcache },	 { "swapbacked", f->swapbacked },
		{ "slab", f->slab },		 { "hwpoison", f->hwpoison },
		{ "head", f->head },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (streq(name, flags[i].name)) {
			must(flags[i].mask);
			or64(page + f->off_flags, flags[i].mask);
			return true;
		}
	}
	return false;
}

static void set_compound(const struct page_facts *f, uint64_t order, uint8_t *page)
{
	if (f->order == PAGE_ORDER_BYTE)
		page[f->off_order] = (uint8_t)order;
	else
		or64(page + f->off_flags, order);
}

static void set_hugetlb(const struct page_facts *f, uint8_t *page)
{
	must(f->hugetlb == PAGE_HUGETLB_DTOR || f->hugetlb == PAGE_HUGETLB_FLAG);
	if (f->hugetlb == PAGE_HUGETLB_DTOR)
		page[f->off_dtor] = f->hugetlb_dtor;
	else
		or64(page + f->off_flags, f->hugetlb_flag);
}

void mm_text_page(const struct page_facts *f, const char *text, uint8_t *page)
{
	char copy[128], *rest = copy, *word;

	must((size_t)snprintf(copy, sizeof(copy), "%s", text) < sizeof(copy));
	memset(page, 0, f->size);
	put_le32(page + f->off_mapcount, UINT32_MAX);
	while ((word = strsep(&rest, " "))) {
		const char *arg;

		if (!*word || set_flag(f, word, page))
			continue;
		if (streq(word, "anon"))
			or64(page + f->off_mapping, 0xffff888003000001);
		else if (streq(word, "tail"))
			or64(page + f->off_compound_head, VMEMMAP | 1);
		else if (streq(word, "hugetlb"))
			set_hugetlb(f, page);
		else if ((arg = after_prefix(word, "type=")))
			set_type(f, arg, page);
		else if ((arg = after_prefix(word, "order=")))
			put_le64(page + f->off_private, strtoull(arg, NULL, 0));
		else if ((arg = after_prefix(word, "compound=")))
			set_compound(f, strtoull(arg, NULL, 0), page);
		else if ((arg = after_prefix(word, "mapcount=")))
			put_le32(page + f->off_mapcount, (uint32_t)strtoll(arg, NULL, 0));
		else
			abort();
	}
}

void mm_builder_init(struct mm_builder *m, const char *vmcoreinfo)
{
	struct mm_facts facts;

	mm_text_facts(vmcoreinfo, &facts);
	*m = (struct mm_builder){
		.facts = facts.page,
		.next_table = ROOT_TABLE + 4096,
		.next_page = STRUCT_PAGES,
	};
	core_builder_init(&m->core);
	core_builder_ram(&m->core, 0, MM_BUILDER_LOW_BYTES);
	core_builder_vmcoreinfo(&m->core, vmcoreinfo);
	core_builder_map(&m->core, ROOT_TABLE, &m->next_table, 2, (uint64_t[]){ DIRECT_MAP, 0 });
}

static uint64_t struct_page_paddr(struct mm_builder *m, uint64_t vaddr)
{
	uint64_t page = vaddr & ~4095ull;

	for (size_t i = 0; i < m->nr_mapped; i++)
		if (m->mapped[i] == page)
			return m->backing[i] + (vaddr - page);
	must(m->nr_mapped < ARRAY_SIZE(m->mapped));
	m->mapped[m->nr_mapped] = page;
	m->backing[m->nr_mapped++] = m->next_page;
	core_builder_map(&m->core, ROOT_TABLE, &m->next_table, 1,
			 (uint64_t[]){ page, m->next_page });
	m->next_page += 4096;
	return m->next_page - 4096 + (vaddr - page);
}

void mm_builder_page(struct mm_builder *m, uint64_t pfn, const char *text)
{
	uint64_t section = pfn / PAGES_PER_SECTION, root = section / SECTIONS_PER_ROOT;
	uint64_t sections = SECTIONS + root * 4096;
	uint8_t page[1024];

	must(root < 255);
	mm_text_page(&m->facts, text, page);
	core_builder_put64(&m->core, ROOTS + root * 8, DIRECT_MAP + sections);
	core_builder_put64(&m->core, sections + section % SECTIONS_PER_ROOT * SECTION_ENTRY_BYTES,
			   VMEMMAP | 0xf);
	core_builder_put(&m->core, struct_page_paddr(m, VMEMMAP + pfn * m->facts.size), page,
			 m->facts.size);
}

int mm_builder_finish(struct mm_builder *m)
{
	return core_builder_finish(&m->core);
}
