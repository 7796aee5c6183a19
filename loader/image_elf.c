// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF files: a vmlinux, or what is taken for one. Multiboot kernels are told apart by the
 * header of the Multiboot specifications, versions 0.6.96 and 2.0.
 */
#include <elf.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "loader/image.h"

#define MULTIBOOT_MAGIC	 0x1badb002
#define MULTIBOOT_WITHIN 8192
#define MULTIBOOT2_MAGIC 0xe85250d6

static const struct {
	uint16_t number;
	const char *machine;
	uint8_t bits;
	unsigned calls;
} machines[] = {
	{ EM_X86_64, "x86", 64, IMAGE_LOAD_CALL },
	{ EM_386, "x86", 32, IMAGE_LOAD_CALL },
	{ EM_PPC64, "ppc64le", 0, IMAGE_FILE_CALL },
	{ EM_S390, "s390x", 0, 0 },
	{ EM_AARCH64, "aarch64", 0, 0 },
	{ EM_RISCV, "riscv64", 0, 0 },
};

static bool is_multiboot(const uint8_t *p, size_t len)
{
	for (size_t i = 0; range_within(i, 12, MIN(len, (size_t)MULTIBOOT_WITHIN)); i += 4)
		if (get_le32(p + i) == MULTIBOOT_MAGIC &&
		    get_le32(p + i) + get_le32(p + i + 4) + get_le32(p + i + 8) == 0)
			return true;
	for (size_t i = 0; range_within(i, 16, len); i += 8)
		if (get_le32(p + i) == MULTIBOOT2_MAGIC && get_le32(p + i) + get_le32(p + i + 4) +
									   get_le32(p + i + 8) +
									   get_le32(p + i + 12) ==
								   0)
			return true;
	return false;
}

/* struct load_range - What one PT_LOAD says. */
struct load_range {
	uint32_t type;
	uint64_t offset, filesz, memsz;
};

static struct load_range get_phdr(const uint8_t *p, bool elf64)
{
	if (elf64)
		return (struct load_range){
			get_le32(p),
			get_le64(p + offsetof(Elf64_Phdr, p_offset)),
			get_le64(p + offsetof(Elf64_Phdr, p_filesz)),
			get_le64(p + offsetof(Elf64_Phdr, p_memsz)),
		};
	return (struct load_range){
		get_le32(p),
		get_le32(p + offsetof(Elf32_Phdr, p_offset)),
		get_le32(p + offsetof(Elf32_Phdr, p_filesz)),
		get_le32(p + offsetof(Elf32_Phdr, p_memsz)),
	};
}

/* Return: why it cannot be loaded, or NULL. */
static const char *segments_problem(const uint8_t *p, size_t len, uint64_t file_size, bool elf64)
{
	size_t header = elf64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	size_t size = elf64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	unsigned nr, loads = 0;
	uint64_t at;

	if (len < header)
		return "it is cut off within its header";
	at = elf64 ? get_le64(p + offsetof(Elf64_Ehdr, e_phoff)) :
		     get_le32(p + offsetof(Elf32_Ehdr, e_phoff));
	nr = get_le16(p + (elf64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum)));
	if (get_le16(p + (elf64 ? offsetof(Elf64_Ehdr, e_phentsize) :
				  offsetof(Elf32_Ehdr, e_phentsize))) != size ||
	    !range_within(at, (uint64_t)nr * size, len))
		return "its program headers are damaged, or not at its beginning";
	for (unsigned i = 0; i < nr; i++) {
		struct load_range r = get_phdr(p + at + i * size, elf64);

		if (r.type != PT_LOAD)
			continue;
		if (!range_within(r.offset, r.filesz, file_size))
			return "it is cut off: its segments are longer than the file";
		if (r.memsz < r.filesz)
			return "its program headers are damaged";
		loads++;
	}
	return loads ? NULL : "it has nothing to load";
}

static const char *elf_problem(const uint8_t *p, size_t len, uint64_t file_size,
			       struct image *image)
{
	uint16_t type = get_le16(p + offsetof(Elf64_Ehdr, e_type));
	const char *problem;

	if (type != ET_EXEC && type != ET_DYN)
		return "it is no executable";
	if (is_multiboot(p, len)) {
		image->what = "a multiboot kernel";
		return "only Linux kernels are loaded, not Xen's hypervisor and the like";
	}
	problem = segments_problem(p, len, file_size, p[EI_CLASS] == ELFCLASS64);
	return problem	    ? problem :
	       image->calls ? NULL :
			      "of that machine's kernels another file is loaded: its Image";
}

void image_refine_elf(const uint8_t *p, size_t len, uint64_t file_size, struct image *image)
{
	uint16_t type, machine;

	image->advice = "if it is a vmlinux, it is cut off";
	if (len < offsetof(Elf64_Ehdr, e_machine))
		return;
	type = p[EI_DATA] == ELFDATA2MSB ? get_be16(p + EI_NIDENT) : get_le16(p + EI_NIDENT);
	if (type == ET_CORE || type == ET_REL) {
		image->what = type == ET_CORE ? "an ELF core, a dump" :
						"an ELF object, perhaps a kernel module";
		image->advice = NULL;
		return;
	}
	if (len < offsetof(Elf64_Ehdr, e_version))
		return;
	image->advice = "of a machine that is not known";
	if (p[EI_DATA] != ELFDATA2LSB || (p[EI_CLASS] != ELFCLASS64 && p[EI_CLASS] != ELFCLASS32))
		return;
	machine = get_le16(p + offsetof(Elf64_Ehdr, e_machine));
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (machines[i].number != machine)
			continue;
		*image = (struct image){
			.kind = IMAGE_ELF,
			.what = "an ELF kernel (vmlinux)",
			.machine = machines[i].machine,
			.bits = machines[i].bits,
			.calls = machines[i].calls,
		};
		image->problem = elf_problem(p, len, file_size, image);
		if (image->problem)
			image->calls = 0;
		if (!(image->calls & IMAGE_FILE_CALL))
			image->file_problem = "the kernel takes a bzImage only";
		return;
	}
}
