// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/sections.h"
#include "initramfs/strip.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define SIGNATURE "~Module signature appended~\n"

enum {
	TEXT = 1,
	DEBUG,
	RELA,
	MODINFO,
	BSS,
	NAMES,
	NR
};

static const char names[] = "\0.text\0.debug_info\0.rela.debug_info\0.modinfo\0.bss\0.shstrtab";

/* As a compiler leaves it: text, debug information, relocations of that, .modinfo, names, table. */
struct module {
	Elf64_Ehdr ehdr;
	char text[20], pad1[4];
	char debug[1000];
	char rela[48];
	char modinfo[56];
	char names[sizeof(names)], pad2[7];
	_Alignas(8) Elf64_Shdr shdr[NR]; /* as the file has it, whatever this machine does */
	char signature[sizeof(SIGNATURE) - 1];
};

#define WHOLE offsetof(struct module, signature)

static void section(struct module *m, unsigned i, const char *name, unsigned type, size_t offset,
		    size_t size, size_t align)
{
	const char *at = memmem(names + 1, sizeof(names) - 1, name, strlen(name) + 1);

	m->shdr[i] = (Elf64_Shdr){
		.sh_name = (Elf64_Word)(at - names),
		.sh_type = type,
		.sh_offset = offset,
		.sh_size = size,
		.sh_addralign = align,
		.sh_flags = i == TEXT || i == MODINFO || i == BSS ? SHF_ALLOC : 0,
	};
}

#define PART(member) offsetof(struct module, member), sizeof(((struct module *)0)->member)

static void usual(struct module *m)
{
	static const char info[] = "license=GPL\0firmware=a.fw\0alias=x\0firmware=b/c.fw";

	*m = (struct module){ .ehdr.e_type = ET_REL, .text = "program text" };
	memcpy(m->ehdr.e_ident, ELFMAG, SELFMAG);
	m->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	m->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	m->ehdr.e_shoff = offsetof(struct module, shdr);
	m->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	m->ehdr.e_shnum = NR;
	m->ehdr.e_shstrndx = NAMES;
	memset(m->debug, 'd', sizeof(m->debug));
	memset(m->rela, 'r', sizeof(m->rela));
	memcpy(m->modinfo, info, sizeof(info));
	memcpy(m->names, names, sizeof(names));
	section(m, TEXT, ".text", SHT_PROGBITS, PART(text), 16);
	section(m, DEBUG, ".debug_info", SHT_PROGBITS, PART(debug), 1);
	section(m, RELA, ".rela.debug_info", SHT_RELA, PART(rela), 8);
	section(m, MODINFO, ".modinfo", SHT_PROGBITS, PART(modinfo), 8);
	section(m, BSS, ".bss", SHT_NOBITS, offsetof(struct module, shdr) + 100000, 1 << 20, 32);
	section(m, NAMES, ".shstrtab", SHT_STRTAB, PART(names), 1);
}

TEST(mkimage, strips_debug_information_of_a_module)
{
	struct module m;
	struct sections s;
	size_t len;

	usual(&m);
	len = strip_module(&m, WHOLE);
	CHECK(len <= WHOLE - sizeof(m.debug) - sizeof(m.rela)); /* and less padding */
	CHECK(len > WHOLE - sizeof(m.debug) - sizeof(m.rela) - 16);
	CHECK(!memmem(&m, len, "dddd", 4));
	CHECK(!memmem(&m, len, "rrrr", 4));
	CHECK_EQ(sections_read(&m, len, &s), 0);
	CHECK_EQ(s.nr, NR);
	CHECK_STR(s.section[TEXT].name, ".text");
	CHECK_STR((char *)s.elf + s.section[TEXT].offset, "program text");
	CHECK_EQ(s.section[TEXT].offset % 16, 0);
	CHECK_EQ(s.section[DEBUG].type, SHT_NULL);
	CHECK_EQ(s.section[RELA].type, SHT_NULL);
	CHECK_STR(s.section[MODINFO].name, ".modinfo");
	CHECK_EQ(s.section[MODINFO].size, sizeof(m.modinfo));
	CHECK_EQ(s.section[BSS].type, SHT_NOBITS);
	CHECK_STR(modinfo_next(&s, "license=", NULL), "GPL");
	sections_deinit(&s);
	CHECK_EQ(strip_module(&m, len), len); /* once and for all */
}

TEST(mkimage, leaves_other_modules_alone)
{
	struct module bad[12], copy;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		usual(&bad[i]);
	bad[0].ehdr.e_type = ET_DYN;
	bad[1].ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	bad[2].ehdr.e_shoff = UINT64_MAX;
	bad[3].ehdr.e_shnum = NR + 1;
	bad[4].ehdr.e_shstrndx = NR;
	bad[5].shdr[TEXT].sh_offset = UINT64_MAX;
	bad[6].shdr[TEXT].sh_name = sizeof(names);
	bad[7].shdr[TEXT].sh_offset = 0;				 /* over the header */
	bad[8].shdr[MODINFO].sh_offset = offsetof(struct module, names); /* over another */
	bad[9].shdr[TEXT].sh_addralign = 24;
	bad[10].shdr[TEXT].sh_addralign = 128; /* it does not keep to that */
	bad[11].shdr[DEBUG].sh_size = 0;       /* nothing to gain */
	bad[11].shdr[RELA].sh_size = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		copy = bad[i];
		if (strip_module(&bad[i], WHOLE) != WHOLE || memcmp(&copy, &bad[i], WHOLE)) {
			test_fail(__FILE__, __LINE__, "module %zu is changed", i);
			return;
		}
	}
	usual(&copy);
	memcpy(copy.signature, SIGNATURE, sizeof(copy.signature));
	CHECK_EQ(strip_module(&copy, WHOLE + sizeof(copy.signature)),
		 WHOLE + sizeof(copy.signature));
	usual(&copy);
	for (size_t len = 0; len < WHOLE; len++)
		CHECK_EQ(strip_module(&copy, len), len);
}

TEST(mkimage, strips_groups_of_debug_information_whole)
{
	static const uint32_t all[] = { 1, DEBUG, RELA }, some[] = { 1, DEBUG, TEXT };
	struct sections s;
	struct module m;
	size_t len;

	/* The information of the module is of no use here: it becomes a group. */
	usual(&m);
	m.shdr[MODINFO].sh_type = SHT_GROUP;
	m.shdr[MODINFO].sh_size = sizeof(all);
	memcpy(m.modinfo, all, sizeof(all));
	len = strip_module(&m, WHOLE);
	CHECK(len < WHOLE);
	CHECK_EQ(sections_read(&m, len, &s), 0);
	CHECK_EQ(s.section[MODINFO].type, SHT_NULL);
	sections_deinit(&s);
	usual(&m);
	m.shdr[MODINFO].sh_type = SHT_GROUP;
	m.shdr[MODINFO].sh_size = sizeof(some);
	memcpy(m.modinfo, some, sizeof(some));
	CHECK_EQ(strip_module(&m, WHOLE), WHOLE);
}

TEST(mkimage, values_of_a_modules_information)
{
	const char *value;
	struct sections s;
	struct module m;

	usual(&m);
	CHECK_EQ(sections_read(&m, WHOLE, &s), 0);
	value = modinfo_next(&s, "firmware=", NULL);
	CHECK_STR(value, "a.fw");
	value = modinfo_next(&s, "firmware=", value);
	CHECK_STR(value, "b/c.fw");
	CHECK(!modinfo_next(&s, "firmware=", value));
	CHECK(!modinfo_next(&s, "none=", NULL));
	sections_deinit(&s);
	m.modinfo[sizeof(m.modinfo) - 1] = 'x'; /* no end */
	CHECK_EQ(sections_read(&m, WHOLE, &s), 0);
	CHECK(!modinfo_next(&s, "license=", NULL));
	sections_deinit(&s);
}
