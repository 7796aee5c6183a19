// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that wrap a kernel: what is taken out lies within the file, or the file is refused. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum(const uint8_t *p, size_t len)
{
	uint64_t s = 0;

	for (size_t i = 0; i < len; i++)
		s += p[i];
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unwrapped u;
	char why[512] = "";

	if (input_unwrap(data, size, "file", &u, why, sizeof(why))) {
		if (strlen(why) < 10)
			abort();
		return 0;
	}
	/* The sanitizer sees a byte that is not there. */
	if (sum(u.kernel, u.kernel_len) + sum(u.initrd, u.initrd_len) >
	    255 * (u.kernel_len + u.initrd_len))
		abort();
	if (u.cmdline && strlen(u.cmdline) > size)
		abort();
	if (u.kind == IMAGE_UKI && (!u.kernel_len || !u.wrapping))
		abort();
	input_unwrap_free(&u);
	return 0;
}
