// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/core/btf.h"
#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/btf_builder.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define IMAGE		 0xffffffff81000000ull
#define BTF		 (IMAGE + 0x8000)
#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
#define FLAG		 (1u << 31)

enum {
	INT = 1,
	PTR,
	ARRAY,
	STRUCT,
	UNION,
	ENUM,
	FWD,
	TYPEDEF,
	VOLATILE,
	CONST,
	FUNC = 12,
	FUNC_PROTO,
	VAR,
	DATASEC,
	FLOAT,
	DECL_TAG,
	TYPE_TAG,
	ENUM64,
};

/* One of each kind, to be stepped over, and enough for several strides. */
static void put_others(struct btf_builder *b)
{
	for (unsigned i = 0; i < 50; i++) {
		char name[16];

		sprintf(name, "other%u", i);
		btf_builder_type(b, name, INFO(FWD, 0), 0);
		btf_builder_type(b, NULL, INFO(FUNC_PROTO, 2), 1);
		btf_builder_words(b, 4, (uint32_t[4]){ 0, 1, 0, 1 });
		btf_builder_type(b, name, INFO(FUNC, 0), 1);
		btf_builder_type(b, name, INFO(VAR, 0), 1);
		btf_builder_words(b, 1, (uint32_t[1]){ 0 });
		btf_builder_type(b, ".data", INFO(DATASEC, 1), 8);
		btf_builder_words(b, 3, (uint32_t[3]){ 1, 0, 8 });
		btf_builder_type(b, "double", INFO(FLOAT, 0), 8);
		btf_builder_type(b, "tag", INFO(DECL_TAG, 0), 1);
		btf_builder_words(b, 1, (uint32_t[1]){ 0 });
	}
}

/*
 * struct inner { int a; union { int b; struct { char pad[4]; volatile num_t c; }; }; };
 * struct outer { void *p; struct inner in[3][2]; unsigned x:3, y:5; };
 */
static void put_types(struct btf_builder *b)
{
	uint32_t num, ptr, bytes, anon, un, inner, row, rows, vol;

	num = btf_builder_type(b, "int", INFO(INT, 0), 4);
	btf_builder_words(b, 1, (uint32_t[1]){ 32 });
	btf_builder_type(b, "outer", INFO(STRUCT, 0), 0); /* empty: not the one meant */
	put_others(b);
	ptr = btf_builder_type(b, NULL, INFO(PTR, 0), 0);
	bytes = btf_builder_type(b, NULL, INFO(ARRAY, 0), 0);
	btf_builder_words(b, 3, (uint32_t[3]){ num, num, 1 });
	vol = btf_builder_type(b, "num_t", INFO(TYPEDEF, 0), num);
	vol = btf_builder_type(b, NULL, INFO(VOLATILE, 0), vol);
	vol = btf_builder_type(b, "user", INFO(TYPE_TAG, 0), vol);
	anon = btf_builder_type(b, NULL, INFO(STRUCT, 2), 8);
	btf_builder_member(b, "pad", bytes, 0);
	btf_builder_member(b, "c", vol, 32);
	un = btf_builder_type(b, NULL, INFO(UNION, 2), 8);
	btf_builder_member(b, "b", num, 0);
	btf_builder_member(b, NULL, anon, 0);
	inner = btf_builder_type(b, "inner", INFO(STRUCT, 2), 12);
	btf_builder_member(b, "a", num, 0);
	btf_builder_member(b, NULL, un, 32);
	row = btf_builder_type(b, NULL, INFO(ARRAY, 0), 0);
	btf_builder_words(b, 3, (uint32_t[3]){ inner, num, 2 });
	rows = btf_builder_type(b, NULL, INFO(ARRAY, 0), 0);
	btf_builder_words(b, 3, (uint32_t[3]){ row, num, 3 });
	btf_builder_type(b, "outer", INFO(STRUCT, 4) | FLAG, 88);
	btf_builder_member(b, "p", ptr, 0);
	btf_builder_member(b, "in", rows, 64);
	btf_builder_member(b, "x", num, 640 | 3u << 24);
	btf_builder_member(b, "y", num, 643 | 5u << 24);
	btf_builder_type(b, "signs", INFO(ENUM, 2) | FLAG, 4);
	btf_builder_value(b, "MINUS", (uint32_t)-1);
	btf_builder_value(b, "PLUS", 1);
	btf_builder_type(b, "plain", INFO(ENUM, 1), 4);
	btf_builder_value(b, "BIG", 0xfffffffe);
	btf_builder_type(b, "wide", INFO(ENUM64, 2), 8);
	btf_builder_member(b, "LOW", 7, 0);
	btf_builder_member(b, "HIGH", 1, 2);
}

/* Ask @queries of @len bytes at BTF. */
static int ask(const uint8_t *data, size_t len, struct btf_query *queries, size_t nr)
{
	struct core_builder b;
	struct core *core;
	uint64_t table = 0x2000;
	int err;

	core_builder_init(&b);
	core_builder_ram(&b, 0, 4 << 20);
	core_builder_map(&b, 0x1000, &table, 2, (uint64_t[2]){ IMAGE, 2 << 20 });
	core_builder_put(&b, (2 << 20) + (BTF - IMAGE), data, len);
	core_builder_vmcoreinfo(&b, "SYMBOL(init_top_pgt)=ffffffff80001000\n"
				    "NUMBER(phys_base)=0\n");
	err = core_open_fd(core_builder_finish(&b), "test", &core);
	if (err)
		return err;
	err = core_setup_vaddr(core);
	if (!err)
		err = btf_ask(core, BTF, BTF + len, queries, nr);
	core_close(core);
	return err;
}

static int ask_types(void (*put)(struct btf_builder *b), struct btf_query *queries, size_t nr)
{
	struct btf_builder *b = malloc(sizeof(*b));
	uint8_t *data = malloc(2 * BTF_BUILDER_BYTES + 24);
	int err;

	btf_builder_init(b);
	put(b);
	err = ask(data, btf_builder_finish(b, data), queries, nr);
	free(data);
	free(b);
	return err;
}

TEST(btf, members_sizes_and_values)
{
	static const struct btf_query want[] = {
		{ "outer", true, 0, 88, 1, 0 },	       { "outer.p", true, 0, 8, 1, 0 },
		{ "outer.in", true, 64, 72, 3, 0 },    { "outer.in.a", true, 64, 4, 1, 0 },
		{ "outer.in.c", true, 128, 4, 1, 0 },  { "outer.in.pad", true, 96, 4, 1, 0 },
		{ "outer.x", true, 640, 4, 1, 0 },     { "outer.y", true, 643, 4, 1, 0 },
		{ "inner", true, 0, 12, 1, 0 },	       { "inner.b", true, 32, 4, 1, 0 },
		{ "inner.c", true, 64, 4, 1, 0 },      { "signs.MINUS", true, 0, 4, 1, -1 },
		{ "signs.PLUS", true, 0, 4, 1, 1 },    { "plain.BIG", true, 0, 4, 1, 0xfffffffe },
		{ "wide.LOW", true, 0, 8, 1, 7 },      { "wide.HIGH", true, 0, 8, 1, 0x200000001 },
		{ "outer.none", false, 0, 0, 0, 0 },   { "none", false, 0, 0, 0, 0 },
		{ "none.p", false, 0, 0, 0, 0 },       { "outer.a", false, 0, 0, 0, 0 },
		{ "outer.p.a", false, 0, 0, 0, 0 },    { "signs.BIG", false, 0, 0, 0, 0 },
		{ "signs.PLUS.x", false, 0, 0, 0, 0 }, { "int", false, 0, 0, 0, 0 },
	};
	struct btf_query q[ARRAY_SIZE(want)];

	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		q[i] = (struct btf_query){ .path = want[i].path };
	CHECK_EQ(ask_types(put_types, q, ARRAY_SIZE(want)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		if (q[i].found != want[i].found || q[i].bit_offset != want[i].bit_offset ||
		    q[i].size != want[i].size || q[i].nr != want[i].nr ||
		    q[i].value != want[i].value)
			test_fail(__FILE__, __LINE__,
				  "%s: %d at %" PRIu64 ", %" PRIu64 " bytes, %u, value %" PRId64,
				  q[i].path, q[i].found, q[i].bit_offset, q[i].size, q[i].nr,
				  q[i].value);
}

/* Types that refer to themselves, in each way there is. */
static void put_circles(struct btf_builder *b)
{
	btf_builder_type(b, "a", INFO(STRUCT, 2), 8);
	btf_builder_member(b, NULL, 1, 0);
	btf_builder_member(b, "x", 2, 0);
	btf_builder_type(b, "t", INFO(TYPEDEF, 0), 2);
	btf_builder_type(b, NULL, INFO(ARRAY, 0), 0);
	btf_builder_words(b, 3, (uint32_t[3]){ 3, 3, 2 });
	btf_builder_type(b, "b", INFO(STRUCT, 2), 8);
	btf_builder_member(b, "y", 3, 0);
	btf_builder_member(b, "z", 0xffffffff, 0);
}

TEST(btf, circles_end)
{
	struct btf_query q[] = { { .path = "a.x" },   { .path = "a.none" }, { .path = "b.y" },
				 { .path = "b.y.x" }, { .path = "b.z" },    { .path = "b" } };

	CHECK_EQ(ask_types(put_circles, q, ARRAY_SIZE(q)), 0);
	for (size_t i = 0; i < 5; i++)
		CHECK(!q[i].found);
	CHECK(q[5].found);
}

/* What comes before damage counts. */
static void put_unknown_kind(struct btf_builder *b)
{
	btf_builder_type(b, "before", INFO(STRUCT, 1), 8);
	btf_builder_member(b, "x", 2, 0);
	btf_builder_type(b, NULL, INFO(PTR, 0), 0);
	btf_builder_type(b, "what", INFO(77, 0), 4);
	btf_builder_type(b, "after", INFO(STRUCT, 1), 8);
	btf_builder_member(b, "x", 2, 0);
}

TEST(btf, unknown_kinds_end_it)
{
	struct btf_query q[] = { { .path = "before.x" }, { .path = "after.x" } };

	CHECK_EQ(ask_types(put_unknown_kind, q, 2), 0);
	CHECK(q[0].found);
	CHECK(!q[1].found);
}

TEST(btf, headers_are_checked)
{
	static const struct {
		unsigned at;
		uint32_t value;
		int err;
	} cases[] = {
		{ 0, 0x0001eb9f, 0 },	      { 0, 0x0001eb9e, -EBADMSG },
		{ 0, 0x0002eb9f, -EBADMSG },  { 4, 23, -EBADMSG },
		{ 4, 0xffffffff, -EBADMSG },  { 8, 4096, -EBADMSG },
		{ 12, 0xffffffff, -EBADMSG }, { 16, 70000, -EBADMSG },
		{ 20, 0xfffffff0, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		static struct btf_builder b;
		static uint8_t data[2 * BTF_BUILDER_BYTES + 24];
		struct btf_query q = { .path = "before.x" };
		size_t len;

		btf_builder_init(&b);
		put_unknown_kind(&b);
		len = btf_builder_finish(&b, data);
		put_le32(data + cases[i].at, cases[i].value);
		CHECK_EQ(ask(data, len, &q, 1), cases[i].err);
	}
}

TEST(btf, bad_questions)
{
	static const char *const paths[] = {
		".x", "a..b",
		"a.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"bbbbbbbbbbbbb"
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct btf_query q = { .path = paths[i] };

		CHECK_EQ(ask_types(put_types, &q, 1), -EINVAL);
	}
}
