/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fields of a little-endian ELF file of either class; the caller has checked bounds. elf(5). */
#ifndef INITRAMFS_ELF_CLASS_H
#define INITRAMFS_ELF_CLASS_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"

/* @e: the file's first bytes, EI_NIDENT at least. */
static inline bool elf_is_64(const unsigned char *e)
{
	return e[EI_CLASS] == ELFCLASS64;
}

/* Size of a structure of the file's class, and where a field stands in it. */
#define ELF_SIZE(e, type) (elf_is_64(e) ? sizeof(Elf64_##type) : sizeof(Elf32_##type))
#define ELF_FIELD(e, type, field)                                                                  \
	(elf_is_64(e) ? offsetof(Elf64_##type, field) : offsetof(Elf32_##type, field))

/* An address, offset or size of the class. */
static inline uint64_t elf_get_word(const unsigned char *e, const unsigned char *p)
{
	return elf_is_64(e) ? get_le64(p) : get_le32(p);
}

static inline void elf_put_word(const unsigned char *e, unsigned char *p, uint64_t v)
{
	if (elf_is_64(e))
		put_le64(p, v);
	else
		put_le32(p, (uint32_t)v);
}

/* Whether @len bytes begin with a header that this file can tell about. */
static inline bool elf_is_known(const unsigned char *e, size_t len)
{
	return len >= EI_NIDENT && !memcmp(e, ELFMAG, SELFMAG) && e[EI_DATA] == ELFDATA2LSB &&
	       (e[EI_CLASS] == ELFCLASS64 || e[EI_CLASS] == ELFCLASS32) && len >= ELF_SIZE(e, Ehdr);
}

#endif
