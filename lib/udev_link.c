// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/udev_link.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"

/* In a link's name udev writes what is not safe there as "\\x2f" (udev(7), OPTIONS,
 * string_escape). */
static void unescape(const char *text, char *out, size_t size)
{
	size_t len = 0;
	unsigned byte;

	while (*text && len < size - 1) {
		if (text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
		    isxdigit((unsigned char)text[3]) && sscanf(text + 2, "%2x", &byte) == 1) {
			out[len++] = byte;
			text += 4;
		} else {
			out[len++] = *text++;
		}
	}
	out[len] = '\0';
}

int udev_link_spec(const char *path, char spec[UDEV_SPEC_SIZE])
{
	static const char *const links[][2] = {
		{ "/dev/disk/by-uuid/", "UUID=" },
		{ "/dev/disk/by-label/", "LABEL=" },
		{ "/dev/disk/by-partuuid/", "PARTUUID=" },
		{ "/dev/disk/by-partlabel/", "PARTLABEL=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		const char *name = after_prefix(path, links[i][0]);
		size_t len = strlen(links[i][1]);

		if (!name || !*name || strchr(name, '/'))
			continue;
		memcpy(spec, links[i][1], len);
		unescape(name, spec + len, UDEV_SPEC_SIZE - len);
		return 0;
	}
	return after_prefix(path, "/dev/disk/") ? -EOPNOTSUPP : -ENOENT;
}
