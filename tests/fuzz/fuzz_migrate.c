// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as another crash dump service's file: what comes of it is a configuration. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/migrate/migrate.h"
#include "control/settings.h"
#include "lib/config.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct settings settings;
	struct config config;
	struct migration m;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	log_set_level(LOG_LVL_NONE);
	settings_init(&settings);
	config_init(&config);
	if (!migrate_text(text, &m)) {
		if (m.config &&
		    config_parse(m.config, strlen(m.config), "fuzz", &config, NULL, NULL))
			abort();
		if (m.settings && settings_parse(m.settings, "fuzz", &settings))
			abort();
	}
	migrate_deinit(&m);
	free(text);
	return 0;
}
