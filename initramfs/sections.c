// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/sections.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/elf_class.h"
#include "lib/util.h"

static int check_header(const unsigned char *e, size_t len)
{
	if (len < SELFMAG || memcmp(e, ELFMAG, SELFMAG))
		return -EBADMSG;
	if (!elf_is_known(e, len) || get_le16(e + ELF_FIELD(e, Ehdr, e_type)) != ET_REL)
		return -EOPNOTSUPP;
	return 0;
}

static int read_section(const struct sections *s, size_t len, size_t i)
{
	struct section *sec = &s->section[i];
	unsigned char *e = s->elf, *h = e + s->table + i * s->entsize;

	sec->header = h;
	sec->type = get_le32(h + ELF_FIELD(e, Shdr, sh_type));
	sec->flags = elf_get_word(e, h + ELF_FIELD(e, Shdr, sh_flags));
	sec->align = MAX(elf_get_word(e, h + ELF_FIELD(e, Shdr, sh_addralign)), (uint64_t)1);
	if (sec->type == SHT_NULL || sec->type == SHT_NOBITS)
		return 0;
	sec->offset = elf_get_word(e, h + ELF_FIELD(e, Shdr, sh_offset));
	sec->size = elf_get_word(e, h + ELF_FIELD(e, Shdr, sh_size));
	return range_within(sec->offset, sec->size, len) ? 0 : -EBADMSG;
}

static int read_names(const struct sections *s)
{
	const struct section *names = &s->section[s->names];

	if (!names->size || s->elf[names->offset + names->size - 1])
		return -EBADMSG;
	for (size_t i = 0; i < s->nr; i++) {
		uint32_t at = get_le32(s->section[i].header); /* sh_name, in either class */

		if (at >= names->size)
			return -EBADMSG;
		s->section[i].name = (const char *)s->elf + names->offset + at;
	}
	return 0;
}

int sections_read(void *data, size_t len, struct sections *sections_ret)
{
	struct sections s = { .elf = data };
	int err = check_header(data, len);

	if (err)
		return err;
	s.table = elf_get_word(s.elf, s.elf + ELF_FIELD(s.elf, Ehdr, e_shoff));
	s.nr = get_le16(s.elf + ELF_FIELD(s.elf, Ehdr, e_shnum));
	s.names = get_le16(s.elf + ELF_FIELD(s.elf, Ehdr, e_shstrndx));
	s.entsize = ELF_SIZE(s.elf, Shdr);
	if (!s.nr || s.nr > SECTIONS_MAX || s.names >= s.nr ||
	    get_le16(s.elf + ELF_FIELD(s.elf, Ehdr, e_shentsize)) != s.entsize ||
	    !range_within(s.table, s.nr * s.entsize, len))
		return -EBADMSG;
	s.section = calloc(s.nr, sizeof(*s.section));
	if (!s.section)
		return -ENOMEM;
	for (size_t i = 0; i < s.nr && !err; i++)
		err = read_section(&s, len, i);
	if (!err)
		err = read_names(&s);
	if (err)
		sections_deinit(&s);
	else
		*sections_ret = s;
	return err;
}

void sections_deinit(struct sections *s)
{
	free(s->section);
	s->section = NULL;
	s->nr = 0;
}

void sections_move(const struct sections *s, const struct section *section, uint64_t offset)
{
	elf_put_word(s->elf, section->header + ELF_FIELD(s->elf, Shdr, sh_offset), offset);
}

void sections_move_table(const struct sections *s, uint64_t offset)
{
	elf_put_word(s->elf, s->elf + ELF_FIELD(s->elf, Ehdr, e_shoff), offset);
}

const char *modinfo_next(const struct sections *s, const char *key, const char *value)
{
	const struct section *info = NULL;
	const char *start, *end;

	for (size_t i = 0; i < s->nr && !info; i++)
		if (streq(s->section[i].name, ".modinfo"))
			info = &s->section[i];
	if (!info || !info->size)
		return NULL;
	start = (const char *)s->elf + info->offset;
	end = start + info->size;
	if (end[-1])
		return NULL;
	for (const char *at = value ? value + strlen(value) + 1 : start; at < end;
	     at += strlen(at) + 1) {
		const char *found = after_prefix(at, key);

		if (found)
			return found;
	}
	return NULL;
}
