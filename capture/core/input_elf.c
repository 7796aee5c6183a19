// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF cores. Headers are read by libelf, of which nothing is kept once that is done. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "capture/core/kdump_layout.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"

/* What libelf is given of a flattened file: its headers; QEMU writes some 100,000 of them. */
#define HEADERS_MAX ((size_t)CORE_LOADS_MAX * sizeof(Elf64_Phdr) + sizeof(Elf64_Ehdr))

static bool elf_matches(const uint8_t *head)
{
	return !memcmp(head, ELFMAG, SELFMAG);
}

static void cleanup_elf(Elf **elf)
{
	elf_end(*elf);
}

static int check_ehdr(struct core *core, Elf *elf, GElf_Ehdr *ehdr)
{
	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, ehdr)) {
		log_error("%s: not an ELF file", core->name);
		return -EBADMSG;
	}
	if (ehdr->e_type != ET_CORE) {
		log_error("%s: an ELF file of type %u, not a core", core->name, ehdr->e_type);
		return -EBADMSG;
	}
	core->big_endian = ehdr->e_ident[EI_DATA] == ELFDATA2MSB;
	core->arch = arch_find(ehdr->e_machine, ehdr->e_ident[EI_CLASS]);
	if (!core->arch) {
		log_error("%s: unknown architecture (e_machine %u, class %u)", core->name,
			  ehdr->e_machine, ehdr->e_ident[EI_CLASS]);
		return -EOPNOTSUPP;
	}
	core->page_size = core->arch->page_size;
	core->incomplete = ehdr->e_flags & DUMP_ELF_INCOMPLETE;
	return 0;
}

static bool load_is_possible(const struct core *core, const struct core_segment *s)
{
	uint64_t end;

	return range_within(s->paddr, s->memsz, 1ull << core->arch->paddr_bits) &&
	       !__builtin_add_overflow(s->offset, s->filesz, &end) && end <= INT64_MAX;
}

/* None, such as highmem's in a core of i386, is all ones in 32 bits as well. */
static uint64_t widen_none(bool narrow, uint64_t addr)
{
	return narrow && addr == UINT32_MAX ? UINT64_MAX : addr;
}

static void add_load(struct core *core, const GElf_Phdr *ph, bool narrow)
{
	struct core_segment s = {
		.paddr = ph->p_paddr,
		.vaddr = widen_none(core->arch->elf_class == ELFCLASS32, ph->p_vaddr),
		.filesz = MIN(ph->p_filesz, ph->p_memsz),
		.memsz = ph->p_memsz,
		.offset = ph->p_offset,
	};

	/* All ones: no physical memory, such as vmalloc's area in /proc/kcore (fs/proc/kcore.c). */
	if (!s.memsz || widen_none(narrow, s.paddr) == UINT64_MAX)
		return;
	if (!load_is_possible(core, &s)) {
		log_warn("%s: left out an impossible PT_LOAD: paddr 0x%llx memsz 0x%llx",
			 core->name, (unsigned long long)s.paddr, (unsigned long long)s.memsz);
		return;
	}
	core->loads[core->nr_loads++] = s;
}

static int read_phdrs(struct core *core, struct file_view *view, Elf *elf)
{
	size_t nr;

	if (elf_getphdrnum(elf, &nr) || nr > CORE_LOADS_MAX) {
		log_error("%s: impossible number of program headers", core->name);
		return -EBADMSG;
	}
	core->loads = calloc(nr + 1, sizeof(*core->loads));
	if (!core->loads)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph)) {
			log_error("%s: cannot read the program headers: %s", core->name,
				  elf_errmsg(-1));
			return -EBADMSG;
		}
		if (ph.p_type == PT_LOAD) {
			add_load(core, &ph, gelf_getclass(elf) == ELFCLASS32);
		} else if (ph.p_type == PT_NOTE) {
			int err = core_read_note_segment(core, view, ph.p_offset, ph.p_filesz);

			if (err)
				return err;
		}
	}
	return 0;
}

static int read_headers(struct core *core, struct file_view *view, Elf *elf)
{
	GElf_Ehdr ehdr;
	int err;

	if (!elf) {
		log_error("%s: cannot read its ELF header: %s", core->name, elf_errmsg(-1));
		return -EBADMSG;
	}
	err = check_ehdr(core, elf, &ehdr);
	if (err)
		return err;
	err = read_phdrs(core, view, elf);
	if (err)
		return err;
	if (!core->nr_loads) {
		log_error("%s: no memory in it (no PT_LOAD)", core->name);
		return -ENODATA;
	}
	return core_sort_segments(core);
}

/* How much of the file's start holds all headers that matter; its size is a bound. */
static size_t headers_len(const uint8_t *raw, uint64_t size)
{
	Elf64_Ehdr e;
	Elf32_Ehdr n;
	uint64_t phdrs, end = sizeof(e);

	memcpy(&e, raw, sizeof(e));
	memcpy(&n, raw, sizeof(n));
	if (e.e_ident[EI_DATA] != ELFDATA2LSB)
		return sizeof(e); /* enough to be refused by name */
	if (e.e_ident[EI_CLASS] == ELFCLASS32) {
		/* More than 65534 program headers are of ELF64 alone, as far as Linux knows. */
		phdrs = n.e_phoff + (uint64_t)n.e_phnum * sizeof(Elf32_Phdr);
		end = MAX(end, phdrs);
		end = MIN(end, size);
		return MIN(end, HEADERS_MAX);
	}
	phdrs = (uint64_t)(e.e_phnum == PN_XNUM ? CORE_LOADS_MAX : e.e_phnum) * sizeof(Elf64_Phdr);
	if (!__builtin_add_overflow(e.e_phoff, phdrs, &phdrs))
		end = MAX(end, phdrs);
	if (e.e_phnum == PN_XNUM && e.e_shoff < UINT64_MAX - sizeof(Elf64_Shdr))
		end = MAX(end, e.e_shoff + sizeof(Elf64_Shdr));
	end = MIN(end, size);
	return MIN(end, HEADERS_MAX);
}

/* libelf reads files and memory, and a flattened ELF core is neither. */
static int read_flattened_headers(struct core *core, struct file_view *view)
{
	__attribute__((cleanup(cleanup_elf))) Elf *elf = NULL;
	_free_ uint8_t *image = NULL;
	uint8_t raw[sizeof(Elf64_Ehdr)];
	size_t len;

	if (file_view_read_padded(view, 0, raw, sizeof(raw)))
		return -EIO;
	len = MAX(headers_len(raw, core->file->size), sizeof(raw));
	image = malloc(len);
	if (!image)
		return -ENOMEM;
	if (file_view_read_padded(view, 0, image, len))
		return -EIO;
	elf = elf_memory((char *)image, len);
	return read_headers(core, view, elf);
}

static int elf_open(struct core *core, struct file_view *view)
{
	__attribute__((cleanup(cleanup_elf))) Elf *elf = NULL;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -EOPNOTSUPP;
	if (core->file->flat)
		return read_flattened_headers(core, view);
	elf = elf_begin(core->file->fd, ELF_C_READ, NULL);
	return read_headers(core, view, elf);
}

static void elf_close(void *input)
{
	(void)input;
}

static int elf_reader_create(struct core *core, void **state_ret)
{
	struct file_view *view;
	int err = file_view_create(core->file, 0, &view);

	if (!err)
		*state_ret = view;
	return err;
}

static void elf_reader_destroy(void *state)
{
	file_view_destroy(state);
}

static int elf_read(void *state, const struct core_segment *seg, uint64_t paddr, void *buf,
		    size_t len)
{
	uint64_t skip = paddr - seg->paddr;
	size_t from_file = skip < seg->filesz ? MIN(seg->filesz - skip, len) : 0;

	if (from_file) {
		int err = file_view_read(state, seg->offset + skip, buf, from_file);

		if (err)
			return err;
	}
	memset((char *)buf + from_file, 0, len - from_file);
	return 0;
}

const struct input_ops input_elf = {
	.name = "ELF core",
	.matches = elf_matches,
	.open = elf_open,
	.close = elf_close,
	.reader_create = elf_reader_create,
	.reader_destroy = elf_reader_destroy,
	.read = elf_read,
};
