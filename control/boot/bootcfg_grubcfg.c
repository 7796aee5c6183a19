// SPDX-License-Identifier: GPL-2.0-or-later
/* What grub-mkconfig has made: whether crashkernel= came through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
#include "lib/cmdline.h"
#include "lib/util.h"

#define BEGIN	"### BEGIN /etc/grub.d/"
#define END	"### END "
#define DEFAULT "GRUB_CMDLINE_LINUX_DEFAULT"

/* "linux FILE WORDS" and its like; not for recovery, for which GRUB_CMDLINE_LINUX_DEFAULT is not.
 */
static bool boots(const char *line)
{
	static const char *const linux_commands[] = { "linux", "linuxefi", "linux16" };
	struct cmdline_word w;
	bool is = false;

	if (!cmdline_next(&line, &w))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(linux_commands); i++) {
		size_t len = strlen(linux_commands[i]);

		is |= w.raw_len == len && !memcmp(w.raw, linux_commands[i], len);
	}
	while (is && cmdline_next(&line, &w))
		is = !cmdline_is(&w, "single") && !cmdline_is(&w, "recovery");
	return is;
}

/* Within the parts of 10_linux and its like: other systems, such as os-prober finds, and what was
 * written by hand have command lines of their own. */
static int find_linux(const char *text, size_t len, const char *const *names,
		      struct bootcfg_spans *out)
{
	bool within = true;
	int err = 0;

	(void)names;
	for (const char *at = text, *next; !err && at < text + len; at = next) {
		size_t n = strcspn(at, "\n");
		_free_ char *line = strndup(at, n);
		const char *name = line ? after_prefix(line, BEGIN) : NULL;

		next = at + n + (at[n] == '\n');
		if (!line)
			return -ENOMEM;
		if (name)
			within = after_prefix(name, "10_") != NULL;
		else if (after_prefix(line, END))
			within = false;
		else if (within && boots(line))
			err = bootcfg_spans_add(out, (size_t)(at - text), (size_t)(at - text) + n,
						0, false);
	}
	return err;
}

const struct bootcfg_form bootcfg_form_grubcfg = { .find = find_linux, .each = true };

unsigned bootcfg_grubcfg_resets(const char *text)
{
	unsigned number = 0, found = 0;

	while (*text) {
		const char *line = text + strspn(text, " \t"), *value, *again;
		size_t len = strcspn(text, "\n");

		number++;
		line = after_prefix(line, "export ") ? line + strlen("export ") : line;
		value = after_prefix(line, DEFAULT "=");
		again = value ? strstr(value, DEFAULT) : NULL;
		if (value && (!again || again >= text + len))
			found = number;
		text += len + (text[len] == '\n');
	}
	return found;
}
