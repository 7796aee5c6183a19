// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF headers, by libelf; nothing of libelf is kept once they are read. */
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/log.h"
#include "lib/util.h"

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
	return 0;
}

static bool load_is_possible(const struct core *core, const struct core_segment *s)
{
	uint64_t end;

	return range_within(s->paddr, s->memsz, 1ull << core->arch->paddr_bits) &&
	       !__builtin_add_overflow(s->offset, s->filesz, &end) && end <= INT64_MAX;
}

static void add_load(struct core *core, const GElf_Phdr *ph)
{
	struct core_segment s = {
		.paddr = ph->p_paddr,
		.vaddr = ph->p_vaddr,
		.filesz = MIN(ph->p_filesz, ph->p_memsz),
		.memsz = ph->p_memsz,
		.offset = ph->p_offset,
	};

	if (!s.memsz)
		return;
	if (!load_is_possible(core, &s)) {
		log_warn("%s: left out an impossible PT_LOAD: paddr 0x%llx memsz 0x%llx", core->name,
			 (unsigned long long)s.paddr, (unsigned long long)s.memsz);
		return;
	}
	core->loads[core->nr_loads++] = s;
}

static int read_phdrs(struct core *core, Elf *elf)
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
			add_load(core, &ph);
		} else if (ph.p_type == PT_NOTE) {
			int err = core_read_note_segment(core, ph.p_offset, ph.p_filesz);

			if (err)
				return err;
		}
	}
	return 0;
}

int core_parse_headers(struct core *core)
{
	__attribute__((cleanup(cleanup_elf))) Elf *elf = NULL;
	GElf_Ehdr ehdr;
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -EOPNOTSUPP;
	elf = elf_begin(core->fd, ELF_C_READ, NULL);
	if (!elf) {
		log_error("%s: cannot read its ELF header: %s", core->name, elf_errmsg(-1));
		return -EBADMSG;
	}
	err = check_ehdr(core, elf, &ehdr);
	if (err)
		return err;
	err = read_phdrs(core, elf);
	if (err)
		return err;
	if (!core->nr_loads) {
		log_error("%s: no memory in it (no PT_LOAD)", core->name);
		return -ENODATA;
	}
	return core_sort_segments(core);
}
