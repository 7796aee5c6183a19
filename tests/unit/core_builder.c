// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/core_builder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/util.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

void core_builder_init(struct core_builder *b)
{
	*b = (struct core_builder){
		.fd = memfd_create("core", MFD_CLOEXEC),
		.machine = EM_X86_64,
		.ident_class = ELFCLASS64,
		.end = CORE_BUILDER_HEADERS_BYTES,
	};
	must(b->fd >= 0);
}

void core_builder_ram(struct core_builder *b, uint64_t paddr, uint64_t len)
{
	must(b->nr_loads < CORE_BUILDER_MAX_LOADS);
	b->loads[b->nr_loads++] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W | PF_X,
		.p_offset = b->end,
		.p_vaddr = UINT64_MAX,
		.p_paddr = paddr,
		.p_filesz = len,
		.p_memsz = len,
	};
	b->end = ROUND_UP(b->end + len, 4096);
}

void core_builder_note(struct core_builder *b, const char *name, uint32_t type, const void *desc,
		       size_t len)
{
	size_t name_len = strlen(name) + 1, name_room = ROUND_UP(name_len, 4);
	size_t room = 12 + name_room + ROUND_UP(len, 4);
	uint8_t *p;

	b->notes = realloc(b->notes, b->notes_len + room);
	must(b->notes);
	p = b->notes + b->notes_len;
	memset(p, 0, room);
	put_le32(p, (uint32_t)name_len);
	put_le32(p + 4, (uint32_t)len);
	put_le32(p + 8, type);
	memcpy(p + 12, name, name_len);
	memcpy(p + 12 + name_room, desc, len);
	b->notes_len += room;
}

void core_builder_vmcoreinfo(struct core_builder *b, const char *text)
{
	core_builder_note(b, "VMCOREINFO", 0, text, strlen(text));
}

static uint64_t file_offset(const struct core_builder *b, uint64_t paddr, size_t len)
{
	for (size_t i = 0; i < b->nr_loads; i++) {
		const Elf64_Phdr *ph = &b->loads[i];

		if (paddr >= ph->p_paddr && range_within(paddr - ph->p_paddr, len, ph->p_filesz))
			return ph->p_offset + (paddr - ph->p_paddr);
	}
	abort();
}

void core_builder_put(struct core_builder *b, uint64_t paddr, const void *data, size_t len)
{
	must(!io_pwrite_full(b->fd, data, len, file_offset(b, paddr, len)));
}

void core_builder_put64(struct core_builder *b, uint64_t paddr, uint64_t value)
{
	uint8_t raw[8];

	put_le64(raw, value);
	core_builder_put(b, paddr, raw, sizeof(raw));
}

void core_builder_put32(struct core_builder *b, uint64_t paddr, uint32_t value)
{
	uint8_t raw[4];

	put_le32(raw, value);
	core_builder_put(b, paddr, raw, sizeof(raw));
}

void core_builder_map(struct core_builder *b, uint64_t root, uint64_t *next_table, unsigned level,
		      const uint64_t vaddr_paddr[2])
{
	uint64_t table = root;

	for (unsigned l = 4;; l--) {
		uint64_t at = table + (vaddr_paddr[0] >> (12 + 9 * (l - 1)) & 511) * 8;
		uint8_t raw[8] = { 0 };

		if (l == level) {
			core_builder_put64(b, at, vaddr_paddr[1] | 0x3 | (l > 1 ? 0x80 : 0));
			return;
		}
		must(io_pread_full(b->fd, raw, 8, file_offset(b, at, 8)) >= 0);
		table = get_le64(raw) & 0x000ffffffffff000ull;
		if (!table) {
			table = *next_table;
			*next_table += 4096;
			core_builder_put64(b, at, table | 0x3);
		}
	}
}

int core_builder_finish(struct core_builder *b)
{
	size_t nr = b->nr_loads + (b->notes_len ? 1 : 0);
	Elf64_Phdr note = {
		.p_type = PT_NOTE,
		.p_offset = sizeof(Elf64_Ehdr) + nr * sizeof(Elf64_Phdr),
		.p_filesz = b->notes_len,
		.p_memsz = b->notes_len,
	};
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, b->ident_class, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = b->machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(eh),
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)nr,
	};
	uint64_t at = sizeof(eh);

	must(note.p_offset + b->notes_len <= (b->nr_loads ? b->loads[0].p_offset : b->end));
	must(!ftruncate(b->fd, (off_t)b->end));
	must(!io_pwrite_full(b->fd, &eh, sizeof(eh), 0));
	if (b->notes_len) {
		must(!io_pwrite_full(b->fd, &note, sizeof(note), at));
		must(!io_pwrite_full(b->fd, b->notes, b->notes_len, note.p_offset));
		at += sizeof(note);
	}
	must(!io_pwrite_full(b->fd, b->loads, b->nr_loads * sizeof(b->loads[0]), at));
	free(b->notes);
	b->notes = NULL;
	return b->fd;
}
