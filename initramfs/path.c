// SPDX-License-Identifier: GPL-2.0-or-later
#include "initramfs/path.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool component_is_clean(const char *name, size_t len)
{
	if (!len || (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)name[i]))
			return false;
	return true;
}

bool path_is_clean(const char *path)
{
	for (;;) {
		const size_t len = strcspn(path, "/");

		if (!component_is_clean(path, len))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}
