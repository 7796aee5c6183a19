// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/armed.h"
#include "control/commands.h"
#include "control/image.h"
#include "control/system.h"
#include "lib/cleanup.h"
#include "lib/json.h"

#define MAX_CHANGES 16u /* more are counted only */

/* struct status - What is to be told. */
struct status {
	struct system sys;
	struct config config;
	bool configured, known, looked;
	struct armed armed;
	enum image_state state;
	unsigned nr_changes;
	struct {
		char name[256];
		const char *what;
	} changes[MAX_CHANGES];
};

static void note(void *ctx, const char *name, const char *what)
{
	struct status *s = ctx;

	if (s->nr_changes < MAX_CHANGES) {
		snprintf(s->changes[s->nr_changes].name, sizeof(s->changes[0].name), "%s", name);
		s->changes[s->nr_changes].what = what;
	}
	s->nr_changes++;
}

static int look(struct status *s, const struct invocation *in)
{
	_free_ char *path = NULL;
	struct inputs now = { 0 };
	int err;

	s->known = !armed_read(in, &s->armed);
	err = system_init(&s->sys, in, s->known && *s->armed.release ? s->armed.release : NULL);
	if (err)
		return err;
	s->known &= s->sys.loaded; /* else it was written before something else unloaded it */
	s->configured = !image_config(in, &s->config, &path);
	if (s->configured)
		s->looked = !image_look(&s->sys, &s->config, &now, &s->state, note, s);
	inputs_deinit(&now);
	return 0;
}

static const char *state_name(const struct status *s)
{
	static const char *const names[] = {
		[IMAGE_FRESH] = "fresh",
		[IMAGE_STALE] = "stale",
		[IMAGE_ABSENT] = "absent",
	};

	return s->looked ? names[s->state] : "unknown";
}

static unsigned shown(const struct status *s)
{
	return s->nr_changes < MAX_CHANGES ? s->nr_changes : MAX_CHANGES;
}

static void print_json(const struct status *s)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_bool(&j, "armed", s->sys.loaded);
	json_u64(&j, "reserved_bytes", s->sys.reserved);
	json_string(&j, "kernel", s->known ? s->armed.kernel : NULL);
	json_string(&j, "release", s->known ? s->armed.release : NULL);
	json_string(&j, "image", s->known ? s->armed.image : NULL);
	json_string(&j, "image_sha256", s->known ? s->armed.sha256 : NULL);
	json_string(&j, "cmdline", s->known ? s->armed.cmdline : NULL);
	json_i64(&j, "when", s->known ? s->armed.when : 0);
	json_bool(&j, "configured", s->configured);
	json_string(&j, "image_state", state_name(s));
	json_u64(&j, "changed", s->nr_changes);
	json_array(&j, "changes");
	for (unsigned i = 0; i < shown(s); i++) {
		json_object(&j, NULL);
		json_string(&j, "name", s->changes[i].name);
		json_string(&j, "what", s->changes[i].what);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_array(&j, "targets");
	for (unsigned i = 0; s->configured && i < s->config.nr_targets; i++) {
		json_object(&j, NULL);
		json_string(&j, "type", s->config.targets[i].type);
		json_string(&j, "where", s->config.targets[i].where);
		json_string(&j, "path", s->config.targets[i].path);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static void print_armed(const struct status *s)
{
	char when[64] = "";
	time_t t = s->armed.when;
	struct tm tm;

	if (!s->sys.loaded) {
		puts("not armed");
	} else if (!s->known) {
		puts("armed, by another program than " CTL_PROGRAM);
	} else {
		if (localtime_r(&t, &tm))
			strftime(when, sizeof(when), " since %Y-%m-%d %H:%M", &tm);
		printf("armed%s\n  kernel       %s\n  image        %s\n  command line %s\n", when,
		       s->armed.kernel, s->armed.image, s->armed.cmdline);
	}
	if (s->sys.reserved)
		printf("  reserved     %" PRIu64 " MiB\n", s->sys.reserved >> 20);
	else
		puts("  reserved     none: \"" CTL_PROGRAM " setup\", then reboot");
}

static void print_text(const struct status *s)
{
	print_armed(s);
	printf("  image is     %s", state_name(s));
	if (s->looked && s->state != IMAGE_FRESH)
		printf(": \"" CTL_PROGRAM " start\" builds it%s", s->sys.loaded ? " again" : "");
	putchar('\n');
	for (unsigned i = 0; i < shown(s); i++)
		printf("    %-10s %s\n", s->changes[i].what, s->changes[i].name);
	if (s->nr_changes > MAX_CHANGES)
		printf("    and %u more\n", s->nr_changes - MAX_CHANGES);
	for (unsigned i = 0; s->configured && i < s->config.nr_targets; i++)
		printf("  target %u     %s %s, path %s\n", i + 1, s->config.targets[i].type,
		       s->config.targets[i].where, s->config.targets[i].path);
	if (s->configured && !s->config.nr_targets)
		printf("  target       the file system that holds %s\n", s->config.path);
}

int cmd_status(const struct invocation *in)
{
	struct status s = { .state = IMAGE_ABSENT };
	int status;

	if (look(&s, in))
		return CTL_FAILED;
	if (in->json)
		print_json(&s);
	else
		print_text(&s);
	status = s.sys.loaded ? CTL_OK : CTL_NO;
	system_deinit(&s.sys);
	return status;
}
