// SPDX-License-Identifier: GPL-2.0-or-later
/* Compressed files: the bound on what comes of them holds, and damage is told. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/decompress.h"

#define OUT_MAX (4u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = 0;
	void *out = NULL;
	int err = decompress(data, size, OUT_MAX, &out, &len);

	if (err && err != -EBADMSG && err != -EFBIG && err != -ENOMEM &&
	    (err != -EOPNOTSUPP || decompress_format(data, size)))
		abort();
	if (!err && (len > OUT_MAX || (len && !out)))
		abort();
	free(out);
	return 0;
}
