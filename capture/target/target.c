// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/target/target.h"

#include "lib/util.h"

static const struct target_ops *const target_rows[] = {
	&target_fs_ops,
};

const struct target_ops *target_ops_for(const struct config *config)
{
	for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++)
		if (target_rows[i]->handles(config))
			return target_rows[i];
	return NULL;
}
