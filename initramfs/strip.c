// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel loads are segments; sections and symbols lie behind them. elf(5). */
#include "initramfs/strip.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

/* A field of either class; e_type and what is before it stand at the same place in both. */
#define EHDR(e, field)                                                                             \
	((e)[EI_CLASS] == ELFCLASS64 ? (e) + offsetof(Elf64_Ehdr, field) :                         \
				       (e) + offsetof(Elf32_Ehdr, field))

static bool is_64(const unsigned char *e)
{
	return e[EI_CLASS] == ELFCLASS64;
}

static size_t ehdr_size(const unsigned char *e)
{
	return is_64(e) ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static size_t phdr_size(const unsigned char *e)
{
	return is_64(e) ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

static size_t shdr_size(const unsigned char *e)
{
	return is_64(e) ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

/* An address or offset of the class. */
static uint64_t get_word(const unsigned char *e, const unsigned char *p)
{
	return is_64(e) ? get_le64(p) : get_le32(p);
}

static bool is_program(const unsigned char *e, size_t len)
{
	unsigned type;

	if (len < EI_NIDENT || memcmp(e, ELFMAG, SELFMAG) || e[EI_DATA] != ELFDATA2LSB ||
	    (e[EI_CLASS] != ELFCLASS64 && e[EI_CLASS] != ELFCLASS32) || len < ehdr_size(e))
		return false;
	type = get_le16(EHDR(e, e_type));
	return (type == ET_EXEC || type == ET_DYN) &&
	       get_le16(EHDR(e, e_phentsize)) == phdr_size(e) &&
	       get_le16(EHDR(e, e_shentsize)) == shdr_size(e);
}

/* The end of what program headers name, they themselves included; 0 where they are broken. */
static uint64_t segments_end(const unsigned char *e, size_t len)
{
	uint64_t phoff = get_word(e, EHDR(e, e_phoff)), end;
	unsigned nr = get_le16(EHDR(e, e_phnum));

	if (!nr || !range_within(phoff, (uint64_t)nr * phdr_size(e), len))
		return 0;
	end = phoff + (uint64_t)nr * phdr_size(e);
	for (unsigned i = 0; i < nr; i++) {
		const unsigned char *p = e + phoff + i * phdr_size(e);
		uint64_t offset = get_word(e, p + (is_64(e) ? offsetof(Elf64_Phdr, p_offset) :
							      offsetof(Elf32_Phdr, p_offset)));
		uint64_t size = get_word(e, p + (is_64(e) ? offsetof(Elf64_Phdr, p_filesz) :
							    offsetof(Elf32_Phdr, p_filesz)));

		if (!range_within(offset, size, len))
			return 0;
		if (size)
			end = MAX(end, offset + size);
	}
	return end;
}

size_t strip_program(void *data, size_t len)
{
	unsigned char *e = data;
	uint64_t shoff, end;

	if (!is_program(e, len))
		return len;
	shoff = get_word(e, EHDR(e, e_shoff));
	end = segments_end(e, len);
	if (!end || shoff < end || shoff > len ||
	    len - shoff != get_le16(EHDR(e, e_shnum)) * shdr_size(e))
		return len;
	memset(EHDR(e, e_shoff), 0, is_64(e) ? sizeof(uint64_t) : sizeof(uint32_t));
	put_le16(EHDR(e, e_shnum), 0);
	put_le16(EHDR(e, e_shstrndx), 0);
	return (size_t)end;
}
