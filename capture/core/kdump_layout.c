// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The headers of a 32-bit kernel's dump: long and struct timeval are of 32 bits, off_t and long
 * long of 64 bits and, as the i386 ABI has it, at multiples of 4. libkdumpfile's diskdump.c has
 * the same.
 */
#include "capture/core/kdump_layout.h"

#include <elf.h>
#include <endian.h>
#include <string.h>

#include "arch/arch.h"
#include "lib/util.h"

struct header_32 {
	char signature[8];
	uint32_t header_version;
	struct kdump_utsname utsname;
	uint8_t pad[2];
	uint32_t tv_sec;
	uint32_t tv_usec;
	uint32_t rest[10]; /* from status on, the same in both */
};

struct sub_header_32 {
	uint32_t phys_base;
	uint32_t dump_level;
	uint32_t split;
	uint32_t start_pfn;
	uint32_t end_pfn;
	uint64_t offset_vmcoreinfo;
	uint32_t size_vmcoreinfo;
	uint64_t offset_note;
	uint32_t size_note;
	uint64_t offset_eraseinfo;
	uint32_t size_eraseinfo;
	uint64_t start_pfn_64;
	uint64_t end_pfn_64;
	uint64_t max_mapnr_64;
} __attribute__((packed));

static_assert(sizeof(struct header_32) == 452, "header_32");
static_assert(sizeof(struct sub_header_32) == 80, "sub_header_32");
static_assert(offsetof(struct header_32, utsname) == offsetof(struct kdump_header, utsname) &&
		      offsetof(struct header_32, pad) == KDUMP_HEAD_BYTES,
	      "what comes first is the same");
static_assert(sizeof(struct kdump_header) - offsetof(struct kdump_header, status) ==
		      sizeof(((struct header_32 *)0)->rest),
	      "what comes last is the same");

bool kdump_is_wide(const void *head)
{
	const char *machine = (const char *)head + offsetof(struct kdump_header, utsname.machine);
	const struct arch_ops *arch = NULL;

	if (memchr(machine, '\0', KDUMP_UTS_LEN))
		arch = arch_find_uname(machine);
	return !arch || arch->elf_class == ELFCLASS64;
}

size_t kdump_header_bytes(bool wide)
{
	return wide ? sizeof(struct kdump_header) : sizeof(struct header_32);
}

size_t kdump_status_offset(bool wide)
{
	return wide ? offsetof(struct kdump_header, status) : offsetof(struct header_32, rest);
}

/* Which field each version's form ends before: makedumpfile diskdump_mod.h. */
#define ENDS(type)                                                                                 \
	{                                                                                          \
		0, offsetof(type, split), offsetof(type, offset_vmcoreinfo),                       \
			offsetof(type, offset_note), offsetof(type, offset_eraseinfo),             \
			offsetof(type, start_pfn_64), sizeof(type)                                 \
	}

size_t kdump_sub_header_bytes(bool wide, uint32_t version)
{
	static const uint8_t ends[2][KDUMP_HEADER_VERSION + 1] = {
		ENDS(struct sub_header_32),
		ENDS(struct kdump_sub_header),
	};

	return ends[wide][MIN(version, (uint32_t)KDUMP_HEADER_VERSION)];
}

void kdump_header_pack(const struct kdump_header *h, bool wide, void *raw)
{
	struct header_32 n;

	if (wide) {
		memcpy(raw, h, sizeof(*h));
		return;
	}
	memset(&n, 0, sizeof(n));
	memcpy(&n, h, KDUMP_HEAD_BYTES);
	n.tv_sec = htole32((uint32_t)le64toh(h->tv_sec));
	n.tv_usec = htole32((uint32_t)le64toh(h->tv_usec));
	memcpy(n.rest, &h->status, sizeof(n.rest));
	memcpy(raw, &n, sizeof(n));
}

void kdump_header_unpack(const void *raw, bool wide, struct kdump_header *h_ret)
{
	struct header_32 n;

	if (wide) {
		memcpy(h_ret, raw, sizeof(*h_ret));
		return;
	}
	memcpy(&n, raw, sizeof(n));
	memset(h_ret, 0, sizeof(*h_ret));
	memcpy(h_ret, &n, KDUMP_HEAD_BYTES);
	h_ret->tv_sec = htole64(le32toh(n.tv_sec));
	h_ret->tv_usec = htole64(le32toh(n.tv_usec));
	memcpy(&h_ret->status, n.rest, sizeof(n.rest));
}

/* Page numbers that do not fit are in the fields of 64 bits as well. */
static uint32_t narrow(uint64_t value)
{
	return htole32((uint32_t)MIN(le64toh(value), (uint64_t)UINT32_MAX));
}

static uint64_t widen(uint32_t value)
{
	return htole64(le32toh(value));
}

void kdump_sub_header_pack(const struct kdump_sub_header *sh, bool wide, void *raw)
{
	const struct sub_header_32 n = {
		.phys_base = narrow(sh->phys_base),
		.dump_level = sh->dump_level,
		.split = sh->split,
		.start_pfn = narrow(sh->start_pfn),
		.end_pfn = narrow(sh->end_pfn),
		.offset_vmcoreinfo = sh->offset_vmcoreinfo,
		.size_vmcoreinfo = narrow(sh->size_vmcoreinfo),
		.offset_note = sh->offset_note,
		.size_note = narrow(sh->size_note),
		.offset_eraseinfo = sh->offset_eraseinfo,
		.size_eraseinfo = narrow(sh->size_eraseinfo),
		.start_pfn_64 = sh->start_pfn_64,
		.end_pfn_64 = sh->end_pfn_64,
		.max_mapnr_64 = sh->max_mapnr_64,
	};

	if (wide)
		memcpy(raw, sh, sizeof(*sh));
	else
		memcpy(raw, &n, sizeof(n));
}

void kdump_sub_header_unpack(const void *raw, bool wide, struct kdump_sub_header *sh_ret)
{
	struct sub_header_32 n;

	if (wide) {
		memcpy(sh_ret, raw, sizeof(*sh_ret));
		return;
	}
	memcpy(&n, raw, sizeof(n));
	*sh_ret = (struct kdump_sub_header){
		.phys_base = widen(n.phys_base),
		.dump_level = n.dump_level,
		.split = n.split,
		.start_pfn = widen(n.start_pfn),
		.end_pfn = widen(n.end_pfn),
		.offset_vmcoreinfo = n.offset_vmcoreinfo,
		.size_vmcoreinfo = widen(n.size_vmcoreinfo),
		.offset_note = n.offset_note,
		.size_note = widen(n.size_note),
		.offset_eraseinfo = n.offset_eraseinfo,
		.size_eraseinfo = widen(n.size_eraseinfo),
		.start_pfn_64 = n.start_pfn_64,
		.end_pfn_64 = n.end_pfn_64,
		.max_mapnr_64 = n.max_mapnr_64,
	};
}
