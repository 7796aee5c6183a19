// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the symbol table where vmcoreinfo does not tell (before 6.0).
 *
 * token_index is 256 ascending u16, and each is the place of a token in token_table,
 * which ends right before it: hard to mistake. Before that are, in every release,
 * num_syms, names and markers, where markers[i] is the place of name 256 * i; the
 * offsets are either before num_syms or after token_index (kernel 404bad70fcf7).
 */
#include <errno.h>
#include <string.h>

#include "capture/core/kallsyms_priv.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define IMAGE_MAX   (128ull << 20) /* bytes from _stext on to look through */
#define INDEX_BYTES (2u * KALLSYMS_TOKENS)
#define PER_MARKER  256u
#define MAX_PAD	    8u /* zeros between two tables, which start at multiples of 4 or 8 */
#define MAX_TOKEN   64u

static bool looks_like_index(const uint8_t *p)
{
	uint16_t last = get_le16(p);

	if (last)
		return false;
	for (unsigned i = 1; i < KALLSYMS_TOKENS; i++) {
		uint16_t next = get_le16(p + 2 * i);

		if (next < last + 2 || next - last > (int)MAX_TOKEN)
			return false;
		last = next;
	}
	return true;
}

/* Where token_table starts, by where its last token ends. */
static int find_token_table(struct kallsyms *k, uint64_t index, uint64_t *table_ret)
{
	const unsigned room = MAX_TOKEN + MAX_PAD + 2;
	const uint8_t *p = vwindow_get(k->w, index, INDEX_BYTES);
	unsigned last, end = room, start;

	if (!p)
		return -ENODATA;
	last = get_le16(p + INDEX_BYTES - 2);
	p = vwindow_get(k->w, index - room, room);
	if (!p)
		return -ENODATA;
	while (end && !p[end - 1])
		end--;
	start = end;
	while (start && p[start - 1])
		start--;
	if (!start || end == room || room - end > MAX_PAD)
		return -ENODATA;
	*table_ret = index - room + start - last;
	return 0;
}

static bool read_u32(struct kallsyms *k, uint64_t vaddr, uint32_t *value_ret)
{
	const uint8_t *p = vwindow_get(k->w, vaddr, 4);

	if (p)
		*value_ret = get_le32(p);
	return p;
}

/* The markers end before @end. *@last_ret is the last of them. */
static int find_markers(struct kallsyms *k, uint64_t end, uint64_t *start_ret, uint32_t *nr_ret,
			uint32_t *last_ret)
{
	uint32_t value, next;
	uint64_t at = (end & ~3ull) - 4;

	if (!read_u32(k, at, &value))
		return -ENODATA;
	if (!value) {
		at -= 4;
		if (!read_u32(k, at, &value))
			return -ENODATA;
	}
	*last_ret = value;
	for (*nr_ret = 1; value; ++*nr_ret) {
		at -= 4;
		if (*nr_ret > KALLSYMS_MAX_SYMS / PER_MARKER || !read_u32(k, at, &next) ||
		    next >= value)
			return -ENODATA;
		value = next;
	}
	*start_ret = at;
	return *nr_ret < 2 ? -ENODATA : 0;
}

/* Do the first 256 names from @at on come to as many bytes as the second marker says? */
static bool names_start(struct kallsyms *k, uint64_t at, uint32_t second)
{
	uint64_t end = at + second;

	for (unsigned i = 0; i < PER_MARKER; i++) {
		const uint8_t *p = vwindow_get(k->w, at, 3);
		unsigned skip, nr;

		if (!p)
			return false;
		nr = kallsyms_name_len(p, &skip);
		if (!nr)
			return false;
		at += nr + skip;
	}
	return at == end;
}

/* num_syms says as many as the markers do, and names follow it; the names end before
 * @markers, and the last marker leaves at most 256 of them. */
static int find_names(struct kallsyms *k, uint64_t markers, uint32_t nr, uint32_t last)
{
	uint64_t latest = (markers - last - 1) & ~3ull;
	uint32_t second, num;

	if (!read_u32(k, markers + 4, &second))
		return -ENODATA;
	for (uint64_t at = latest; latest - at < PER_MARKER * 2 * MAX_TOKEN; at -= 4) {
		/* A step too far would be found good as well: the names catch up. */
		uint64_t names = at + 4;

		if (!read_u32(k, at, &num) || !num || DIV_ROUND_UP(num, PER_MARKER) != nr)
			continue;
		if (!names_start(k, names, second) && !names_start(k, names += 4, second))
			continue;
		k->names = names;
		k->nr = num;
		k->tables[0] = at - 8 - ROUND_UP((uint64_t)num * 4, 8);
		return 0;
	}
	return -ENODATA;
}

static int try_index(struct kallsyms *k, uint64_t index)
{
	uint64_t table, markers;
	uint32_t nr, last;
	int err = find_token_table(k, index, &table);

	if (!err)
		err = kallsyms_load_tokens(k, table, index);
	if (!err)
		err = find_markers(k, table, &markers, &nr, &last);
	if (!err)
		err = find_names(k, markers, nr, last);
	if (err)
		return err;
	k->tables[1] = index + INDEX_BYTES;
	k->nr_tables = 2;
	k->entry_size = 4;
	return 0;
}

int kallsyms_search(struct kallsyms *k)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(k->core);
	uint64_t start, at;

	if (!vi || vmcoreinfo_symbol(vi, "_stext", &start))
		return -ENODATA;
	start &= ~(uint64_t)(VWINDOW_STEP - 1);
	for (at = start; at - start < IMAGE_MAX && at < UINT64_MAX - VWINDOW_LARGE;) {
		const uint8_t *p = vwindow_get(k->w, at, VWINDOW_STEP + INDEX_BYTES);

		if (!p) {
			at += VWINDOW_STEP;
			continue;
		}
		for (unsigned i = 0; i < VWINDOW_STEP; i += 4) {
			/* Most words are no index: the first two entries tell. */
			if (get_le16(p + i) || get_le16(p + i + 2) - 2u > MAX_TOKEN ||
			    !looks_like_index(p + i))
				continue;
			if (!try_index(k, at + i))
				return 0;
			p = vwindow_get(k->w, at, VWINDOW_STEP + INDEX_BYTES);
			if (!p)
				break;
		}
		at += VWINDOW_STEP;
	}
	return -ENODATA;
}
