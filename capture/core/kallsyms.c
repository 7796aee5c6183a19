// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/kallsyms.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/kallsyms_priv.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_NAME   64u	 /* bytes of a name that can be asked for, NUL included */
#define NAME_BYTES 4096u /* what a compressed name and its length fit in */
#define NR_BUCKETS 256u
#define MAX_WANTED (KALLSYMS_MAX_QUERY + ARRAY_SIZE(witnesses))
#define NOT_FOUND  UINT32_MAX

/* Symbols that vmcoreinfo has, in every kernel since 2.6.24 or 5.x, by which to see what an
 * offset means. */
static const char *const witnesses[] = { "_stext",	   "init_uts_ns",  "node_online_map",
					 "swapper_pg_dir", "init_top_pgt", "prb",
					 "clear_seq" };

/* 6.1 made long names possible (kernel 73bbb94466fd): a length whose top bit is set goes on
 * in a second byte. No length below had that bit, so that one reading fits all. */
unsigned kallsyms_name_len(const uint8_t *p, unsigned *skip_ret)
{
	if (!(p[0] & 0x80)) {
		*skip_ret = 1;
		return p[0];
	}
	*skip_ret = 2;
	return p[1] & 0x80 ? 0 : (p[0] & 0x7fu) | (unsigned)p[1] << 7;
}

int kallsyms_load_tokens(struct kallsyms *k, uint64_t table, uint64_t index)
{
	const uint8_t *p = vwindow_get(k->w, index, 2 * KALLSYMS_TOKENS);
	size_t len, got = 0;

	if (!p)
		return -ENODATA;
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++) {
		k->token[i] = get_le16(p + 2 * i);
		if (k->token[i] >= KALLSYMS_TOKEN_BYTES - MAX_NAME ||
		    k->token[i] < (i ? k->token[i - 1] + 2u : 0))
			return -EBADMSG;
	}
	/* What follows the last token is something else, and may be the end of what there is. */
	len = k->token[KALLSYMS_TOKENS - 1] + MAX_NAME;
	while (len > k->token[KALLSYMS_TOKENS - 1] && !got) {
		p = vwindow_get(k->w, table, len);
		got = p ? len : 0;
		len--;
	}
	if (!got)
		return -ENODATA;
	memset(k->tokens, 0, sizeof(k->tokens));
	memcpy(k->tokens, p, got);
	for (unsigned i = 0; i < KALLSYMS_TOKENS; i++) {
		size_t n = strlen(k->tokens + k->token[i]);

		if (!n || n >= MAX_NAME ||
		    (i + 1 < KALLSYMS_TOKENS && k->token[i] + n + 1 != k->token[i + 1]))
			return -EBADMSG;
		k->token_len[i] = (uint8_t)n;
	}
	return 0;
}

/* -ENODATA where vmcoreinfo does not name them. */
static int locate(struct kallsyms *k)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(k->core);
	uint64_t num_syms, token_table, token_index;
	uint8_t raw[4];
	int err;

	if (!vi || vmcoreinfo_symbol(vi, "kallsyms_names", &k->names) ||
	    vmcoreinfo_symbol(vi, "kallsyms_num_syms", &num_syms) ||
	    vmcoreinfo_symbol(vi, "kallsyms_token_table", &token_table) ||
	    vmcoreinfo_symbol(vi, "kallsyms_token_index", &token_index))
		return -ENODATA;
	k->nr_tables = 1;
	k->entry_size = 4;
	if (vmcoreinfo_symbol(vi, "kallsyms_offsets", &k->tables[0])) {
		k->entry_size = core_arch(k->core)->elf_class == ELFCLASS64 ? 8 : 4;
		if (vmcoreinfo_symbol(vi, "kallsyms_addresses", &k->tables[0]))
			return -ENODATA;
	}
	err = core_read_vaddr(k->core, num_syms, raw, sizeof(raw));
	if (err)
		return err;
	k->nr = get_le32(raw);
	return kallsyms_load_tokens(k, token_table, token_index);
}

int kallsyms_open(struct core *core, struct kallsyms **k_ret)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;

	if (k)
		k->w = vwindow_create(core, VWINDOW_LARGE);
	if (!k || !k->w)
		goto fail;
	k->core = core;
	err = core_setup_vaddr(core);
	if (!err)
		err = locate(k);
	if (err)
		err = kallsyms_search(k);
	if (!err && (!k->nr || k->nr > KALLSYMS_MAX_SYMS))
		err = -EBADMSG;
	if (err) {
		log_debug("the crashed kernel's symbols cannot be read: %s", strerror(-err));
		goto fail;
	}
	*k_ret = k;
	return 0;
fail:
	kallsyms_close(k);
	return err;
}

void kallsyms_close(struct kallsyms *k)
{
	if (!k)
		return;
	free(k->w);
	free(k);
}

/*
 * The names looked for. A symbol's name is put together only where one of them
 * has its length and its last letter: that leaves a few in a hundred.
 * @lengths: by last letter, a bit for each length
 */
struct wanted {
	const char *names[MAX_WANTED];
	uint32_t index[MAX_WANTED]; /* in the symbol table, or NOT_FOUND */
	size_t nr, left;
	uint64_t lengths[256];
};

static void wanted_init(struct wanted *q, const char *const names[], size_t nr)
{
	*q = (struct wanted){ .nr = nr + ARRAY_SIZE(witnesses) };
	q->left = q->nr;
	for (size_t i = 0; i < q->nr; i++) {
		size_t len;

		q->names[i] = i < nr ? names[i] : witnesses[i - nr];
		q->index[i] = NOT_FOUND;
		len = strlen(q->names[i]);
		if (len && len < MAX_NAME)
			q->lengths[(uint8_t)q->names[i][len - 1]] |= 1ull << len;
	}
}

/* The tokens of @nr codes come to @len letters, of which the first is the symbol's type. */
static void wanted_match(struct wanted *q, const struct kallsyms *k, const uint8_t *codes,
			 unsigned nr, uint32_t index)
{
	char name[2 * MAX_NAME];
	size_t len = 0;

	for (unsigned i = 0; i < nr; i++) {
		memcpy(name + len, k->tokens + k->token[codes[i]], k->token_len[codes[i]]);
		len += k->token_len[codes[i]];
	}
	for (size_t i = 0; i < q->nr; i++) {
		if (q->index[i] == NOT_FOUND && strlen(q->names[i]) == len - 1 &&
		    !memcmp(q->names[i], name + 1, len - 1)) {
			q->index[i] = index;
			q->left--;
		}
	}
}

static int find_names(struct kallsyms *k, struct wanted *q)
{
	uint64_t at = k->names;

	for (uint32_t i = 0; i < k->nr && q->left; i++) {
		const uint8_t *p = vwindow_get(k->w, at, NAME_BYTES), *codes;
		unsigned nr, skip, letters = 0;

		if (!p)
			return -EBADMSG;
		nr = kallsyms_name_len(p, &skip);
		if (!nr || nr + skip > NAME_BYTES)
			return -EBADMSG;
		codes = p + skip;
		for (unsigned c = 0; c < nr; c++)
			letters += k->token_len[codes[c]];
		if (letters - 1 < MAX_NAME) {
			uint8_t last = codes[nr - 1];
			char end = k->tokens[k->token[last] + k->token_len[last] - 1];

			if (q->lengths[(uint8_t)end] >> (letters - 1) & 1)
				wanted_match(q, k, codes, nr, i);
		}
		at += nr + skip;
	}
	return 0;
}

/*
 * What an entry of the table means:
 *	address = entry					(before 4.6; CONFIG_KALLSYMS_BASE_RELATIVE
 *off) address = base + entry				(kernel 2213e9a66bb8, v4.6) address = base -
 *1 - entry where entry < 0, else entry: a per-CPU symbol (CONFIG_KALLSYMS_ABSOLUTE_PERCPU, x86
 *until 6.14) address = where the entry is + entry		(seen in 7.2)
 */
enum entry_kind {
	ENTRY_ABSOLUTE,
	ENTRY_OFFSET,
	ENTRY_PERCPU,
	ENTRY_PLACE,
	NR_ENTRY_KINDS
};

struct entries {
	const struct kallsyms *k;
	uint64_t table, base;
	enum entry_kind kind;
};

static int read_entry(const struct entries *e, uint32_t index, uint64_t *at_ret,
		      uint64_t *value_ret)
{
	uint8_t raw[8];
	uint64_t at = e->table + (uint64_t)index * e->k->entry_size;
	int err = core_read_vaddr(e->k->core, at, raw, e->k->entry_size);

	if (err)
		return err;
	*at_ret = at;
	*value_ret = e->k->entry_size == 8 ? get_le64(raw) : get_le32(raw);
	return 0;
}

/* What must be added to @value, found at @at, for it to come to @addr. False: it cannot. */
static bool base_for(enum entry_kind kind, uint64_t at, uint64_t value, uint64_t addr,
		     uint64_t *base_ret)
{
	int64_t s = (int32_t)value;

	if (kind == ENTRY_PERCPU) {
		*base_ret = addr + 1 + (uint64_t)s;
		return s < 0;
	}
	*base_ret = addr - (kind == ENTRY_PLACE ? at + (uint64_t)s : value);
	return kind == ENTRY_OFFSET || !*base_ret;
}

/* Does @e's kind give one base for all witnesses, of at least two different addresses? */
static bool fits(struct entries *e, const struct wanted *q)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(e->k->core);
	uint64_t first = 0;
	bool seen = false, differ = false;

	if ((e->kind == ENTRY_ABSOLUTE) != (e->k->entry_size == 8))
		return false;
	for (size_t i = q->nr - ARRAY_SIZE(witnesses); i < q->nr; i++) {
		uint64_t addr, at, value, base;

		if (q->index[i] == NOT_FOUND || vmcoreinfo_symbol(vi, q->names[i], &addr))
			continue;
		if (read_entry(e, q->index[i], &at, &value) ||
		    !base_for(e->kind, at, value, addr, &base) || (seen && base != e->base))
			return false;
		if (!seen)
			first = addr;
		e->base = base;
		seen = true;
		differ |= addr != first;
	}
	return differ;
}

static bool understand(struct entries *e, const struct wanted *q)
{
	for (unsigned t = 0; t < e->k->nr_tables; t++) {
		e->table = e->k->tables[t];
		for (e->kind = 0; e->kind < NR_ENTRY_KINDS; e->kind++)
			if (fits(e, q))
				return true;
	}
	return false;
}

static uint64_t address_of(const struct entries *e, uint32_t index)
{
	uint64_t at, value;
	int64_t s;

	if (index == NOT_FOUND || read_entry(e, index, &at, &value))
		return 0;
	s = (int32_t)value;
	switch (e->kind) {
	case ENTRY_ABSOLUTE:
		return value;
	case ENTRY_OFFSET:
		return e->base + value;
	case ENTRY_PERCPU:
		return s < 0 ? e->base - 1 - (uint64_t)s : value;
	default:
		return at + (uint64_t)s;
	}
}

int kallsyms_find(struct kallsyms *k, const char *const names[], size_t nr, uint64_t addrs_ret[])
{
	struct entries e = { .k = k };
	struct wanted q;
	int err;

	if (nr > KALLSYMS_MAX_QUERY)
		return -EINVAL;
	wanted_init(&q, names, nr);
	err = find_names(k, &q);
	if (err)
		return err;
	if (!core_vmcoreinfo(k->core) || !understand(&e, &q)) {
		log_debug("the crashed kernel's symbol table has offsets of an unknown kind");
		return -EBADMSG;
	}
	for (size_t i = 0; i < nr; i++)
		addrs_ret[i] = address_of(&e, q.index[i]);
	return 0;
}
