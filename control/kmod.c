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

void kmod_each_needed(const struct kmod *kmod, const char *name,
		      void (*fn)(void *ctx, const char *name), void *ctx)
{
	const char *at = find_line(kmod->dep, name);

	while (at && *at && *at != '\n') {
		size_t len = strcspn(at, ": \n");
		char found[CONTENT_MODULE_BYTES];

		if (content_module_name(at, len, found))
			fn(ctx, found);
		at += len;
		at += strspn(at, ": ");
	}
}
