// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/elf_core.h"

#include <string.h>

#include "lib/bytes.h"

size_t elf_core_ehdr_bytes(const struct elf_core *core)
{
	return core->class == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

size_t elf_core_phdr_bytes(const struct elf_core *core)
{
	return core->class == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

#define PUT_HEADERS(bits)                                                                          \
	static void put_ehdr##bits(uint8_t *p, const Elf64_Ehdr *e)                                \
	{                                                                                          \
		typedef Elf##bits##_Ehdr ehdr;                                                     \
		put_le16(p + offsetof(ehdr, e_type), e->e_type);                                   \
		put_le16(p + offsetof(ehdr, e_machine), e->e_machine);                             \
		put_le32(p + offsetof(ehdr, e_version), e->e_version);                             \
		put_le##bits(p + offsetof(ehdr, e_phoff), sizeof(ehdr));                           \
		put_le32(p + offsetof(ehdr, e_flags), e->e_flags);                                 \
		put_le16(p + offsetof(ehdr, e_ehsize), sizeof(ehdr));                              \
		put_le16(p + offsetof(ehdr, e_phentsize), sizeof(Elf##bits##_Phdr));               \
		put_le16(p + offsetof(ehdr, e_phnum), e->e_phnum);                                 \
	}                                                                                          \
	static void put_phdr##bits(uint8_t *p, const Elf64_Phdr *ph)                               \
	{                                                                                          \
		typedef Elf##bits##_Phdr phdr;                                                     \
		put_le32(p + offsetof(phdr, p_type), ph->p_type);                                  \
		put_le32(p + offsetof(phdr, p_flags), ph->p_flags);                                \
		put_le##bits(p + offsetof(phdr, p_offset), ph->p_offset);                          \
		put_le##bits(p + offsetof(phdr, p_vaddr), ph->p_vaddr);                            \
		put_le##bits(p + offsetof(phdr, p_paddr), ph->p_paddr);                            \
		put_le##bits(p + offsetof(phdr, p_filesz), ph->p_filesz);                          \
		put_le##bits(p + offsetof(phdr, p_memsz), ph->p_memsz);                            \
		put_le##bits(p + offsetof(phdr, p_align), ph->p_align);                            \
	}

PUT_HEADERS(32)
PUT_HEADERS(64)

void elf_core_put_ehdr(const struct elf_core *core, uint16_t phnum, uint32_t flags, void *out)
{
	const Elf64_Ehdr e = {
		.e_type = ET_CORE,
		.e_machine = core->machine,
		.e_version = EV_CURRENT,
		.e_flags = flags,
		.e_phnum = phnum,
	};
	uint8_t ident[EI_NIDENT] = ELFMAG;

	ident[EI_CLASS] = core->class;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	memset(out, 0, elf_core_ehdr_bytes(core));
	memcpy(out, ident, sizeof(ident));
	if (core->class == ELFCLASS32)
		put_ehdr32(out, &e);
	else
		put_ehdr64(out, &e);
}

void elf_core_put_phdr(const struct elf_core *core, const Elf64_Phdr *phdr, void *out)
{
	if (core->class == ELFCLASS32)
		put_phdr32(out, phdr);
	else
		put_phdr64(out, phdr);
}
