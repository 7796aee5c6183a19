// SPDX-License-Identifier: GPL-2.0-or-later
/* Page tables as text: one "address value" pair for each entry, all hexadecimal. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* Entries that are not in the text read as 0; physical memory ends at 0x100000. */
static int read_text(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const char *text = ctx;
	uint64_t at, value;
	int used;

	if (len % 8 || paddr >= 0x100000)
		return -ENODATA;
	memset(buf, 0, len);
	for (; sscanf(text, "%" SCNx64 " %" SCNx64 "%n", &at, &value, &used) == 2; text += used)
		if (at >= paddr && at < paddr + len)
			put_le64((uint8_t *)buf + (at - paddr), value);
	return 0;
}

struct fact_text {
	const char *root_name;
	uint64_t root;
	const int64_t *phys_base;
	int64_t l5, sme_mask;
};

static int fact_symbol(void *ctx, const char *name, uint64_t *addr_ret)
{
	const struct fact_text *t = ctx;

	if (!t->root_name || !streq(name, t->root_name))
		return -ENODATA;
	*addr_ret = t->root;
	return 0;
}

static int fact_number(void *ctx, const char *name, int64_t *number_ret)
{
	const struct fact_text *t = ctx;

	if (streq(name, "phys_base") && t->phys_base)
		*number_ret = *t->phys_base;
	else if (streq(name, "pgtable_l5_enabled"))
		*number_ret = t->l5;
	else if (streq(name, "sme_mask") && t->sme_mask)
		*number_ret = t->sme_mask;
	else
		return -ENODATA;
	return 0;
}

static int fact_hex(void *ctx, const char *key, uint64_t *value_ret)
{
	(void)ctx;
	(void)key;
	(void)value_ret;
	return -ENODATA;
}

static int init(const struct fact_text *text, struct arch_mm *mm)
{
	struct arch_facts facts = { fact_symbol, fact_number, fact_hex, NULL, (void *)text };

	return arch_x86_64.mm_init(mm, &facts, NULL);
}

TEST(arch_x86_64, found_by_elf_machine)
{
	CHECK(arch_find(EM_X86_64, ELFCLASS64) == &arch_x86_64);
	CHECK(arch_find(EM_X86_64, ELFCLASS32) == &arch_x86_64);
	CHECK(!arch_find(EM_NONE, ELFCLASS64));
}

TEST(arch_x86_64, mm_init)
{
	static const int64_t zero = 0, kaslr = -180355072, up = 0x1000000, odd = 1;
	static const struct {
		struct fact_text facts;
		int err;
		uint64_t root;
		unsigned levels;
	} cases[] = {
		{ { "init_top_pgt", 0xffffffff82010000, &zero, 0, 0 }, 0, 0x2010000, 4 },
		{ { "init_top_pgt", 0xffffffff82010000, &up, 1, 0 }, 0, 0x3010000, 5 },
		{ { "init_top_pgt", 0xffffffff9e010000, &kaslr, 1, 0 }, 0, 0x13410000, 5 },
		{ { "init_level4_pgt", 0xffffffff82010000, &zero, 0, 0 }, 0, 0x2010000, 4 },
		{ { "swapper_pg_dir", 0xffffffff82010000, &zero, 0, 0 }, 0, 0x2010000, 4 },
		{ { NULL, 0, &zero, 0, 0 }, -ENODATA, 0, 0 },
		{ { "init_top_pgt", 0xffffffff82010000, NULL, 0, 0 }, -ENODATA, 0, 0 },
		{ { "init_top_pgt", 0xffff888002010000, &zero, 0, 0 }, -EBADMSG, 0, 0 },
		{ { "init_top_pgt", 0xffffffff82010000, &odd, 0, 0 }, -EBADMSG, 0, 0 },
		{ { "init_top_pgt", 0xffffffff80010000, &kaslr, 0, 0 }, -EBADMSG, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arch_mm mm = { 0 };

		CHECK_EQ(init(&cases[i].facts, &mm), cases[i].err);
		CHECK_EQ(mm.root_paddr, cases[i].root);
		CHECK_EQ(mm.levels, cases[i].levels);
	}
}

struct translation {
	uint64_t vaddr;
	int err;
	uint64_t paddr, len;
};

static void check_walk(const struct fact_text *facts, const char *tables,
		       const struct translation *t, size_t nr)
{
	const struct arch_mem mem = { read_text, (void *)tables };
	struct arch_mm mm;

	CHECK_EQ(init(facts, &mm), 0);
	for (; nr; nr--, t++) {
		uint64_t paddr = 0, len = 0;
		int err = arch_x86_64.vaddr_to_paddr(&mm, &mem, t->vaddr, &paddr, &len);

		if (err != t->err || paddr != t->paddr || (!err && len != t->len))
			test_fail(__FILE__, __LINE__, "0x%" PRIx64 ": %d 0x%" PRIx64 " 0x%" PRIx64,
				  t->vaddr, err, paddr, len);
	}
}

static const int64_t no_shift;

TEST(arch_x86_64, four_levels)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 0,
						0 };
	static const char tables[] = "1888 2067\n"	       /* ffff8880... */
				     "2000 3067\n"	       /*  first GiB */
				     "2008 40000000400001e3\n" /*  second GiB: one page */
				     "3000 4063\n"	       /*   first 2 MiB */
				     "3008 80000000012011e3\n" /*  second: one page, PAT, NX */
				     "3010 ffffff063\n"	       /*   third: table not in the dump */
				     "3018 4062\n"	       /*   fourth: not present */
				     "4008 8000000000055163\n"
				     "1890 20e7\n" /* ffff8900...: large bit in level 4 */
				     "1ff8 7063\n"
				     "7ff0 1000000063\n"; /* ffffffff8...: not in the dump */
	static const struct translation t[] = {
		{ 0xffff888000001234, 0, 0x55234, 0xdcc },
		{ 0xffff888000000000, -ENODATA, 0, 0 },
		{ 0xffff888000212345, 0, 0x1212345, 0x1edcbb },
		{ 0xffff888040000000, 0, 0x40000000, 0x40000000 },
		{ 0xffff88807fffffff, 0, 0x7fffffff, 1 },
		{ 0xffff888000400000, -ENODATA, 0, 0 },
		{ 0xffff888000600000, -ENODATA, 0, 0 },
		{ 0xffff888080000000, -ENODATA, 0, 0 },
		{ 0xffff890000000000, -EBADMSG, 0, 0 },
		{ 0x0000888000001234, -ENODATA, 0, 0 }, /* not canonical */
		{ 0xff11000000001234, -ENODATA, 0, 0 },
		/* its tables are missing: the image is where phys_base says */
		{ 0xffffffff81234567, 0, 0x1234567, 0xa99 },
		{ 0xffffffffc0000000, -ENODATA, 0, 0 }, /* modules: not in the image */
	};

	check_walk(&facts, tables, t, ARRAY_SIZE(t));
}

TEST(arch_x86_64, five_levels)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 1,
						0 };
	static const char tables[] = "1888 2063\n" /* ff11... */
				     "2000 3063\n"
				     "3000 4063\n"
				     "4008 2001e3\n";
	static const struct translation t[] = {
		{ 0xff11000000200010, 0, 0x200010, 0x1ffff0 },
		{ 0xff11000000000000, -ENODATA, 0, 0 },
		{ 0xffff888000001234, -ENODATA, 0, 0 },
		{ 0xfe11000000200010, -ENODATA, 0, 0 }, /* not canonical */
	};

	check_walk(&facts, tables, t, ARRAY_SIZE(t));
}

TEST(arch_x86_64, memory_encryption)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 0,
						1ll << 47 };
	static const char tables[] = "1888 800000002063\n"
				     "2000 800000003063\n"
				     "3008 80008000002001e3\n";
	static const struct translation t[] = {
		{ 0xffff888000200010, 0, 0x200010, 0x1ffff0 },
	};

	check_walk(&facts, tables, t, ARRAY_SIZE(t));
}

/* What a visit tells, as text: "table PADDR VADDR+LEN", "VADDR PADDR+LEN rights". */
struct told {
	char text[1024];
	size_t len;
	uint64_t prune; /* a table at this physical address is left alone */
	unsigned tables;
};

static bool tell_table(void *ctx, uint64_t paddr, uint64_t vaddr, uint64_t len)
{
	struct told *t = ctx;

	t->tables++;
	t->len +=
		(size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len,
				 "table %" PRIx64 " %" PRIx64 "+%" PRIx64 "\n", paddr, vaddr, len);
	t->len = MIN(t->len, sizeof(t->text) - 1);
	return paddr != t->prune;
}

static void tell_leaf(void *ctx, const struct arch_mapping *m)
{
	struct told *t = ctx;

	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len,
				   "%" PRIx64 " %" PRIx64 "+%" PRIx64 " %s%s\n", m->vaddr, m->paddr,
				   m->len, m->writable ? "w" : "-", m->executable ? "x" : "-");
	t->len = MIN(t->len, sizeof(t->text) - 1);
}

static int visit(const struct fact_text *facts, const char *tables, struct told *t)
{
	const struct arch_mem mem = { read_text, (void *)tables };
	const struct arch_visitor visitor = { tell_table, tell_leaf, t };
	struct arch_mm mm;

	if (init(facts, &mm))
		return -EINVAL;
	return arch_x86_64.visit(&mm, &mem, &visitor);
}

TEST(arch_x86_64, visit_tells_tables_and_rights)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 0,
						0 };
	static const char tables[] = "1000 2067\n"	       /* a process's: not told */
				     "1888 2067\n"	       /* ffff8880... */
				     "2000 3065\n"	       /*  not writable */
				     "2008 80000000400001e3\n" /*  1 GiB, NX */
				     "3000 4063\n"
				     "3008 80000000012011e3\n" /*   2 MiB, PAT, NX, and see above */
				     "3018 4062\n"	       /*   not present */
				     "3020 800000000000a067\n" /*   NX for all below */
				     "4008 55163\n"
				     "a000 77163\n"
				     "1890 20e7\n" /* no such large page */
				     "1898 5063\n" /* to be left alone */
				     "5000 4063\n"
				     "18a0 ffff063\n"; /* not in the dump */
	struct told t = { .prune = 0x5000 };

	CHECK_EQ(visit(&facts, tables, &t), 0);
	CHECK_STR(t.text, "table 1000 ffff000000000000+1000000000000\n"
			  "table ffff000 ffff8a0000000000+8000000000\n"
			  "table 5000 ffff898000000000+8000000000\n"
			  "table 2000 ffff888000000000+8000000000\n"
			  "ffff888040000000 40000000+40000000 w-\n"
			  "table 3000 ffff888000000000+40000000\n"
			  "table a000 ffff888000800000+200000\n"
			  "ffff888000800000 77000+1000 --\n"
			  "ffff888000200000 1200000+200000 --\n"
			  "table 4000 ffff888000000000+200000\n"
			  "ffff888000001000 55000+1000 -x\n");
}

TEST(arch_x86_64, visit_five_levels)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 1,
						0 };
	struct told t = { 0 };

	CHECK_EQ(visit(&facts, "1ff8 2063\n2ff8 3063\n3ff0 1e3\n", &t), 0);
	CHECK_STR(t.text, "table 1000 fe00000000000000+200000000000000\n"
			  "table 2000 ffff000000000000+1000000000000\n"
			  "table 3000 ffffff8000000000+8000000000\n"
			  "ffffffff80000000 0+40000000 wx\n");
}

/* All 512 entries of each table, and of the table that they all name, and so on: the shape
 * of KASAN's shadow of zeros. Told once at each level. */
TEST(arch_x86_64, visit_shared_tables_once)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 0,
						0 };
	char *text = malloc(4 * 512 * 20);
	struct told t = { 0 };
	size_t len = 0;

	CHECK(text);
	for (unsigned level = 1; level <= 3; level++)
		for (unsigned i = 0; i < 512; i++)
			len += (size_t)sprintf(text + len, "%x %x063\n", level * 0x1000 + 8 * i,
					       level + 1);
	CHECK_EQ(visit(&facts, text, &t), 0);
	CHECK_EQ(t.tables, 4);
	free(text);
}

/* Tables that name themselves from every second entry: 256 at each level. */
static int read_maze(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	(void)paddr;
	for (size_t i = 0; i < len; i += 8)
		put_le64((uint8_t *)buf + i, i % 16 ? 0x1063 : 0);
	return 0;
}

TEST(arch_x86_64, visit_is_bounded)
{
	static const struct fact_text facts = { "init_top_pgt", 0xffffffff80001000, &no_shift, 1,
						0 };
	const struct arch_mem mem = { read_maze, NULL };
	struct told t = { 0 };
	const struct arch_visitor visitor = { tell_table, tell_leaf, &t };
	struct arch_mm mm;

	CHECK_EQ(init(&facts, &mm), 0);
	CHECK_EQ(arch_x86_64.visit(&mm, &mem, &visitor), -E2BIG);
	CHECK(t.tables <= ARCH_VISIT_READ_MAX + 1);
}
