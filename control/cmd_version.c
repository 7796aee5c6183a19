// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "control/command.h"
#include "control/commands.h"
#include "lib/json.h"

int cmd_version(const struct invocation *in)
{
	struct json j;

	if (!in->json) {
		puts(CTL_PROGRAM " " VMCORE_SAVE_VERSION);
		return CTL_OK;
	}
	json_init(&j, stdout);
	json_object(&j, NULL);
	json_string(&j, "version", VMCORE_SAVE_VERSION);
	json_end(&j, '}');
	return CTL_OK;
}
