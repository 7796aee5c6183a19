// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/elfcorehdr.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

/* PN_XNUM stands for "counted elsewhere", which no capture kernel reads. */
#define PHDRS_MAX (PN_XNUM - 1)

/* struct phdr - A program header of either class. */
struct phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, len;
};

/* struct writer - Where the next one goes. */
struct writer {
	const struct elfcorehdr *h;
	uint8_t *out;
	size_t size, used;
	size_t nr;
};

static size_t ehdr_size(const struct elfcorehdr *h)
{
	return h->class == ELFCLASS32 ? sizeof(Elf32_Ehdr) : sizeof(Elf64_Ehdr);
}

static size_t phdr_size(const struct elfcorehdr *h)
{
	return h->class == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

size_t elfcorehdr_size(const struct elfcorehdr *h)
{
	/* Kernel text, and the backed-up memory can cut one range into three, lowmem_end another.
	 */
	return ehdr_size(h) + (h->nr_notes + h->ram->nr + 4) * phdr_size(h);
}

#define PUT_PHDR(bits)                                                                             \
	static void put_phdr##bits(uint8_t *p, const struct phdr *ph)                              \
	{                                                                                          \
		typedef Elf##bits##_Phdr phdr;                                                     \
		put_le32(p + offsetof(phdr, p_type), ph->type);                                    \
		put_le32(p + offsetof(phdr, p_flags), ph->flags);                                  \
		put_le##bits(p + offsetof(phdr, p_offset), ph->offset);                            \
		put_le##bits(p + offsetof(phdr, p_vaddr), ph->vaddr);                              \
		put_le##bits(p + offsetof(phdr, p_paddr), ph->paddr);                              \
		put_le##bits(p + offsetof(phdr, p_filesz), ph->len);                               \
		put_le##bits(p + offsetof(phdr, p_memsz), ph->len);                                \
		put_le##bits(p + offsetof(phdr, p_align), 0);                                      \
	}

PUT_PHDR(32)
PUT_PHDR(64)

/* True where [start, start + len) cannot be told in 32 bits. */
static bool beyond_32(uint64_t start, uint64_t len)
{
	return !range_within(start, len, 1ULL << 32) || len > UINT32_MAX;
}

static int write_phdr(struct writer *w, const struct phdr *ph)
{
	uint8_t *at = w->out + w->used;

	if (!ph->len)
		return 0;
	if (w->nr == PHDRS_MAX || !range_within(w->used, phdr_size(w->h), w->size))
		return -E2BIG;
	if (w->h->class == ELFCLASS32) {
		if (beyond_32(ph->offset, ph->len) || beyond_32(ph->paddr, ph->len))
			return -EOVERFLOW;
		put_phdr32(at, ph);
	} else {
		put_phdr64(at, ph);
	}
	w->used += phdr_size(w->h);
	w->nr++;
	return 0;
}

static int write_load(struct writer *w, uint64_t start, uint64_t end, uint64_t offset)
{
	const struct elfcorehdr *h = w->h;
	struct phdr ph = {
		.type = PT_LOAD,
		.flags = PF_R | PF_W | PF_X,
		.offset = offset,
		.vaddr = ELFCOREHDR_UNMAPPED,
		.paddr = start,
		.len = end - start,
	};

	if (h->page_offset != ELFCOREHDR_UNMAPPED && start < h->lowmem_end)
		ph.vaddr = h->page_offset + start;
	return start < end ? write_phdr(w, &ph) : 0;
}

/* What is mapped and what is not are two: addresses would run past the mapping's end. */
static int write_ram(struct writer *w, uint64_t start, uint64_t end, uint64_t offset)
{
	uint64_t cut = w->h->lowmem_end;
	int err;

	if (w->h->page_offset == ELFCOREHDR_UNMAPPED || cut <= start || cut >= end)
		return write_load(w, start, end, offset);
	err = write_load(w, start, cut, offset);
	return err ? err : write_load(w, cut, end, offset + (cut - start));
}

/* One range of memory; what of it is backed up lies elsewhere by the time it is read. */
static int write_range(struct writer *w, const struct iomem_range *r)
{
	const struct elfcorehdr *h = w->h;
	uint64_t from = h->backup_from, to = from + h->backup_len;
	uint64_t first = MAX(r->start, from), last = MIN(r->end, to);
	int err;

	if (!h->backup_len || first >= last)
		return write_ram(w, r->start, r->end, r->start);
	err = write_ram(w, r->start, first, r->start);
	if (!err)
		err = write_ram(w, first, last, h->backup_to + (first - from));
	if (!err)
		err = write_ram(w, last, r->end, last);
	return err;
}

static int write_phdrs(struct writer *w)
{
	const struct elfcorehdr *h = w->h;
	struct phdr text = {
		.type = PT_LOAD,
		.flags = PF_R | PF_W | PF_X,
		.offset = h->text_paddr,
		.vaddr = h->text_vaddr,
		.paddr = h->text_paddr,
		.len = h->text_len,
	};
	int err = 0;

	for (size_t i = 0; !err && i < h->nr_notes; i++) {
		struct phdr note = {
			.type = PT_NOTE,
			.offset = h->notes[i].paddr,
			.paddr = h->notes[i].paddr,
			.len = h->notes[i].len,
		};

		err = write_phdr(w, &note);
	}
	if (!err)
		err = write_phdr(w, &text);
	for (size_t i = 0; !err && i < h->ram->nr; i++)
		err = write_range(w, &h->ram->ranges[i]);
	return err;
}

#define PUT_EHDR(bits)                                                                             \
	static void put_ehdr##bits(uint8_t *p, const struct elfcorehdr *h, size_t nr)              \
	{                                                                                          \
		typedef Elf##bits##_Ehdr ehdr;                                                     \
		put_le16(p + offsetof(ehdr, e_type), ET_CORE);                                     \
		put_le16(p + offsetof(ehdr, e_machine), h->machine);                               \
		put_le32(p + offsetof(ehdr, e_version), EV_CURRENT);                               \
		put_le##bits(p + offsetof(ehdr, e_phoff), sizeof(ehdr));                           \
		put_le16(p + offsetof(ehdr, e_ehsize), sizeof(ehdr));                              \
		put_le16(p + offsetof(ehdr, e_phentsize), sizeof(Elf##bits##_Phdr));               \
		put_le16(p + offsetof(ehdr, e_phnum), nr);                                         \
	}

PUT_EHDR(32)
PUT_EHDR(64)

int elfcorehdr_write(const struct elfcorehdr *h, void *out, size_t size, size_t *len_ret)
{
	struct writer w = { .h = h, .out = out, .size = size, .used = ehdr_size(h) };
	uint8_t ident[EI_NIDENT] = ELFMAG;
	int err;

	if (size < w.used)
		return -E2BIG;
	memset(out, 0, size);
	err = write_phdrs(&w);
	if (err)
		return err;
	ident[EI_CLASS] = h->class;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	memcpy(out, ident, sizeof(ident));
	if (h->class == ELFCLASS32)
		put_ehdr32(out, h, w.nr);
	else
		put_ehdr64(out, h, w.nr);
	*len_ret = w.used;
	return 0;
}
