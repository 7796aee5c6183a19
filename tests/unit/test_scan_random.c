// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random machines, from fixed seeds. Their pages are made up as what they are, and only then
 * written in a kernel's terms; what should become of them is worked out from the former, by
 * the rules of makedumpfile(8) as its __exclude_unnecessary_pages() has them, for each level.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "tests/unit/scan_walk.h"
#include "tests/unit/test.h"

#define FIRST	 UINT64_C(0xe000) /* pfn; a window ends within the machine */
#define NR	 0x3000u	  /* pages of the random machine */
#define TOO_HIGH 19		  /* an order beyond what is believed */

enum kind {
	KERNEL,
	SLAB,
	BUDDY,
	UNACCEPTED,
	OFFLINE,
	HUGETLB,
	LRU_FILE,
	LRU_ANON,
	ANON,
	SWAP_FILE
};

/* A page, or the pages of one head. */
struct thing {
	enum kind kind;
	unsigned order;
	bool compound, private, hwpoison, bad_order;
};

struct machine {
	uint64_t random;
	struct mm_builder builder;
	bool present[NR];
	uint32_t dropped[NR]; /* a bit for each level */
};

/* xorshift64*; Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
static uint64_t next_random(struct machine *m, uint64_t below)
{
	m->random ^= m->random >> 12;
	m->random ^= m->random << 25;
	m->random ^= m->random >> 27;
	return (m->random * 0x2545f4914f6cdd1dull >> 16) % below;
}

static bool chance(struct machine *m, unsigned percent)
{
	return next_random(m, 100) < percent;
}

/* Whether level @level takes what @t is, the first match deciding. */
static bool reference_drops(const struct thing *t, unsigned level)
{
	const bool anon = t->kind == LRU_ANON || t->kind == ANON;
	const bool cache = t->kind == LRU_FILE || t->kind == SWAP_FILE;

	if (level & 16 && (t->kind == BUDDY || t->kind == UNACCEPTED) && !t->bad_order)
		return true;
	if (level & 2 && cache && !t->private)
		return true;
	if (level & 4 && cache)
		return true;
	if (level & 8 && (anon || t->kind == HUGETLB))
		return true;
	return t->hwpoison || t->kind == OFFLINE;
}

/* How many pages go with the head where it goes. */
static unsigned reference_pages(const struct thing *t, unsigned level)
{
	const bool free = t->kind == BUDDY || t->kind == UNACCEPTED;

	if (t->bad_order)
		return 1;
	if (free && !(level & 16))
		return 1; /* bad memory alone */
	return free || t->compound ? 1u << t->order : 1;
}

/* A head that the core does not hold is not asked, and its other pages are no heads. */
static void expect(struct machine *m, unsigned at, const struct thing *t)
{
	if (!m->present[at])
		return;
	for (unsigned level = 0; level < 32; level++)
		if (reference_drops(t, level))
			for (unsigned i = 0; i < reference_pages(t, level); i++)
				m->dropped[at + i] |= 1u << level;
}

static void write_thing(struct machine *m, unsigned at, const struct thing *t)
{
	static const char *const words[] = {
		[KERNEL] = "",
		[SLAB] = "",
		[BUDDY] = "",
		[UNACCEPTED] = "type=unaccepted",
		[OFFLINE] = "type=offline",
		[HUGETLB] = "hugetlb",
		[LRU_FILE] = "lru",
		[LRU_ANON] = "lru anon",
		[ANON] = "anon",
		[SWAP_FILE] = "swapcache swapbacked",
	};
	const char *slab = m->builder.facts.slab ? "slab anon" : "type=slab anon";
	unsigned order = t->kind == BUDDY && t->bad_order ? TOO_HIGH : t->order;
	char first[24] = "", text[160];
	uint64_t pfn = FIRST + at;

	if (t->kind == BUDDY)
		snprintf(first, sizeof(first), "type=buddy order=%u", order);
	else if (t->compound)
		snprintf(first, sizeof(first), "folio=%u", t->order);
	snprintf(text, sizeof(text), "%" PRIx64 " %s %s%s%s", pfn, first,
		 t->kind == SLAB ? slab : words[t->kind], t->private ? " private" : "",
		 t->hwpoison ? " hwpoison" : "");
	mm_builder_text(&m->builder, text);
	if (t->compound && t->bad_order) {
		snprintf(text, sizeof(text), "tail compound=%u%s", TOO_HIGH + at % 7,
			 t->kind == HUGETLB && m->builder.facts.hugetlb != PAGE_HUGETLB_TYPE ?
				 " hugetlb" :
				 "");
		mm_builder_page(&m->builder, pfn + 1, text);
	}
	/* A tail that is bad is left out where its head is kept, which it is not there. */
	if (t->compound && t->order > 1 && !t->bad_order && chance(m, 20) &&
	    (t->kind == KERNEL || t->kind == SLAB) && !t->hwpoison) {
		mm_builder_page(&m->builder, pfn + 2, "tail hwpoison");
		m->dropped[at + 2] = UINT32_MAX;
	}
}

/* Something random for page @at. Return: how many pages it takes. */
static unsigned add_thing(struct machine *m, unsigned at)
{
	struct thing t = { .kind = (enum kind)next_random(m, SWAP_FILE + 1) };
	unsigned room = at ? (unsigned)__builtin_ctz(at) : 13, order = (unsigned)next_random(m, 11);
	const bool unaccepted = m->builder.facts.type_unaccepted.mask != 0;

	order = MIN(order, room);
	while (at + (1u << order) > NR)
		order--;
	if (t.kind == UNACCEPTED && (!unaccepted || order != 10))
		t.kind = KERNEL;
	if (t.kind == HUGETLB && !order)
		t.kind = ANON;
	t.order = order;
	t.compound = order && (t.kind == HUGETLB || (t.kind != BUDDY && t.kind != UNACCEPTED &&
						     t.kind != OFFLINE && chance(m, 50)));
	if (!t.compound && t.kind != BUDDY && t.kind != UNACCEPTED)
		t.order = 0;
	t.private = t.kind >= LRU_FILE && chance(m, 30);
	t.hwpoison = m->builder.facts.hwpoison && chance(m, 3);
	t.bad_order = (t.compound || t.kind == BUDDY) && chance(m, 3);
	expect(m, at, &t);
	write_thing(m, at, &t);
	return 1u << t.order;
}

static void add_ram(struct machine *m)
{
	for (unsigned at = 0; at < NR;) {
		unsigned nr = (unsigned)MIN(next_random(m, 2000) + 1, NR - at);
		unsigned hole =
			(unsigned)MIN(next_random(m, 3) ? 0 : next_random(m, 700), NR - at - nr);

		core_builder_ram(&m->builder.core, (FIRST + at) << 12, (uint64_t)nr << 12);
		memset(m->present + at, true, nr);
		at += nr + hole;
	}
}

static struct scan_walk *build(struct machine *m, uint64_t seed, const char *kernel)
{
	static const struct mm_machine kinds[] = {
		{ 0 },
		{ .levels = 5 },
		{ .no_vmemmap = true },
		{ .table = MM_TABLE_EXTREME_PTR },
	};

	*m = (struct machine){ .random = seed * 0x9e3779b97f4a7c15ull };
	mm_builder_init_machine(&m->builder, kernel, &kinds[seed % ARRAY_SIZE(kinds)]);
	add_ram(m);
	for (unsigned at = 0; at < NR;)
		at += add_thing(m, at);
	return scan_walk_start(mm_builder_finish(&m->builder), true);
}

static const char *const kernels[] = { mm_kernel_5_10, mm_kernel_6_1, mm_kernel_6_6, mm_kernel_6_12,
				       mm_kernel_7_1 };

#define SEEDS 20u

/* The class of each page, by a walk; the window's ends are checked on the way. */
static void walk_all(struct scan_walk *w, uint8_t class[NR])
{
	memset(class, PAGE_ABSENT, NR);
	scan_rewind(w->scan);
	while (scan_next(w->scan, &w->win)) {
		if (w->win.pfn < FIRST)
			continue;
		CHECK(w->win.pfn + w->win.nr <= FIRST + NR);
		CHECK_EQ(w->win.pfn / SCAN_WINDOW_PAGES,
			 (w->win.pfn + w->win.nr - 1) / SCAN_WINDOW_PAGES);
		memcpy(class + (w->win.pfn - FIRST), w->win.class, w->win.nr);
	}
}

TEST(scan_random, drops_what_makedumpfile_drops)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct machine m;
		struct scan_walk *w = build(&m, seed, kernels[seed % ARRAY_SIZE(kernels)]);
		uint8_t class[NR];

		CHECK(!scan_problem(w->scan));
		walk_all(w, class);
		for (unsigned i = 0; i < NR; i++) {
			uint32_t dropped = 0;

			for (unsigned level = 0; level < 32; level++)
				if (page_class_dropped(class[i], level))
					dropped |= 1u << level;
			if ((class[i] != PAGE_ABSENT) != m.present[i] ||
			    (m.present[i] && dropped != m.dropped[i]))
				test_fail(__FILE__, __LINE__,
					  "seed %u, pfn 0x%" PRIx64 ": %s, levels %08x; want %08x",
					  seed, FIRST + i, page_class_name(class[i]), dropped,
					  m.dropped[i]);
		}
		scan_walk_end(w);
	}
}

TEST(scan_random, seeking_is_walking)
{
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct machine m;
		struct scan_walk *w = build(&m, seed, kernels[seed % ARRAY_SIZE(kernels)]);
		uint8_t class[NR];

		walk_all(w, class);
		for (unsigned i = 0; i < 200; i++) {
			uint64_t pfn = FIRST + next_random(&m, NR + 1);
			uint64_t end;
			bool more;

			scan_seek(w->scan, pfn);
			more = scan_next(w->scan, &w->win);
			while (pfn < FIRST + NR && !m.present[pfn - FIRST])
				pfn++;
			CHECK_EQ(more, pfn < FIRST + NR);
			if (!more)
				continue;
			end = ROUND_UP(pfn + 1, (uint64_t)SCAN_WINDOW_PAGES);
			end = MIN(end, FIRST + NR);
			while (!m.present[end - 1 - FIRST])
				end--;
			CHECK_EQ(w->win.pfn, pfn);
			CHECK_EQ(w->win.nr, end - pfn);
			CHECK(!memcmp(w->win.class, class + (pfn - FIRST), w->win.nr));
		}
		scan_walk_end(w);
	}
}
