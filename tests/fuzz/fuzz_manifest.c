// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an image's manifest. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/manifest.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What passed must be fit for an archive: plain paths, each below a directory. */
static void check(const struct manifest *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		const struct manifest_entry *e = &m->entries[i];

		if (e->path[0] != '/' || strstr(e->path, "//") || strstr(e->path, "/../") ||
		    (e->mode & ~0170000u) > 07777 || !e->line)
			abort();
		if ((e->kind == MANIFEST_FILE || e->kind == MANIFEST_SLINK) && !*e->value)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest_vars vars = {
		.var = { { "A", "one two", false }, { "B", "", false } },
		.nr = 2,
	};
	struct manifest m;

	log_set_level(LOG_LVL_NONE);
	if (!manifest_parse((const char *)data, size, "fuzz", &vars, &m)) {
		check(&m);
		manifest_deinit(&m);
	}
	return 0;
}
