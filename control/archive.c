// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/archive.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/decompress.h"
#include "lib/util.h"

#define HEADER_LEN 110u /* magic and 13 fields of 8 hexadecimal digits */
#define TRAILER	   "TRAILER!!!"

/* Places of the fields that are of use here. */
enum {
	FIELD_MODE = 1,
	FIELD_SIZE = 6,
	FIELD_NAME_SIZE = 11
};

static bool is_header(const char *p, size_t len)
{
	return len >= HEADER_LEN && (!memcmp(p, "070701", 6) || !memcmp(p, "070702", 6));
}

static int field(const char *header, unsigned i, uint32_t *value_ret)
{
	const char *p = header + 6 + 8 * i;
	uint32_t value = 0;

	for (unsigned n = 0; n < 8; n++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = p[n] ? strchr(digits, p[n]) : NULL;

		if (!digit)
			return -EBADMSG;
		value = value << 4 | (uint32_t)((digit - digits) % 16);
	}
	*value_ret = value;
	return 0;
}

/* The entry at *at, which moves behind it. */
static int take_entry(const char *data, size_t len, size_t *at, struct archive_entry *e)
{
	uint32_t size, name_size;
	uint64_t name_at = *at + HEADER_LEN, data_at, end;
	const char *header = data + *at;

	if (field(header, FIELD_MODE, &e->mode) || field(header, FIELD_SIZE, &size) ||
	    field(header, FIELD_NAME_SIZE, &name_size))
		return -EBADMSG;
	data_at = ROUND_UP(name_at + name_size, (uint64_t)4);
	end = data_at + size;
	if (!name_size || end > len || data[name_at + name_size - 1])
		return -EBADMSG;
	e->name = data + name_at;
	if (!strncmp(e->name, "./", 2))
		e->name += 2;
	e->name += *e->name == '/';
	e->data = data + data_at;
	e->size = size;
	end = ROUND_UP(end, (uint64_t)4);
	*at = end < len ? (size_t)end : len;
	return 0;
}

/* Archives without compression; *at is where something else begins, or the end. */
static int walk_plain(const char *data, size_t len, size_t *at, archive_fn *fn, void *ctx)
{
	struct archive_entry e;
	bool open = false; /* an archive whose trailer is not reached yet */
	int err = 0;

	while (!err && *at < len) {
		if (!open && !data[*at]) {
			++*at;
			continue;
		}
		if (!is_header(data + *at, len - *at))
			return open ? -EBADMSG : 0;
		err = take_entry(data, len, at, &e);
		if (err)
			return err;
		open = !streq(e.name, TRAILER);
		if (open)
			err = fn(ctx, &e);
	}
	return err ? err : open ? -EBADMSG : 0;
}

static int skip(void *ctx, const struct archive_entry *e)
{
	(void)ctx;
	(void)e;
	return 0;
}

static int walk_packed(const char *data, size_t len, size_t *at, size_t max, archive_fn *fn,
		       void *ctx)
{
	_free_ void *unpacked = NULL;
	struct decompressed d;
	size_t inner = 0;
	int err = decompress_part(data + *at, len - *at, max, &d);

	if (err)
		return err;
	unpacked = d.data;
	*at += d.used;
	err = walk_plain(unpacked, d.len, &inner, fn, ctx);
	return err ? err : inner == d.len ? 0 : -EBADMSG;
}

int archive_walk(const void *data, size_t len, size_t max, archive_fn *fn, void *ctx)
{
	size_t at = 0;
	int err = walk_plain(data, len, &at, fn, ctx);

	for (unsigned n = 0; !err && at < len; n++) {
		if (n == ARCHIVE_MAX_PACKED)
			return -E2BIG;
		err = walk_packed(data, len, &at, max, fn, ctx);
		if (!err)
			err = walk_plain(data, len, &at, fn, ctx);
	}
	return err;
}

const char *archive_unread(const void *data, size_t len)
{
	static const struct {
		const char *name;
		char magic[10];
		size_t len;
	} rows[] = {
		{ "bzip2", "BZh", 3 },
		{ "lzma", { 0x5d, 0, 0 }, 3 },
		{ "lzop", { (char)0x89, 'L', 'Z', 'O', 0 }, 5 },
	};
	size_t at = 0;

	if (walk_plain(data, len, &at, skip, NULL))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (range_within(at, rows[i].len, len) &&
		    !memcmp((const char *)data + at, rows[i].magic, rows[i].len))
			return rows[i].name;
	return NULL;
}
