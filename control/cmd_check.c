// SPDX-License-Identifier: GPL-2.0-or-later
/* check: would a crash be captured? Answered without one, by looking only. */
#include <stdarg.h>
#include <stdlib.h>

#include "control/check/check.h"
#include "control/commands.h"
#include "control/image.h"
#include "lib/cleanup.h"
#include "lib/json.h"
#include "lib/util.h"

void check_tell(struct check *c, enum check_verdict verdict, const char *name, const char *hint,
		const char *fmt, ...)
{
	struct check_result *r = &c->results[c->nr];
	va_list ap;

	if (c->nr == CHECK_MAX_RESULTS)
		return;
	c->nr++;
	r->name = name;
	r->verdict = verdict;
	snprintf(r->hint, sizeof(r->hint), "%s", hint);
	va_start(ap, fmt);
	vsnprintf(r->text, sizeof(r->text), fmt, ap);
	va_end(ap);
}

static const char *verdict_name(enum check_verdict verdict)
{
	static const char *const names[] = {
		[CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "FAIL"
	};

	return names[verdict];
}

static void print_text(const struct check *c)
{
	for (unsigned i = 0; i < c->nr; i++) {
		const struct check_result *r = &c->results[i];

		printf("%-4s  %-12s %s%s%s\n", verdict_name(r->verdict), r->name, r->text,
		       *r->hint ? ": " : "", r->hint);
	}
}

static void print_json(const struct check *c, enum check_verdict worst)
{
	struct json j;

	json_init(&j, stdout);
	json_object(&j, NULL);
	json_array(&j, "checks");
	for (unsigned i = 0; i < c->nr; i++) {
		const struct check_result *r = &c->results[i];

		json_object(&j, NULL);
		json_string(&j, "name", r->name);
		json_string(&j, "verdict", verdict_name(r->verdict));
		json_string(&j, "text", r->text);
		json_string(&j, "hint", *r->hint ? r->hint : NULL);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_string(&j, "verdict", verdict_name(worst));
	json_end(&j, '}');
}

static int check_init(struct check *c, const struct invocation *in)
{
	_free_ char *path = NULL;

	c->known = !armed_read(in, &c->armed);
	if (system_init(&c->sys, in, c->known && *c->armed.release ? c->armed.release : NULL))
		return CTL_FAILED;
	c->known &= c->sys.loaded;
	if (image_config(in, &c->config, &path)) {
		system_deinit(&c->sys);
		return CTL_FAILED;
	}
	history_read(in, c->sys.release, &c->history); /* none of it has to be there */
	return CTL_OK;
}

int cmd_check(const struct invocation *in)
{
	_free_ struct check *c = calloc(1, sizeof(*c));
	enum check_verdict worst = CHECK_OK;

	if (!c || check_init(c, in) != CTL_OK)
		return CTL_FAILED;
	check_armed(c);
	check_image(c);
	check_targets(c);
	check_hooks(c);
	check_watchdog(c);
	check_kernel(c);
	for (unsigned i = 0; i < c->nr; i++)
		worst = MAX(worst, c->results[i].verdict);
	if (in->json)
		print_json(c, worst);
	else
		print_text(c);
	content_deinit(&c->content);
	system_deinit(&c->sys);
	return worst == CHECK_FAIL ? CTL_NO : CTL_OK;
}
