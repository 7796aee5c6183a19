// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the directory of a raw partition, its digest put right. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/target/raw_layout.h"
#include "lib/util.h"

#define DIGEST_AT 576u /* docs/raw.md */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name, size_t size)
{
	if (strnlen(name, size) == size || strchr(name, '/') || *name == '.')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct raw_dir dir = { .device_bytes = 64u << 20, .area = 48u << 20 };
	uint8_t slot[RAW_SLOT_BYTES] = { 0 };
	struct sha256 sha;

	memcpy(slot, data, MIN(size, (size_t)DIGEST_AT));
	raw_decode(slot, &dir); /* as it is: its digest is hardly ever right */
	memcpy(slot, RAW_MAGIC, 8);
	memcpy(slot + 8, "\1\0\0", 4);
	memcpy(slot + 24, "\0\0\0\3\0\0\0", 8); /* the area */
	sha256_init(&sha);
	sha256_update(&sha, slot, DIGEST_AT);
	sha256_final(&sha, slot + DIGEST_AT);
	if (raw_decode(slot, &dir))
		return 0;
	if (dir.nr > RAW_FILES_MAX || (dir.nr && !*dir.dir_name))
		abort();
	check_name(dir.dir_name, sizeof(dir.dir_name));
	for (unsigned i = 0; i < dir.nr; i++) {
		check_name(dir.files[i].name, sizeof(dir.files[i].name));
		if (!range_within(dir.files[i].offset, dir.files[i].bytes, dir.device_bytes))
			abort();
	}
	return 0;
}
