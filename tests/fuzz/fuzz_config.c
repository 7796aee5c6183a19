// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a configuration file and as a kernel command line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void discard(void *ctx, const char *message)
{
	size_t *bytes = ctx;

	*bytes += strlen(message);
}

/* Whatever came in, what a capture would use must be bounded and sane. */
static void check(const struct config *c)
{
	if (c->path[0] != '/' || c->vmcore[0] != '/' || strlen(c->device) >= sizeof(c->device) ||
	    !c->fstype[0] != !c->device[0] || c->timeout < 5 || c->timeout > 604800 ||
	    strlen(c->extra_modules) >= sizeof(c->extra_modules) ||
	    (unsigned)c->failure_action > CONFIG_SHELL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *cmdline = malloc(size + 1);
	struct config config;
	size_t bytes = 0;

	if (!cmdline)
		return 0;
	config_init(&config);
	config_parse((const char *)data, size, "fuzz", &config, discard, &bytes);
	check(&config);
	memcpy(cmdline, data, size);
	cmdline[size] = '\0';
	config_override(cmdline, &config, discard, &bytes);
	check(&config);
	return 0;
}
