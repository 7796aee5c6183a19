// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What strip --strip-debug does to a kernel module (kernel: INSTALL_MOD_STRIP): sections of debug
 * information go. Their entries stay in the section table, empty, so that no index in symbols and
 * headers changes; the kernel passes over SHT_NULL (kernel/module/main.c).
 */
#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/elf_class.h"
#include "initramfs/sections.h"
#include "initramfs/strip.h"
#include "lib/cleanup.h"
#include "lib/util.h"

#define ALIGN_MAX 65536u

/* Something with a place in the file: contents of a section, or the table itself. */
struct part {
	const struct section *section; /* NULL for the table */
	uint64_t offset, size, align;
};

/* kernel: scripts/sign-file.c appends it; a changed module would no longer match its signature. */
static bool is_signed(const unsigned char *e, size_t len)
{
	static const char magic[] = "~Module signature appended~\n";
	size_t n = sizeof(magic) - 1;

	return len >= n && !memcmp(e + len - n, magic, n);
}

static bool is_debug(const struct section *sec)
{
	const char *name = sec->name, *of;

	if (sec->flags & SHF_ALLOC)
		return false;
	of = after_prefix(name, ".rela");
	if (!of)
		of = after_prefix(name, ".rel");
	name = of ? of : name;
	return after_prefix(name, ".debug_") || after_prefix(name, ".zdebug_");
}

static int compare_parts(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bool is_power_of_2(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* Lists what stays, in the order of the file; 0 where that is not laid out as linkers do it. */
static size_t list_parts(const struct sections *s, struct part *parts)
{
	uint64_t end = ELF_SIZE(s->elf, Ehdr);
	size_t nr = 0;

	parts[nr++] =
		(struct part){ NULL, s->table, s->nr * s->entsize, elf_is_64(s->elf) ? 8 : 4 };
	for (size_t i = 0; i < s->nr; i++) {
		const struct section *sec = &s->section[i];

		if (sec->size && !sec->drop)
			parts[nr++] = (struct part){ sec, sec->offset, sec->size, sec->align };
	}
	qsort(parts, nr, sizeof(*parts), compare_parts);
	for (size_t i = 0; i < nr; i++) {
		if (parts[i].offset < end || !is_power_of_2(parts[i].align) ||
		    parts[i].align > ALIGN_MAX || parts[i].offset % parts[i].align)
			return 0;
		end = parts[i].offset + parts[i].size;
	}
	return nr;
}

/*
 * A group, which compilers make of debug information that several objects have in common, goes with
 * its members: words of 32 bits, flags and then indexes. False where only some of them go.
 */
static bool mark_group(const struct sections *s, struct section *group)
{
	size_t nr = group->size / sizeof(uint32_t), gone = 0;

	for (size_t i = 1; i < nr; i++) {
		uint32_t member = get_le32(s->elf + group->offset + i * sizeof(uint32_t));

		gone += member < s->nr && s->section[member].drop;
	}
	group->drop = nr > 1 && gone == nr - 1;
	return !gone || group->drop;
}

/* Marks what goes; false where nothing does, or what belongs together would be torn apart. */
static bool mark_debug(const struct sections *s)
{
	bool any = false;

	for (size_t i = 0; i < s->nr; i++) {
		s->section[i].drop = i != s->names && is_debug(&s->section[i]);
		any = any || (s->section[i].drop && s->section[i].size);
	}
	for (size_t i = 0; i < s->nr && any; i++)
		if (s->section[i].type == SHT_GROUP && i != s->names)
			any = mark_group(s, &s->section[i]);
	return any;
}

/* Moves all parts down, each to a multiple of its alignment: none comes to lie behind its place. */
static size_t close_up(const struct sections *s, const struct part *parts, size_t nr)
{
	uint64_t end = ELF_SIZE(s->elf, Ehdr);

	for (size_t i = 0; i < s->nr; i++)
		if (s->section[i].drop)
			memset(s->section[i].header, 0, s->entsize);
		else if (s->section[i].type != SHT_NULL && !s->section[i].size)
			sections_move(s, &s->section[i], 0);
	/* Headers lie in the table: change them all before that moves. */
	for (size_t i = 0; i < nr; i++) {
		uint64_t to = ROUND_UP(end, parts[i].align);

		if (parts[i].section)
			sections_move(s, parts[i].section, to);
		else
			sections_move_table(s, to);
		end = to + parts[i].size;
	}
	end = ELF_SIZE(s->elf, Ehdr);
	for (size_t i = 0; i < nr; i++) {
		uint64_t to = ROUND_UP(end, parts[i].align);

		memset(s->elf + end, 0, (size_t)(to - end));
		memmove(s->elf + to, s->elf + parts[i].offset, (size_t)parts[i].size);
		end = to + parts[i].size;
	}
	return (size_t)end;
}

size_t strip_module(void *data, size_t len)
{
	_free_ struct part *parts = NULL;
	struct sections s;
	size_t nr, stripped = len;

	if (is_signed(data, len) || sections_read(data, len, &s))
		return len;
	parts = calloc(s.nr + 1, sizeof(*parts));
	nr = parts && mark_debug(&s) ? list_parts(&s, parts) : 0;
	if (nr)
		stripped = close_up(&s, parts, nr);
	sections_deinit(&s);
	return stripped;
}
