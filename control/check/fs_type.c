// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/check/fs_type.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>

#include "lib/cleanup.h"

static void free_probe(blkid_probe *pr)
{
	if (*pr)
		blkid_free_probe(*pr);
}

int fs_type_of(const char *node, char type[FS_TYPE_SIZE])
{
	__cleanup(free_probe) blkid_probe pr = NULL;
	const char *value = NULL;
	int found;

	errno = 0;
	pr = blkid_new_probe_from_filename(node);
	if (!pr)
		return errno ? -errno : -EIO;
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE);
	found = blkid_do_safeprobe(pr);
	if (found == -2)
		return -EUCLEAN;
	if (found == -1)
		return errno ? -errno : -EIO;
	if (found || blkid_probe_lookup_value(pr, "TYPE", &value, NULL))
		value = "";
	snprintf(type, FS_TYPE_SIZE, "%s", value);
	return 0;
}
