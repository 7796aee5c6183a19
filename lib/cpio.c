// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/cpio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HEADER_LEN 110 /* magic and 13 fields of 8 hexadecimal digits */
#define TRAILER	   "TRAILER!!!"

void cpio_init(struct cpio *c, cpio_write_fn *write, void *ctx)
{
	*c = (struct cpio){ .write = write, .ctx = ctx };
}

static int put(struct cpio *c, const void *data, size_t len)
{
	int err;

	if (!len)
		return 0;
	err = c->write(c->ctx, data, len);
	if (!err)
		c->offset += len;
	return err;
}

/* @align: a power of two, at most 512 */
static int pad(struct cpio *c, unsigned align)
{
	static const char zeros[512];

	return put(c, zeros, -c->offset & (align - 1));
}

static int put_entry(struct cpio *c, const struct cpio_entry *e, uint32_t ino, uint32_t nlink)
{
	char header[HEADER_LEN + 1];
	size_t name_size = strlen(e->name) + 1;
	int err;

	snprintf(header, sizeof(header),
		 "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino, e->mode, e->uid,
		 e->gid, nlink, c->mtime, (uint32_t)e->size, 0u, 0u, e->major, e->minor,
		 (uint32_t)name_size, 0u);
	err = put(c, header, HEADER_LEN);
	if (!err)
		err = put(c, e->name, name_size);
	if (!err)
		err = pad(c, 4);
	if (!err)
		err = put(c, e->data, e->size);
	if (!err)
		err = pad(c, 4);
	return err;
}

int cpio_add(struct cpio *c, const struct cpio_entry *entry)
{
	struct cpio_entry e = *entry;

	while (*e.name == '/')
		e.name++;
	if (!*e.name || strlen(e.name) >= CPIO_NAME_MAX || e.size > UINT32_MAX)
		return -EINVAL;
	return put_entry(c, &e, ++c->ino, S_ISDIR(e.mode) ? 2 : 1);
}

int cpio_finish(struct cpio *c)
{
	static const struct cpio_entry trailer = { .name = TRAILER };
	int err = put_entry(c, &trailer, 0, 1);

	return err ? err : pad(c, 512);
}
