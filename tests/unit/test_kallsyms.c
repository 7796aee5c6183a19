// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>

#include "capture/core/kallsyms.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/kallsyms_builder.h"
#include "tests/unit/test.h"

#define IMAGE KALLSYMS_BUILDER_IMAGE

/* 200 letters, and so a length of two bytes */
static char long_name[202];

static const struct kallsyms_symbol symbols[] = {
	{ "T_stext", IMAGE },
	{ "Dinit_uts_ns", IMAGE + 0x1800 },
	{ long_name, IMAGE + 0x2000 },
	{ "Dinit_task", IMAGE + 0x123450 },
	{ "Dmodules", IMAGE + 0x123458 },
	{ "dmodules", IMAGE + 0x200000 },
	{ "Tx", IMAGE + 0x3000 },
};

static const char *const names[] = { "init_task", "nonesuch", "modules", "x", "_stext", "odules" };

static int find(const struct kallsyms_builder *how, const struct kallsyms_symbol *s, size_t nr,
		void (*damage)(const struct kallsyms_builder *k, struct core_builder *b),
		uint64_t *addrs)
{
	struct kallsyms_builder builder = *how;
	struct kallsyms *k = NULL;
	struct core *core;
	int err;

	memset(long_name, 'q', sizeof(long_name) - 1);
	err = core_open_fd(kallsyms_builder_make(&builder, s, nr, damage), "test", &core);
	if (err)
		return err;
	err = kallsyms_open(core, &k);
	if (!err)
		err = kallsyms_find(k, names, ARRAY_SIZE(names), addrs);
	kallsyms_close(k);
	core_close(core);
	return err;
}

static const struct kallsyms_builder layouts[] = {
	{ ENTRIES_OFFSET, .offsets_first = true, .align = 8, .named = true },
	{ ENTRIES_OFFSET, .offsets_first = true, .align = 8 },
	{ ENTRIES_PERCPU, .offsets_first = true, .align = 8 },
	{ ENTRIES_PERCPU, .offsets_first = true, .align = 8, .named = true },
	{ ENTRIES_PERCPU, .align = 8, .named = true },
	{ ENTRIES_PERCPU, .align = 8 },
	{ ENTRIES_OFFSET, .align = 8, .named = true },
	{ ENTRIES_OFFSET, .align = 4 },
	{ ENTRIES_PLACE, .align = 4, .named = true },
	{ ENTRIES_PLACE, .align = 4 },
	{ ENTRIES_ABSOLUTE, .offsets_first = true, .align = 8, .named = true },
};

TEST(kallsyms, finds_symbols_in_every_layout)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		uint64_t addrs[ARRAY_SIZE(names)] = { 0 };

		CHECK_EQ(find(&layouts[i], symbols, ARRAY_SIZE(symbols), NULL, addrs), 0);
		CHECK_EQ(addrs[0], IMAGE + 0x123450);
		CHECK_EQ(addrs[1], 0);
		CHECK_EQ(addrs[2], IMAGE + 0x123458);
		CHECK_EQ(addrs[3], IMAGE + 0x3000);
		CHECK_EQ(addrs[4], IMAGE);
		CHECK_EQ(addrs[5], 0);
	}
}

TEST(kallsyms, percpu_symbols_are_offsets)
{
	static const struct kallsyms_symbol s[] = {
		{ "T_stext", IMAGE },
		{ "Dinit_uts_ns", IMAGE + 0x1800 },
		{ "Ax", 0x1fb80 },
	};
	uint64_t addrs[ARRAY_SIZE(names)];

	CHECK_EQ(find(&layouts[2], s, ARRAY_SIZE(s), NULL, addrs), 0);
	CHECK_EQ(addrs[3], 0x1fb80);
}

/* With one symbol only that vmcoreinfo has as well, every meaning would do. */
TEST(kallsyms, offsets_without_two_witnesses_are_not_believed)
{
	static const struct kallsyms_symbol s[] = { { "T_stext", IMAGE }, { "Tx", IMAGE + 16 } };
	uint64_t addrs[ARRAY_SIZE(names)];

	CHECK_EQ(find(&layouts[0], s, ARRAY_SIZE(s), NULL, addrs), -EBADMSG);
}

static void no_offsets(const struct kallsyms_builder *k, struct core_builder *b)
{
	for (unsigned i = 0; i < 606; i++)
		core_builder_put32(b, kallsyms_builder_paddr(k->offsets) + 4 * i, 0x5a5a5a5a * i);
}

static void too_many(const struct kallsyms_builder *k, struct core_builder *b)
{
	core_builder_put32(b, kallsyms_builder_paddr(k->num_syms), 3000000);
}

static void none(const struct kallsyms_builder *k, struct core_builder *b)
{
	core_builder_put32(b, kallsyms_builder_paddr(k->num_syms), 0);
}

static void bad_index(const struct kallsyms_builder *k, struct core_builder *b)
{
	core_builder_put32(b, kallsyms_builder_paddr(k->token_index) + 64, 0xffffffff);
}

static void empty_token(const struct kallsyms_builder *k, struct core_builder *b)
{
	core_builder_put32(b, kallsyms_builder_paddr(k->token_table) + 8, 0);
}

TEST(kallsyms, damage_is_told)
{
	static const struct {
		void (*damage)(const struct kallsyms_builder *k, struct core_builder *b);
		int err, err_unnamed;
	} cases[] = {
		{ no_offsets, -EBADMSG, -EBADMSG },  { none, -EBADMSG, -ENODATA },
		{ too_many, -EBADMSG, -ENODATA },    { bad_index, -ENODATA, -ENODATA },
		{ empty_token, -ENODATA, -ENODATA },
	};
	uint64_t addrs[ARRAY_SIZE(names)];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(find(&layouts[0], symbols, ARRAY_SIZE(symbols), cases[i].damage, addrs),
			 cases[i].err);
		CHECK_EQ(find(&layouts[1], symbols, ARRAY_SIZE(symbols), cases[i].damage, addrs),
			 cases[i].err_unnamed);
	}
}
