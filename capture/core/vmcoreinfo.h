/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMCOREINFO note: KEY=VALUE lines in which a kernel tells dump tools about
 * itself (kernel: kernel/vmcore_info.c, formerly kernel/crash_core.c, and
 * Documentation/admin-guide/kdump/vmcoreinfo.rst).
 *
 *	OSRELEASE=6.1.0-50-cloud-amd64
 *	SYMBOL(init_top_pgt)=ffffffff8a210000
 *	SIZE(page)=64
 *	OFFSET(page.flags)=0
 *	LENGTH(mem_section)=2048
 *	NUMBER(PG_lru)=4
 */
#ifndef CAPTURE_CORE_VMCOREINFO_H
#define CAPTURE_CORE_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMCOREINFO_MAX_BYTES                                                                       \
	(64 * 1024) /* the kernel writes at most one page; 64 KiB pages exist */

struct vmcoreinfo;

/**
 * vmcoreinfo_parse() - Take a copy of a note's text and index it.
 * @text: not NUL-terminated, may hold anything
 * @vi_ret: owned by the caller, freed with vmcoreinfo_free()
 *
 * Lines without '=' are skipped; of a repeated key the first counts.
 * Return: 0; -EBADMSG no key at all or longer than VMCOREINFO_MAX_BYTES; -ENOMEM.
 */
int vmcoreinfo_parse(const void *text, size_t len, struct vmcoreinfo **vi_ret);
void vmcoreinfo_free(struct vmcoreinfo *vi);

/** vmcoreinfo_raw() - The text as it was, for copying into a dump; borrowed. */
const char *vmcoreinfo_raw(const struct vmcoreinfo *vi, size_t *len_ret);

/** vmcoreinfo_string() - Value of a whole key such as "OSRELEASE"; NULL where absent. */
const char *vmcoreinfo_string(const struct vmcoreinfo *vi, const char *key);

/*
 * The typed lookups. @name is what stands in the parentheses.
 * Symbols are hexadecimal, numbers decimal or 0x, the others decimal without a sign.
 * A number above INT64_MAX comes back as the same 64 bits.
 * Return: 0; -ENODATA absent; -EBADMSG present but no number of that form.
 */
int vmcoreinfo_symbol(const struct vmcoreinfo *vi, const char *name, uint64_t *addr_ret);
int vmcoreinfo_size(const struct vmcoreinfo *vi, const char *name, uint64_t *size_ret);
int vmcoreinfo_offset(const struct vmcoreinfo *vi, const char *name, uint64_t *offset_ret);
int vmcoreinfo_length(const struct vmcoreinfo *vi, const char *name, uint64_t *length_ret);
int vmcoreinfo_number(const struct vmcoreinfo *vi, const char *name, int64_t *number_ret);

/** vmcoreinfo_hex() - Hexadecimal value of a bare key such as "KERNELOFFSET". */
int vmcoreinfo_hex(const struct vmcoreinfo *vi, const char *key, uint64_t *value_ret);

/** vmcoreinfo_config() - Whether the kernel says that it was built with CONFIG_@name=y; it
 * tells of few. */
bool vmcoreinfo_config(const struct vmcoreinfo *vi, const char *name);

#endif
