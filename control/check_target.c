// SPDX-License-Identifier: GPL-2.0-or-later
/* check: the targets. */
#include <string.h>

#include "control/check.h"
#include "control/devices.h"

void check_targets(struct check *c)
{
	char devices[DEVICES_TEXT_SIZE];

	for (unsigned i = 0; i < c->config.nr_targets; i++) {
		const struct config_target *t = &c->config.targets[i];

		devices_of_target(c->sys.in, t, devices);
		if (strstr(devices, "absent"))
			/* The ones behind the first are there for when it fails. */
			check_tell(c, i ? CHECK_WARN : CHECK_FAIL, "target",
				   "correct it in " CONFIG_PATH ", or connect it",
				   "%s %s is not there", t->type, t->where);
		else
			check_tell(c, CHECK_OK, "target", "", "%s %s", t->type, t->where);
		if (c->opened && !strstr(devices, "absent"))
			check_drivers(c, t->where, devices);
	}
	if (c->config.nr_targets)
		return;
	devices_of_path(c->sys.in, c->config.path, devices);
	check_tell(c, CHECK_OK, "target", "", "the file system that holds %s", c->config.path);
	if (c->opened)
		check_drivers(c, c->config.path, devices);
}
