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

/* A kernel: its page tables, and what it says of itself. */
struct kernel {
	const char *tables;
	uint64_t swapper_pg_dir;
	bool pae;
};

/* Entries that are not in the text read as 0; physical memory ends at 16 MiB. */
static int read_text(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	const struct kernel *k = ctx;
	const char *text = k->tables;
	uint64_t at, value;
	int used;

	if (len % 4 || paddr >= 0x1000000)
		return -ENODATA;
	memset(buf, 0, len);
	for (; sscanf(text, "%" SCNx64 " %" SCNx64 "%n", &at, &value, &used) == 2; text += used) {
		if (at < paddr || at >= paddr + len)
			continue;
		if (k->pae)
			put_le64((uint8_t *)buf + (at - paddr), value);
		else
			put_le32((uint8_t *)buf + (at - paddr), (uint32_t)value);
	}
	return 0;
}

static int fact_symbol(void *ctx, const char *name, uint64_t *addr_ret)
{
	const struct kernel *k = ctx;

	if (!k->swapper_pg_dir || !streq(name, "swapper_pg_dir"))
		return -ENODATA;
	*addr_ret = k->swapper_pg_dir;
	return 0;
}

static int fact_number(void *ctx, const char *name, int64_t *number_ret)
{
	(void)ctx;
	(void)name;
	(void)number_ret;
	return -ENODATA;
}

static int fact_hex(void *ctx, const char *key, uint64_t *value_ret)
{
	(void)ctx;
	(void)key;
	(void)value_ret;
	return -ENODATA;
}

static bool fact_config(void *ctx, const char *name)
{
	const struct kernel *k = ctx;

	return k->pae && streq(name, "X86_PAE");
}

static int init(const struct kernel *k, struct arch_mm *mm)
{
	const struct arch_facts facts = { fact_symbol, fact_number, fact_hex, fact_config,
					  (void *)k };
	const struct arch_mem mem = { read_text, (void *)k };

	return arch_i386.mm_init(mm, &facts, &mem);
}

TEST(arch_i386, found_by_machine)
{
	CHECK(arch_find(EM_386, ELFCLASS32) == &arch_i386);
	/* What kexec-tools writes where there is memory above 4 GiB. */
	CHECK(arch_find(EM_386, ELFCLASS64) == &arch_i386);
	CHECK(arch_find_uname("i686") == &arch_i386);
	CHECK(arch_find_uname("i586") == &arch_i386);
	CHECK(arch_find_uname("x86_64") == &arch_x86_64);
	CHECK(!arch_find_uname("i786"));
	CHECK(!arch_find_uname("i6866"));
	CHECK(!arch_find_uname(""));
}

TEST(arch_i386, section_size)
{
	static const struct kernel plain = { .pae = false }, pae = { .pae = true };
	struct arch_facts facts = { fact_symbol, fact_number, fact_hex, fact_config,
				    (void *)&plain };

	CHECK_EQ(arch_i386.section_size_bits(&facts), 26);
	facts.ctx = (void *)&pae;
	CHECK_EQ(arch_i386.section_size_bits(&facts), 29);
}

TEST(arch_i386, mm_init)
{
	static const struct {
		struct kernel kernel;
		int err;
		uint64_t root, page_offset;
		unsigned levels;
	} cases[] = {
		/* tables that map themselves where the linear map would have them */
		{ { "402c10 1e3\n402c04 4001e3\n", 0xc0402000, false },
		  0,
		  0x402000,
		  0xc0000000,
		  2 },
		{ { "402b04 4001e3\n", 0xb0402000, false }, 0, 0x402000, 0xb0000000, 2 },
		{ { "402804 4001e3\n", 0x80402000, false }, 0, 0x402000, 0x80000000, 2 },
		{ { "402010 403001\n403010 4001e3\n", 0x80402000, true },
		  0,
		  0x402000,
		  0x80000000,
		  3 },
		/* tables that are not there: the usual */
		{ { "", 0xca002000, false }, 0, 0xa002000, 0xc0000000, 2 },
		{ { "", 0xca002000, true }, 0, 0xa002000, 0xc0000000, 3 },
		{ { "", 0, false }, -ENODATA, 0, 0, 0 },
		{ { "", 0x80402000, false }, -EBADMSG, 0, 0, 0 }, /* below all that is usual */
		{ { "", 0xc0402004, false }, -EBADMSG, 0, 0, 0 },
		{ { "", 0x1c0402000, false }, -EBADMSG, 0, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arch_mm mm = { 0 };

		CHECK_EQ(init(&cases[i].kernel, &mm), cases[i].err);
		CHECK_EQ(mm.root_paddr, cases[i].root);
		CHECK_EQ(mm.image_vaddr, cases[i].page_offset);
		CHECK_EQ(mm.levels, cases[i].levels);
	}
}

struct translation {
	uint64_t vaddr;
	int err;
	uint64_t paddr, len;
};

static void check_walk(const struct kernel *k, const struct translation *t, size_t nr)
{
	const struct arch_mem mem = { read_text, (void *)k };
	struct arch_mm mm;

	CHECK_EQ(init(k, &mm), 0);
	for (; nr; nr--, t++) {
		uint64_t paddr = 0, len = 0;
		int err = arch_i386.vaddr_to_paddr(&mm, &mem, t->vaddr, &paddr, &len);

		if (err != t->err || paddr != t->paddr || len != t->len)
			test_fail(__FILE__, __LINE__, "0x%" PRIx64 ": %d 0x%" PRIx64 " 0x%" PRIx64,
				  t->vaddr, err, paddr, len);
	}
}

TEST(arch_i386, two_levels)
{
	static const struct kernel k = { "1c00 1e3\n"	   /* c0000000: 4 MiB, itself */
					 "1c04 2063\n"	   /* c0400000: a table */
					 "2000 55163\n"	   /*  its first page */
					 "2004 fffff1e3\n" /*  PAT, not large */
					 "2008 55162\n"	   /*  not present */
					 "1c08 8061e3\n"   /* c0800000: PSE-36 */
					 "1c0c ffff063\n"  /* c0c00000: not in the dump */
					 "1ffc 2063\n",	   /* ffc00000 */
					 0xc0001000, false };
	static const struct translation t[] = {
		{ 0xc0001234, 0, 0x1234, 0x3fedcc },	  { 0xc0400123, 0, 0x55123, 0xedd },
		{ 0xc0401000, 0, 0xfffff000, 0x1000 },	  { 0xc0402000, -ENODATA, 0, 0x1000 },
		{ 0xc0812345, 0, 0x300812345, 0x3edcbb }, { 0xc0c00000, -ENODATA, 0, 0x1000 },
		{ 0xc1000000, -ENODATA, 0, 0x400000 },	  { 0xffc00ffc, 0, 0x55ffc, 4 },
		{ 0x100000000, -ENODATA, 0, 1 },
	};

	check_walk(&k, t, ARRAY_SIZE(t));
}

TEST(arch_i386, pae)
{
	static const struct kernel k = { "1018 2001\n"		   /* c0000000: 1 GiB */
					 "2000 1e3\n"		   /*  2 MiB, itself */
					 "2008 80000012346001e3\n" /* above 4 GiB, NX */
					 "2010 3063\n"		   /*  a table */
					 "3008 8000000f00055163\n"
					 "3010 55162\n"
					 "2018 ffff063\n" /*  not in the dump */
					 "1010 2081\n",	  /* 80000000: no such large page */
					 0xc0001000, true };
	static const struct translation t[] = {
		{ 0xc0001234, 0, 0x1234, 0x1fedcc },	 { 0xc0212345, 0, 0x1234612345, 0x1edcbb },
		{ 0xc0401008, 0, 0xf00055008, 0xff8 },	 { 0xc0402000, -ENODATA, 0, 0x1000 },
		{ 0xc0600000, -ENODATA, 0, 0x1000 },	 { 0xc0800000, -ENODATA, 0, 0x200000 },
		{ 0x80000000, -EBADMSG, 0, 0x40000000 }, { 0x40000000, -ENODATA, 0, 0x40000000 },
	};

	check_walk(&k, t, ARRAY_SIZE(t));
}

/* Up to where swapper_pg_dir is, rounded up to 4 MiB, the linear map needs no tables. */
TEST(arch_i386, image_without_tables)
{
	static const struct kernel k = { "", 0xd1a98000, true };
	static const struct translation t[] = {
		{ 0xd1234567, 0, 0x11234567, 0xa99 },
		{ 0xd1bfffff, 0, 0x11bfffff, 1 },
		{ 0xd1c00000, -ENODATA, 0, 0x40000000 - 0x11c00000 },
		{ 0xbfffffff, -ENODATA, 0, 1 },
	};

	check_walk(&k, t, ARRAY_SIZE(t));
}

/* What a visit tells, as text: "table PADDR VADDR+LEN", "VADDR PADDR+LEN rights". */
struct told {
	char text[1024];
	size_t len;
	uint64_t prune; /* a table at this physical address is left alone */
};

static void say(struct told *t, const char *line)
{
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s\n", line);
	t->len = MIN(t->len, sizeof(t->text) - 1);
}

static bool tell_table(void *ctx, uint64_t paddr, uint64_t vaddr, uint64_t len)
{
	struct told *t = ctx;
	char line[80];

	snprintf(line, sizeof(line), "table %" PRIx64 " %" PRIx64 "+%" PRIx64, paddr, vaddr, len);
	say(t, line);
	return paddr != t->prune;
}

static void tell_leaf(void *ctx, const struct arch_mapping *m)
{
	char line[80];

	snprintf(line, sizeof(line), "%" PRIx64 " %" PRIx64 "+%" PRIx64 " %s%s", m->vaddr, m->paddr,
		 m->len, m->writable ? "w" : "-", m->executable ? "x" : "-");
	say(ctx, line);
}

static int visit(const struct kernel *k, struct told *t)
{
	const struct arch_mem mem = { read_text, (void *)k };
	const struct arch_visitor visitor = { tell_table, tell_leaf, t };
	struct arch_mm mm;

	if (init(k, &mm))
		return -EINVAL;
	return arch_i386.visit(&mm, &mem, &visitor);
}

TEST(arch_i386, visit_two_levels)
{
	static const struct kernel k = { "1bfc 3067\n" /* a process's: not told */
					 "1c00 1e3\n"
					 "1c04 2061\n" /* not writable */
					 "2000 55163\n"
					 "1c08 2061\n" /* the same table: once is enough */
					 "1c0c 4063\n" /* to be left alone */
					 "4000 55163\n"
					 "1ffc ffff063\n", /* not in the dump */
					 0xc0001000, false };
	struct told t = { .prune = 0x4000 };

	CHECK_EQ(visit(&k, &t), 0);
	CHECK_STR(t.text, "table 1000 0+100000000\n"
			  "table ffff000 ffc00000+400000\n"
			  "table 4000 c0c00000+400000\n"
			  "table 2000 c0800000+400000\n"
			  "c0800000 55000+1000 -x\n"
			  "c0000000 0+400000 wx\n");
}

TEST(arch_i386, visit_pae)
{
	static const struct kernel k = { "1010 5001\n" /* a process's */
					 "5000 1e3\n"
					 "1018 2001\n"
					 "2000 1e3\n"
					 "2008 80000000002001e1\n"
					 "2010 8000000000003063\n" /* NX for all below */
					 "3008 55163\n",
					 0xc0001000, true };
	struct told t = { .prune = 0 };

	CHECK_EQ(visit(&k, &t), 0);
	CHECK_STR(t.text, "table 1000 0+100000000\n"
			  "table 2000 c0000000+40000000\n"
			  "table 3000 c0400000+200000\n"
			  "c0401000 55000+1000 w-\n"
			  "c0200000 200000+200000 --\n"
			  "c0000000 0+200000 wx\n");
}

/* PAGE_OFFSET need be no multiple of what an entry of the top table stands for. */
TEST(arch_i386, visit_other_split)
{
	static const struct kernel k = { "1010 2001\n2bf8 1e3\n2c00 1e3\n2c08 2001e3\n"
					 "1018 3001\n3000 4001e3\n",
					 0xb0001000, true };
	struct told t = { .prune = 0 };

	CHECK_EQ(visit(&k, &t), 0);
	CHECK_STR(t.text, "table 1000 0+100000000\n"
			  "table 3000 c0000000+40000000\n"
			  "c0000000 400000+200000 wx\n"
			  "table 2000 80000000+40000000\n"
			  "b0200000 200000+200000 wx\n"
			  "b0000000 0+200000 wx\n");
}

/* Tables that name themselves from every second entry: the walk is as deep as PAE is. */
static int read_maze(void *ctx, uint64_t paddr, void *buf, size_t len)
{
	(void)ctx;
	(void)paddr;
	memset(buf, 0, len);
	for (size_t i = 0; i + 8 <= len; i += 16)
		put_le64((uint8_t *)buf + i, 0x1063);
	return 0;
}

static bool count_table(void *ctx, uint64_t paddr, uint64_t vaddr, uint64_t len)
{
	(void)paddr;
	(void)vaddr;
	(void)len;
	(*(unsigned *)ctx)++;
	return true;
}

static void count_leaf(void *ctx, const struct arch_mapping *m)
{
	(void)ctx;
	(void)m;
}

TEST(arch_i386, visit_is_bounded)
{
	const struct arch_mm mm = { .root_paddr = 0x1000, .entry_mask = ~0xfffull, .levels = 3 };
	const struct arch_mem mem = { read_maze, NULL };
	unsigned tables = 0;
	const struct arch_visitor visitor = { count_table, count_leaf, &tables };

	CHECK_EQ(arch_i386.visit(&mm, &mem, &visitor), 0);
	CHECK_EQ(tables, 1 + 2 + 2 * 256);
}
