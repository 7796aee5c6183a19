// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel loads are segments; sections and symbols lie behind them. elf(5). */
#include "initramfs/strip.h"

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "initramfs/elf_class.h"
#include "lib/util.h"

static bool is_program(const unsigned char *e, size_t len)
{
	unsigned type;

	if (!elf_is_known(e, len))
		return false;
	type = get_le16(e + ELF_FIELD(e, Ehdr, e_type));
	return (type == ET_EXEC || type == ET_DYN) &&
	       get_le16(e + ELF_FIELD(e, Ehdr, e_phentsize)) == ELF_SIZE(e, Phdr) &&
	       get_le16(e + ELF_FIELD(e, Ehdr, e_shentsize)) == ELF_SIZE(e, Shdr);
}

/* The end of what program headers name, they themselves included; 0 where they are broken. */
static uint64_t segments_end(const unsigned char *e, size_t len)
{
	uint64_t phoff = elf_get_word(e, e + ELF_FIELD(e, Ehdr, e_phoff)), end;
	unsigned nr = get_le16(e + ELF_FIELD(e, Ehdr, e_phnum));

	if (!nr || !range_within(phoff, (uint64_t)nr * ELF_SIZE(e, Phdr), len))
		return 0;
	end = phoff + (uint64_t)nr * ELF_SIZE(e, Phdr);
	for (unsigned i = 0; i < nr; i++) {
		const unsigned char *p = e + phoff + i * ELF_SIZE(e, Phdr);
		uint64_t offset = elf_get_word(e, p + ELF_FIELD(e, Phdr, p_offset));
		uint64_t size = elf_get_word(e, p + ELF_FIELD(e, Phdr, p_filesz));

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
	shoff = elf_get_word(e, e + ELF_FIELD(e, Ehdr, e_shoff));
	end = segments_end(e, len);
	if (!end || shoff < end || shoff > len ||
	    len - shoff != get_le16(e + ELF_FIELD(e, Ehdr, e_shnum)) * ELF_SIZE(e, Shdr))
		return len;
	elf_put_word(e, e + ELF_FIELD(e, Ehdr, e_shoff), 0);
	put_le16(e + ELF_FIELD(e, Ehdr, e_shnum), 0);
	put_le16(e + ELF_FIELD(e, Ehdr, e_shstrndx), 0);
	return (size_t)end;
}
