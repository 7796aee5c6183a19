// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "capture/mm/vital.h"
#include "capture/mm/vital_set.h"
#include "tests/unit/btf_builder.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/kallsyms_builder.h"
#include "tests/unit/test.h"

#define PAGE 4096ull

/* The set as text: "PFN+NR:TIER ...", numbers in decimal. */
static void set_text(const struct vital_range *r, size_t nr, char *text, size_t room)
{
	text[0] = 0;
	for (size_t len = 0; nr && len < room; nr--, r++)
		len += (size_t)snprintf(text + len, room - len, "%s%" PRIu64 "+%u:%u",
					len ? " " : "", r->pfn, r->nr, r->tier);
}

static struct core *open_ram(const uint64_t start_len[][2], size_t nr)
{
	struct core_builder b;
	struct core *core = NULL;

	core_builder_init(&b);
	for (size_t i = 0; i < nr; i++)
		core_builder_ram(&b, start_len[i][0], start_len[i][1]);
	core_open_fd(core_builder_finish(&b), "test", &core);
	return core;
}

TEST(vital, set_keeps_the_lowest_tier)
{
	/* "PFN+NR:TIER ..." in, the same out; memory is pages 16 to 4095 */
	static const char *const cases[][2] = {
		{ "", "" },
		{ "20+5:3", "20+5:3" },
		{ "20+5:3 25+5:3", "20+10:3" },
		{ "25+5:3 20+5:3", "20+10:3" },
		{ "20+5:3 25+5:4", "20+5:3 25+5:4" },
		{ "20+10:3 24+2:1", "20+4:3 24+2:1 26+4:3" },
		{ "20+10:3 24+2:5", "20+10:3" },
		{ "20+2:3 24+2:3 28+2:3 18+14:5",
		  "18+2:5 20+2:3 22+2:5 24+2:3 26+2:5 28+2:3 30+2:5" },
		{ "20+2:3 24+2:3 28+2:3 18+14:1", "18+14:1" },
		{ "20+10:3 25+10:1 30+10:2", "20+5:3 25+10:1 35+5:2" },
		{ "20+10:3 20+10:3 22+2:3", "20+10:3" },
		{ "0+20:2", "16+4:2" },
		{ "0+16:2", "" },
		{ "4090+1000:2", "4090+6:2" },
		{ "5000+1:2", "" },
	};
	static const uint64_t ram[][2] = { { 16 * PAGE, 4080 * PAGE } };
	struct core *core = open_ram(ram, 1);
	char text[256];

	CHECK(core);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* at once, and each range merged in before the next */
		for (int step = 0; step < 2; step++) {
			static struct vital_set set;
			const char *p = cases[i][0];
			unsigned pfn, nr, tier;
			int used;

			vital_set_init(&set, core);
			for (; sscanf(p, "%u+%u:%u%n", &pfn, &nr, &tier, &used) == 3; p += used) {
				vital_set_add(&set, pfn * PAGE, nr * PAGE, tier);
				if (step)
					CHECK_EQ(vital_set_finish(&set), 0);
			}
			CHECK_EQ(vital_set_finish(&set), 0);
			set_text(set.ranges, set.nr, text, sizeof(text));
			CHECK_STR(text, cases[i][1]);
			vital_set_deinit(&set);
		}
	}
	core_close(core);
}

TEST(vital, set_cuts_bytes_to_pages_that_exist)
{
	static const uint64_t ram[][2] = { { 0x1000, 0x2c00 }, { 0x8400, 0x1000 } };
	static struct vital_set set;
	struct core *core = open_ram(ram, 2);
	char text[64];

	CHECK(core);
	vital_set_init(&set, core);
	vital_set_add(&set, 0x1fff, 2, 1);
	vital_set_add(&set, 0x3c00, 0x100, 2); /* page 3 is there, but not these bytes */
	vital_set_add(&set, 0x3fff, 0x5000, 3);
	vital_set_add(&set, UINT64_MAX - 5, UINT64_MAX, 0);
	CHECK_EQ(vital_set_finish(&set), 0);
	set_text(set.ranges, set.nr, text, sizeof(text));
	CHECK_STR(text, "1+2:1 8+1:3");
	vital_set_add(&set, 0, UINT64_MAX, 4);
	CHECK_EQ(vital_set_finish(&set), 0);
	set_text(set.ranges, set.nr, text, sizeof(text));
	CHECK_STR(text, "1+2:1 3+1:4 8+1:3 9+1:4");
	vital_set_deinit(&set);
	core_close(core);
}

/* Every second page of a large memory, first as a high tier, then as lower ones. */
TEST(vital, set_is_bounded)
{
	static const uint64_t ram[][2] = { { 0, (VITAL_MAX_RANGES + 30000) * 2 * PAGE } };
	static struct vital_set set;
	struct core *core = open_ram(ram, 1);
	size_t nr[VITAL_NR_TIERS] = { 0 };

	CHECK(core);
	vital_set_init(&set, core);
	for (uint64_t i = 0; i < VITAL_MAX_RANGES + 30000; i++)
		vital_set_add(&set, i * 2 * PAGE, PAGE, VITAL_MAPPED);
	for (uint64_t i = 0; i < 10000; i++)
		vital_set_add(&set, (VITAL_MAX_RANGES + 20000 + i) * 2 * PAGE, PAGE, VITAL_TASKS);
	CHECK_EQ(vital_set_finish(&set), 0);
	CHECK_EQ(set.nr, VITAL_MAX_RANGES);
	for (size_t i = 0; i < set.nr; i++) {
		CHECK(!i || set.ranges[i].pfn > set.ranges[i - 1].pfn);
		nr[set.ranges[i].tier]++;
	}
	CHECK_EQ(nr[VITAL_TASKS], 10000);
	CHECK_EQ(nr[VITAL_MAPPED], VITAL_MAX_RANGES - 10000);
	vital_set_deinit(&set);
	core_close(core);
}

/*
 * A machine of 16 MiB: the image's text, read-only data and data at 2, 4 and 6 MiB, a linear
 * map with a table for its first 2 MiB, and a page mapped somewhere else.
 */
TEST(vital, page_tables_tell_tiers)
{
	static const uint64_t image = 0xffffffff81000000, direct = 0xffff888000000000;
	static const uint64_t root = 6 << 20, nx = 1ull << 63;
	struct core_builder b;
	struct vital *v;
	struct core *core;
	uint64_t table = root + PAGE;
	const struct vital_range *r;
	char text[512];
	size_t nr;

	core_builder_init(&b);
	core_builder_ram(&b, 0, 16 << 20);
	b.loads[0].p_vaddr = direct;
	core_builder_map(&b, root, &table, 2, (uint64_t[2]){ image, 2 << 20 });
	core_builder_map(&b, root, &table, 2, (uint64_t[2]){ image + (4 << 20), (6 << 20) | nx });
	core_builder_put64(&b, root + 2 * PAGE + 8 * 9, (4 << 20) | nx | 0x81);
	for (uint64_t at = 2 << 20; at < 16 << 20; at += 2 << 20)
		core_builder_map(&b, root, &table, 2, (uint64_t[2]){ direct + at, at });
	core_builder_map(&b, root, &table, 1, (uint64_t[2]){ direct, 0 });
	core_builder_map(&b, root, &table, 1, (uint64_t[2]){ 0xffffc90000000000, 0x800000 });
	core_builder_vmcoreinfo(&b, "SYMBOL(init_top_pgt)=ffffffff81400000\n"
				    "SYMBOL(_stext)=ffffffff81000000\n"
				    "NUMBER(phys_base)=-14680064\n");
	CHECK_EQ(core_open_fd(core_builder_finish(&b), "test", &core), 0);
	CHECK_EQ(vital_create(core, &v), 0);
	r = vital_ranges(v, &nr);
	set_text(r, nr, text, sizeof(text));
	CHECK_STR(text, "512+512:8 1024+512:7 1536+9:0 1545+503:1 2048+1:11");
	vital_destroy(v);
	core_close(core);
}

TEST(vital, nothing_known_is_nothing)
{
	static const uint64_t ram[][2] = { { 0, 16 << 20 } };
	struct core *core = open_ram(ram, 1);
	struct vital *v;
	size_t nr;

	CHECK(core);
	CHECK_EQ(vital_create(core, &v), 0);
	vital_ranges(v, &nr);
	CHECK_EQ(nr, 0);
	vital_destroy(v);
	core_close(core);
}

/*
 * A kernel with symbols and types, all of it in its image, which is pages 512 to 1023: a
 * process with a second thread, their pids, a CPU, a module, and a slab cache.
 */
#define IMAGE	 KALLSYMS_BUILDER_IMAGE
#define BTF	 (IMAGE + 0x80000)
#define INIT	 (IMAGE + 0x100000) /* task_structs */
#define TASK	 (IMAGE + 0x102000)
#define THREAD	 (IMAGE + 0x104000)
#define STACK(t) ((t) + 0x10000) /* ... their stacks, of two pages */
#define SIGNAL	 (IMAGE + 0x120000)
#define MM	 (IMAGE + 0x122000)
#define CRED	 (IMAGE + 0x124000)
#define NS	 (IMAGE + 0x126000)
#define NODE	 (IMAGE + 0x128000) /* xa_nodes, 0x2000 apart */
#define PID	 (IMAGE + 0x12e000)
#define MODULES	 (IMAGE + 0x140000)
#define MODULE	 (IMAGE + 0x142000)
#define MEM	 (IMAGE + 0x144000)
#define CPU	 (IMAGE + 0x150000)
#define CODE	 (IMAGE + 0x31000)

/* Offsets in the structs */
#define AT_STACK  8
#define AT_TASKS  16
#define AT_SIGNAL 32
#define AT_THREAD 40
#define AT_MM	  56
#define AT_CRED	  64

static const struct kallsyms_symbol vital_symbols[] = {
	{ "T_stext", IMAGE },
	{ "Dinit_uts_ns", IMAGE + 0x1800 },
	{ "T_etext", IMAGE + 0x40000 },
	{ "D__start_BTF", BTF },
	{ "D__stop_BTF", BTF + 0x8000 },
	{ "Dinit_task", INIT },
	{ "D__start_init_task", IMAGE + 0x1a0000 },
	{ "D__end_init_task", IMAGE + 0x1a2000 },
	{ "Dinit_pid_ns", NS },
	{ "dmodules", MODULES },
	{ "D__per_cpu_offset", CPU },
	{ "Dnr_cpu_ids", CPU + 8 },
	{ "A__per_cpu_start", 0x1000 },
	{ "A__per_cpu_end", 0x2000 },
	{ "Arunqueues", 0x1100 },
};

static void put_struct(struct btf_builder *b, const char *name, uint32_t size, size_t nr,
		       const char *const members[], const uint32_t type_offset[][2])
{
	btf_builder_type(b, name, 4u << 24 | (uint32_t)nr, size);
	for (size_t i = 0; i < nr; i++)
		btf_builder_member(b, members[i], type_offset[i][0], 8 * type_offset[i][1]);
}

static void put_array(struct btf_builder *b, uint32_t type, uint32_t nr)
{
	btf_builder_type(b, NULL, 3u << 24, 0);
	btf_builder_words(b, 3, (uint32_t[3]){ type, 1, nr });
}

static size_t make_vital_btf(uint8_t *out)
{
	static struct btf_builder b;

	btf_builder_init(&b);
	btf_builder_type(&b, "char", 1u << 24, 1); /* 1 */
	btf_builder_words(&b, 1, (uint32_t[1]){ 8 });
	btf_builder_type(&b, NULL, 2u << 24, 0); /* 2: a pointer */
	put_array(&b, 2, 4);			 /* 3 */
	put_array(&b, 1, 2);			 /* 4 */
	put_struct(&b, "task_struct", 4097, 6,
		   (const char *[]){ "stack", "tasks", "signal", "thread_node", "mm", "real_cred" },
		   (uint32_t[][2]){ { 2, AT_STACK },
				    { 3, AT_TASKS },
				    { 2, AT_SIGNAL },
				    { 3, AT_THREAD },
				    { 2, AT_MM },
				    { 2, AT_CRED } });
	put_struct(&b, "signal_struct", 64, 1, (const char *[]){ "thread_head" },
		   (uint32_t[][2]){ { 3, 16 } });
	put_struct(&b, "mm_struct", 4096, 0, NULL, NULL);
	put_struct(&b, "mm_struct", 4096, 1, (const char *[]){ "pgd" },
		   (uint32_t[][2]){ { 2, 0 } });
	put_struct(&b, "other", 8, 1, (const char *[]){ "x" }, (uint32_t[][2]){ { 4, 0 } });
	put_struct(&b, NULL, 16, 1, (const char *[]){ "xa_head" },
		   (uint32_t[][2]){ { 2, 8 } }); /* 10 */
	put_struct(&b, NULL, 16, 1, (const char *[]){ "idr_rt" },
		   (uint32_t[][2]){ { 10, 0 } }); /* 11 */
	put_struct(&b, "pid_namespace", 64, 1, (const char *[]){ "idr" },
		   (uint32_t[][2]){ { 11, 8 } });
	put_struct(&b, "xa_node", 40, 2, (const char *[]){ "shift", "slots" },
		   (uint32_t[][2]){ { 1, 0 }, { 3, 8 } });
	put_struct(&b, "pid", 64, 1, (const char *[]){ "x" }, (uint32_t[][2]){ { 1, 0 } });
	put_struct(&b, "rq", 64, 1, (const char *[]){ "curr" }, (uint32_t[][2]){ { 2, 8 } });
	put_struct(&b, "module_memory", 16, 2, (const char *[]){ "base", "size" },
		   (uint32_t[][2]){ { 2, 0 }, { 1, 8 } }); /* 16 */
	put_array(&b, 16, 2);				   /* 17 */
	put_struct(&b, "module", 64, 2, (const char *[]){ "list", "mem" },
		   (uint32_t[][2]){ { 3, 8 }, { 17, 24 } });
	return btf_builder_finish(&b, out);
}

static void put_vaddr(struct core_builder *b, uint64_t vaddr, uint64_t value)
{
	core_builder_put64(b, kallsyms_builder_paddr(vaddr), value);
}

static void put_task(struct core_builder *b, uint64_t task, uint64_t next, uint64_t next_thread)
{
	put_vaddr(b, task + AT_STACK, STACK(task));
	put_vaddr(b, task + AT_TASKS, next);
	put_vaddr(b, task + AT_SIGNAL, SIGNAL);
	put_vaddr(b, task + AT_THREAD, next_thread);
	put_vaddr(b, task + AT_CRED, CRED);
}

static void put_kernel(const struct kallsyms_builder *k, struct core_builder *b)
{
	static uint8_t btf[2 * BTF_BUILDER_BYTES + 24];
	size_t len = make_vital_btf(btf);

	(void)k;
	core_builder_put(b, kallsyms_builder_paddr(BTF), btf, len);
	put_task(b, INIT, TASK + AT_TASKS, 0);
	put_vaddr(b, INIT + AT_SIGNAL, 0);
	put_task(b, TASK, INIT + AT_TASKS, THREAD + AT_THREAD);
	put_vaddr(b, TASK + AT_MM, MM);
	put_task(b, THREAD, 0, SIGNAL + 16);
	put_vaddr(b, SIGNAL + 16, TASK + AT_THREAD);
	put_vaddr(b, STACK(TASK) + 0x1ff8, CODE);
	/* pids: two levels of nodes, of which one leads back to the first */
	put_vaddr(b, NS + 8 + 8, NODE + 2);
	put_vaddr(b, NODE, 6);
	put_vaddr(b, NODE + 8, NODE + 0x2000 + 2);
	put_vaddr(b, NODE + 16, NODE + 2);
	put_vaddr(b, NODE + 0x2000 + 16, PID);
	/* a module, and one whose list has a loop of its own */
	put_vaddr(b, MODULES, MODULE + 8);
	put_vaddr(b, MODULE + 8, MODULE + 8);
	put_vaddr(b, MODULE + 24, MEM);
	put_vaddr(b, MODULE + 32, 0x2001);
	put_vaddr(b, CPU, CPU + 0x1000 - 0x1000);
	put_vaddr(b, CPU + 8, 1);
	put_vaddr(b, CPU + 0x1100 + 8, THREAD);
}

static int vital_text(struct kallsyms_builder how,
		      void (*put)(const struct kallsyms_builder *k, struct core_builder *b),
		      char *text, size_t room)
{
	const struct vital_range *r;
	struct vital *v;
	struct core *core;
	size_t nr;
	int err = core_open_fd(
		kallsyms_builder_make(&how, vital_symbols,
				      sizeof(vital_symbols) / sizeof(vital_symbols[0]), put),
		"test", &core);

	if (err)
		return err;
	err = vital_create(core, &v);
	if (!err) {
		r = vital_ranges(v, &nr);
		set_text(r, nr, text, room);
		vital_destroy(v);
	}
	core_close(core);
	return err;
}

static const struct kallsyms_builder vital_layout = { ENTRIES_PERCPU, .align = 8, .named = true };

TEST(vital, follows_the_kernels_lists)
{
	char text[1024];

	CHECK_EQ(vital_text(vital_layout, put_kernel, text, sizeof(text)), 0);
	/* tier 8 is the image: all of it is mapped as code */
	CHECK_STR(text, "1+2:0 512+48:8 560+2:6 562+206:8 768+4:4 772+2:2 774+10:8 "
			"784+4:6 788+2:2 790+10:8 800+1:4 801+1:8 802+1:4 803+1:8 "
			"804+1:4 805+3:8 808+1:4 809+1:8 810+1:4 811+3:8 814+1:4 "
			"815+19:8 834+1:5 835+1:8 836+3:5 839+10:8 849+1:2 850+158:8 "
			"1008+1:0 1009+15:8");
}

/* Each of these ends what it is in and leaves the rest alone. */
static void put_broken(const struct kallsyms_builder *k, struct core_builder *b)
{
	put_kernel(k, b);
	put_vaddr(b, TASK + AT_TASKS, TASK + AT_TASKS);
	put_vaddr(b, THREAD + AT_THREAD, 0x123456789abcdef0);
	put_vaddr(b, INIT + AT_STACK, UINT64_MAX - 100);
	put_vaddr(b, NODE + 0x2000 + 16, UINT64_MAX - 3);
	put_vaddr(b, MODULE + 24, UINT64_MAX - 4095);
	put_vaddr(b, CPU + 8, 0xffffffff);
}

TEST(vital, broken_lists_end)
{
	char text[1024];

	CHECK_EQ(vital_text(vital_layout, put_broken, text, sizeof(text)), 0);
	CHECK_STR(text, "1+2:0 512+48:8 560+2:6 562+206:8 768+4:4 772+2:2 774+12:8 "
			"786+2:6 788+2:2 790+10:8 800+1:4 801+1:8 802+1:4 803+1:8 "
			"804+1:4 805+3:8 808+1:4 809+1:8 810+1:4 811+23:8 834+1:5 "
			"835+14:8 849+1:2 850+158:8 1008+1:0 1009+15:8");
}

TEST(vital, tiers_have_names)
{
	for (unsigned i = 0; i < VITAL_NR_TIERS; i++)
		for (unsigned k = 0; k < i; k++)
			CHECK(strcmp(vital_tier_name(i), vital_tier_name(k)));
	CHECK_STR(vital_tier_name(VITAL_NR_TIERS), "none");
}
