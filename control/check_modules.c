// SPDX-License-Identifier: GPL-2.0-or-later
/* check: whether the image has the modules that the way to a target needs. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "control/check.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/util.h"

/* The module of a driver of the running kernel; false for what is built in. */
static bool module_of(const struct check *c, const char *driver, char name[CONTENT_MODULE_BYTES])
{
	_free_ char *pattern = NULL, *module = NULL;
	glob_t found;

	if (strpbrk(driver, "*?[]\\/") ||
	    asprintf(&pattern, "%s/sys/bus/*/drivers/%s/module", c->sys.in->root, driver) < 0) {
		pattern = NULL;
		return false;
	}
	if (!glob(pattern, GLOB_NOSORT, NULL, &found)) {
		module = realpath(found.gl_pathv[0], NULL);
		globfree(&found);
	}
	if (module)
		snprintf(name, CONTENT_MODULE_BYTES, "%s", strrchr(module, '/') + 1);
	return module;
}

/* Names of tables are in brackets. @devices is cut into words. */
static void check_drivers(struct check *c, const char *where, char *devices)
{
	char missing[256] = "", name[CONTENT_MODULE_BYTES];
	unsigned depth = 0, modules = 0;

	for (char *save, *word = strtok_r(devices, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		bool inside = depth > 0;

		depth += strchr(word, '(') != NULL;
		inside |= depth > 0;
		depth -= depth && strchr(word, ')');
		if (inside || !module_of(c, word, name))
			continue;
		modules++;
		if (!content_has(&c->content, name) && !content_built_in(&c->sys, name) &&
		    strlen(missing) + strlen(name) + 2 < sizeof(missing)) {
			strcat(missing, " ");
			strcat(missing, name);
		}
	}
	if (*missing)
		check_tell(c, CHECK_FAIL, "drivers", "\"" CTL_PROGRAM " rebuild --force\"",
			   "%s: the image lacks%s", where, missing);
	else
		check_tell(c, CHECK_OK, "drivers", "", "%s: the image has all %u", where, modules);
}

void check_modules(struct check *c, struct check_target *s)
{
	if (c->opened && *s->devices)
		check_drivers(c, s->where, s->devices);
}
