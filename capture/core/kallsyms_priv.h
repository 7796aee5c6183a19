/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of kallsyms share; not for others. */
#ifndef CAPTURE_CORE_KALLSYMS_PRIV_H
#define CAPTURE_CORE_KALLSYMS_PRIV_H

#include "capture/core/kallsyms.h"
#include "capture/core/vwindow.h"

#define KALLSYMS_TOKENS	     256
#define KALLSYMS_TOKEN_BYTES 8192u    /* all tokens; real tables have about 1000 */
#define KALLSYMS_MAX_SYMS    4000000u /* twenty times what a distribution's kernel has */
#define KALLSYMS_MAX_TABLES  2

/*
 * @names: address of the compressed names, @nr of them
 * @tables, @nr_tables: where the offsets may be
 * @entry_size: bytes of one: 4 an offset (or a 32-bit kernel's address: an offset from 0), 8 an
 *	address
 * @token, @token_len: each token's place in @tokens
 */
struct kallsyms {
	struct core *core;
	struct vwindow *w;
	uint64_t names, tables[KALLSYMS_MAX_TABLES];
	unsigned nr_tables, entry_size;
	uint32_t nr;
	uint16_t token[KALLSYMS_TOKENS];
	uint8_t token_len[KALLSYMS_TOKENS];
	char tokens[KALLSYMS_TOKEN_BYTES];
};

/** kallsyms_load_tokens() - Read the tokens at @table, whose places are at @index.
 * Return: 0; -ENODATA; -EBADMSG. */
int kallsyms_load_tokens(struct kallsyms *k, uint64_t table, uint64_t index);

/** kallsyms_name_len() - Bytes of the compressed name at @p, at most 3 bytes of which are
 * looked at, and in *@skip_ret those of its length. 0: there is no such name. */
unsigned kallsyms_name_len(const uint8_t *p, unsigned *skip_ret);

/** kallsyms_search() - Find the tables by their looks. Return: 0; -ENODATA. */
int kallsyms_search(struct kallsyms *k);

#endif
