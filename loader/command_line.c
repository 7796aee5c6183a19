// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "lib/cmdline.h"
#include "loader/loader.h"

/* What names the running kernel's file, and what would reserve memory a second time. */
static const char *const strip_load[] = { "BOOT_IMAGE", NULL };
static const char *const strip_panic[] = { "BOOT_IMAGE", "crashkernel", NULL };

int command_line_compose(const struct options *opts, const char *running, const char *built_in,
			 char *out, size_t size)
{
	const char *append = opts->append ? opts->append : "";
	size_t len = 0, append_len;

	/* As systemd-stub(7) does without Secure Boot: what is said now goes before what was. */
	if (built_in && !opts->append && !(opts->flags & OPT_REUSE_CMDLINE))
		append = built_in;
	append_len = strlen(append);

	if (opts->flags & OPT_REUSE_CMDLINE) {
		int err = cmdline_remove(
			running, opts->flags & OPT_PANIC ? strip_panic : strip_load, out, size);

		if (err)
			return err;
		len = strlen(out);
	}
	/* One more for the space before it, one for the NUL behind it. */
	if (append_len + 2 > size - len)
		return -E2BIG;
	if (len && append_len)
		out[len++] = ' ';
	memcpy(out + len, append, append_len + 1);
	return 0;
}
