/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The headers of an ELF core, little-endian, in the form of the class that is asked for (System V
 * ABI, "ELF header" and "Program header").
 */
#ifndef LIB_ELF_CORE_H
#define LIB_ELF_CORE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_CORE_EHDR_MAX sizeof(Elf64_Ehdr)
#define ELF_CORE_PHDR_MAX sizeof(Elf64_Phdr)

/** struct elf_core - @class: ELFCLASS32 or ELFCLASS64; @machine: e_machine */
struct elf_core {
	uint8_t class;
	uint16_t machine;
};

/** elf_core_ehdr_bytes(), elf_core_phdr_bytes() - Size of the header, of one program header. */
size_t elf_core_ehdr_bytes(const struct elf_core *core);
size_t elf_core_phdr_bytes(const struct elf_core *core);

/** elf_core_put_ehdr() - The header of a core whose @phnum program headers follow behind it.
 * @out: elf_core_ehdr_bytes() of room */
void elf_core_put_ehdr(const struct elf_core *core, uint16_t phnum, uint32_t flags, void *out);

/** elf_core_put_phdr() - One program header. Of class 32 it takes the lower half of each value,
 * which of "no address", all ones, is the same again.
 * @out: elf_core_phdr_bytes() of room */
void elf_core_put_phdr(const struct elf_core *core, const Elf64_Phdr *phdr, void *out);

#endif
