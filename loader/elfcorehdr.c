// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/elfcorehdr.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/elf_core.h"
#include "lib/util.h"

/* PN_XNUM stands for "counted elsewhere", which no capture kernel reads. */
#define PHDRS_MAX (PN_XNUM - 1)

/* struct writer - Where the next one goes. */
struct writer {
	const struct elfcorehdr *h;
	struct elf_core core;
	uint8_t *out;
	size_t size, used;
	size_t nr;
};

static struct elf_core core_of(const struct elfcorehdr *h)
{
	return (struct elf_core){ .class = h->class, .machine = h->machine };
}

size_t elfcorehdr_size(const struct elfcorehdr *h)
{
	const struct elf_core core = core_of(h);

	/* Kernel text, and the backed-up memory can cut one range into three, lowmem_end another.
	 */
	return elf_core_ehdr_bytes(&core) +
	       (h->nr_notes + h->ram->nr + 4) * elf_core_phdr_bytes(&core);
}

/* True where [start, start + len) cannot be told in 32 bits. */
static bool beyond_32(uint64_t start, uint64_t len)
{
	return !range_within(start, len, 1ULL << 32) || len > UINT32_MAX;
}

/* @ph: what of it is in memory is in the file */
static int write_phdr(struct writer *w, Elf64_Phdr ph)
{
	const size_t bytes = elf_core_phdr_bytes(&w->core);

	if (!ph.p_filesz)
		return 0;
	if (w->nr == PHDRS_MAX || !range_within(w->used, bytes, w->size))
		return -E2BIG;
	if (w->core.class == ELFCLASS32 &&
	    (beyond_32(ph.p_offset, ph.p_filesz) || beyond_32(ph.p_paddr, ph.p_filesz)))
		return -EOVERFLOW;
	ph.p_memsz = ph.p_filesz;
	elf_core_put_phdr(&w->core, &ph, w->out + w->used);
	w->used += bytes;
	w->nr++;
	return 0;
}

static int write_load(struct writer *w, uint64_t start, uint64_t end, uint64_t offset)
{
	const struct elfcorehdr *h = w->h;
	Elf64_Phdr ph = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = offset,
		.p_vaddr = ELFCOREHDR_UNMAPPED,
		.p_paddr = start,
		.p_filesz = end - start,
	};

	if (h->page_offset != ELFCOREHDR_UNMAPPED && start < h->lowmem_end)
		ph.p_vaddr = h->page_offset + start;
	return start < end ? write_phdr(w, ph) : 0;
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
	Elf64_Phdr text = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = h->text_paddr,
		.p_vaddr = h->text_vaddr,
		.p_paddr = h->text_paddr,
		.p_filesz = h->text_len,
	};
	int err = 0;

	for (size_t i = 0; !err && i < h->nr_notes; i++) {
		Elf64_Phdr note = {
			.p_type = PT_NOTE,
			.p_offset = h->notes[i].paddr,
			.p_paddr = h->notes[i].paddr,
			.p_filesz = h->notes[i].len,
		};

		err = write_phdr(w, note);
	}
	if (!err)
		err = write_phdr(w, text);
	for (size_t i = 0; !err && i < h->ram->nr; i++)
		err = write_range(w, &h->ram->ranges[i]);
	return err;
}

int elfcorehdr_write(const struct elfcorehdr *h, void *out, size_t size, size_t *len_ret)
{
	struct writer w = { .h = h, .core = core_of(h), .out = out, .size = size };
	int err;

	w.used = elf_core_ehdr_bytes(&w.core);
	if (size < w.used)
		return -E2BIG;
	memset(out, 0, size);
	err = write_phdrs(&w);
	if (err)
		return err;
	elf_core_put_ehdr(&w.core, (uint16_t)w.nr, 0, out);
	*len_ret = w.used;
	return 0;
}
