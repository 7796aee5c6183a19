// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/mm_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/util.h"

/* The low RAM. What is below DIRECT_BYTES is in the direct map. */
#define ROOT_TABLE	    0x1000ull /* page tables: to ROOTS */
#define ROOTS		    MM_BUILDER_ROOTS
#define SECTIONS	    0x180000ull /* the sections of the first root, then those of others */
#define ROOTS_PTR	    0x1ff000ull /* a pointer to ROOTS */
#define DIRECT_BYTES	    0x200000ull /* behind it struct pages, as they are needed */
#define DIRECT_MAP	    0xffff888000000000ull
#define VMEMMAP		    0xffffea0000000000ull
#define SCATTERED	    0xffffc90000000000ull /* struct pages of sections without vmemmap */
#define SECTIONS_PER_ROOT   256
#define SECTION_ENTRY_BYTES 16
#define ENTRY_ADDR	    0x000ffffffffff000ull

/* What all have in common, and where mm_builder puts its tables. */
#define KERNEL_COMMON                                                                              \
	"PAGESIZE=4096\n"                                                                          \
	"SYMBOL(init_top_pgt)=ffffffff80001000\n"                                                  \
	"NUMBER(phys_base)=0\n"                                                                    \
	"NUMBER(pgtable_l5_enabled)=0\n"                                                           \
	"SYMBOL(mem_section)=ffff888000100000\n"                                                   \
	"LENGTH(mem_section)=65536\n"                                                              \
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

const char mm_kernel_6_6[] =
	"OSRELEASE=6.6.0-1-amd64\n" KERNEL_COMMON FLAGS_TO_6_5 TYPES_TO_6_9
	"NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_head)=8\nNUMBER(PG_hugetlb)=8\n";

const char mm_kernel_6_12[] = "OSRELEASE=6.12.57+deb13-amd64\n" KERNEL_COMMON TYPES_6_12
			      "NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_head)=8\n";

/* 7.2 says the same. */
const char mm_kernel_7_1[] = "OSRELEASE=7.1.0-amd64\n" KERNEL_COMMON TYPES_6_12
			     "NUMBER(SECTION_SIZE_BITS)=27\nOFFSET(page.compound_info)=8\n"
			     "NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-150994944\n";

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
	must(!mm_facts_load(core, NULL, facts_ret, problem, sizeof(problem)));
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
		{ "buddy", &f->type_buddy },	       { "slab", &f->type_slab },
		{ "hugetlb", &f->type_hugetlb },       { "offline", &f->type_offline },
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
		{ "lru", f->lru },
		{ "private", f->private },
		{ "swapcache", f->swapcache },
		{ "swapbacked", f->swapbacked },
		{ "slab", f->slab },
		{ "hwpoison", f->hwpoison },
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
		else if ((arg = after_prefix(word, "flags=")))
			or64(page + f->off_flags, strtoull(arg, NULL, 0));
		else if ((arg = after_prefix(word, "mapping=")))
			put_le64(page + f->off_mapping, strtoull(arg, NULL, 0));
		else if ((arg = after_prefix(word, "mapcount=")))
			put_le32(page + f->off_mapcount, (uint32_t)strtoll(arg, NULL, 0));
		else
			abort();
	}
}

const char *mm_kernel_with(const char *vmcoreinfo, const char *key, const char *value)
{
	static char texts[4][2048];
	static unsigned next;
	const size_t room = sizeof(texts[0]);
	char *text = texts[next++ % ARRAY_SIZE(texts)];
	size_t len = 0;

	while (*vmcoreinfo) {
		size_t line = strcspn(vmcoreinfo, "\n") + 1;
		const char *after = after_prefix(vmcoreinfo, key);

		if (!after || *after != '=')
			len += (size_t)snprintf(text + len, room - len, "%.*s", (int)line,
						vmcoreinfo);
		must(len < room);
		vmcoreinfo += line;
	}
	if (value)
		len += (size_t)snprintf(text + len, room - len, "%s=%s\n", key, value);
	must(len < room);
	text[len] = '\0';
	return text;
}

void mm_builder_init_machine(struct mm_builder *m, const char *vmcoreinfo,
			     const struct mm_machine *machine)
{
	static const char *const tables[] = { "ffff888000100000", "ffff8880001ff000",
					      "ffff888000180000" };
	struct mm_facts facts;

	mm_text_facts(vmcoreinfo, &facts);
	*m = (struct mm_builder){
		.facts = facts.page,
		.machine = *machine,
		.next_table = ROOT_TABLE + 4096,
		.next_sections = SECTIONS,
		.next_page = DIRECT_BYTES,
	};
	if (!m->machine.levels)
		m->machine.levels = 4;
	if (!m->machine.low_bytes)
		m->machine.low_bytes = MM_BUILDER_LOW_BYTES;
	if (m->machine.levels == 5)
		vmcoreinfo = mm_kernel_with(vmcoreinfo, "NUMBER(pgtable_l5_enabled)", "1");
	if (m->machine.table != MM_TABLE_EXTREME)
		vmcoreinfo =
			mm_kernel_with(vmcoreinfo, "SYMBOL(mem_section)", tables[m->machine.table]);
	core_builder_init(&m->core);
	core_builder_ram(&m->core, 0, m->machine.low_bytes);
	core_builder_vmcoreinfo(&m->core, vmcoreinfo);
	mm_builder_map(m, 2, DIRECT_MAP, 0);
	core_builder_put64(&m->core, ROOTS_PTR, DIRECT_MAP + ROOTS);
	m->next_sections += 4096;
	core_builder_put64(&m->core, ROOTS, DIRECT_MAP + SECTIONS);
}

void mm_builder_init(struct mm_builder *m, const char *vmcoreinfo)
{
	mm_builder_init_machine(m, vmcoreinfo, &(struct mm_machine){ 0 });
}

uint64_t mm_builder_get64(struct mm_builder *m, uint64_t paddr)
{
	uint8_t raw[8] = { 0 };

	must(range_within(paddr, sizeof(raw), m->machine.low_bytes));
	must(io_pread_full(m->core.fd, raw, sizeof(raw), m->core.loads[0].p_offset + paddr) >= 0);
	return get_le64(raw);
}

/* Address of the entry for @vaddr in a table of @level; 0 where a table above is missing and
 * not to be made. */
static uint64_t find_entry(struct mm_builder *m, unsigned level, uint64_t vaddr, bool make)
{
	uint64_t table = ROOT_TABLE;

	for (unsigned l = m->machine.levels;; l--) {
		uint64_t at = table + (vaddr >> (12 + 9 * (l - 1)) & 511) * 8, entry;

		if (l == level)
			return at;
		entry = mm_builder_get64(m, at);
		if (!entry && !make)
			return 0;
		if (!entry) {
			must(m->next_table < ROOTS);
			entry = m->next_table | 0x3;
			core_builder_put64(&m->core, at, entry);
			m->next_table += 4096;
		}
		table = entry & ENTRY_ADDR;
	}
}

void mm_builder_map(struct mm_builder *m, unsigned level, uint64_t vaddr, uint64_t paddr)
{
	core_builder_put64(&m->core, find_entry(m, level, vaddr, true),
			   paddr | 0x3 | (level > 1 ? 0x80 : 0));
}

void mm_builder_corrupt_entry(struct mm_builder *m, unsigned level, uint64_t pfn, uint64_t value)
{
	uint64_t at = find_entry(m, level, mm_builder_page_vaddr(m, pfn), false);

	must(at);
	core_builder_put64(&m->core, at, value);
}

static uint64_t section_base(const struct mm_builder *m, uint64_t section)
{
	const uint64_t span = MM_BUILDER_SECTION_PAGES * m->facts.size;

	if (!m->machine.no_vmemmap)
		return VMEMMAP + section * span;
	/* Anywhere, in any order. */
	return SCATTERED + (section ^ 5) * (span + 0x3000);
}

uint64_t mm_builder_page_vaddr(const struct mm_builder *m, uint64_t pfn)
{
	return section_base(m, pfn / MM_BUILDER_SECTION_PAGES) +
	       pfn % MM_BUILDER_SECTION_PAGES * m->facts.size;
}

void mm_builder_section(struct mm_builder *m, uint64_t section, uint64_t value)
{
	uint64_t root = ROOTS + section / SECTIONS_PER_ROOT * 8, sections;

	must(root < SECTIONS);
	sections = mm_builder_get64(m, root);
	if (!sections) {
		must(m->next_sections < ROOTS_PTR);
		sections = DIRECT_MAP + m->next_sections;
		core_builder_put64(&m->core, root, sections);
		m->next_sections += 4096;
	}
	core_builder_put64(
		&m->core, sections - DIRECT_MAP + section % SECTIONS_PER_ROOT * SECTION_ENTRY_BYTES,
		value);
}

static void add_section(struct mm_builder *m, uint64_t section)
{
	const uint64_t span = MM_BUILDER_SECTION_PAGES * m->facts.size;

	if (m->known_section != section + 1)
		mm_builder_section(m, section, (section_base(m, section) - section * span) | 0xf);
	m->known_section = section + 1;
}

static uint64_t struct_page_paddr(struct mm_builder *m, uint64_t vaddr)
{
	uint64_t in_page = vaddr & 4095, at, entry;

	if (m->last_vaddr == vaddr - in_page)
		return m->last_paddr + in_page;
	at = find_entry(m, 2, vaddr, true);
	entry = mm_builder_get64(m, at);
	if (entry & 0x80)
		return (entry & ENTRY_ADDR) + (vaddr & 0x1fffff);
	at = find_entry(m, 1, vaddr, true);
	entry = mm_builder_get64(m, at);
	if (!entry) {
		must(m->next_page < m->machine.low_bytes);
		entry = m->next_page | 0x3;
		core_builder_put64(&m->core, at, entry);
		m->next_page += 4096;
	}
	m->last_vaddr = vaddr - in_page;
	m->last_paddr = entry & ENTRY_ADDR;
	return m->last_paddr + in_page;
}

void mm_builder_page(struct mm_builder *m, uint64_t pfn, const char *text)
{
	uint64_t vaddr = mm_builder_page_vaddr(m, pfn);
	uint8_t page[1024];
	size_t done = 0;

	mm_text_page(&m->facts, text, page);
	add_section(m, pfn / MM_BUILDER_SECTION_PAGES);
	while (done < m->facts.size) {
		size_t n = MIN(m->facts.size - done, 4096 - ((vaddr + done) & 4095));

		core_builder_put(&m->core, struct_page_paddr(m, vaddr + done), page + done, n);
		done += n;
	}
}

void mm_builder_large_section(struct mm_builder *m, uint64_t section)
{
	const uint64_t span = MM_BUILDER_SECTION_PAGES * m->facts.size;

	must(!m->machine.no_vmemmap && span == 0x200000);
	m->next_page = ROUND_UP(m->next_page, span);
	must(m->next_page + span <= m->machine.low_bytes);
	mm_builder_map(m, 2, VMEMMAP + section * span, m->next_page);
	m->next_page += span;
	add_section(m, section);
}

void mm_builder_same_section(struct mm_builder *m, uint64_t section, uint64_t as)
{
	uint64_t entry = mm_builder_get64(m, find_entry(m, 2, section_base(m, as), false));

	must(entry & 0x80);
	mm_builder_map(m, 2, section_base(m, section), entry & ENTRY_ADDR);
	add_section(m, section);
}

void mm_builder_share_page(struct mm_builder *m, uint64_t pfn, uint64_t as)
{
	uint64_t entry = find_entry(m, 1, mm_builder_page_vaddr(m, as), false);

	must(entry);
	core_builder_put64(&m->core, find_entry(m, 1, mm_builder_page_vaddr(m, pfn), true),
			   mm_builder_get64(m, entry));
}

/* One folio of 2^@order pages; @words are its head's. */
static void add_folio(struct mm_builder *m, uint64_t pfn, unsigned order, const char *words)
{
	const char *huge = strstr(words, "hugetlb");
	const bool by_type = m->facts.hugetlb == PAGE_HUGETLB_TYPE;
	char text[128];

	must(order);
	snprintf(text, sizeof(text), "head%s %.*s%s", huge && by_type ? " type=hugetlb" : "",
		 (int)(huge ? huge - words : (ptrdiff_t)strlen(words)), words,
		 huge ? huge + strlen("hugetlb") : "");
	mm_builder_page(m, pfn, text);
	snprintf(text, sizeof(text), "tail compound=%u%s", order,
		 huge && !by_type ? " hugetlb" : "");
	mm_builder_page(m, pfn + 1, text);
	for (uint64_t i = 2; i < 1ull << order; i++)
		mm_builder_page(m, pfn + i, "tail");
}

static void add_range(struct mm_builder *m, uint64_t first, uint64_t last, const char *words)
{
	const char *folio = after_prefix(words, "folio="), *free = after_prefix(words, "free=");
	uint64_t order = folio || free ? strtoull(folio ? folio : free, NULL, 10) : 0;
	char text[128];

	if (folio)
		words = folio + strspn(folio, "0123456789");
	else if (free)
		words = free + strspn(free, "0123456789");
	snprintf(text, sizeof(text), "type=buddy order=%u%s", (unsigned)order, words);
	for (uint64_t pfn = first; pfn <= last; pfn += 1ull << order) {
		if (folio)
			add_folio(m, pfn, (unsigned)order, words);
		else
			mm_builder_page(m, pfn, free ? text : words);
		for (uint64_t i = 1; free && i < 1ull << order; i++)
			mm_builder_page(m, pfn + i, "");
	}
}

void mm_builder_text(struct mm_builder *m, const char *text)
{
	while (*text) {
		char line[256], *words = line, *range, *end;
		size_t len = strcspn(text, ";\n");
		uint64_t first, last;
		const char *ram;

		must(len < sizeof(line));
		memcpy(line, text, len);
		line[len] = '\0';
		text += len + (text[len] != '\0');
		words += strspn(words, " \t");
		if (!*words)
			continue;
		ram = after_prefix(words, "ram ");
		if (ram)
			words += strlen("ram ");
		range = strsep(&words, " ");
		first = last = strtoull(range, &end, 16);
		if (*end == '-')
			last = strtoull(end + 1, &end, 16);
		must(!*end && last >= first);
		if (ram)
			core_builder_ram(&m->core, first << 12, (last - first + 1) << 12);
		else
			add_range(m, first, last, words ? words : "");
	}
}

int mm_builder_finish(struct mm_builder *m)
{
	return core_builder_finish(&m->core);
}
