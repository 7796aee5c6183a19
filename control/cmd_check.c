// SPDX-License-Identifier: GPL-2.0-or-later
/* check: would a crash be captured? Answered without one, by looking only. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "control/armed.h"
#include "control/commands.h"
#include "control/content.h"
#include "control/devices.h"
#include "control/image.h"
#include "control/reserve.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/util.h"

#define MAX_RESULTS 64u /* more than eight targets and three hooks can give */

enum verdict {
	VERDICT_OK,
	VERDICT_WARN,
	VERDICT_FAIL
};

/* struct check - What is looked at, and what came of it. */
struct check {
	struct system sys;
	struct armed armed;
	bool known;
	struct config config;
	struct content content;
	bool opened;
	unsigned nr;
	struct {
		const char *name;
		enum verdict verdict;
		char text[512];
	} results[MAX_RESULTS];
};

__attribute__((format(printf, 4, 5))) static void tell(struct check *c, enum verdict verdict,
						       const char *name, const char *fmt, ...)
{
	va_list ap;

	if (c->nr == MAX_RESULTS)
		return;
	c->results[c->nr].name = name;
	c->results[c->nr].verdict = verdict;
	va_start(ap, fmt);
	vsnprintf(c->results[c->nr++].text, sizeof(c->results[0].text), fmt, ap);
	va_end(ap);
}

static void check_armed(struct check *c)
{
	struct reserve need;
	char digest[SHA256_HEX_BYTES];

	if (c->sys.reserved && !reserve_of(&c->sys, &need) && c->sys.reserved < need.smallest)
		tell(c, VERDICT_WARN, "reservation",
		     "%" PRIu64 " MiB may be too little, about %" PRIu64
		     " are needed: see \"" CTL_PROGRAM " estimate\"",
		     c->sys.reserved >> 20, need.smallest >> 20);
	else if (c->sys.reserved)
		tell(c, VERDICT_OK, "reservation", "%" PRIu64 " MiB", c->sys.reserved >> 20);
	else
		tell(c, VERDICT_FAIL, "reservation",
		     "no memory is reserved: \"" CTL_PROGRAM " setup\", then reboot");
	if (!c->sys.loaded)
		tell(c, VERDICT_FAIL, "armed", "nothing is armed: \"" CTL_PROGRAM " start\"");
	else if (!c->known)
		tell(c, VERDICT_WARN, "armed",
		     "by another program than " CTL_PROGRAM ": \"" CTL_PROGRAM " start --reload\"");
	else if (access(c->armed.image, R_OK) || armed_digest(c->armed.image, digest) ||
		 !streq(digest, c->armed.sha256))
		tell(c, VERDICT_WARN, "armed", "%s is another image now: \"" CTL_PROGRAM " start\"",
		     c->armed.image);
	else
		tell(c, VERDICT_OK, "armed", "%s with %s", c->armed.kernel, c->armed.image);
}

static void check_image(struct check *c)
{
	struct inputs now = { 0 };
	enum image_state state;
	int err;

	if (image_look(&c->sys, &c->config, &now, &state, NULL, NULL))
		tell(c, VERDICT_WARN, "image", "whether it is fresh could not be found out");
	else if (state == IMAGE_ABSENT)
		tell(c, VERDICT_FAIL, "image", "there is none: \"" CTL_PROGRAM " start\"");
	else if (state == IMAGE_STALE)
		tell(c, VERDICT_WARN, "image",
		     "stale, \"" CTL_PROGRAM " status\" says why: \"" CTL_PROGRAM " start\"");
	else
		tell(c, VERDICT_OK, "image", "fresh");
	inputs_deinit(&now);
	err = content_read(c->sys.image, &c->content);
	c->opened = !err;
	if (err && err != -ENOENT)
		tell(c, VERDICT_FAIL, "content", "%s: %s: \"" CTL_PROGRAM " rebuild --force\"",
		     c->sys.image,
		     err == -EBADMSG || err == -EOPNOTSUPP ? "damaged" : strerror(-err));
	else if (!err && (!c->content.config || !c->content.program))
		tell(c, VERDICT_FAIL, "content",
		     "%s holds no %s: \"" CTL_PROGRAM " rebuild --force\"", c->sys.image,
		     c->content.program ? "configuration" : "vmcore-save");
	else if (!err)
		tell(c, VERDICT_OK, "content", "%u modules", c->content.nr_modules);
}

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

/* A driver that is a module here may be built into the kernel that captures. */
static bool built_in(const struct check *c, const char *name)
{
	_free_ char *path = NULL, *text = NULL;

	if (asprintf(&path, "%s/lib/modules/%s/modules.builtin", c->sys.in->root, c->sys.release) <
	    0) {
		path = NULL;
		return false;
	}
	if (io_read_file(path, 1u << 20, &text, NULL))
		return false;
	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char module[CONTENT_MODULE_BYTES];

		if (content_module_name(line, strlen(line), module) && streq(module, name))
			return true;
	}
	return false;
}

/* @devices: as devices_of_target() has it; cut into words. Names of tables are in brackets. */
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
		if (!content_has(&c->content, name) && !built_in(c, name) &&
		    strlen(missing) + strlen(name) + 2 < sizeof(missing)) {
			strcat(missing, " ");
			strcat(missing, name);
		}
	}
	if (*missing)
		tell(c, VERDICT_FAIL, "drivers",
		     "%s: the image lacks%s: \"" CTL_PROGRAM " rebuild --force\"", where, missing);
	else
		tell(c, VERDICT_OK, "drivers", "%s: the image has all %u", where, modules);
}

static void check_targets(struct check *c)
{
	char devices[DEVICES_TEXT_SIZE];

	for (unsigned i = 0; i < c->config.nr_targets; i++) {
		const struct config_target *t = &c->config.targets[i];

		devices_of_target(c->sys.in, t, devices);
		if (strstr(devices, "absent"))
			/* The ones behind the first are there for when it fails. */
			tell(c, i ? VERDICT_WARN : VERDICT_FAIL, "target",
			     "%s %s is not there: correct it in " CONFIG_PATH ", or connect it",
			     t->type, t->where);
		else
			tell(c, VERDICT_OK, "target", "%s %s", t->type, t->where);
		if (c->opened && !strstr(devices, "absent"))
			check_drivers(c, t->where, devices);
	}
	if (c->config.nr_targets)
		return;
	devices_of_path(c->sys.in, c->config.path, devices);
	tell(c, VERDICT_OK, "target", "the file system that holds %s", c->config.path);
	if (c->opened)
		check_drivers(c, c->config.path, devices);
}

/* Where no target is named, what holds the path is mounted and can be asked; all memory is the
 * most that a dump can need. */
static void check_space(struct check *c)
{
	_free_ char *path = ctl_path(c->sys.in, c->config.path), *info = NULL, *text = NULL;
	const char *total;
	struct statvfs fs;
	uint64_t free_mb, memory_mb;

	info = ctl_path(c->sys.in, "/proc/meminfo");
	if (c->config.nr_targets || !path || !info || io_read_file(info, 64u << 10, &text, NULL))
		return;
	total = strstr(text, "MemTotal:");
	if (!total)
		return;
	memory_mb = strtoull(total + strlen("MemTotal:"), NULL, 10) >> 10;
	while (statvfs(path, &fs)) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return;
		*slash = '\0';
	}
	free_mb = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
	if (free_mb < 64)
		tell(c, VERDICT_FAIL, "space", "%" PRIu64 " MiB are free in %s: make room", free_mb,
		     c->config.path);
	else if (free_mb < memory_mb)
		tell(c, VERDICT_WARN, "space",
		     "%" PRIu64 " MiB are free in %s, of memory there are %" PRIu64
		     ": a dump may not fit; see \"vmcore-save --mem-usage /proc/kcore\"",
		     free_mb, c->config.path, memory_mb);
	else
		tell(c, VERDICT_OK, "space", "%" PRIu64 " MiB are free in %s", free_mb,
		     c->config.path);
}

static void check_hooks(struct check *c)
{
	const char *const hooks[] = { c->config.kdump_pre, c->config.kdump_post,
				      c->config.kdump_emergency };

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		_free_ char *path = *hooks[i] ? ctl_path(c->sys.in, hooks[i]) : NULL;

		if (path && access(path, X_OK))
			tell(c, VERDICT_FAIL, "hook", "%s: %s", hooks[i], strerror(errno));
		else if (path)
			tell(c, VERDICT_OK, "hook", "%s", hooks[i]);
	}
}

static const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "FAIL"
	};

	return names[verdict];
}

/* Return: the worst. */
static enum verdict print(const struct check *c, bool as_json)
{
	enum verdict worst = VERDICT_OK;
	struct json j;

	json_init(&j, stdout);
	if (as_json) {
		json_object(&j, NULL);
		json_array(&j, "checks");
	}
	for (unsigned i = 0; i < c->nr; i++) {
		worst = MAX(worst, c->results[i].verdict);
		if (!as_json) {
			printf("%-4s  %-12s %s\n", verdict_name(c->results[i].verdict),
			       c->results[i].name, c->results[i].text);
			continue;
		}
		json_object(&j, NULL);
		json_string(&j, "name", c->results[i].name);
		json_string(&j, "verdict", verdict_name(c->results[i].verdict));
		json_string(&j, "text", c->results[i].text);
		json_end(&j, '}');
	}
	if (as_json) {
		json_end(&j, ']');
		json_string(&j, "verdict", verdict_name(worst));
		json_end(&j, '}');
	}
	return worst;
}

int cmd_check(const struct invocation *in)
{
	_free_ struct check *c = calloc(1, sizeof(*c));
	_free_ char *path = NULL;
	enum verdict worst;

	if (!c)
		return CTL_FAILED;
	c->known = !armed_read(in, &c->armed);
	if (system_init(&c->sys, in, c->known && *c->armed.release ? c->armed.release : NULL))
		return CTL_FAILED;
	c->known &= c->sys.loaded;
	if (image_config(in, &c->config, &path)) {
		system_deinit(&c->sys);
		return CTL_FAILED;
	}
	check_armed(c);
	check_image(c);
	check_targets(c);
	check_space(c);
	check_hooks(c);
	worst = print(c, in->json);
	content_deinit(&c->content);
	system_deinit(&c->sys);
	return worst == VERDICT_FAIL ? CTL_NO : CTL_OK;
}
