// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/kmod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/content.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

#define MAX_DEP	    (16u << 20)
#define MAX_BUILTIN (1u << 20)

static char *read_text(const char *root, const char *release, const char *name, size_t max)
{
	_free_ char *path = NULL;
	char *text = NULL;

	if (asprintf(&path, "%s/lib/modules/%s/%s", root, release, name) < 0) {
		path = NULL;
		return NULL;
	}
	return io_read_file(path, max, &text, NULL) ? NULL : text;
}

void kmod_init(struct kmod *kmod, const char *root, const char *release)
{
	kmod->dep = read_text(root, release, "modules.dep", MAX_DEP);
	kmod->builtin = read_text(root, release, "modules.builtin", MAX_BUILTIN);
}

void kmod_deinit(struct kmod *kmod)
{
	free(kmod->dep);
	free(kmod->builtin);
	*kmod = (struct kmod){ NULL, NULL };
}

/* The line "PATH" or "PATH: PATHS..." of a module. */
static const char *find_line(const char *text, const char *name)
{
	while (text && *text) {
		char found[CONTENT_MODULE_BYTES];

		if (content_module_name(text, strcspn(text, ":\n"), found) && streq(found, name))
			return text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

enum kmod_state kmod_state(const struct kmod *kmod, const char *name)
{
	if (find_line(kmod->builtin, name))
		return KMOD_BUILT_IN;
	if (find_line(kmod->dep, name))
		return KMOD_MODULE;
	return kmod->dep && kmod->builtin ? KMOD_NONE : KMOD_UNKNOWN;
}

/* The line has the module first, then what it needs; of that, what is to be loaded first is last.
 */
int kmod_each_needed(const struct kmod *kmod, const char *name,
		     int (*fn)(void *ctx, const char *path, size_t len), void *ctx)
{
	const char *line = find_line(kmod->dep, name), *end;
	int err = 0;

	if (!line)
		return 0;
	end = line + strcspn(line, "\n");
	while (!err && end > line) {
		const char *at = end;

		while (at > line && at[-1] != ' ' && at[-1] != ':')
			at--;
		if (end > at)
			err = fn(ctx, at, (size_t)(end - at));
		end = at > line ? at - 1 : at;
	}
	return err;
}
