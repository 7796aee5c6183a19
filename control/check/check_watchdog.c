// SPDX-License-Identifier: GPL-2.0-or-later
/* check: what resets a machine whose capture kernel hangs. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "control/check/check.h"
#include "control/kmod.h"
#include "lib/cleanup.h"
#include "lib/util.h"

/* Only hardware has a device; softdog lives in the kernel that it should watch. Return: whether
 * there is one; @module: of its driver, "" where that is built in */
static bool find_watchdog(const struct check *c, char module[CONTENT_MODULE_BYTES])
{
	_free_ char *pattern = ctl_path(c->sys.in, "/sys/class/watchdog/watchdog*/device/driver");
	glob_t found;

	if (!pattern || glob(pattern, GLOB_NOSORT, NULL, &found))
		return false;
	*module = '\0';
	for (size_t i = 0; i < found.gl_pathc && !*module; i++) {
		_free_ char *link = NULL, *path = NULL;

		if (asprintf(&link, "%s/module", found.gl_pathv[i]) < 0)
			link = NULL;
		path = link ? realpath(link, NULL) : NULL;
		if (path)
			snprintf(module, CONTENT_MODULE_BYTES, "%s", strrchr(path, '/') + 1);
	}
	globfree(&found);
	return true;
}

void check_watchdog(struct check *c)
{
	char module[CONTENT_MODULE_BYTES];
	enum kmod_state state;
	struct kmod kmod;

	if (!c->config.watchdog) {
		check_tell(c, CHECK_OK, "watchdog", "", "not used, as the configuration says");
		return;
	}
	if (!find_watchdog(c, module)) {
		check_tell(
			c, CHECK_WARN, "watchdog",
			"load its driver at every boot; or \"watchdog no\" in " CONFIG_PATH,
			"no hardware watchdog is seen, so that a capture kernel that hangs early "
			"hangs for ever");
		return;
	}
	kmod_init(&kmod, c->sys.in->root, c->sys.release);
	state = *module ? kmod_state(&kmod, module) : KMOD_BUILT_IN;
	kmod_deinit(&kmod);
	if (state != KMOD_BUILT_IN && c->opened && !content_has(&c->content, module))
		check_tell(c, CHECK_WARN, "watchdog", "\"" CTL_PROGRAM " rebuild --force\"",
			   "the image lacks %s", module);
	else
		check_tell(c, CHECK_OK, "watchdog", "", "%s",
			   *module ? module : "its driver is built in");
}
