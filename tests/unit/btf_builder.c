// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/btf_builder.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

void btf_builder_init(struct btf_builder *b)
{
	*b = (struct btf_builder){ .strings_len = 1 };
}

static uint32_t put_name(struct btf_builder *b, const char *name)
{
	size_t at = 1, len;

	if (!name)
		return 0;
	len = strlen(name) + 1;
	for (; at < b->strings_len; at += strlen(b->strings + at) + 1)
		if (!strcmp(b->strings + at, name))
			return (uint32_t)at;
	if (len > sizeof(b->strings) - b->strings_len)
		abort();
	memcpy(b->strings + b->strings_len, name, len);
	b->strings_len += len;
	return (uint32_t)at;
}

void btf_builder_words(struct btf_builder *b, size_t nr, const uint32_t words[])
{
	for (size_t i = 0; i < nr; i++) {
		if (b->types_len + 4 > sizeof(b->types))
			abort();
		put_le32(b->types + b->types_len, words[i]);
		b->types_len += 4;
	}
}

uint32_t btf_builder_type(struct btf_builder *b, const char *name, uint32_t info, uint32_t size)
{
	btf_builder_words(b, 3, (uint32_t[3]){ put_name(b, name), info, size });
	return ++b->nr;
}

void btf_builder_member(struct btf_builder *b, const char *name, uint32_t type, uint32_t offset)
{
	btf_builder_words(b, 3, (uint32_t[3]){ put_name(b, name), type, offset });
}

void btf_builder_value(struct btf_builder *b, const char *name, uint32_t value)
{
	btf_builder_words(b, 2, (uint32_t[2]){ put_name(b, name), value });
}

size_t btf_builder_finish(const struct btf_builder *b, uint8_t *out)
{
	memset(out, 0, 24);
	put_le16(out, 0xeb9f);
	out[2] = 1;
	put_le32(out + 4, 24);
	put_le32(out + 12, (uint32_t)b->types_len);
	put_le32(out + 16, (uint32_t)b->types_len);
	put_le32(out + 20, (uint32_t)b->strings_len);
	memcpy(out + 24, b->types, b->types_len);
	memcpy(out + 24 + b->types_len, b->strings, b->strings_len);
	return 24 + b->types_len + b->strings_len;
}
