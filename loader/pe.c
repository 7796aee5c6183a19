// SPDX-License-Identifier: GPL-2.0-or-later
#include "loader/pe.h"

#include <string.h>

#include "lib/bytes.h"
#include "lib/util.h"

#define PE_OFFSET	 0x3c
#define PE_SECTIONS	 6 /* number of sections, from "PE\0\0" on */
#define PE_OPTIONAL_SIZE 20
#define PE_OPTIONAL	 24
#define PE32PLUS	 0x20b
#define PE_DIRECTORIES	 108 /* how many data directories, in the optional header */
#define PE_CERTIFICATES	 144 /* the fifth of them: offset in the file, size */

/* In a section's header of 40 bytes, after its name. */
#define SECTION_SIZE	  40
#define SECTION_NAME	  8
#define SECTION_MEM_LEN	  8
#define SECTION_FILE_LEN  16
#define SECTION_FILE_FROM 20
#define SECTIONS_MAX	  256 /* an image of many profiles has some dozens */

bool pe_open(const void *p, size_t len, struct pe *pe_ret)
{
	const uint8_t *b = p;
	uint64_t header;

	if (len < PE_OFFSET + 4 || memcmp(b, "MZ", 2))
		return false;
	header = get_le32(b + PE_OFFSET);
	if (!range_within(header, PE_OPTIONAL, len) || memcmp(b + header, "PE\0\0", 4))
		return false;
	*pe_ret = (struct pe){
		.p = p,
		.len = len,
		.header = header,
		.sections = header + PE_OPTIONAL + get_le16(b + header + PE_OPTIONAL_SIZE),
		.nr_sections = MIN(get_le16(b + header + PE_SECTIONS), SECTIONS_MAX),
	};
	return true;
}

bool pe_has_signature(const struct pe *pe)
{
	uint64_t at = pe->header + PE_OPTIONAL;
	const uint8_t *optional;

	if (!range_within(at, PE_CERTIFICATES + 8, pe->len))
		return false;
	optional = pe->p + at;
	return get_le16(optional) == PE32PLUS && get_le32(optional + PE_DIRECTORIES) > 4 &&
	       get_le32(optional + PE_CERTIFICATES) && get_le32(optional + PE_CERTIFICATES + 4);
}

static bool section_is(const uint8_t *section, const char *name)
{
	char padded[SECTION_NAME] = { 0 };

	memcpy(padded, name, MIN(strlen(name), sizeof(padded)));
	return !memcmp(section, padded, sizeof(padded));
}

bool pe_find_section(const struct pe *pe, const char *name, uint64_t *offset_ret, uint64_t *len_ret)
{
	const uint8_t *common = NULL, *own = NULL, *found;
	unsigned profiles = 0;
	uint32_t mem_len;

	for (unsigned i = 0; i < pe->nr_sections; i++) {
		uint64_t at = pe->sections + (uint64_t)i * SECTION_SIZE;
		const uint8_t *s;

		if (!range_within(at, SECTION_SIZE, pe->len))
			break;
		s = pe->p + at;
		if (section_is(s, ".profile") && ++profiles > 1)
			break;
		if (!section_is(s, name))
			continue;
		if (!profiles && !common)
			common = s;
		else if (profiles && !own)
			own = s;
	}
	found = own ? own : common;
	if (!found)
		return false;
	/* What is in the file is padded to the alignment; what it means is as long as in memory. */
	mem_len = get_le32(found + SECTION_MEM_LEN);
	*len_ret = get_le32(found + SECTION_FILE_LEN);
	if (mem_len && mem_len < *len_ret)
		*len_ret = mem_len;
	*offset_ret = get_le32(found + SECTION_FILE_FROM);
	return true;
}
