// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel loads are segments; sections and symbols lie behind them. elf(5). */
#include "initramfs/strip.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

static bool is_program(const unsigned char *e, size_t len)
{
	unsigned type;

	if (len < sizeof(Elf64_Ehdr) || memcmp(e, ELFMAG, SELFMAG) || e[EI_CLASS] != ELFCLASS64 ||
	    e[EI_DATA] != ELFDATA2LSB)
		return false;
	type = get_le16(e + offsetof(Elf64_Ehdr, e_type));
	return (type == ET_EXEC || type == ET_DYN) &&
	       get_le16(e + offsetof(Elf64_Ehdr, e_phentsize)) == sizeof(Elf64_Phdr) &&
	       get_le16(e + offsetof(Elf64_Ehdr, e_shentsize)) == sizeof(Elf64_Shdr);
}

/* The end of what program headers name, they themselves included; 0 where they are broken. */
static uint64_t segments_end(const unsigned char *e, size_t len)
{
	uint64_t phoff = get_le64(e + offsetof(Elf64_Ehdr, e_phoff)), end;
	unsigned nr = get_le16(e + offsetof(Elf64_Ehdr, e_phnum));

	if (!nr || !range_within(phoff, (uint64_t)nr * sizeof(Elf64_Phdr), len))
		return 0;
	end = phoff + (uint64_t)nr * sizeof(Elf64_Phdr);
	for (unsigned i = 0; i < nr; i++) {
		const unsigned char *p = e + phoff + i * sizeof(Elf64_Phdr);
		uint64_t offset = get_le64(p + offsetof(Elf64_Phdr, p_offset));
		uint64_t size = get_le64(p + offsetof(Elf64_Phdr, p_filesz));

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
	shoff = get_le64(e + offsetof(Elf64_Ehdr, e_shoff));
	end = segments_end(e, len);
	if (!end || shoff < end || shoff > len ||
	    len - shoff != get_le16(e + offsetof(Elf64_Ehdr, e_shnum)) * sizeof(Elf64_Shdr))
		return len;
	put_le64(e + offsetof(Elf64_Ehdr, e_shoff), 0);
	put_le16(e + offsetof(Elf64_Ehdr, e_shnum), 0);
	put_le16(e + offsetof(Elf64_Ehdr, e_shstrndx), 0);
	return (size_t)end;
}
