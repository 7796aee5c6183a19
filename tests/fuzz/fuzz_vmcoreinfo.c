// SPDX-License-Identifier: GPL-2.0-or-later
/* Feeds a note's text to the vmcoreinfo parser and asks it for everything it holds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The name within the parentheses of the first line, as the lookups want it. */
static void first_name(const uint8_t *data, size_t size, char name[64])
{
	const uint8_t *open = memchr(data, '(', size);
	size_t n = 0;

	if (open)
		for (open++; open < data + size && *open != ')' && n < 63; open++)
			name[n++] = (char)*open;
	name[n] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmcoreinfo *vi;
	char name[64];
	uint64_t u;
	int64_t n;
	size_t len;

	if (!size || vmcoreinfo_parse(data, size, &vi))
		return 0;
	if (memcmp(vmcoreinfo_raw(vi, &len), data, size) || len != size)
		abort();
	first_name(data, size, name);
	vmcoreinfo_symbol(vi, name, &u);
	vmcoreinfo_size(vi, name, &u);
	vmcoreinfo_offset(vi, name, &u);
	vmcoreinfo_length(vi, name, &u);
	vmcoreinfo_number(vi, name, &n);
	vmcoreinfo_hex(vi, name, &u);
	vmcoreinfo_hex(vi, "KERNELOFFSET", &u);
	vmcoreinfo_string(vi, "PAGESIZE");
	vmcoreinfo_free(vi);
	return 0;
}
