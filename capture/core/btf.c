// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/core/btf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/vwindow.h"
#include "lib/bytes.h"
#include "lib/util.h"

#define BTF_MAGIC     0xeb9f
#define HEADER_BYTES  24u
#define MAX_SECTION   (256u << 20)
#define MAX_TYPES     (2u << 20) /* a distribution's kernel has 150,000 */
#define MAX_NAME      64u	 /* a name in a path, NUL included */
#define MAX_WORDS     512u	 /* different names in all paths */
#define STRIDE	      32u	 /* one type in so many has its place noted */
#define TYPE_BYTES    12u
#define MAX_MEMBER    12u
#define MAX_CHAIN     32u     /* typedefs, qualifiers, dimensions in a row */
#define MAX_ANON      32u     /* anonymous members of one struct, nested ones included */
#define MAX_LOOKED_AT 100000u /* members looked at for one name */
#define NO_NAME	      UINT32_MAX

enum btf_kind {
	KIND_INT = 1,
	KIND_PTR,
	KIND_ARRAY,
	KIND_STRUCT,
	KIND_UNION,
	KIND_ENUM,
	KIND_FWD,
	KIND_TYPEDEF,
	KIND_VOLATILE,
	KIND_CONST,
	KIND_RESTRICT,
	KIND_FUNC,
	KIND_FUNC_PROTO,
	KIND_VAR,
	KIND_DATASEC,
	KIND_FLOAT,
	KIND_DECL_TAG,
	KIND_TYPE_TAG,
	KIND_ENUM64,
	NR_KINDS,
};

/* What follows a type's first 12 bytes: so many, and so many more for each of vlen. */
static const struct {
	uint8_t fixed, each;
} extra[NR_KINDS] = {
	[KIND_INT] = { 4, 0 },	   [KIND_ARRAY] = { 12, 0 },   [KIND_STRUCT] = { 0, 12 },
	[KIND_UNION] = { 0, 12 },  [KIND_ENUM] = { 0, 8 },     [KIND_FUNC_PROTO] = { 0, 8 },
	[KIND_VAR] = { 4, 0 },	   [KIND_DATASEC] = { 0, 12 }, [KIND_DECL_TAG] = { 4, 0 },
	[KIND_ENUM64] = { 0, 12 },
};

/* One type. @at: of its first byte, in the type section */
struct btf_type {
	uint32_t at;
	uint32_t name, size; /* or the type referred to */
	uint32_t vlen;
	enum btf_kind kind;
	bool kind_flag;
};

/* A name of some path: where it stands in the string section, and, if it begins a path,
 * the place of the type that has it (NO_NAME: none). */
struct word {
	const char *text;
	uint8_t len;
	uint32_t name, type;
};

struct btf {
	struct vwindow *w;
	uint64_t types, strings; /* virtual addresses */
	uint32_t types_len, strings_len;
	unsigned long_size;
	uint32_t *places, nr_types; /* of types 1, 1 + STRIDE ...; how many types */
	struct word words[MAX_WORDS];
	unsigned nr_words;
	uint64_t lengths[256]; /* of the words, by last letter: a bit for each length */
	uint64_t names[64];    /* a bit for each place of a word, modulo 4096 */
};

static int read_header(struct btf *b, uint64_t start, uint64_t stop)
{
	const uint8_t *p = vwindow_get(b->w, start, HEADER_BYTES);
	uint32_t len, type_off, str_off;
	uint64_t room;

	if (!p)
		return -ENODATA;
	if (get_le16(p) != BTF_MAGIC || p[2] != 1 || stop < start)
		return -EBADMSG;
	len = get_le32(p + 4);
	type_off = get_le32(p + 8);
	b->types_len = get_le32(p + 12);
	str_off = get_le32(p + 16);
	b->strings_len = get_le32(p + 20);
	if (len < HEADER_BYTES || len > stop - start)
		return -EBADMSG;
	room = stop - start - len;
	if (!range_within(type_off, b->types_len, room) || b->types_len > MAX_SECTION ||
	    !range_within(str_off, b->strings_len, room) || b->strings_len > MAX_SECTION)
		return -EBADMSG;
	b->types = start + len + type_off;
	b->strings = start + len + str_off;
	return 0;
}

/* A path's next name, which ends at @end_ret. Return: its length, 0: none or too long. */
static size_t next_name(const char *path, const char **end_ret)
{
	size_t len = strcspn(path, ".");

	*end_ret = path + len + (path[len] == '.');
	return len < MAX_NAME ? len : 0;
}

static struct word *find_word(struct btf *b, const char *text, size_t len)
{
	for (unsigned i = 0; i < b->nr_words; i++)
		if (b->words[i].len == len && !memcmp(b->words[i].text, text, len))
			return &b->words[i];
	return NULL;
}

static int collect_words(struct btf *b, const struct btf_query *queries, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const char *path = queries[i].path, *end;

		for (; *path; path = end) {
			size_t len = next_name(path, &end);

			if (!len)
				return -EINVAL;
			if (find_word(b, path, len))
				continue;
			if (b->nr_words == MAX_WORDS)
				return -EINVAL;
			b->words[b->nr_words++] =
				(struct word){ path, (uint8_t)len, NO_NAME, NO_NAME };
			b->lengths[(uint8_t)path[len - 1]] |= 1ull << len;
		}
	}
	return 0;
}

static void match_string(struct btf *b, const char *s, size_t len, uint32_t at)
{
	struct word *word;

	if (!len || len >= MAX_NAME || !(b->lengths[(uint8_t)s[len - 1]] >> len & 1))
		return;
	word = find_word(b, s, len);
	if (!word || word->name != NO_NAME)
		return;
	word->name = at;
	b->names[at / 64 % 64] |= 1ull << at % 64;
}

/* Find where the words stand in the string section. */
static int scan_strings(struct btf *b)
{
	const uint32_t most = VWINDOW_LARGE - VWINDOW_STEP;
	uint32_t at = 0;

	while (at < b->strings_len) {
		size_t len = MIN(b->strings_len - at, most);
		const char *p = (const char *)vwindow_get(b->w, b->strings + at, len);
		const char *s = p, *nul;

		if (!p)
			return -ENODATA;
		for (; (nul = memchr(s, 0, len - (size_t)(s - p))); s = nul + 1)
			match_string(b, s, (size_t)(nul - s), at + (uint32_t)(s - p));
		if (s == p)
			return -EBADMSG; /* no name is as long as that */
		at += (uint32_t)(s - p);
	}
	return 0;
}

/* Read the type whose place is @at. Return: its length, 0 where there is none. */
static uint32_t read_type(struct btf *b, uint32_t at, struct btf_type *t_ret)
{
	const uint8_t *p;
	uint32_t info, kind;
	uint64_t len;

	if (!range_within(at, TYPE_BYTES, b->types_len))
		return 0;
	p = vwindow_get(b->w, b->types + at, TYPE_BYTES);
	if (!p)
		return 0;
	info = get_le32(p + 4);
	kind = info >> 24 & 0x7f; /* five bits and, so far, two of zero */
	if (!kind || kind >= NR_KINDS)
		return 0;
	*t_ret = (struct btf_type){
		.at = at,
		.name = get_le32(p),
		.size = get_le32(p + 8),
		.vlen = info & 0xffffff, /* 16 bits and, so far, eight of zero */
		.kind = kind,
		.kind_flag = info >> 31,
	};
	len = TYPE_BYTES + extra[kind].fixed + (uint64_t)extra[kind].each * t_ret->vlen;
	return range_within(at, len, b->types_len) ? (uint32_t)len : 0;
}

static bool has_names(enum btf_kind kind)
{
	return kind == KIND_STRUCT || kind == KIND_UNION || kind == KIND_ENUM ||
	       kind == KIND_ENUM64;
}

/* Note where each STRIDEth type is, and where those are that a path begins with. */
static void scan_types(struct btf *b)
{
	struct btf_type t;
	uint32_t at = 0, len;

	for (; b->nr_types < MAX_TYPES && (len = read_type(b, at, &t)); at += len) {
		if (b->nr_types % STRIDE == 0)
			b->places[b->nr_types / STRIDE] = at;
		b->nr_types++;
		if (!has_names(t.kind) || !t.vlen ||
		    !(b->names[t.name / 64 % 64] >> t.name % 64 & 1))
			continue;
		for (unsigned i = 0; i < b->nr_words; i++)
			if (b->words[i].name == t.name && b->words[i].type == NO_NAME)
				b->words[i].type = at;
	}
}

static bool type_by_id(struct btf *b, uint32_t id, struct btf_type *t_ret)
{
	uint32_t at, len, i = id - 1;

	if (!id || id > b->nr_types)
		return false;
	at = b->places[i / STRIDE];
	for (i %= STRIDE;; i--) {
		len = read_type(b, at, t_ret);
		if (!len || !i)
			return len;
		at += len;
	}
}

/* The type behind typedefs and qualifiers. */
static bool plain_type(struct btf *b, uint32_t id, struct btf_type *t_ret)
{
	for (unsigned i = 0; i < MAX_CHAIN; i++) {
		if (!type_by_id(b, id, t_ret))
			return false;
		switch (t_ret->kind) {
		case KIND_TYPEDEF:
		case KIND_VOLATILE:
		case KIND_CONST:
		case KIND_RESTRICT:
		case KIND_TYPE_TAG:
			id = t_ret->size;
			break;
		default:
			return true;
		}
	}
	return false;
}

/* An array's element type and number. */
static bool read_array(struct btf *b, const struct btf_type *t, uint32_t *type_ret,
		       uint32_t *nr_ret)
{
	const uint8_t *p = vwindow_get(b->w, b->types + t->at + TYPE_BYTES, 12);

	if (!p)
		return false;
	*type_ret = get_le32(p);
	*nr_ret = get_le32(p + 8);
	return true;
}

static bool size_of(struct btf *b, const struct btf_type *type, uint64_t *size_ret,
		    uint32_t *nr_ret)
{
	struct btf_type t = *type;
	uint64_t times = 1;

	*nr_ret = 1;
	for (unsigned i = 0; i < MAX_CHAIN; i++) {
		uint32_t id, nr;

		if (t.kind != KIND_ARRAY) {
			*size_ret = t.kind == KIND_PTR ? b->long_size : t.size;
			return !__builtin_mul_overflow(*size_ret, times, size_ret);
		}
		if (!read_array(b, &t, &id, &nr) || !plain_type(b, id, &t) ||
		    __builtin_mul_overflow(times, nr, &times))
			return false;
		if (!i)
			*nr_ret = nr;
	}
	return false;
}

struct place {
	struct btf_type type;
	uint64_t bits;
};

/* The member @word of the struct at @p, which becomes the member. */
static bool find_member(struct btf *b, struct place *p, uint32_t word)
{
	struct place todo[MAX_ANON] = { *p };
	unsigned nr = 1, looked_at = 0;

	for (unsigned next = 0; next < nr; next++) {
		const struct place s = todo[next];

		if (s.type.kind != KIND_STRUCT && s.type.kind != KIND_UNION)
			return false;
		for (uint32_t i = 0; i < s.type.vlen && looked_at++ < MAX_LOOKED_AT; i++) {
			uint64_t at = b->types + s.type.at + TYPE_BYTES + 12ull * i;
			const uint8_t *raw = vwindow_get(b->w, at, 12);
			uint32_t name, id, offset;
			struct place m;

			if (!raw)
				return false;
			name = get_le32(raw);
			id = get_le32(raw + 4);
			offset = get_le32(raw + 8);
			if (name && name != word)
				continue;
			/* With kind_flag a bit field's width is in the top byte. */
			m.bits = s.bits + (s.type.kind_flag ? offset & 0xffffff : offset);
			if (!plain_type(b, id, &m.type))
				return false;
			if (name) {
				*p = m;
				return true;
			}
			if (nr < MAX_ANON &&
			    (m.type.kind == KIND_STRUCT || m.type.kind == KIND_UNION))
				todo[nr++] = m;
		}
	}
	return false;
}

static bool find_enum_value(struct btf *b, const struct btf_type *t, uint32_t word,
			    int64_t *value_ret)
{
	unsigned each = extra[t->kind].each;

	for (uint32_t i = 0; i < MIN(t->vlen, MAX_LOOKED_AT); i++) {
		uint64_t at = b->types + t->at + TYPE_BYTES + (uint64_t)each * i;
		const uint8_t *p = vwindow_get(b->w, at, each);

		if (!p)
			return false;
		if (get_le32(p) != word)
			continue;
		*value_ret = get_le32(p + 4);
		if (each == 12)
			*value_ret |= (int64_t)((uint64_t)get_le32(p + 8) << 32);
		else if (t->kind_flag) /* the values are signed */
			*value_ret = (int32_t)*value_ret;
		return true;
	}
	return false;
}

static bool answer(struct btf *b, const char *path, struct btf_query *q)
{
	const char *end;
	const struct word *word = find_word(b, path, next_name(path, &end));
	struct place p = { .bits = 0 };

	if (!word || word->type == NO_NAME || !read_type(b, word->type, &p.type))
		return false;
	for (path = end; *path; path = end) {
		word = find_word(b, path, next_name(path, &end));
		if (!word || word->name == NO_NAME)
			return false;
		if (p.type.kind == KIND_ENUM || p.type.kind == KIND_ENUM64) {
			if (*end || !find_enum_value(b, &p.type, word->name, &q->value))
				return false;
			break;
		}
		for (unsigned i = 0; i < MAX_CHAIN && p.type.kind == KIND_ARRAY; i++) {
			uint32_t id, nr;

			if (!read_array(b, &p.type, &id, &nr) || !plain_type(b, id, &p.type))
				return false;
		}
		if (!find_member(b, &p, word->name))
			return false;
	}
	q->bit_offset = p.bits;
	return size_of(b, &p.type, &q->size, &q->nr);
}

static int ask(struct btf *b, struct core *core, uint64_t start, uint64_t stop)
{
	int err;

	b->w = vwindow_create(core, VWINDOW_LARGE);
	if (!b->w)
		return -ENOMEM;
	err = read_header(b, start, stop);
	if (!err)
		err = scan_strings(b);
	if (err)
		return err;
	b->places = malloc(sizeof(*b->places) *
			   (MIN(b->types_len / TYPE_BYTES, MAX_TYPES) / STRIDE + 1));
	if (!b->places)
		return -ENOMEM;
	scan_types(b);
	/* From here on, it is a few bytes here and there. */
	free(b->w);
	b->w = vwindow_create(core, VWINDOW_SMALL);
	return b->w ? 0 : -ENOMEM;
}

int btf_ask(struct core *core, uint64_t start, uint64_t stop, struct btf_query *queries, size_t nr)
{
	struct btf *b;
	int err;

	if (nr > BTF_MAX_QUERY)
		return -EINVAL;
	if (core_big_endian(core))
		return -EOPNOTSUPP;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->long_size = core_arch(core)->elf_class == ELFCLASS64 ? 8 : 4;
	err = collect_words(b, queries, nr);
	if (!err)
		err = ask(b, core, start, stop);
	for (size_t i = 0; i < nr && !err; i++) {
		struct btf_query q = { .path = queries[i].path };

		q.found = answer(b, q.path, &q);
		queries[i] = q.found ? q : (struct btf_query){ .path = q.path };
	}
	free(b->places);
	free(b->w);
	free(b);
	return err;
}
