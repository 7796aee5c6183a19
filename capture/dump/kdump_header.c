// SPDX-License-Identifier: GPL-2.0-or-later
/* What a kdump-compressed dump's headers say, gathered from the core. */
#include "capture/dump/kdump_header.h"

#include <elf.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

#define UTS_SEARCH_BYTES 64u

static void set_string(char field[KDUMP_UTS_LEN], const char *value)
{
	snprintf(field, KDUMP_UTS_LEN, "%s", value);
}

/* Readers take the architecture from utsname, so one that is damaged is not used. */
static bool utsname_usable(const struct kdump_utsname *u, const struct arch_ops *arch)
{
	const char *fields[] = { u->sysname, u->nodename, u->release,
				 u->version, u->machine,  u->domainname };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (!memchr(fields[i], '\0', KDUMP_UTS_LEN))
			return false;
	return arch_find_uname(u->machine) == arch;
}

/*
 * init_uts_ns.name. vmcoreinfo says where it is in struct uts_namespace since it moved
 * (9a56493f6942, 5.11); before that it comes behind a reference count. So it is looked for:
 * it names this architecture, and the release that vmcoreinfo says.
 */
static bool read_utsname(struct core *core, struct kdump_utsname *u)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	const char *release = vi ? vmcoreinfo_string(vi, "OSRELEASE") : NULL;
	uint64_t addr, offset = 0, end = UTS_SEARCH_BYTES;

	if (!vi || vmcoreinfo_symbol(vi, "init_uts_ns", &addr) || core_setup_vaddr(core))
		return false;
	if (vmcoreinfo_offset(vi, "uts_namespace.name", &offset) == 0)
		end = offset + 1;
	for (; offset < end; offset += 4) {
		if (core_read_vaddr(core, addr + offset, u, sizeof(*u)) ||
		    !utsname_usable(u, core_arch(core)))
			continue;
		if (!release || streq(u->release, release))
			return true;
	}
	return false;
}

static void fill_utsname(struct core *core, struct kdump_utsname *u)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	const char *release = vi ? vmcoreinfo_string(vi, "OSRELEASE") : NULL;

	if (read_utsname(core, u))
		return;
	memset(u, 0, sizeof(*u));
	set_string(u->sysname, "Linux");
	set_string(u->release, release ? release : "");
	set_string(u->machine, core_arch(core)->name);
}

static uint32_t count_cpus(const struct core *core)
{
	struct core_note note;
	uint32_t nr = 0;
	size_t pos = 0;

	while (core_next_note(core, &pos, &note))
		nr += note.type == NT_PRSTATUS;
	return nr ? nr : 1;
}

void kdump_header_fill(struct core *core, struct kdump_header *h)
{
	*h = (struct kdump_header){ .header_version = htole32(KDUMP_HEADER_VERSION) };
	memcpy(h->signature, KDUMP_SIGNATURE, sizeof(h->signature));
	fill_utsname(core, &h->utsname);
	h->tv_sec = htole64(core_crash_time(core));
	h->block_size = htole32(core_page_size(core));
	h->nr_cpus = htole32(count_cpus(core));
}

/* Readers want the text itself; it lies in the notes, which are copied as they are. */
static void locate_vmcoreinfo(struct core *core, uint64_t offset_note, struct kdump_sub_header *sh)
{
	const char *notes = core_notes(core, &(size_t){ 0 });
	struct core_note note;
	size_t pos = 0;

	while (core_next_note(core, &pos, &note)) {
		if (note.name_len < 10 || memcmp(note.name, "VMCOREINFO", 10))
			continue;
		if (note.name_len > 10 && note.name[10] != '\0')
			continue;
		sh->offset_vmcoreinfo = htole64(offset_note + ((const char *)note.desc - notes));
		sh->size_vmcoreinfo = htole64(note.desc_len);
		return;
	}
}

void kdump_sub_header_fill(struct core *core, uint64_t offset_note, struct kdump_sub_header *sh)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);
	int64_t phys_base = 0;
	size_t notes_len;

	*sh = (struct kdump_sub_header){ 0 };
	if (vi && vmcoreinfo_number(vi, "phys_base", &phys_base) == 0)
		sh->phys_base = htole64(phys_base);
	if (!core_notes(core, &notes_len) || !notes_len)
		return;
	sh->offset_note = htole64(offset_note);
	sh->size_note = htole64(notes_len);
	locate_vmcoreinfo(core, offset_note, sh);
}
