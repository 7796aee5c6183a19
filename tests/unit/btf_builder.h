/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes BTF: a few calls for each type, in order; the first is type 1. */
#ifndef TESTS_UNIT_BTF_BUILDER_H
#define TESTS_UNIT_BTF_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#define BTF_BUILDER_BYTES 65536u

struct btf_builder {
	uint8_t types[BTF_BUILDER_BYTES];
	char strings[BTF_BUILDER_BYTES];
	size_t types_len, strings_len;
	uint32_t nr;
};

void btf_builder_init(struct btf_builder *b);

/** btf_builder_type() - struct btf_type. @name: NULL for none. Return: the type's id. */
uint32_t btf_builder_type(struct btf_builder *b, const char *name, uint32_t info, uint32_t size);

/** btf_builder_words() - What follows it. */
void btf_builder_words(struct btf_builder *b, size_t nr, const uint32_t words[]);

/** btf_builder_member() - struct btf_member; btf_builder_value() - struct btf_enum. */
void btf_builder_member(struct btf_builder *b, const char *name, uint32_t type, uint32_t offset);
void btf_builder_value(struct btf_builder *b, const char *name, uint32_t value);

/** btf_builder_finish() - Header, types and strings. Return: bytes put into @out, which has
 * room for 2 * BTF_BUILDER_BYTES + 24. */
size_t btf_builder_finish(const struct btf_builder *b, uint8_t *out);

#endif
