// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/dm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "lib/cleanup.h"
#include "lib/util.h"

#define CONTROL "/dev/mapper/" DM_CONTROL_NODE

/* The header and what belongs to it in one piece, as the kernel wants it. */
static struct dm_ioctl *request_new(const char *name, const char *uuid, size_t data_len)
{
	struct dm_ioctl *request = calloc(1, sizeof(*request) + data_len);

	if (!request)
		return NULL;
	request->version[0] = 4; /* the interface's; 4.0 has all that is used here */
	request->data_size = sizeof(*request) + data_len;
	request->data_start = sizeof(*request);
	snprintf(request->name, sizeof(request->name), "%s", name);
	snprintf(request->uuid, sizeof(request->uuid), "%s", uuid);
	return request;
}

static int request_do(unsigned long command, struct dm_ioctl *request)
{
	_close_ int fd = open(CONTROL, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return ioctl(fd, command, request) ? -errno : 0;
}

int dm_table_add(struct dm_table *table, uint64_t start, uint64_t sectors, const char *type,
		 const char *params)
{
	struct dm_target_spec spec = { .sector_start = start, .length = sectors };
	size_t size = ROUND_UP(sizeof(spec) + strlen(params) + 1, 8);

	if (size > DM_TABLE_MAX_BYTES - table->len)
		return -E2BIG;
	spec.next = size; /* from this row's start to the next one's, aligned to 8 */
	snprintf(spec.target_type, sizeof(spec.target_type), "%s", type);
	memset(table->data + table->len, 0, size);
	memcpy(table->data + table->len, &spec, sizeof(spec));
	strcpy(table->data + table->len + sizeof(spec), params);
	table->len += size;
	table->nr_rows++;
	return 0;
}

int dm_find(const char *name, const char *uuid, dev_t *dev_ret, bool *active_ret)
{
	_free_ struct dm_ioctl *request = request_new(name, "", 0);
	int err = request ? request_do(DM_DEV_STATUS, request) : -ENOMEM;

	if (err)
		return err;
	if (!streq(request->uuid, uuid))
		return -EEXIST;
	/* Huge encoding: dm-ioctl.c answers with huge_encode_dev(). */
	*dev_ret = makedev((request->dev >> 8) & 0xfff,
			   (request->dev & 0xff) | ((request->dev >> 12) & 0xfff00));
	*active_ret = request->flags & DM_ACTIVE_PRESENT_FLAG;
	return 0;
}

static int table_load(const char *name, const struct dm_table *table)
{
	_free_ struct dm_ioctl *request = request_new(name, "", table->len);

	if (!request)
		return -ENOMEM;
	request->target_count = table->nr_rows;
	memcpy((char *)request + sizeof(*request), table->data, table->len);
	return request_do(DM_TABLE_LOAD, request);
}

int dm_remove(const char *name)
{
	_free_ struct dm_ioctl *request = request_new(name, "", 0);

	return request ? request_do(DM_DEV_REMOVE, request) : -ENOMEM;
}

static int resume(const char *name)
{
	/* DM_DEV_SUSPEND without DM_SUSPEND_FLAG puts the loaded table into use. */
	_free_ struct dm_ioctl *request = request_new(name, "", 0);

	return request ? request_do(DM_DEV_SUSPEND, request) : -ENOMEM;
}

int dm_create(const char *name, const char *uuid, const struct dm_table *table, dev_t *dev_ret)
{
	_free_ struct dm_ioctl *request = request_new(name, uuid, 0);
	bool active;
	int err = request ? request_do(DM_DEV_CREATE, request) : -ENOMEM;

	if (err)
		return err;
	err = table_load(name, table);
	if (!err)
		err = resume(name);
	if (!err)
		err = dm_find(name, uuid, dev_ret, &active);
	if (err)
		dm_remove(name);
	return err;
}
