/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device-mapper by its ioctls (include/uapi/linux/dm-ioctl.h), without libdevmapper. */
#ifndef CAPTURE_TARGET_DM_H
#define CAPTURE_TARGET_DM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define DM_TABLE_MAX_BYTES (128u << 10)

/** struct dm_table - A table as DM_TABLE_LOAD takes it. @data: struct dm_target_spec, each
 * with its parameters behind it; @len: bytes in use */
struct dm_table {
	char *data;
	size_t len;
	unsigned nr_rows;
};

/** dm_table_add() - Append a row. @data must have room for DM_TABLE_MAX_BYTES.
 * Return: 0 or -E2BIG. */
int dm_table_add(struct dm_table *table, uint64_t start, uint64_t sectors, const char *type,
		 const char *params);

/** dm_find() - The device of this name. Return: 0 with its number and whether it has a table
 * in use; -ENXIO where there is none; -EEXIST where its UUID is another; -errno. */
int dm_find(const char *name, const char *uuid, dev_t *dev_ret, bool *active_ret);

/** dm_create() - Make a device with this table and start it; nothing is left behind by a
 * failure. Return: 0 or -errno. */
int dm_create(const char *name, const char *uuid, const struct dm_table *table, dev_t *dev_ret);

/** dm_remove() - Return: 0; -EBUSY while it is in use; -errno. */
int dm_remove(const char *name);

#endif
