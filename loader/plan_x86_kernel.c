// SPDX-License-Identifier: GPL-2.0-or-later
/* Where an x86 kernel goes, and how it is entered. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"
#include "loader/plan_x86.h"

/* Where a kernel for a reboot goes by preference: CONFIG_PHYSICAL_START's default. */
#define REBOOT_MIN 0x1000000ULL

/* No kernel is larger, and none has less alignment where it can be moved. */
#define ELF_SPAN_MAX (1ULL << 30)
#define ELF_ALIGN    0x200000ULL

static int no_exec(char *why, const char *sentence)
{
	snprintf(why, WHY_SIZE, "%s", sentence);
	return -ENOEXEC;
}

/* ---- bzImage ---- */

/* A 64-bit kernel is entered in 64-bit mode where the running one is in it, unless it could not
 * bear the page tables that it would find. */
static bool wants_entry_32(const struct x86_plan *p)
{
	uint16_t flags = p->bzimage.xloadflags;

	return p->m->bits == 32 || !(flags & BZIMAGE_KERNEL_64) ||
	       (p->m->la57 && !(flags & BZIMAGE_5LEVEL)) || (p->req->flags & KEXEC_LOAD_ENTRY_32);
}

/*
 * elf_check_arch() of x86_64, which vmcore.c asks, knows no EM_386: such a capture kernel would
 * come up without a /proc/vmcore.
 */
static int check_bzimage(const struct x86_plan *p, char *why)
{
	if (p->m->bits != 32 || !(p->bzimage.xloadflags & BZIMAGE_KERNEL_64))
		return 0;
	if (p->req->crash)
		return no_exec(why, "a 64-bit kernel cannot read the memory of a 32-bit one, which "
				    "is running: take a 32-bit bzImage for the capture");
	return p->m->long_mode ? 0 :
				 no_exec(why, "this is a 64-bit kernel, and the processor runs "
					      "32-bit ones only: take a 32-bit bzImage");
}

static int place_bzimage(struct x86_plan *p, char *why)
{
	struct place_want want = {
		.name = "the kernel (with the room to unpack itself)",
		.len = p->bzimage.init_size,
		.align = p->bzimage.align,
		.max = p->data_max,
		.min = p->req->crash ? 0 : REBOOT_MIN,
	};

	if (!p->bzimage.relocatable) {
		p->kernel = p->bzimage.pref_address;
		return place_take_at(&p->place, &want, p->kernel, why);
	}
	return place_take(&p->place, &want, &p->kernel, why);
}

static int plan_bzimage(struct x86_plan *p, char *why)
{
	struct kexec_plan_segment *seg;
	int err = check_bzimage(p, why);

	if (err)
		return err;
	p->image = &p->bzimage;
	p->entry_32 = wants_entry_32(p);
	if (p->entry_32 || !(p->bzimage.xloadflags & BZIMAGE_ABOVE_4G))
		p->data_max = MIN(p->bzimage.initrd_max + 1, (uint64_t)FOUR_GIB);
	err = place_bzimage(p, why);
	if (err)
		return err;
	p->entry = p->kernel + (p->entry_32 ? 0 : BZIMAGE_ENTRY_64);
	seg = kexec_plan_add(&p->plan, "kernel", p->bzimage.code, p->bzimage.code_len);
	seg->addr = p->kernel;
	seg->mem_len = ROUND_UP(p->bzimage.init_size, PLACE_PAGE);
	return 0;
}

/* ---- vmlinux ---- */

/* struct elf_kernel - What is loaded of one: its PT_LOADs lie in [@start, @end) by p_paddr. */
struct elf_kernel {
	const uint8_t *data;
	size_t len;
	bool is_64;
	unsigned nr;
	uint64_t phoff, entry;
	uint64_t start, end, align;
};

struct elf_load {
	uint64_t offset, paddr, file_len, mem_len, align;
	uint64_t vaddr;
};

/* Program header @i. Return: 0; -ENOENT it is none to be loaded; -EBADMSG. */
static int elf_load(const struct elf_kernel *k, unsigned i, struct elf_load *ret)
{
	size_t size = k->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	const uint8_t *p = k->data + k->phoff + i * size; /* within, elf_read() has checked */

	if (get_le32(p) != PT_LOAD)
		return -ENOENT;
	if (k->is_64)
		*ret = (struct elf_load){
			.offset = get_le64(p + offsetof(Elf64_Phdr, p_offset)),
			.vaddr = get_le64(p + offsetof(Elf64_Phdr, p_vaddr)),
			.paddr = get_le64(p + offsetof(Elf64_Phdr, p_paddr)),
			.file_len = get_le64(p + offsetof(Elf64_Phdr, p_filesz)),
			.mem_len = get_le64(p + offsetof(Elf64_Phdr, p_memsz)),
			.align = get_le64(p + offsetof(Elf64_Phdr, p_align)),
		};
	else
		*ret = (struct elf_load){
			.offset = get_le32(p + offsetof(Elf32_Phdr, p_offset)),
			.vaddr = get_le32(p + offsetof(Elf32_Phdr, p_vaddr)),
			.paddr = get_le32(p + offsetof(Elf32_Phdr, p_paddr)),
			.file_len = get_le32(p + offsetof(Elf32_Phdr, p_filesz)),
			.mem_len = get_le32(p + offsetof(Elf32_Phdr, p_memsz)),
			.align = get_le32(p + offsetof(Elf32_Phdr, p_align)),
		};
	if (!ret->mem_len)
		return -ENOENT;
	if (ret->file_len > ret->mem_len || !range_within(ret->offset, ret->file_len, k->len) ||
	    ret->mem_len > ELF_SPAN_MAX || ret->paddr > UINT64_MAX - 2 * ELF_SPAN_MAX)
		return -EBADMSG;
	return 0;
}

/* All that is loaded: from where to where. The entry is told by its virtual or, as x86_64
 * kernels do, by its physical address. */
static int elf_span(struct elf_kernel *k)
{
	uint64_t entry = UINT64_MAX;

	k->start = UINT64_MAX;
	k->align = PLACE_PAGE;
	for (unsigned i = 0; i < k->nr; i++) {
		struct elf_load l;
		int err = elf_load(k, i, &l);

		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		k->start = MIN(k->start, l.paddr & ~(PLACE_PAGE - 1));
		k->end = MAX(k->end, l.paddr + l.mem_len);
		if (l.align && !(l.align & (l.align - 1)))
			k->align = MAX(k->align, l.align);
		if (k->entry >= l.paddr && k->entry - l.paddr < l.mem_len)
			entry = k->entry;
		else if (k->entry >= l.vaddr && k->entry - l.vaddr < l.mem_len)
			entry = k->entry - l.vaddr + l.paddr;
	}
	k->entry = entry;
	return entry == UINT64_MAX || k->end - k->start > ELF_SPAN_MAX ? -EBADMSG : 0;
}

/* Return: 0; -ENOEXEC no x86 kernel; -EBADMSG damaged. */
static int elf_read(const uint8_t *data, size_t len, struct elf_kernel *ret)
{
	struct elf_kernel k = { .data = data, .len = len };
	uint16_t machine, type, phentsize;
	size_t size;

	if (len < sizeof(Elf64_Ehdr) || memcmp(data, ELFMAG, SELFMAG) ||
	    data[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	k.is_64 = data[EI_CLASS] == ELFCLASS64;
	type = get_le16(data + offsetof(Elf64_Ehdr, e_type));
	machine = get_le16(data + offsetof(Elf64_Ehdr, e_machine));
	if ((type != ET_EXEC && type != ET_DYN) || machine != (k.is_64 ? EM_X86_64 : EM_386))
		return -ENOEXEC;
	if (k.is_64) {
		k.entry = get_le64(data + offsetof(Elf64_Ehdr, e_entry));
		k.phoff = get_le64(data + offsetof(Elf64_Ehdr, e_phoff));
		phentsize = get_le16(data + offsetof(Elf64_Ehdr, e_phentsize));
		k.nr = get_le16(data + offsetof(Elf64_Ehdr, e_phnum));
	} else {
		k.entry = get_le32(data + offsetof(Elf32_Ehdr, e_entry));
		k.phoff = get_le32(data + offsetof(Elf32_Ehdr, e_phoff));
		phentsize = get_le16(data + offsetof(Elf32_Ehdr, e_phentsize));
		k.nr = get_le16(data + offsetof(Elf32_Ehdr, e_phnum));
	}
	size = k.is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (phentsize != size || !range_within(k.phoff, (uint64_t)k.nr * size, len) || elf_span(&k))
		return -EBADMSG;
	*ret = k;
	return 0;
}

/* Copies what is loaded together, holes and .bss as zeros: one segment, whatever the file has. */
static int elf_segment(struct x86_plan *p, const struct elf_kernel *k, char *why)
{
	struct kexec_plan_segment *seg;
	uint64_t filled = 0;
	struct elf_load l;
	uint8_t *copy;

	for (unsigned i = 0; i < k->nr; i++)
		if (!elf_load(k, i, &l) && l.file_len)
			filled = MAX(filled, l.paddr - k->start + l.file_len);
	copy = kexec_plan_own(&p->plan, calloc(1, filled ?: 1));
	if (!copy) {
		snprintf(why, WHY_SIZE, "no memory for the kernel");
		return -ENOMEM;
	}
	for (unsigned i = 0; i < k->nr; i++)
		if (!elf_load(k, i, &l) && l.file_len)
			memcpy(copy + (l.paddr - k->start), k->data + l.offset, l.file_len);
	seg = kexec_plan_add(&p->plan, "kernel", copy, filled);
	seg->addr = p->kernel;
	seg->mem_len = ROUND_UP(k->end - k->start, PLACE_PAGE);
	return 0;
}

/*
 * An x86_64 kernel computes from where it runs what it has to know (load_delta in
 * __startup_64() of arch/x86/kernel/head64.c, phys_base), so it can go wherever the alignment
 * of its link address is kept. A 32-bit one was linked for one place.
 */
static int place_elf(struct x86_plan *p, const struct elf_kernel *k, char *why)
{
	struct place_want want = {
		.name = "the kernel",
		.len = k->end - k->start,
		.align = MAX(k->align, (uint64_t)ELF_ALIGN),
		.min = p->req->crash ? 0 : REBOOT_MIN,
	};
	int err;

	if (k->is_64 && k->start % want.align == 0)
		return place_take(&p->place, &want, &p->kernel, why);
	want.name = "the kernel, a vmlinux that runs at one address only (take the bzImage),";
	p->kernel = k->start;
	err = place_take_at(&p->place, &want, k->start, why);
	return err;
}

static int plan_elf(struct x86_plan *p, const struct elf_kernel *k, char *why)
{
	int err;

	if (k->is_64 && p->m->bits == 32)
		return no_exec(why, "a 64-bit vmlinux cannot be entered from a 32-bit kernel: take "
				    "the bzImage");
	if (k->is_64 && (p->req->flags & KEXEC_LOAD_ENTRY_32))
		return no_exec(why, "a 64-bit vmlinux has no 32-bit entry: take the bzImage");
	p->entry_32 = !k->is_64;
	if (p->entry_32)
		p->data_max = FOUR_GIB;
	err = place_elf(p, k, why);
	if (err)
		return err;
	p->entry = p->kernel + (k->entry - k->start);
	return elf_segment(p, k, why);
}

int plan_x86_kernel(struct x86_plan *p, char *why)
{
	int err = bzimage_read(p->req->kernel, p->req->kernel_len, &p->bzimage);
	struct elf_kernel elf;

	if (!err)
		return plan_bzimage(p, why);
	if (err == -ENOEXEC) {
		err = elf_read(p->req->kernel, p->req->kernel_len, &elf);
		if (!err)
			return plan_elf(p, &elf, why);
	}
	if (err == -EBADMSG) {
		snprintf(why, WHY_SIZE,
			 "the kernel image is damaged: what its header says does "
			 "not agree with its length");
		return err;
	}
	return no_exec(why, "the kernel is neither a bzImage nor a vmlinux of x86");
}
