// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/program.h"

#include <elf.h>
#include <string.h>

#include "initramfs/elf_class.h"
#include "lib/util.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

static void take_path(const unsigned char *s, size_t len, char path_ret[static PROGRAM_PATH_MAX])
{
	if (len < PROGRAM_PATH_MAX && *s == '/') {
		memcpy(path_ret, s, len);
		path_ret[len] = '\0';
	}
}

static void script_interpreter(const unsigned char *s, size_t len,
			       char path_ret[static PROGRAM_PATH_MAX])
{
	size_t at = 2, end;

	while (at < len && (s[at] == ' ' || s[at] == '\t'))
		at++;
	for (end = at; end < len && !strchr(" \t\n", s[end]);)
		end++;
	if (end > at)
		take_path(s + at, end - at, path_ret);
}

static void elf_interpreter(const unsigned char *e, size_t len,
			    char path_ret[static PROGRAM_PATH_MAX])
{
	uint64_t phoff = elf_get_word(e, e + ELF_FIELD(e, Ehdr, e_phoff)), offset, size;
	unsigned nr = get_le16(e + ELF_FIELD(e, Ehdr, e_phnum));

	if (!range_within(phoff, (uint64_t)nr * ELF_SIZE(e, Phdr), len))
		return;
	for (unsigned i = 0; i < nr; i++) {
		const unsigned char *p = e + phoff + i * ELF_SIZE(e, Phdr);

		if (get_le32(p) != PT_INTERP) /* p_type, in either class */
			continue;
		offset = elf_get_word(e, p + ELF_FIELD(e, Phdr, p_offset));
		size = elf_get_word(e, p + ELF_FIELD(e, Phdr, p_filesz));
		if (range_within(offset, size, len) && size > 1)
			take_path(e + offset, strnlen((const char *)e + offset, size), path_ret);
		return;
	}
}

void program_interpreter(const void *data, size_t len, char path_ret[static PROGRAM_PATH_MAX])
{
	const unsigned char *s = data;

	path_ret[0] = '\0';
	if (len > 2 && s[0] == '#' && s[1] == '!')
		script_interpreter(s, len, path_ret);
	else if (elf_is_known(s, len) &&
		 get_le16(s + ELF_FIELD(s, Ehdr, e_phentsize)) == ELF_SIZE(s, Phdr))
		elf_interpreter(s, len, path_ret);
}

unsigned program_machine(const void *data, size_t len)
{
	const unsigned char *e = data, *field = e + offsetof(Elf64_Ehdr, e_machine);

	if (len < sizeof(Elf32_Ehdr) || memcmp(e, ELFMAG, SELFMAG))
		return EM_NONE;
	return e[EI_DATA] == ELFDATA2MSB ? get_be16(field) : get_le16(field);
}

const char *program_machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = {
		{ EM_386, "i386" },    { EM_X86_64, "x86-64" },
		{ EM_ARM, "arm" },     { EM_AARCH64, "aarch64" },
		{ EM_PPC64, "ppc64" }, { EM_S390, "s390" },
		{ EM_RISCV, "riscv" }, { EM_MIPS, "mips" },
		{ EM_PPC, "ppc" },     { EM_LOONGARCH, "loongarch" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return NULL;
}

bool program_runs_on(unsigned machine, unsigned kernel)
{
	return machine == kernel || (machine == EM_386 && kernel == EM_X86_64) ||
	       (machine == EM_ARM && kernel == EM_AARCH64) ||
	       (machine == EM_PPC && kernel == EM_PPC64);
}
