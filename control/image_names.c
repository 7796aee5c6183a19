// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/image_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "control/image_names.h"
#include "lib/cleanup.h"
#include "lib/cpio.h"
#include "lib/decompress.h"
#include "lib/util.h"

/* Documentation/driver-api/early-userspace/buffer-format.rst */
#define HEADER_BYTES 110u
#define FIELD_MODE   1u
#define FIELD_SIZE   6u
#define FIELD_NAME   11u
#define MAX_UNPACKED (1u << 30)
#define MAX_LAYERS   3u

/* The header's field of this number, eight hex digits. */
static int field(const char *header, unsigned number, uint64_t *value_ret)
{
	uint64_t value = 0;

	for (const char *c = header + 6 + 8 * number, *end = c + 8; c < end; c++) {
		static const char digits[] = "0123456789abcdefABCDEF";
		const char *at = *c ? strchr(digits, *c) : NULL;
		size_t digit = at ? (size_t)(at - digits) : 99;

		if (digit == 99)
			return -EBADMSG;
		value = value << 4 | (digit > 15 ? digit - 6 : digit);
	}
	*value_ret = value;
	return 0;
}

/* @at is that of the header, in: and out: of what follows; @end_ret is set behind a trailer. */
static int take_entry(const char *data, size_t len, size_t *at, bool *end_ret, image_name_fn *fn,
		      void *ctx)
{
	const char *header = data + *at, *name = header + HEADER_BYTES;
	uint64_t mode, size, name_size, body;

	if (!range_within(*at, HEADER_BYTES, len) ||
	    (memcmp(header, "070701", 6) && memcmp(header, "070702", 6)) ||
	    field(header, FIELD_MODE, &mode) || field(header, FIELD_SIZE, &size) ||
	    field(header, FIELD_NAME, &name_size) || !name_size || name_size > CPIO_NAME_MAX + 1u ||
	    !range_within(*at + HEADER_BYTES, name_size, len) || name[name_size - 1])
		return -EBADMSG;
	body = ROUND_UP(*at + HEADER_BYTES + name_size, 4);
	if (!range_within(body, size, len))
		return -EBADMSG;
	*at = MIN((size_t)ROUND_UP(body + size, 4), len);
	*end_ret = streq(name, "TRAILER!!!");
	return S_ISREG(mode) && !*end_ret ? fn(ctx, name + (*name == '/')) : 0;
}

/* Archives until something else comes; @at is in: its beginning and out: where that is. */
static int take_archives(const char *data, size_t len, size_t *at, image_name_fn *fn, void *ctx)
{
	bool end = true;
	int err = 0;

	for (; !err && *at < len;) {
		if (end && !data[*at]) {
			++*at;
			continue;
		}
		if (end && data[*at] != '0')
			break;
		err = take_entry(data, len, at, &end, fn, ctx);
	}
	return err ? err : end ? 0 : -EBADMSG;
}

int image_names(const void *data, size_t len, image_name_fn *fn, void *ctx)
{
	_free_ void *unpacked = NULL;
	size_t at = 0;

	for (unsigned layer = 0; layer < MAX_LAYERS; layer++) {
		void *next;
		int err = take_archives(data, len, &at, fn, ctx);

		if (err || at == len)
			return err;
		err = decompress((const char *)data + at, len - at, MAX_UNPACKED, &next, &len);
		if (err)
			return err == -EOPNOTSUPP ? -EBADMSG : err;
		free(unpacked);
		data = unpacked = next;
		at = 0;
	}
	return -EBADMSG;
}
