// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/kallsyms_builder.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"

#define IMAGE_PADDR 0x200000ull
#define ROOT_OFFSET 0x1f0000ull /* of the top-level page table in the image */
#define NR_FILLERS  600u
#define MAX_SYMBOLS 1000u
#define TABLE_BYTES 0x80000u
#define BASE	    ((uint64_t)KALLSYMS_BUILDER_IMAGE)

struct tables {
	uint8_t data[TABLE_BYTES];
	size_t len;
	unsigned align;
};

uint64_t kallsyms_builder_paddr(uint64_t vaddr)
{
	return vaddr - KALLSYMS_BUILDER_IMAGE + IMAGE_PADDR;
}

static uint64_t start_table(struct tables *t)
{
	t->len = ROUND_UP(t->len, t->align);
	return KALLSYMS_BUILDER_TABLES + t->len;
}

static void put(struct tables *t, uint64_t value, unsigned bytes)
{
	uint8_t raw[8];

	put_le64(raw, value);
	if (t->len + bytes > TABLE_BYTES)
		abort();
	memcpy(t->data + t->len, raw, bytes);
	t->len += bytes;
}

/* Code 1 stands for "in", other letters for themselves, and the rest for two letters. */
static void token(unsigned code, char text[3])
{
	if (code == 1)
		strcpy(text, "in");
	else if (code < 128 && isgraph((int)code))
		sprintf(text, "%c", (char)code);
	else
		sprintf(text, "%c%c", 'A' + (char)(code / 16), 'a' + (char)(code % 16));
}

static void put_name(struct tables *t, const char *name)
{
	uint8_t codes[1024];
	size_t n = 0;

	for (; *name; name++) {
		bool in = name[0] == 'i' && name[1] == 'n';

		codes[n++] = in ? 1 : (uint8_t)*name;
		name += in;
	}
	if (n > 127)
		put(t, 0x80 | (n & 0x7f), 1);
	put(t, n > 127 ? n >> 7 : n, 1);
	for (size_t i = 0; i < n; i++)
		put(t, codes[i], 1);
}

static void put_names(struct kallsyms_builder *k, struct tables *t, const struct kallsyms_symbol *s,
		      uint32_t nr)
{
	uint32_t markers[MAX_SYMBOLS / 256 + 1], nr_markers = 0;

	k->num_syms = start_table(t);
	put(t, nr, 4);
	k->names = start_table(t);
	for (uint32_t i = 0; i < nr; i++) {
		if (i % 256 == 0)
			markers[nr_markers++] =
				(uint32_t)(KALLSYMS_BUILDER_TABLES + t->len - k->names);
		put_name(t, s[i].name);
	}
	start_table(t);
	for (uint32_t i = 0; i < nr_markers; i++)
		put(t, markers[i], 4);
}

static void put_tokens(struct kallsyms_builder *k, struct tables *t)
{
	uint16_t places[256];
	char text[3];

	k->token_table = start_table(t);
	for (unsigned i = 0; i < 256; i++) {
		places[i] = (uint16_t)(KALLSYMS_BUILDER_TABLES + t->len - k->token_table);
		token(i, text);
		for (const char *p = text; *p; p++)
			put(t, (uint8_t)*p, 1);
		put(t, 0, 1);
	}
	k->token_index = start_table(t);
	for (unsigned i = 0; i < 256; i++)
		put(t, places[i], 2);
}

static void put_offsets(struct kallsyms_builder *k, struct tables *t,
			const struct kallsyms_symbol *s, uint32_t nr)
{
	k->offsets = start_table(t);
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t at = KALLSYMS_BUILDER_TABLES + t->len;

		switch (k->entries) {
		case ENTRIES_OFFSET:
			put(t, s[i].addr - BASE, 4);
			break;
		case ENTRIES_PERCPU:
			put(t, s[i].addr < BASE ? s[i].addr : BASE - 1 - s[i].addr, 4);
			break;
		case ENTRIES_PLACE:
			put(t, s[i].addr - at, 4);
			break;
		case ENTRIES_ABSOLUTE:
			put(t, s[i].addr, 8);
			break;
		}
	}
	start_table(t);
	put(t, BASE, 8);
}

static uint32_t fill_symbols(const struct kallsyms_symbol *symbols, size_t nr,
			     struct kallsyms_symbol *all, char (*names)[16])
{
	for (uint32_t i = 0; i < NR_FILLERS; i++) {
		sprintf(names[i], "tfill%u", i * 7919);
		all[i] = (struct kallsyms_symbol){ names[i], BASE + 16 * i };
	}
	if (nr > MAX_SYMBOLS - NR_FILLERS)
		abort();
	memcpy(all + NR_FILLERS, symbols, nr * sizeof(*symbols));
	return NR_FILLERS + (uint32_t)nr;
}

static void put_vmcoreinfo(const struct kallsyms_builder *k, struct core_builder *b)
{
	char text[1024];
	int n = sprintf(text,
			"SYMBOL(init_top_pgt)=%" PRIx64 "\nSYMBOL(_stext)=%" PRIx64
			"\nSYMBOL(init_uts_ns)=%" PRIx64 "\nNUMBER(phys_base)=%" PRId64 "\n",
			(uint64_t)(BASE + ROOT_OFFSET), (uint64_t)BASE, (uint64_t)(BASE + 0x1800),
			(int64_t)(IMAGE_PADDR + 0xffffffff80000000ull - BASE));

	if (k->named)
		sprintf(text + n,
			"SYMBOL(kallsyms_names)=%" PRIx64 "\nSYMBOL(kallsyms_num_syms)=%" PRIx64
			"\nSYMBOL(kallsyms_token_table)=%" PRIx64
			"\nSYMBOL(kallsyms_token_index)=%" PRIx64 "\nSYMBOL(kallsyms_%s)=%" PRIx64
			"\n",
			k->names, k->num_syms, k->token_table, k->token_index,
			k->entries == ENTRIES_ABSOLUTE ? "addresses" : "offsets", k->offsets);
	core_builder_vmcoreinfo(b, text);
}

int kallsyms_builder_make(struct kallsyms_builder *k, const struct kallsyms_symbol *symbols,
			  size_t nr,
			  void (*damage)(const struct kallsyms_builder *k, struct core_builder *b))
{
	struct kallsyms_symbol all[MAX_SYMBOLS];
	char names[NR_FILLERS][16];
	uint32_t n = fill_symbols(symbols, nr, all, names);
	struct tables *t = calloc(1, sizeof(*t));
	uint64_t table = 0x1000;
	struct core_builder b;

	if (!t)
		abort();
	t->align = k->align;
	if (k->offsets_first)
		put_offsets(k, t, all, n);
	put_names(k, t, all, n);
	put_tokens(k, t);
	if (!k->offsets_first)
		put_offsets(k, t, all, n);

	core_builder_init(&b);
	core_builder_ram(&b, 0, 4 << 20);
	core_builder_map(&b, IMAGE_PADDR + ROOT_OFFSET, &table, 2,
			 (uint64_t[2]){ BASE, IMAGE_PADDR });
	core_builder_put(&b, kallsyms_builder_paddr(KALLSYMS_BUILDER_TABLES), t->data, t->len);
	free(t);
	put_vmcoreinfo(k, &b);
	if (damage)
		damage(k, &b);
	return core_builder_finish(&b);
}
