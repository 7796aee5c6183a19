/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crashed kernel's own symbol table, as it carries it for oopses and
 * /proc/kallsyms: names compressed by a table of 256 tokens, and an offset for
 * each. Format: kernel scripts/kallsyms.c and kernel/kallsyms.c.
 *
 * vmcoreinfo tells where its parts are since 6.0 (kernel f09bddbd8661, 5fd8fea935a1).
 * Before, they are found by what they must look like. What their order is, and
 * what an offset counts from, changed several times; neither is taken from a
 * version: an offset's meaning is the one by which symbols that vmcoreinfo
 * names as well come out right.
 */
#ifndef CAPTURE_CORE_KALLSYMS_H
#define CAPTURE_CORE_KALLSYMS_H

#include "capture/core/core.h"

#define KALLSYMS_MAX_QUERY 255u /* names in one kallsyms_find() */

struct kallsyms;

/**
 * kallsyms_open() - Find the symbol table.
 * @k_ret: about 75 KiB, owned by the caller, to be closed with kallsyms_close()
 *
 * Return: 0; -ENODATA there is none or it cannot be read; -EBADMSG it is damaged;
 * -ENOMEM. Logged at debug level only: all who need it do without.
 */
int kallsyms_open(struct core *core, struct kallsyms **k_ret);
void kallsyms_close(struct kallsyms *k);

/**
 * kallsyms_find() - Look up many symbols in one pass over the table.
 * @names: each of 1 to 63 characters, without a type letter
 * @nr: at most KALLSYMS_MAX_QUERY
 * @addrs_ret: for each name its address in the crashed kernel (KASLR included), of
 *	several symbols of the name the first; 0 where there is none
 *
 * Return: 0; -EBADMSG the table is damaged, or its offsets cannot be understood, and
 * nothing is known; -EINVAL.
 */
int kallsyms_find(struct kallsyms *k, const char *const names[], size_t nr, uint64_t addrs_ret[]);

#endif
