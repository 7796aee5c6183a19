// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <string.h>

#include "initramfs/strip.h"
#include "lib/util.h"
#include "tests/unit/test.h"

/* Header, a program header, 100 bytes that it names, 50 more, two section headers. */
struct program {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	char loaded[100], symbols[52];
	Elf64_Shdr shdr[2];
	char archive[8];
};

#define WHOLE  (offsetof(struct program, archive))
#define LOADED (offsetof(struct program, symbols))

static struct program usual(void)
{
	struct program p = { .ehdr.e_type = ET_DYN };

	memcpy(p.ehdr.e_ident, ELFMAG, SELFMAG);
	p.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	p.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	p.ehdr.e_phoff = offsetof(struct program, phdr);
	p.ehdr.e_phentsize = sizeof(Elf64_Phdr);
	p.ehdr.e_phnum = 1;
	p.ehdr.e_shoff = offsetof(struct program, shdr);
	p.ehdr.e_shentsize = sizeof(Elf64_Shdr);
	p.ehdr.e_shnum = 2;
	p.ehdr.e_shstrndx = 1;
	p.phdr.p_type = PT_LOAD;
	p.phdr.p_filesz = LOADED;
	return p;
}

TEST(mkimage, strips_a_program)
{
	struct program p = usual();

	CHECK_EQ(strip_program(&p, WHOLE), LOADED);
	CHECK_EQ(p.ehdr.e_shoff, 0);
	CHECK_EQ(p.ehdr.e_shnum, 0);
	CHECK_EQ(p.ehdr.e_shstrndx, 0);
	CHECK_EQ(strip_program(&p, LOADED), LOADED);
}

TEST(mkimage, strips_nothing_else)
{
	struct program p = usual(), bad[10];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = p;
	bad[0].ehdr.e_ident[0] = 0;
	bad[1].ehdr.e_ident[EI_CLASS] = ELFCLASSNONE;
	bad[2].ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	bad[3].ehdr.e_type = ET_REL;
	bad[4].ehdr.e_phoff = UINT64_MAX;
	bad[5].ehdr.e_phnum = 0;
	bad[6].phdr.p_filesz = UINT64_MAX;
	bad[7].phdr.p_offset = WHOLE;
	bad[8].ehdr.e_shoff = LOADED - 1;
	bad[9].ehdr.e_shoff = UINT64_MAX;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct program copy = bad[i];

		CHECK_EQ(strip_program(&bad[i], WHOLE), WHOLE);
		CHECK_EQ(memcmp(&copy, &bad[i], sizeof(copy)), 0);
	}
	CHECK_EQ(strip_program(&p, sizeof(p)), sizeof(p)); /* something behind the table */
	for (size_t len = 0; len < WHOLE; len++)
		CHECK_EQ(strip_program(&p, len), len);
}

/* The same of 32 bits. */
struct program32 {
	Elf32_Ehdr ehdr;
	Elf32_Phdr phdr;
	char loaded[100], symbols[52];
	Elf32_Shdr shdr[2];
};

TEST(mkimage, strips_a_program_of_32_bits)
{
	const size_t loaded = offsetof(struct program32, symbols);
	struct program32 p = { .ehdr.e_type = ET_EXEC }, bad[4];

	memcpy(p.ehdr.e_ident, ELFMAG, SELFMAG);
	p.ehdr.e_ident[EI_CLASS] = ELFCLASS32;
	p.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	p.ehdr.e_phoff = offsetof(struct program32, phdr);
	p.ehdr.e_phentsize = sizeof(Elf32_Phdr);
	p.ehdr.e_phnum = 1;
	p.ehdr.e_shoff = offsetof(struct program32, shdr);
	p.ehdr.e_flags = 0x5a;
	p.ehdr.e_shentsize = sizeof(Elf32_Shdr);
	p.ehdr.e_shnum = 2;
	p.ehdr.e_shstrndx = 1;
	p.phdr.p_type = PT_LOAD;
	p.phdr.p_filesz = loaded;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = p;
	bad[0].phdr.p_filesz = UINT32_MAX;
	bad[1].phdr.p_offset = UINT32_MAX;
	bad[2].ehdr.e_phoff = UINT32_MAX;
	bad[3].ehdr.e_shentsize = sizeof(Elf64_Shdr);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(strip_program(&bad[i], sizeof(p)), sizeof(p));
	for (size_t len = 0; len < sizeof(p); len++)
		CHECK_EQ(strip_program(&p, len), len);
	CHECK_EQ(strip_program(&p, sizeof(p)), loaded);
	CHECK_EQ(p.ehdr.e_shoff, 0);
	CHECK_EQ(p.ehdr.e_flags, 0x5a);
	CHECK_EQ(p.ehdr.e_shnum, 0);
	CHECK_EQ(p.ehdr.e_shstrndx, 0);
	CHECK_EQ(strip_program(&p, loaded), loaded);
}
